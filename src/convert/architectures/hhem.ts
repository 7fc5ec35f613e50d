/**
 * HHEMv2ForSequenceClassification, the class of `vectara/hallucination_evaluation_model` (HHEM-2.1-Open): the encoder of a
 * Flan-T5 reads a premise and a hypothesis in one text, and logits = classifier(h[0]). Its configuration has no sizes, which
 * are those of the tensors, and its repository no tokenizer, which is Flan-T5's.
 */
import { shown } from '../../support/json';
import { type PairTemplate, ordinaryText } from '../chat-template/split-template';
import type { ConfigReader } from '../config';
import {
  MAX_HEADS,
  MAX_HEAD_SIZE,
  MAX_HIDDEN_SIZE,
  MAX_INTERMEDIATE_SIZE,
  MAX_LAYERS,
  MAX_VOCAB_SIZE,
} from '../limits';
import type { Architecture, EncoderModel, TensorIndex } from './architecture';
import { FLAN_T5, type T5Hyperparameters, planEncoder, sharedHyperparameters } from './t5-body';
import { planClassifier } from './tensor-planner';

const MODEL = 't5.transformer.';
const PLACE = {
  prefixes: [[MODEL, 't5.']],
  probe: 'encoder.final_layer_norm',
  classifier: 'classifier',
  ignored: /(?!)/,
} as const;
/** The sizes of them have the same settings. */
const FOUNDATIONS = /^google\/flan-t5-(small|base|large|xl|xxl)$/;
const FOUNDATION = 'google/flan-t5-base';
const PROMPT =
  '<pad> Determine if the hypothesis is true given the premise?\n\nPremise: {text1}\n\nHypothesis: {text2}';

export const hhem: Architecture = {
  sourceClass: 'HHEMv2ForSequenceClassification',
  modelType: 'HHEMv2',
  tokenizerOf: FOUNDATION,

  describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
    const foundation = config.string('foundation', FOUNDATION);
    if (!FOUNDATIONS.test(foundation)) {
      config.unsupported(`foundation is ${shown(foundation)}; only Flan-T5's models are supported`);
    }
    const hyperparameters = readSizes(config, weights);
    return {
      architecture: FLAN_T5.modelType,
      hyperparameters,
      ...planClassifier(weights, PLACE, (planner, model, head, numLabels) => {
        planEncoder(planner, FLAN_T5, hyperparameters, model);
        planner.headDense('cls.output', numLabels, hyperparameters.hiddenSize, `${head}classifier`);
      }),
      head: { pooling: 'cls', activation: 'none' },
      pairTemplate: readPrompt(config),
      readsWhole: true,
      llamacppCompat: 'unsupported',
    };
  },
};

function readSizes(config: ConfigReader, weights: TensorIndex): T5Hyperparameters {
  const size = (name: string, axis: 0 | 1, most: number): number => {
    const found = weights.find(`${MODEL}${name}.weight`)?.shape[axis] ?? 1;
    if (found > most) config.malformed(`${MODEL}${name}.weight has ${found} rows or columns; at most ${most} fit`);
    return Math.max(found, 1);
  };
  const attention = 'encoder.block.0.layer.0.SelfAttention';
  const numHeads = size(`${attention}.relative_attention_bias`, 1, MAX_HEADS);
  const width = size(`${attention}.q`, 0, MAX_HEADS * MAX_HEAD_SIZE);
  let numLayers = 1;
  while (numLayers < MAX_LAYERS && weights.find(`${MODEL}encoder.block.${numLayers}.layer.0.layer_norm.weight`)) {
    numLayers++;
  }
  return {
    ...sharedHyperparameters({ count: 32, maxDistance: 128 }),
    numLayers,
    hiddenSize: size('shared', 1, MAX_HIDDEN_SIZE),
    numHeads,
    headSize: Math.min(Math.max(Math.floor(width / numHeads), 1), MAX_HEAD_SIZE),
    intermediateSize: size('encoder.block.0.layer.1.DenseReluDense.wi_0', 0, MAX_INTERMEDIATE_SIZE),
    vocabSize: size('shared', 0, MAX_VOCAB_SIZE),
    normEps: 1e-6,
    hiddenActivation: 'gelu_new',
    feedForwardKind: 'glu',
  };
}

/** Python's format of the two texts; nothing else may stand in braces. */
function readPrompt(config: ConfigReader): PairTemplate {
  const prompt = config.string('prompt', PROMPT);
  const pieces = prompt.split(/\{text1\}|\{text2\}/);
  const inOrder = prompt.indexOf('{text1}') < prompt.indexOf('{text2}');
  if (pieces.length !== 3 || !prompt.includes('{text1}') || !inOrder || pieces.some((piece) => /[{}]/.test(piece))) {
    config.unsupported('prompt has not one place for text1 and then one for text2');
  }
  return ordinaryText(pieces);
}
