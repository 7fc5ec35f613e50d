/**
 * The classifiers of NVIDIA's NeMo Curator (`nvidia/domain-classifier`, `nvidia/quality-classifier-deberta` and their kind): a
 * DeBERTa v3 that `base_model` names, logits = fc(h[0]). huggingface_hub's PyTorchModelHubMixin saved them, so their
 * configuration has no class and no sizes, which are those of the tensors.
 */
import { shown } from '../../support/json';
import { ConfigReader } from '../config';
import type { Architecture, EncoderModel, TensorIndex } from './architecture';
import { debertaV2, readDebertaV2 } from './deberta-v2';
import { planEncoder } from './encoder-tensors';
import { planClassifier } from './tensor-planner';

const MODEL = 'model.';
/** The sizes of them have the same settings, and heads of as many values. */
const BASES = /^microsoft\/(deberta-v3-(xsmall|small|base|large)|mdeberta-v3-base)$/;
const HEAD_SIZE = 64;
const SETTINGS = {
  relative_attention: true,
  position_buckets: 256,
  norm_rel_ebd: 'layer_norm',
  share_att_key: true,
  pos_att_type: 'p2c|c2p',
  position_biased_input: false,
};

export const curator: Architecture = {
  sourceClass: 'HFDeberta',
  modelType: debertaV2.modelType,
  recognizes: (config) => config.get('base_model') !== undefined && config.get('fc_dropout') !== undefined,

  describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
    const base = config.string('base_model', '');
    if (!BASES.test(base)) {
      config.unsupported(`base_model is ${shown(base)}; only DeBERTa v3's models are supported`);
    }
    const sizes = { ...SETTINGS, ...readSizes(weights) };
    const { names, ...facts } = readDebertaV2(new ConfigReader(sizes, `${config.path}, the sizes of the tensors`));
    const place = {
      prefixes: [[MODEL, '']],
      probe: names.tokenEmbedding,
      classifier: 'fc',
      ignored: names.ignored,
    } as const;
    return {
      ...facts,
      ...planClassifier(weights, place, (planner, model, head, numLabels) => {
        planEncoder(planner, facts.hyperparameters, names, (name) => `${model}${name}`);
        planner.headDense('cls.output', numLabels, facts.hyperparameters.hiddenSize, `${head}fc`);
      }),
      head: { pooling: 'cls', activation: 'none' },
    };
  },
};

/** Under their names in a configuration; of a tensor that is missing 1, so that its absence is what is reported. */
function readSizes(weights: TensorIndex): Record<string, number> {
  const size = (name: string, axis: 0 | 1): number => weights.find(`${MODEL}${name}.weight`)?.shape[axis] ?? 1;
  const layers = new Set([...weights.names()].map((name) => /^model\.encoder\.layer\.(\d+)\./.exec(name)?.[1]));
  layers.delete(undefined);
  const hiddenSize = size('embeddings.word_embeddings', 1);
  return {
    vocab_size: size('embeddings.word_embeddings', 0),
    hidden_size: hiddenSize,
    num_hidden_layers: Math.max(1, layers.size),
    num_attention_heads: Math.max(1, Math.floor(hiddenSize / HEAD_SIZE)),
    intermediate_size: size('encoder.layer.0.intermediate.dense', 0),
  };
}
