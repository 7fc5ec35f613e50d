/**
 * ModernBertDecoderForSequenceClassification (Ettin's decoders): ModernBERT whose tokens see those before them alone, with
 * windows of half the size; logits = classifier(norm(act(dense(h[last token that is no pad])))).
 */
import type { ConfigReader } from '../config';
import { MAX_POSITIONS } from '../limits';
import type { Architecture, EncoderHyperparameters, EncoderModel, TensorIndex } from './architecture';
import { readActivation, readSharedHeadSize } from './mechanisms';
import { type Biases, modernPlace, planModernEncoder, readBiases, readModernHyperparameters } from './modernbert';
import { scoreHead } from './score-head';
import { planClassifier } from './tensor-planner';

/** The head of the language model. */
const IGNORED = /(^|\.)(decoder|lm_head\.dense|lm_head\.norm)\.(weight|bias)$/;
const PAD_TOKEN = 50_283;

export const modernbertDecoder: Architecture = {
  sourceClass: 'ModernBertDecoderForSequenceClassification',
  modelType: 'modernbert-decoder',

  describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
    if (!config.boolean('is_causal', true)) config.unsupported('is_causal is false; only causal models are supported');
    const hyperparameters: EncoderHyperparameters = {
      ...readModernHyperparameters(config, () => readWindow(config)),
      isCausal: true,
    };
    readSharedHeadSize(config, hyperparameters);
    return {
      architecture: 'modernbert-decoder',
      hyperparameters,
      ...plan(hyperparameters, readBiases(config), weights),
      head: {
        ...scoreHead(config, PAD_TOKEN),
        activation: readActivation(config, 'classifier_activation'),
      },
      llamacppCompat: 'unsupported',
    };
  },
};

/** Tokens that each sees, itself included; a sliding_window of the file's own takes the place of the class's. */
function readWindow(config: ConfigReader): number {
  const both = config.integer('local_attention', 128, 2, MAX_POSITIONS);
  return config.integer('sliding_window', Math.floor(both / 2), 1, MAX_POSITIONS);
}

function plan(
  hyperparameters: EncoderHyperparameters,
  biases: Biases,
  weights: TensorIndex,
): Pick<EncoderModel, 'tensors' | 'numLabels'> {
  const { hiddenSize: h } = hyperparameters;
  const place = { ...modernPlace('model', IGNORED), classifier: 'classifier' };
  return planClassifier(weights, place, (planner, encoder, head, numLabels) => {
    planModernEncoder(planner, hyperparameters, biases, encoder, ['q_proj', 'k_proj', 'v_proj']);
    planner.headDense('cls', h, h, `${head}head.dense`, biases.classifier);
    planner.norm('cls.norm', h, `${head}head.norm`, biases.norm);
    planner.headDense('cls.output', numLabels, h, `${head}classifier`, biases.classifier);
  });
}
