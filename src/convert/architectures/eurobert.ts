/**
 * EuroBertForSequenceClassification: a Llama whose tokens see each other in both directions; logits =
 * classifier(gelu(dense(pooled))), pooled the first token or the mean, or the mean over all tokens of
 * classifier(gelu(dense(h))).
 */
import { shown } from '../../support/json';
import type { ConfigReader } from '../config';
import type {
  Architecture,
  EncoderBody,
  EncoderHead,
  EncoderHyperparameters,
  EncoderModel,
  TensorIndex,
} from './architecture';
import { planBody, readHyperparameters } from './decoder';
import { type DecoderFamily, allBiases, sizes } from './decoder-family';
import { checkHeads } from './mechanisms';
import { type Prefixes, planClassifier, planTensors } from './tensor-planner';

const PREFIXES: Prefixes = [
  ['model.', ''],
  ['', ''],
  ['model.model.', 'model.'],
  ['module.model.', 'module.'],
];
const PLACE = { prefixes: PREFIXES, probe: 'embed_tokens' };
/** Frequencies that are computed, and what masked language models have in the place of the head. */
const IGNORED = /(^|\.)rotary_emb\.inv_freq$|(^|\.)lm_head\.(weight|bias)$/;
const IGNORED_BESIDE_BODY = /(^|\.)rotary_emb\.inv_freq$|(^|\.)(lm_head|dense|classifier)\.(weight|bias)$/;

const FAMILY: DecoderFamily = {
  className: 'EuroBert',
  modelType: 'eurobert',
  defaults: { ...sizes(12, 768, 12, 3072, 8192, 128_256), normEps: 1e-5 },
  biases: allBiases,
  more: () => ({ isCausal: false }),
};

export const eurobert: Architecture = {
  sourceClass: 'EuroBertForSequenceClassification',
  modelType: FAMILY.modelType,

  describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
    const hyperparameters = readEncoder(config);
    const { hiddenSize: h } = hyperparameters;
    const place = { ...PLACE, classifier: 'classifier', ignored: IGNORED };
    return {
      architecture: FAMILY.modelType,
      hyperparameters,
      ...planClassifier(weights, place, (planner, encoder, head, numLabels) => {
        planBody(planner, encoder, hyperparameters, FAMILY, config);
        planner.headDense('cls', h, h, `${head}dense`);
        planner.headDense('cls.output', numLabels, h, `${head}classifier`);
      }),
      head: { pooling: readPooling(config), activation: 'gelu' },
      llamacppCompat: 'unsupported',
    };
  },

  describeBody(config: ConfigReader, weights: TensorIndex): EncoderBody {
    const hyperparameters = readEncoder(config);
    const place = { ...PLACE, ignored: IGNORED_BESIDE_BODY };
    const tensors = planTensors(weights, place, (planner, encoder) =>
      planBody(planner, encoder, hyperparameters, FAMILY, config),
    );
    return { architecture: FAMILY.modelType, hyperparameters, tensors };
  },
};

function readEncoder(config: ConfigReader): EncoderHyperparameters {
  const hyperparameters = readHyperparameters(FAMILY, config);
  checkHeads(config, hyperparameters);
  return hyperparameters;
}

function readPooling(config: ConfigReader): EncoderHead['pooling'] {
  const name = config.oneOf('classifier_pooling', 'late', ['bos', 'mean', 'late']);
  // The first code's key, which transformers passes over.
  const first = config.string('clf_pooling', name);
  if (first !== name) {
    config.unsupported(
      `clf_pooling is ${shown(first)}, a key that transformers passes over; name it classifier_pooling`,
    );
  }
  return name === 'bos' ? 'cls' : name;
}
