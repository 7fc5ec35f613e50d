/**
 * FlagEmbedding's `LayerWiseMiniCPMForCausalLM` (BAAI/bge-reranker-v2-minicpm-layerwise): MiniCPM, which is a Llama whose
 * embeddings and parts of layers are multiplied, with a head of one row after each of its last layers:
 * logit = linear_head(norm(h[last token])).
 */
import { outOfRange } from '../../support/arguments';
import { shown } from '../../support/json';
import type { ConfigReader } from '../config';
import { MAX_LAYERS } from '../limits';
import type { Architecture, EncoderHyperparameters } from './architecture';
import { planBody, readHyperparameters } from './decoder';
import { scaledParts } from './decoder-families';
import { type DecoderFamily, attentionBiases, sizes } from './decoder-family';
import { planTensors } from './tensor-planner';

const FAMILY: DecoderFamily = {
  className: 'LayerWiseMiniCPM',
  modelType: 'minicpm',
  defaults: sizes(32, 4096, 32, 11_008, 2048, 32_000),
  biases: attentionBiases,
  more: multipliers,
};

/** What its configurations always have: the class's own defaults are not known. */
const REQUIRED = ['scale_emb', 'scale_depth', 'start_layer', 'head_type', 'head_multi'];

/** Each part of a layer is multiplied by scale_depth / sqrt(layers), of which those count that are left out too. */
function multipliers(config: ConfigReader): Partial<EncoderHyperparameters> {
  const layers = config.integer('num_hidden_layers', FAMILY.defaults.numLayers, 1, MAX_LAYERS);
  const residual = config.number('scale_depth', 1, 1e-3, 1e3) / Math.sqrt(layers);
  return scaledParts(config, 'scale_depth', residual, config.number('scale_emb', 1, 1e-3, 1e4));
}

/** The layer that the first head stands behind. */
function readFirstHead(config: ConfigReader, numLayers: number): number {
  const type = config.string('head_type');
  if (type !== 'simple' || !config.boolean('head_multi', true)) {
    config.unsupported(
      `head_type is ${shown(type)} and head_multi ${shown(config.get('head_multi'))}; only heads of one row after several ` +
        'layers ("simple" and true) are supported',
    );
  }
  return config.integer('start_layer', 1, 1, numLayers);
}

function atLayer(cutoff?: number): Pick<Architecture, 'describe'> {
  return {
    describe(config, weights) {
      const missing = REQUIRED.find((key) => config.get(key) === undefined);
      if (missing !== undefined) config.malformed(`${missing} is missing`);
      const whole = readHyperparameters(FAMILY, config);
      const { hiddenSize, numLayers } = whole;
      const first = readFirstHead(config, numLayers);
      const numHeads = [...weights.names()].filter((name) => /(^|\.)lm_head\.\d+\./.test(name)).length;
      if (numHeads !== numLayers - first + 1)
        config.malformed(`start_layer is ${first} of ${numLayers} layers, but the checkpoint has ${numHeads} heads`);
      const layer = cutoff ?? numLayers;
      if (layer < first || layer > numLayers) {
        const expected = `${first} to ${numLayers}, the layers that this checkpoint has heads after`;
        throw outOfRange('options.cutoffLayer', expected, layer);
      }
      const hyperparameters = { ...whole, numLayers: layer };
      const place = {
        prefixes: [['model.', '']] as const,
        probe: 'embed_tokens',
        ignored: layersFrom(layer, numLayers),
      };
      const tensors = planTensors(weights, place, (planner, decoder, head) => {
        planBody(planner, decoder, hyperparameters, FAMILY, config);
        planner.exact('cls.output.weight', [1, hiddenSize], `${head}lm_head.${layer - first}.linear_head.weight`);
      });
      return {
        architecture: FAMILY.modelType,
        hyperparameters,
        tensors,
        numLabels: 1,
        head: { pooling: 'last', activation: 'none' },
        llamacppCompat: 'unsupported',
      };
    },
  };
}

/** Tensors of the layers from `first` on, and the frequencies of rotary positions, which are computed. */
function layersFrom(first: number, count: number): RegExp {
  const left = Array.from({ length: count - first }, (_, index) => `layers\\.${first + index}\\.`);
  return new RegExp([...left, 'rotary_emb\\.inv_freq$'].join('|'));
}

export const layerwiseMinicpm: Architecture = {
  sourceClass: 'LayerWiseMiniCPMForCausalLM',
  modelType: FAMILY.modelType,
  atLayer,
  ...atLayer(),
};
