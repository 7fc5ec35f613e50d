/**
 * StableLmForSequenceClassification: layer norms before each part, or one that both read; part of each head turns; a gated
 * feed-forward part; logits = score(norm(h[last token that is no pad])).
 */
import type { ConfigReader } from '../config';
import type { EncoderHyperparameters } from './architecture';
import { readActivation, readKeyValueHeads, readSharedHeadSize, readSizes } from './mechanisms';
import { type PlainDecoderNames, plainDecoder } from './plain-decoder';
import { readPartialRotary } from './rotary';
import type { TensorPlanner } from './tensor-planner';

const DEFAULTS = {
  numLayers: 32,
  hiddenSize: 2560,
  numHeads: 32,
  intermediateSize: 6912,
  numPositions: 4096,
  vocabSize: 50_304,
};

const NAMES: Omit<PlainDecoderNames, 'norms'> = {
  decoder: 'model',
  tokenEmbedding: 'embed_tokens',
  layers: 'layers',
  qkv: ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'],
  output: 'self_attn.o_proj',
  up: ['mlp.gate_proj', 'mlp.up_proj'],
  down: 'mlp.down_proj',
  lastNorm: 'norm',
  // Frequencies of old checkpoints, and what language models have beside the classifier.
  ignored: /(^|\.)rotary_emb\.inv_freq$|(^|\.)lm_head\.weight$/,
};

export const stablelm = plainDecoder('StableLmForSequenceClassification', 'stablelm', 'stablelm', (config) => {
  const isParallel = config.boolean('use_parallel_residual', false);
  const second = isParallel ? 'input_layernorm' : 'post_attention_layernorm';
  const hyperparameters = readHyperparameters(config, isParallel);
  return {
    hyperparameters,
    names: { ...NAMES, norms: ['input_layernorm', second] },
    biases: { qkv: config.boolean('use_qkv_bias', false), output: false, mlp: false },
    queryNorms: config.boolean('qk_layernorm', false) ? planQueryNorms(hyperparameters) : undefined,
  };
});

/** Each head has weights of its own, and no bias. */
function planQueryNorms({ numHeads, numKeyValueHeads, headSize }: EncoderHyperparameters) {
  return (planner: TensorPlanner, block: string, layer: string) => {
    for (const [part, count] of [['q', numHeads] as const, ['k', numKeyValueHeads!] as const]) {
      const heads = Array.from(
        { length: count },
        (_, head) => `${layer}self_attn.${part}_layernorm.norms.${head}.weight`,
      );
      planner.stacked(
        `${block}attn_${part}_norm.weight`,
        heads,
        heads.map(() => headSize!),
      );
    }
  };
}

function readHyperparameters(config: ConfigReader, isParallel: boolean): EncoderHyperparameters {
  const sizes = readSizes(config, DEFAULTS);
  const headSize = readSharedHeadSize(config, sizes);
  return {
    ...sizes,
    numKeyValueHeads: readKeyValueHeads(config, sizes.numHeads, 32),
    headSize,
    numTokenTypes: 0,
    normEps: config.number('layer_norm_eps', 1e-5, 0, 1),
    normPlacement: isParallel ? 'parallel' : 'pre',
    hiddenActivation: readActivation(config, 'hidden_act', 'silu'),
    feedForwardKind: 'glu',
    isCausal: true,
    positionKind: 'rope',
    rope: readPartialRotary(config, headSize, 0.25),
  };
}
