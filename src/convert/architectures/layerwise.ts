/**
 * FlagEmbedding's rerankers with a head of one row after each of several layers: logit = linear_head(norm(h[last token])).
 * MiniCPM (BAAI/bge-reranker-v2-minicpm-layerwise) is a Llama whose embeddings and parts of layers are multiplied; Gemma 2
 * (BAAI/bge-reranker-v2.5-gemma2-lightweight) is cut as it is.
 */
import { outOfRange } from '../../support/arguments';
import { shown } from '../../support/json';
import type { ConfigReader } from '../config';
import { MAX_LAYERS } from '../limits';
import type { Architecture, EncoderHyperparameters } from './architecture';
import { planBody, readHyperparameters, readLogitSoftcap } from './decoder';
import { scaledParts } from './decoder-families';
import { type DecoderFamily, attentionBiases, sizes } from './decoder-family';
import { gemma2 } from './gemma';
import { slidingWindow } from './layer-types';
import { planTensors } from './tensor-planner';

interface LayerwiseFamily {
  readonly sourceClass: string;
  /** The `model_type` in config.json. */
  readonly modelType: string;
  readonly body: DecoderFamily;
  /** The first layer that a head stands behind, and how many layers on there is another, up to the last. */
  readonly readHeads: (config: ConfigReader, numLayers: number) => { readonly first: number; readonly step: number };
  /** Whether each layer has the head behind it; else all have the first. */
  readonly hasOwnHeads: boolean;
}

/** What MiniCPM's configurations always have: the class's own defaults are not known. */
const REQUIRED = ['scale_emb', 'scale_depth', 'start_layer', 'head_type', 'head_multi'];

const MINICPM: DecoderFamily = {
  className: 'LayerWiseMiniCPM',
  modelType: 'minicpm',
  defaults: sizes(32, 4096, 32, 11_008, 2048, 32_000),
  biases: attentionBiases,
  more: multipliers,
};

/** Each part of a layer is multiplied by scale_depth / sqrt(layers), of which those count that are left out too. */
function multipliers(config: ConfigReader): Partial<EncoderHyperparameters> {
  const missing = REQUIRED.find((key) => config.get(key) === undefined);
  if (missing !== undefined) config.malformed(`${missing} is missing`);
  const layers = config.integer('num_hidden_layers', MINICPM.defaults.numLayers, 1, MAX_LAYERS);
  const residual = config.number('scale_depth', 1, 1e-3, 1e3) / Math.sqrt(layers);
  return scaledParts(config, 'scale_depth', residual, config.number('scale_emb', 1, 1e-3, 1e4));
}

const FAMILIES: readonly LayerwiseFamily[] = [
  {
    sourceClass: 'LayerWiseMiniCPMForCausalLM',
    modelType: 'minicpm',
    body: MINICPM,
    readHeads: (config, numLayers) => {
      const type = config.string('head_type');
      if (type !== 'simple' || !config.boolean('head_multi', true)) {
        config.unsupported(
          `head_type is ${shown(type)} and head_multi ${shown(config.get('head_multi'))}; only heads of one row after several ` +
            'layers ("simple" and true) are supported',
        );
      }
      return { first: config.integer('start_layer', 1, 1, numLayers), step: 1 };
    },
    hasOwnHeads: true,
  },
  {
    sourceClass: 'CostWiseGemmaForCausalLM',
    modelType: 'cost_wise_gemma',
    body: gemma2,
    readHeads: (config, numLayers) => {
      if (!config.boolean('layer_wise', false))
        config.unsupported('layer_wise is not true; only heads of one row after several layers are supported');
      const step = config.integer('layer_sep', 28, 1, MAX_LAYERS);
      return { first: config.integer('start_layer', 28, 1, numLayers), step };
    },
    // Of the layers that are asked for, the n-th has the n-th head there; here it is one layer.
    hasOwnHeads: false,
  },
];

function atLayer(family: LayerwiseFamily, cutoff?: number): Pick<Architecture, 'describe'> {
  const { body } = family;
  return {
    describe(config, weights) {
      const whole = readHyperparameters(body, config);
      const { hiddenSize, numLayers } = whole;
      const { first, step } = family.readHeads(config, numLayers);
      const numHeads = [...weights.names()].filter((name) => /(^|\.)lm_head\.\d+\./.test(name)).length;
      if (numHeads !== Math.floor((numLayers - first) / step) + 1)
        config.malformed(`start_layer is ${first} of ${numLayers} layers, but the checkpoint has ${numHeads} heads`);
      const layer = cutoff ?? numLayers;
      if (layer < first || layer > numLayers || (layer - first) % step !== 0) {
        const steps = step === 1 ? '' : ` in steps of ${step}`;
        const expected = `${first} to ${numLayers}${steps}, the layers that this checkpoint has heads after`;
        throw outOfRange('options.cutoffLayer', expected, cutoff);
      }
      const hyperparameters = { ...whole, ...firstLayers(whole, layer) };
      const place = {
        prefixes: [['model.', '']] as const,
        probe: 'embed_tokens',
        ignored: layersFrom(layer, numLayers),
      };
      const tensors = planTensors(weights, place, (planner, decoder, head) => {
        planBody(planner, decoder, hyperparameters, body, config);
        const index = family.hasOwnHeads ? (layer - first) / step : 0;
        planner.exact('cls.output.weight', [1, hiddenSize], `${head}lm_head.${index}.linear_head.weight`);
      });
      const cap = readLogitSoftcap(body, config);
      return {
        architecture: body.modelType,
        hyperparameters,
        tensors,
        numLabels: 1,
        head: { pooling: 'last', activation: 'none', ...(cap === undefined ? {} : { logitSoftcap: cap }) },
        llamacppCompat: 'unsupported',
      };
    },
  };
}

function firstLayers(
  { slidingWindow: window }: EncoderHyperparameters,
  count: number,
): Partial<EncoderHyperparameters> {
  const kept = window?.layers.filter((layer) => layer < count) ?? [];
  return { numLayers: count, slidingWindow: window && slidingWindow(window.size, kept) };
}

/** Tensors of the layers from `first` on, and the frequencies of rotary positions, which are computed. */
function layersFrom(first: number, count: number): RegExp {
  const left = Array.from({ length: count - first }, (_, index) => `layers\\.${first + index}\\.`);
  return new RegExp([...left, 'rotary_emb\\.inv_freq$'].join('|'));
}

export const layerwise: readonly Architecture[] = FAMILIES.map((family) => ({
  sourceClass: family.sourceClass,
  modelType: family.modelType,
  atLayer: (layer) => atLayer(family, layer),
  ...atLayer(family),
}));
