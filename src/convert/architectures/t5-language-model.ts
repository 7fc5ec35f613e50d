/**
 * T5ForConditionalGeneration, and mT5's: the decoder answers a text with a word, and what counts are logits of the token that
 * the answer begins with, lm_head(h) for h the state of the decoder's start token, which sees itself and the encoder's states.
 * Of a classifier they are its labels' own. Of a reranker (monoT5) the only one is logit[true] - logit[false]; text, tokens
 * and limit are those of pygaggle.
 */
import { ordinaryText } from '../chat-template/split-template';
import type { ConfigReader } from '../config';
import type { AnswerTokens, Architecture, EncoderModel, ScoreTokens, TensorIndex } from './architecture';
import {
  TABLES,
  type T5Family,
  T5_FAMILIES,
  UNREAD_BIAS,
  planDecoder,
  planEncoder,
  readDecoder,
  readHyperparameters,
} from './t5-body';
import { type Prefixes, planTensors } from './tensor-planner';

const PREFIXES: Prefixes = [
  ['', ''],
  ['model.', 'model.'],
  ['module.', 'module.'],
];
const IGNORED = new RegExp(`(^|\\.)${UNREAD_BIAS}$`);

/** Tokens that pygaggle reads of a text, its end included. */
const MAX_RERANKER_TOKENS = 512;

const TEMPLATE = ordinaryText(['Query: ', ' Document: ', ' Relevant:']);

export const t5LanguageModels: readonly Architecture[] = T5_FAMILIES.filter(({ answers }) => answers !== undefined).map(
  (family) => ({
    sourceClass: `${family.className}ForConditionalGeneration`,
    modelType: family.modelType,
    scoresVocabulary: 'sequence-to-sequence',
    describe: (config, weights, score) => describeModel(family, config, weights, score as ScoreTokens | AnswerTokens),
  }),
);

function describeModel(
  family: T5Family,
  config: ConfigReader,
  weights: TensorIndex,
  score: ScoreTokens | AnswerTokens,
): EncoderModel {
  const isReranker = !('answers' in score);
  const ids = isReranker ? [score.positive, score.negative!] : score.answers;
  const own = readHyperparameters(family, config);
  const hyperparameters = isReranker ? { ...own, numPositions: MAX_RERANKER_TOKENS } : own;
  const decoder = readDecoder(family, config, hyperparameters);
  const { hiddenSize: h, vocabSize } = hyperparameters;
  for (const id of ids) {
    if (id >= vocabSize) config.malformed(`the score is made of the token ${id}, but vocab_size is ${vocabSize}`);
  }
  const numLabels = isReranker ? 1 : ids.length;
  const factor = scalesStates(family, config) ? h ** -0.5 : 1;
  const place = { prefixes: PREFIXES, probe: 'encoder.final_layer_norm', ignored: IGNORED };
  const tensors = planTensors(weights, place, (planner, model) => {
    planEncoder(planner, family, hyperparameters, model);
    planDecoder(planner, family, hyperparameters, decoder, model, true);
    // The embeddings are the head of a checkpoint that has no other.
    const heads = ['lm_head', ...TABLES].map((name) => `${model}${name}.weight`);
    const head = heads.find((name) => weights.find(name) !== undefined)!;
    planner.computed(
      'cls.output.weight',
      [numLabels, h],
      [[head, [vocabSize, h]]],
      ([rows]) => {
        if (!isReranker) return [rows!.map((value) => value * factor)];
        return [rows!.subarray(0, h).map((value, index) => (value - rows![h + index]!) * factor)];
      },
      ids.map((id) => [id, 1] as const),
    );
  });
  return {
    architecture: family.modelType,
    hyperparameters: { ...hyperparameters, decoder },
    tensors,
    numLabels,
    head: { pooling: 'cls', activation: 'none' },
    ...(isReranker ? { pairTemplate: TEMPLATE } : {}),
    llamacppCompat: 'unsupported',
  };
}

/** T5 of the first version scales what lm_head reads, which its later ones say by an untied head; mT5 never does. */
function scalesStates({ answers }: T5Family, config: ConfigReader): boolean {
  if (answers !== 'scaled') return false;
  return config.boolean('scale_decoder_outputs', config.boolean('tie_word_embeddings', true));
}
