/** The architectures that can be converted: one import and one entry each. */
import type { ConfigReader } from '../config';
import { albert } from './albert';
import type { Architecture } from './architecture';
import { bart, mbart, mvp } from './bart';
import { bert, ernie, megatronBert } from './bert';
import { bigBird } from './big-bird';
import { bloom } from './bloom';
import { curator } from './curator';
import { deberta } from './deberta';
import { debertaV2, provence } from './deberta-v2';
import { decoders } from './decoder';
import { distilbert } from './distilbert';
import { electra } from './electra';
import { esm } from './esm';
import { eurobert } from './eurobert';
import { falcon } from './falcon';
import { gptBigCode } from './gpt-bigcode';
import { gptj } from './gptj';
import { gptNeo } from './gpt-neo';
import { gptNeox } from './gpt-neox';
import { gpt2, openaiGpt } from './gpt2';
import { hhem } from './hhem';
import { jinaBert } from './jina-bert';
import { jinaRanking } from './jina-ranking';
import { layerwise } from './layerwise';
import { longformer } from './longformer';
import { luke } from './luke';
import { mobilebert } from './mobilebert';
import { modernbert } from './modernbert';
import { modernbertDecoder } from './modernbert-decoder';
import { mpnet } from './mpnet';
import { mpt } from './mpt';
import { opt } from './opt';
import { phi } from './phi';
import { rembert } from './rembert';
import { robertaFamily } from './roberta';
import { rotaryBertFamily } from './rotary-bert';
import { squeezebert } from './squeezebert';
import { stablelm } from './stablelm';
import { starcoder2 } from './starcoder2';
import { t5Family } from './t5';
import { t5LanguageModels } from './t5-language-model';
import { xlnet } from './xlnet';

export const ARCHITECTURES: readonly Architecture[] = [
  bert,
  ernie,
  megatronBert,
  distilbert,
  ...robertaFamily,
  longformer,
  bigBird,
  luke,
  electra,
  albert,
  rembert,
  mpnet,
  deberta,
  debertaV2,
  provence,
  curator,
  xlnet,
  mobilebert,
  squeezebert,
  modernbert,
  ...rotaryBertFamily,
  jinaBert,
  eurobert,
  esm,
  bart,
  mbart,
  mvp,
  ...t5Family,
  hhem,
  gpt2,
  openaiGpt,
  gptBigCode,
  gptNeo,
  gptNeox,
  gptj,
  opt,
  bloom,
  mpt,
  phi,
  falcon,
  starcoder2,
  stablelm,
  modernbertDecoder,
  ...decoders,
  ...t5LanguageModels,
  jinaRanking,
  ...layerwise,
];

/** They are too many for a message. */
const NOT_SUPPORTED = 'that is none of the supported classes, which docs/models.md lists';

/** An architecture whose encoder can be run without its head. */
export type BodyArchitecture = Architecture & Required<Pick<Architecture, 'describeBody'>>;

/**
 * The architecture of the class that AutoModel makes: by the model_type alone, but for models that were published with code
 * of their own before transformers had their class. Throws `architecture_unsupported`.
 */
export function findBody(config: ConfigReader): BodyArchitecture {
  const hasBody = (architecture: Architecture): architecture is BodyArchitecture =>
    architecture.describeBody !== undefined;
  const bodies = ARCHITECTURES.filter(hasBody);
  const modelType = config.string('model_type');
  const supported = bodies.map((architecture) => architecture.modelType).join(', ');
  const ownCode = /\w*$/.exec(String(config.object('auto_map')?.['AutoModel'] ?? ''))![0];
  const named = [ownCode, ...namedClasses(config)];
  return (
    bodies.find((known) => known.publishedAs === modelType && named.includes(bareClass(known.sourceClass))) ??
    bodies.find((architecture) => architecture.modelType === modelType) ??
    config.unsupported(
      `the model_type is ${modelType ?? 'absent'}; without a head of its own are supported: ${supported}`,
    )
  );
}

/** The classes in config.json, of which there may be none. */
function namedClasses(config: ConfigReader): readonly string[] {
  const classes = [config.get('architectures') ?? []].flat();
  if (classes.some((name) => typeof name !== 'string'))
    config.malformed('architectures is not an array of class names');
  return classes as string[];
}

/** Whether config.json is that of `sourceClass`: as it names classes, else by the model_type, by which transformers goes. */
export function isOfClass(config: ConfigReader, sourceClass: string, modelType?: string): boolean {
  const classes = namedClasses(config);
  if (classes.length > 0) return classes.includes(sourceClass);
  return modelType !== undefined && config.get('model_type') === modelType;
}

/** The architecture that config.json names. Throws `architecture_unsupported` with the name for any other. */
export function findArchitecture(config: ConfigReader): Architecture {
  const classes = namedClasses(config);
  if (classes.length > 0) {
    const found = ARCHITECTURES.find(({ sourceClass }) => classes.includes(sourceClass));
    const named = classes.join(', ').slice(0, 200);
    return found ?? config.unsupported(`architectures names ${named}; ${adviceFor(named) ?? NOT_SUPPORTED}`);
  }
  // Files written by hand leave the class out; the head's tensors are then checked all the same.
  const modelType = config.string('model_type');
  const found =
    ARCHITECTURES.find((architecture) => architecture.recognizes?.(config)) ??
    ARCHITECTURES.find((architecture) => architecture.modelType === modelType);
  return found ?? config.unsupported(`no architectures and the model_type ${modelType ?? 'absent'}; ${NOT_SUPPORTED}`);
}

/** Classes that are saved with other heads than a classifier's, or with none. */
const OF_PRETRAINING = /^(\w+?)(?:Model|ForMaskedLM|ForPreTraining|ForCausalLM)$/;

/**
 * The classifier of the model_type where config.json names a class of the same family that has no classifier's head. It is
 * what transformers makes of it, and all of it comes from the checkpoint if that has such a head all the same, as files do
 * whose config.json is that of the model which was trained. Undefined too where the class is one of the repository's own.
 */
export function findPresumed(config: ConfigReader): Architecture | undefined {
  const classes = namedClasses(config);
  const isKnown = ARCHITECTURES.some(({ sourceClass }) => classes.includes(sourceClass));
  if (isKnown || config.get('auto_map') !== undefined) return undefined;
  const families = classes.map((name) => `${OF_PRETRAINING.exec(name)?.[1]}ForSequenceClassification`);
  const modelType = config.string('model_type');
  return ARCHITECTURES.find((known) => families.includes(known.sourceClass) && known.modelType === modelType);
}

/** BertModel, BertForMaskedLM: the family is known, and a checkpoint of it with the right head would do. */
function adviceFor(named: string): string | undefined {
  const [, family] = /^(\w+?)(?:Model|For[A-Z]\w*)$/.exec(named) ?? [];
  const classifier = `${family ?? ''}ForSequenceClassification`;
  if (!ARCHITECTURES.some(({ sourceClass }) => sourceClass === classifier)) return undefined;
  return `this checkpoint has another head than a classifier's, or none; ${classifier} is supported`;
}

/** The class of the model without a head: BertForSequenceClassification gives BertModel. */
export function bareClass(sourceClass: string): string {
  return sourceClass.replace(/For\w+$/, 'Model');
}
