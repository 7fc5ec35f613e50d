/** modules.json, as sentence-transformers writes it: which folders of a model hold the transformer and what follows it. */
import { EncoderError } from '../../errors';
import { type JsonObject, type JsonValue, isJsonObject, shown } from '../../support/json';

export const MODULES = 'modules.json';
/** Lies beside modules.json; everything else lies in the transformer's folder. */
export const MODEL_SETTINGS = 'config_sentence_transformers.json';
export const TRANSFORMER_SETTINGS = 'sentence_bert_config.json';

/** 0_Transformer and the like: one plain name, so that it cannot lead out of the model's folder. */
const FOLDER = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** A chain that the graph's head can be, Dropout left out: it does nothing outside training. */
const HEAD = /^Transformer,Pooling(,Dense)?(,LayerNorm)?,Dense$/;
/** An embedding model that SetFit's head can follow. */
const EMBEDDING = /^Transformer,Pooling(,Dense)?(,Normalize)?$/;
/** A chain that gives a vector for each token; what PyLate writes says nothing of the last two. */
const LATE_INTERACTION =
  /^Transformer(?=.*(Dense|MultiVectorMask))(,Dense)*(,MultiVectorMask(,Normalize)?|,Normalize(,MultiVectorMask)?)?$/;
/** PyLate's name of sentence-transformers' class. */
const PYLATE_DENSE = 'pylate.models.Dense.Dense';

/** Folders in the model's, '' where it is the model's own. */
export interface ModuleFolders {
  readonly transformer: string;
  /** Of the module that makes a language model's logits a score; undefined when there is none. */
  readonly logitScore: string | undefined;
  /** Of the modules that make scores of the last states; undefined when the transformer has a head of its own. */
  readonly head: HeadFolders | undefined;
  /** Of the modules that make a vector of each token; undefined for any other model. */
  readonly interaction?: InteractionFolders | undefined;
}

export interface InteractionFolders {
  /** Of the linear layers, in their order. */
  readonly dense: readonly string[];
  /** Of the module that says which tokens score, and of the one that divides vectors by their length. */
  readonly mask: string | undefined;
  readonly normalize: string | undefined;
}

export interface HeadFolders {
  readonly pooling: string;
  /** Of the dense layer and the norm before the last layer. */
  readonly dense: string | undefined;
  readonly norm: string | undefined;
  /** Of the module that divides an embedding by its length; it may hold nothing. */
  readonly normalize?: string | undefined;
  /** Of the last layer; undefined where SetFit's head is in its place. */
  readonly scores: string | undefined;
}

/**
 * Where the modules lie; `hasSetFitHead`: beside the head that SetFit keeps. Throws `checkpoint_malformed`, and
 * `architecture_unsupported` when the model does more than run one transformer with its own head, score the logits of a
 * language model, put a head of modules, or SetFit's, on an encoder, or make a vector of each token.
 */
export function moduleFolders(modules: JsonValue, path: string, hasSetFitHead: boolean): ModuleFolders {
  if (!Array.isArray(modules) || modules.length === 0 || !modules.every(isJsonObject)) {
    throw new EncoderError('checkpoint_malformed', `${path} is no list of modules`);
  }
  const names = modules.map((module) => className(module, path));
  const computed = modules
    .map((module, index) => [names[index]!, module] as const)
    .filter(([name]) => name !== 'Dropout');
  const chain = computed.map(([name]) => name).join();
  const find = (wanted: string) => {
    const module = computed.find(([name]) => name === wanted)?.[1];
    return module && ownFolder(wanted, module, path);
  };
  const transformer = () => folderOf(modules[0]!, path);
  if (names.join() === 'Transformer') return { transformer: transformer(), logitScore: undefined, head: undefined };
  if (names.join() === 'Transformer,LogitScore') {
    return { transformer: transformer(), logitScore: find('LogitScore'), head: undefined };
  }
  if (hasSetFitHead && EMBEDDING.test(chain)) {
    const head = { pooling: find('Pooling')!, dense: find('Dense'), norm: undefined, normalize: find('Normalize') };
    return { transformer: transformer(), logitScore: undefined, head: { ...head, scores: undefined } };
  }
  if (HEAD.test(chain)) {
    const scores = ownFolder('Dense', computed.at(-1)![1], path);
    const dense = chain.split(',Dense').length > 2 ? find('Dense') : undefined;
    const head = { pooling: find('Pooling')!, dense, norm: find('LayerNorm'), scores };
    return { transformer: transformer(), logitScore: undefined, head };
  }
  const named = computed.map(([name, module]) => [name === PYLATE_DENSE ? 'Dense' : name, module] as const);
  if (LATE_INTERACTION.test(named.map(([name]) => name).join())) {
    const layers = named.filter(([name]) => name === 'Dense').map(([name, module]) => ownFolder(name, module, path));
    const interaction = { dense: layers, mask: find('MultiVectorMask'), normalize: find('Normalize') };
    return { transformer: transformer(), logitScore: undefined, head: undefined, interaction };
  }
  const embeds = names.includes('Pooling') && !names.includes('Dense');
  throw new EncoderError(
    'architecture_unsupported',
    `${path}: the modules are ${names.join(', ').slice(0, 200)}; ` +
      (embeds
        ? 'this is an embedding model, and only classifiers and cross-encoders are run; a SetFit model has a ' +
          'model_head.pkl beside it'
        : 'a Transformer is run with its own classification head, with a LogitScore, with Pooling, Dense or LayerNorm ' +
          'or both, and a Dense for the scores, or with Dense, MultiVectorMask and Normalize, which give vectors of tokens'),
  );
}

/** The folders of the modules behind the transformer; all hold settings, or may do so where these are optional. */
export function listModules({
  logitScore,
  head,
  interaction,
}: ModuleFolders): { folder: string; hasWeights: boolean; isOptional: boolean }[] {
  const entry = (folder: string | undefined, hasWeights: boolean, isOptional = false) =>
    folder === undefined ? [] : [{ folder, hasWeights, isOptional }];
  return [
    ...entry(logitScore, false),
    ...entry(head?.pooling, false),
    ...entry(head?.dense, true),
    ...entry(head?.norm, true),
    ...entry(head?.normalize, false, true),
    ...entry(head?.scores, true),
    ...(interaction?.dense ?? []).flatMap((folder) => entry(folder, true)),
    ...entry(interaction?.mask, false, true),
    ...entry(interaction?.normalize, false, true),
  ];
}

/** Of a module whose files have the same names as the transformer's. */
function ownFolder(name: string, module: JsonObject, path: string): string {
  const folder = folderOf(module, path);
  if (folder !== '') return folder;
  throw new EncoderError('checkpoint_malformed', `${path}: ${name} has no folder of its own`);
}

function folderOf(module: JsonObject, path: string): string {
  const folder = module['path'] ?? '';
  if (folder === '') return '';
  if (typeof folder === 'string' && FOLDER.test(folder)) return folder;
  throw new EncoderError('checkpoint_malformed', `${path}: the path ${shown(folder, 80)} is no plain folder name`);
}

function className(module: JsonObject, path: string): string {
  const { type } = module;
  if (typeof type === 'string' && /^[\w.-]{1,200}$/.test(type)) {
    // The class moved between releases; a class of another package only shares the name.
    return type.startsWith('sentence_transformers.') ? type.slice(type.lastIndexOf('.') + 1) : type;
  }
  throw new EncoderError('checkpoint_malformed', `${path}: a module has no type`);
}
