/** modules.json, as sentence-transformers writes it: which folders of a model hold the transformer and what follows it. */
import { EncoderError } from '../errors';
import { type JsonObject, type JsonValue, isJsonObject } from '../support/json';

export const MODULES = 'modules.json';
/** Lies beside modules.json; everything else lies in the transformer's folder. */
export const MODEL_SETTINGS = 'config_sentence_transformers.json';
export const TRANSFORMER_SETTINGS = 'sentence_bert_config.json';

/** 0_Transformer and the like: one plain name, so that it cannot lead out of the model's folder. */
const FOLDER = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** Folders in the model's, '' where it is the model's own. */
export interface ModuleFolders {
  readonly transformer: string;
  /** Of the module that makes a language model's logits a score; undefined when there is none. */
  readonly logitScore: string | undefined;
}

/**
 * Where the modules lie. Throws `checkpoint_malformed`, and `architecture_unsupported` when the model does more than run
 * one transformer with its own head or score the logits of a language model.
 */
export function moduleFolders(modules: JsonValue, path: string): ModuleFolders {
  if (!Array.isArray(modules) || modules.length === 0 || !modules.every(isJsonObject)) {
    throw new EncoderError('checkpoint_malformed', `${path} is no list of modules`);
  }
  const names = modules.map((module) => className(module, path));
  const [first, second] = modules;
  if (names.join() === 'Transformer') return { transformer: folderOf(first!, path), logitScore: undefined };
  if (names.join() === 'Transformer,LogitScore') {
    const logitScore = folderOf(second!, path);
    if (logitScore === '')
      throw new EncoderError('checkpoint_malformed', `${path}: LogitScore has no folder of its own`);
    return { transformer: folderOf(first!, path), logitScore };
  }
  const embeds = names.includes('Pooling') && !names.includes('Dense');
  throw new EncoderError(
    'architecture_unsupported',
    `${path}: the modules are ${names.join(', ').slice(0, 200)}; ` +
      (embeds
        ? 'this is an embedding model, and only classifiers and cross-encoders are run'
        : 'only a Transformer with its own classification head, or with a LogitScore, is run'),
  );
}

function folderOf(module: JsonObject, path: string): string {
  const folder = module['path'] ?? '';
  if (folder === '') return '';
  if (typeof folder === 'string' && FOLDER.test(folder)) return folder;
  throw new EncoderError(
    'checkpoint_malformed',
    `${path}: the path ${String(JSON.stringify(folder)).slice(0, 80)} is no plain folder name`,
  );
}

function className(module: JsonObject, path: string): string {
  const { type } = module;
  if (typeof type === 'string' && /^[\w.-]{1,200}$/.test(type)) {
    // The class moved between releases; a class of another package only shares the name.
    return type.startsWith('sentence_transformers.') ? type.slice(type.lastIndexOf('.') + 1) : type;
  }
  throw new EncoderError('checkpoint_malformed', `${path}: a module has no type`);
}
