/**
 * T5ForConditionalGeneration, and mT5's, as rerankers (monoT5): the decoder answers with one word to the text that a pair
 * becomes, and the score is made of the logits of two of them: logit = lm_head(h)[true] - lm_head(h)[false], h the state of
 * the decoder's start token, which sees itself and the encoder's states. Text, tokens and limit are those of pygaggle.
 */
import { ordinaryText } from '../chat-template/split-template';
import type { ConfigReader } from '../config';
import type { Architecture, EncoderModel, ScoreTokens, TensorIndex } from './architecture';
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
const MAX_TOKENS = 512;

const TEMPLATE = ordinaryText(['Query: ', ' Document: ', ' Relevant:']);

export const t5Rerankers: readonly Architecture[] = T5_FAMILIES.filter(({ reranks }) => reranks !== undefined).map(
  (family) => ({
    sourceClass: `${family.className}ForConditionalGeneration`,
    modelType: family.modelType,
    scoresVocabulary: 'sequence-to-sequence',
    describe: (config, weights, score) => describeReranker(family, config, weights, score as ScoreTokens),
  }),
);

function describeReranker(
  family: T5Family,
  config: ConfigReader,
  weights: TensorIndex,
  { positive, negative }: ScoreTokens,
): EncoderModel {
  const hyperparameters = { ...readHyperparameters(family, config), numPositions: MAX_TOKENS };
  const decoder = readDecoder(family, config, hyperparameters);
  const { hiddenSize: h, vocabSize } = hyperparameters;
  for (const id of [positive, negative!]) {
    if (id >= vocabSize) config.malformed(`the score is made of the token ${id}, but vocab_size is ${vocabSize}`);
  }
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
      [1, h],
      [[head, [vocabSize, h]]],
      ([rows]) => [rows!.subarray(0, h).map((value, index) => (value - rows![h + index]!) * factor)],
      [positive, negative!].map((id) => [id, 1] as const),
    );
  });
  return {
    architecture: family.modelType,
    hyperparameters: { ...hyperparameters, decoder },
    tensors,
    numLabels: 1,
    head: { pooling: 'cls', activation: 'none' },
    pairTemplate: TEMPLATE,
    llamacppCompat: 'unsupported',
  };
}

/** T5 of the first version scales what lm_head reads, which its later ones say by an untied head; mT5 never does. */
function scalesStates({ reranks }: T5Family, config: ConfigReader): boolean {
  if (reranks !== 'scaled') return false;
  return config.boolean('scale_decoder_outputs', config.boolean('tie_word_embeddings', true));
}
