/**
 * GPTNeoForSequenceClassification: causal attention over learned positions, in every other layer within a window, with scores
 * that are not scaled; layer norms before each part; logits = score(ln_f(h[last token that is no pad])).
 */
import { shown } from '../../support/json';
import type { ConfigReader } from '../config';
import {
  MAX_HEADS,
  MAX_HIDDEN_SIZE,
  MAX_INTERMEDIATE_SIZE,
  MAX_LAYERS,
  MAX_POSITIONS,
  MAX_VOCAB_SIZE,
} from '../limits';
import type { Architecture, EncoderHyperparameters, EncoderModel, TensorIndex } from './architecture';
import { slidingWindow } from './layer-types';
import { checkHeads, readActivation } from './mechanisms';
import { planScore, scoreHead } from './score-head';
import { planClassifier, prefixesOf } from './tensor-planner';

/** The causal masks that old checkpoints hold, and what language models have beside the classifier. */
const IGNORED = /(^|\.)attn\.attention\.(masked_)?bias$|(^|\.)lm_head\.weight$/;

/** Kinds of layers, and how often they are repeated. */
const DEFAULT_TYPES = [[['global', 'local'], 12]];

export const gptNeo: Architecture = {
  sourceClass: 'GPTNeoForSequenceClassification',
  modelType: 'gpt_neo',

  describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
    const hyperparameters = readHyperparameters(config);
    return {
      architecture: 'gptneo',
      hyperparameters,
      ...plan(hyperparameters, weights),
      head: scoreHead(config),
      llamacppCompat: 'unsupported',
    };
  },
};

function readHyperparameters(config: ConfigReader): EncoderHyperparameters {
  const numLayers = config.integer(['num_layers', 'num_hidden_layers'], 24, 1, MAX_LAYERS);
  const hiddenSize = config.integer('hidden_size', 2048, 1, MAX_HIDDEN_SIZE);
  const numHeads = config.integer(['num_heads', 'num_attention_heads'], 16, 1, MAX_HEADS);
  checkHeads(config, { hiddenSize, numHeads });
  return {
    numLayers,
    hiddenSize,
    numHeads,
    intermediateSize: config.integer('intermediate_size', 4 * hiddenSize, 1, MAX_INTERMEDIATE_SIZE),
    numPositions: config.integer('max_position_embeddings', 2048, 1, MAX_POSITIONS),
    vocabSize: config.integer('vocab_size', 50_257, 1, MAX_VOCAB_SIZE),
    numTokenTypes: 0,
    normEps: config.number('layer_norm_epsilon', 1e-5, 1e-12, 1),
    normPlacement: 'pre',
    hiddenActivation: readActivation(config, 'activation_function', 'gelu_new'),
    isCausal: true,
    attentionScale: 1,
    slidingWindow: slidingWindow(config.integer('window_size', 256, 1, MAX_POSITIONS), localLayers(config, numLayers)),
  };
}

/** Of the list of all layers where the file has it, else of the short form. */
function localLayers(config: ConfigReader, numLayers: number): number[] {
  const kinds = config.get('attention_layers') ?? expand(config, config.get('attention_types') ?? DEFAULT_TYPES);
  if (!Array.isArray(kinds) || kinds.length !== numLayers) {
    config.malformed(`attention_layers or attention_types name other than the ${numLayers} layers`);
  }
  const unknown = kinds.find((kind) => kind !== 'global' && kind !== 'local');
  if (unknown !== undefined) {
    config.unsupported(`a layer has the attention ${shown(unknown)}; supported are global and local`);
  }
  return kinds.flatMap((kind, layer) => (kind === 'local' ? [layer] : []));
}

function expand(config: ConfigReader, types: unknown): unknown[] {
  if (!Array.isArray(types)) config.malformed('attention_types is no list');
  return types.flatMap((item: unknown) => {
    const [kinds, count] = Array.isArray(item) ? (item as unknown[]) : [];
    if (!Array.isArray(kinds) || typeof count !== 'number' || !(count >= 0 && count * kinds.length <= MAX_LAYERS)) {
      config.malformed('attention_types is no list of lists of kinds, each with a number');
    }
    return Array.from({ length: count }, () => kinds as unknown[]).flat();
  });
}

function plan(
  { numLayers, hiddenSize: h, intermediateSize: f, numPositions, vocabSize }: EncoderHyperparameters,
  weights: TensorIndex,
): Pick<EncoderModel, 'tensors' | 'numLabels'> {
  const place = { prefixes: prefixesOf('transformer'), probe: 'wte', classifier: 'score', ignored: IGNORED };
  return planClassifier(weights, place, (planner, decoder, head, numLabels) => {
    planner.matrix('token_embd.weight', [vocabSize, h], `${decoder}wte.weight`);
    planner.exact('position_embd.weight', [numPositions, h], `${decoder}wpe.weight`);
    for (let layer = 0; layer < numLayers; layer++) {
      const [block, from] = [`blk.${layer}.`, `${decoder}h.${layer}.`];
      const sources = ['q_proj', 'k_proj', 'v_proj'].map((name) => `${from}attn.attention.${name}`);
      planner.norm(`${block}attn_norm`, h, `${from}ln_1`);
      planner.linear(`${block}attn_qkv`, { sources, rows: [h, h, h], columns: h, bias: false });
      planner.dense(`${block}attn_output`, h, h, `${from}attn.attention.out_proj`);
      planner.norm(`${block}ffn_norm`, h, `${from}ln_2`);
      planner.dense(`${block}ffn_up`, f, h, `${from}mlp.c_fc`);
      planner.dense(`${block}ffn_down`, h, f, `${from}mlp.c_proj`);
    }
    planner.norm('output_norm', h, `${decoder}ln_f`);
    planScore(planner, head, numLabels, h);
  });
}
