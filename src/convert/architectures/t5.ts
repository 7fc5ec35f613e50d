/**
 * T5ForSequenceClassification, and mT5's and umT5's: an encoder, and a decoder that reads the same text moved by one token;
 * logits = classification_head.out_proj(tanh(classification_head.dense(h))), h the decoder's state at the text's last eos.
 */
import type { ConfigReader } from '../config';
import type { Architecture, EncoderModel, TensorIndex } from './architecture';
import {
  type T5Family,
  T5_FAMILIES,
  UNREAD_BIAS,
  planDecoder,
  planEncoder,
  readDecoder,
  readHyperparameters,
} from './t5-body';
import { type Prefixes, planClassifier } from './tensor-planner';

const PREFIXES: Prefixes = [
  ['transformer.', ''],
  ['', ''],
  ['model.transformer.', 'model.'],
  ['module.transformer.', 'module.'],
];
/** Beside language modelling. */
const IGNORED = new RegExp(`(^|\\.)(lm_head\\.weight|${UNREAD_BIAS})$`);

export const t5Family: readonly Architecture[] = T5_FAMILIES.map((family) => ({
  sourceClass: `${family.className}ForSequenceClassification`,
  modelType: family.modelType,
  describe: (config, weights) => describeClassifier(family, config, weights),
}));

function describeClassifier(family: T5Family, config: ConfigReader, weights: TensorIndex): EncoderModel {
  const hyperparameters = readHyperparameters(family, config);
  const decoder = readDecoder(family, config, hyperparameters);
  const { hiddenSize: h, vocabSize } = hyperparameters;
  if (config.json['eos_token_id'] === null) config.unsupported('eos_token_id is null; the head reads that token');
  const classifier = 'classification_head.out_proj';
  const place = { prefixes: PREFIXES, probe: 'encoder.final_layer_norm', classifier, ignored: IGNORED };
  return {
    architecture: family.modelType,
    hyperparameters: { ...hyperparameters, decoder },
    ...planClassifier(weights, place, (planner, model, head, numLabels) => {
      planEncoder(planner, family, hyperparameters, model);
      planDecoder(planner, family, hyperparameters, decoder, model);
      planner.headDense('cls', h, h, `${head}classification_head.dense`);
      planner.headDense('cls.output', numLabels, h, `${head}${classifier}`);
    }),
    head: { pooling: 'eos', activation: 'tanh', eosTokenId: config.integer('eos_token_id', 1, 0, vocabSize - 1) },
    llamacppCompat: 'unsupported',
  };
}
