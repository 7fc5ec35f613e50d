/**
 * How sentence-transformers scores pairs with a causal language model: which tokens' logits it compares after the last
 * token, and the chat template that it puts a pair into.
 */
import { EncoderError } from '../../errors';
import { type JsonObject, type JsonValue, isJsonObject, shown } from '../../support/json';
import type { NumberTokens, ScoreTokens } from '../architectures/architecture';
import { BoundedTemplate } from '../chat-template/bounded-template';
import { type MessageFormat, guessFormat } from '../chat-template/messages';
import { type PairTemplate, splitTemplate } from '../chat-template/split-template';
import { type TemplateSource, findTemplate, isForPairs, tokenVariables } from '../chat-template/template-source';
import type { CheckpointFiles } from '../checkpoint';
import { ConfigReader } from '../config';
import { MAX_VOCAB_SIZE } from '../limits';
import { findPublishedScore } from '../published-scores';
import type { PreparedTokenizer } from '../tokenizer/prepare-tokenizer';
import { refuseKwargs } from './transformer-kwargs';

export interface VocabularyScore {
  readonly tokens: ScoreTokens | NumberTokens;
  /** Undefined: a pair is two texts for the tokenizer, as for any other model. */
  readonly template: PairTemplate | undefined;
  /** Where nothing in the checkpoint names one; undefined: the default of sentence-transformers. */
  readonly activationFn?: string;
  /** What nothing in the checkpoint says, for the conversion to warn of. */
  readonly assumption?: string;
}

/** What is known of the checkpoint besides its own files. */
export interface ScoreSources {
  /** sentence_bert_config.json. */
  readonly transformer: ConfigReader | undefined;
  /** config_sentence_transformers.json. */
  readonly settings: ConfigReader | undefined;
  readonly tokenizer: PreparedTokenizer;
  /** tokenizer_config.json. */
  readonly config: JsonObject | undefined;
}

/** Arguments of apply_chat_template that are no variables of the template, or would change what becomes of its text. */
const RESERVED = [
  'chat_template',
  'common_kwargs',
  'continue_final_message',
  'conversation',
  'documents',
  'max_length',
  'messages',
  'padding',
  'return_assistant_tokens_mask',
  'return_dict',
  'return_tensors',
  'tokenize',
  'tokenizer_kwargs',
  'tools',
  'truncation',
];

/**
 * Without modules.json: what is known by the name, else the tokens "yes" and "no", and the chat template when there is one.
 * With it, what the modules say. Throws `architecture_unsupported`, `tokenizer_unsupported`, `checkpoint_malformed`.
 */
export async function readVocabularyScore(
  checkpoint: CheckpointFiles,
  sources: ScoreSources,
): Promise<VocabularyScore> {
  const { tokenizer } = sources;
  if (checkpoint.modules === undefined) {
    const published = findPublishedScore(checkpoint.name, checkpoint.folder, tokenizer);
    if (published !== undefined) return published;
    const source = await findTemplate(checkpoint, sources.config);
    const template = source && pairTemplate(source, tokenizer, undefined, {});
    const score = { tokens: defaultTokens(checkpoint, tokenizer), template };
    return source !== undefined && isForPairs(source) ? score : { ...score, assumption: unsaid(checkpoint, source) };
  }
  const { logitScore } = checkpoint.modules;
  if (logitScore === undefined) {
    throw new EncoderError(
      'architecture_unsupported',
      `${checkpoint.folder}/modules.json has no LogitScore, so nothing says how this language model scores a pair`,
    );
  }
  const score = await checkpoint.moduleConfig(logitScore);
  const { transformer = new ConfigReader({}, `${checkpoint.modelFolder}/sentence_bert_config.json`), settings } =
    sources;
  const kind = settings?.string('model_type');
  if (kind !== 'CrossEncoder') {
    const { path } = settings ?? { path: `${checkpoint.folder}/config_sentence_transformers.json` };
    throw new EncoderError(
      'architecture_unsupported',
      `${path}: model_type is ${kind ?? 'absent'}; sentence-transformers uses a LogitScore in a CrossEncoder alone`,
    );
  }
  const format = readModality(transformer, readInputName(score));
  refuseKwargs(transformer);
  const kwargs = readTemplateKwargs(transformer);
  const tokens = readTokens(score);
  if (format === undefined) return { tokens, template: undefined };
  const source = await findTemplate(checkpoint, sources.config);
  if (source === undefined)
    return transformer.unsupported('modality_config has messages, but there is no chat template');
  return { tokens, template: pairTemplate(source, tokenizer, format === 'auto' ? undefined : format, kwargs) };
}

/**
 * The chat template that sentence-transformers puts a pair into for a classifier; undefined where it does not. One that takes
 * no pair, as those of chat models, is not used: the library refuses pairs with it, and transformers knows none of this.
 */
export function readClassifierTemplate(
  source: TemplateSource,
  transformer: ConfigReader | undefined,
  tokenizer: PreparedTokenizer,
): PairTemplate | undefined {
  if (!isForPairs(source)) return undefined;
  const modalities = transformer?.object('modality_config');
  if (modalities !== undefined && modalities['message'] === undefined) return undefined;
  const format = transformer && modalities && readFormat(transformer, modalities['message']);
  return pairTemplate(source, tokenizer, format, transformer === undefined ? {} : readTemplateKwargs(transformer));
}

function unsaid({ folder }: CheckpointFiles, source: TemplateSource | undefined): string {
  const place = source === undefined ? 'the two texts' : 'a chat template that does not name query and document';
  return (
    `nothing in ${folder} says how this language model scores a pair; as in sentence-transformers, the score is made of ` +
    `the tokens "yes" and "no" after ${place}. Where it was trained otherwise, say so in a modules.json with a LogitScore`
  );
}

function defaultTokens({ folder }: CheckpointFiles, { tokens }: PreparedTokenizer): ScoreTokens {
  const ids = new Map<string, number>();
  for (const [id, token] of tokens) if (token === 'yes' || token === 'no') ids.set(token, id);
  const [positive, negative] = [ids.get('yes'), ids.get('no')];
  if (positive !== undefined && negative !== undefined) return { positive, negative };
  throw new EncoderError(
    'architecture_unsupported',
    `${folder} is a language model without the tokens "yes" and "no", by whose logits sentence-transformers scores; ` +
      'save it there with a LogitScore that names its own tokens',
  );
}

const SCORE_KEYS = ['true_token_id', 'false_token_id', 'module_input_name'];

function readTokens(score: ConfigReader): ScoreTokens {
  const unknown = Object.keys(score.json).find((key) => !SCORE_KEYS.includes(key));
  if (unknown !== undefined) score.malformed(`a LogitScore has no setting ${shown(unknown, 40)}`);
  if (score.get('true_token_id') === undefined) score.malformed('true_token_id is not set');
  const id = (key: string) => score.integer(key, 0, 0, MAX_VOCAB_SIZE - 1);
  const negative = score.get('false_token_id') === undefined ? undefined : id('false_token_id');
  return { positive: id('true_token_id'), negative };
}

function readInputName(score: ConfigReader): string {
  return score.string('module_input_name', 'causal_logits');
}

/** The format of the messages that pairs become; undefined when they stay texts. */
function readModality(transformer: ConfigReader, inputName: string): MessageFormat | 'auto' | undefined {
  const task = transformer.string('transformer_task', 'feature-extraction');
  if (task !== 'text-generation') {
    transformer.unsupported(`transformer_task is ${task.slice(0, 40)}; a LogitScore is supported with text-generation`);
  }
  const modalities = transformer.object('modality_config');
  const outputName = modalities === undefined ? 'causal_logits' : transformer.string('module_output_name');
  if (outputName !== inputName) {
    transformer.malformed(`the module's output is ${outputName ?? 'not named'}, but LogitScore reads ${inputName}`);
  }
  if (modalities === undefined) return undefined;
  const messages = modalities['message'];
  const used = messages ?? modalities['text'];
  if (!isJsonObject(used)) return transformer.unsupported('modality_config has neither text nor messages');
  const output = [used['method_output_name']].flat();
  if (used['method'] !== 'forward' || output.length !== 1 || output[0] !== 'logits') {
    transformer.unsupported('modality_config takes something else than the logits of the forward method');
  }
  if (messages === undefined) return undefined;
  return readFormat(transformer, used) ?? 'auto';
}

/** Undefined: the template says which. */
function readFormat(transformer: ConfigReader, messages: JsonValue | undefined): MessageFormat | undefined {
  const format = isJsonObject(messages) ? (messages['format'] ?? 'auto') : 'auto';
  if (format === 'auto') return undefined;
  if (format === 'flat' || format === 'structured') return format;
  return transformer.malformed(`modality_config has the format ${shown(format, 40)}`);
}

function readTemplateKwargs(transformer: ConfigReader): JsonObject {
  const processing = new ConfigReader(transformer.object('processing_kwargs') ?? {}, transformer.path);
  const kwargs = processing.object('chat_template') ?? {};
  const reserved = Object.keys(kwargs).find((name) => RESERVED.includes(name));
  if (reserved !== undefined) transformer.unsupported(`processing_kwargs sets chat_template.${reserved}`);
  return kwargs;
}

function pairTemplate(
  { source, path, isNamed = false }: TemplateSource,
  tokenizer: PreparedTokenizer,
  format: MessageFormat | undefined,
  kwargs: JsonObject,
): PairTemplate {
  const { restore_suffix: restores = true, ...variables } = kwargs;
  const split = splitTemplate({
    template: new BoundedTemplate(source, path),
    format: format ?? (isNamed ? 'structured' : guessFormat(source)),
    variables: {
      tools: null,
      documents: null,
      add_generation_prompt: false,
      ...tokenVariables(tokenizer),
      ...variables,
    },
  });
  return { ...split, restoresEnd: isTrue(restores) };
}

/** As Python sees it. */
function isTrue(value: JsonValue): boolean {
  return Array.isArray(value) ? value.length > 0 : isJsonObject(value) ? Object.keys(value).length > 0 : Boolean(value);
}
