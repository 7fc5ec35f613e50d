/**
 * FalconForSequenceClassification: rotary positions, keys and values that few heads share; attention and feed-forward part
 * read the same states, through one layer norm or two, or one after the other; logits = score(ln_f(h[last token that is no
 * pad])).
 */
import type { ConfigReader } from '../config';
import { MAX_HEADS, MAX_HIDDEN_SIZE, MAX_INTERMEDIATE_SIZE } from '../limits';
import type { Architecture, EncoderHyperparameters, EncoderModel, TensorIndex } from './architecture';
import { checkHeads, readActivation, readSizes } from './mechanisms';
import { readRotary, requireWholeHeads } from './rotary';
import { planScore, scoreHead } from './score-head';
import { planClassifier, prefixesOf } from './tensor-planner';

const IGNORED = /(^|\.)rotary(_emb)?\.inv_freq$|(^|\.)lm_head\.weight$/;

const DEFAULTS = {
  numLayers: 32,
  hiddenSize: 4544,
  numHeads: 71,
  intermediateSize: 4 * 4544,
  numPositions: 2048,
  vocabSize: 65_024,
};

export const falcon: Architecture = {
  sourceClass: 'FalconForSequenceClassification',
  modelType: 'falcon',

  describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
    const norms = readNorms(config);
    const hyperparameters = readHyperparameters(config, norms);
    return {
      architecture: 'falcon',
      hyperparameters,
      ...plan(hyperparameters, norms, flag(config, 'bias', false), weights),
      head: scoreHead(config),
      llamacppCompat: 'unsupported',
    };
  },
};

/** Names in the checkpoint of the norms before attention and feed-forward part. */
type Norms = readonly [attention: string, feedForward: string];

const SERIAL: Norms = ['input_layernorm', 'post_attention_layernorm'];
const ONE_NORM: Norms = ['input_layernorm', 'input_layernorm'];
const TWO_NORMS: Norms = ['ln_attn', 'ln_mlp'];

function readNorms(config: ConfigReader): Norms {
  const isNew = flag(config, 'new_decoder_architecture', false);
  const isParallel = flag(config, 'parallel_attn', true);
  const count = config.integer('num_ln_in_parallel_attn', isNew ? 2 : 1, 1, 2);
  if (isNew && !isParallel) {
    config.unsupported('new_decoder_architecture is true and parallel_attn is false, which transformers cannot run');
  }
  if (!isParallel) return SERIAL;
  if (count === 2 && !isNew) {
    config.unsupported('num_ln_in_parallel_attn is 2 without new_decoder_architecture, which transformers cannot run');
  }
  return count === 2 ? TWO_NORMS : ONE_NORM;
}

function readHyperparameters(config: ConfigReader, norms: Norms): EncoderHyperparameters {
  if (flag(config, 'alibi', false)) {
    config.unsupported(
      'alibi is true, which transformers computes in bfloat16 and in several ways; supported are rotary positions',
    );
  }
  const hiddenSize = config.integer(['n_embed', 'hidden_size'], DEFAULTS.hiddenSize, 1, MAX_HIDDEN_SIZE);
  const sizes = { ...readSizes(config, DEFAULTS), hiddenSize };
  checkHeads(config, sizes);
  const headSize = hiddenSize / sizes.numHeads;
  const rope = readRotary(config, headSize, 10_000);
  requireWholeHeads(config, rope, headSize);
  return {
    ...sizes,
    numKeyValueHeads: readNumKeyValueHeads(config, sizes.numHeads),
    intermediateSize: config.integer('ffn_hidden_size', 4 * hiddenSize, 1, MAX_INTERMEDIATE_SIZE),
    numTokenTypes: 0,
    normEps: config.number('layer_norm_epsilon', 1e-5, 1e-12, 1),
    normPlacement: norms === SERIAL ? 'pre' : 'parallel',
    hiddenActivation: readActivation(config, 'activation'),
    isCausal: true,
    positionKind: 'rope',
    rope,
  };
}

function readNumKeyValueHeads(config: ConfigReader, numHeads: number): number {
  const isNew = flag(config, 'new_decoder_architecture', false);
  if (!isNew && flag(config, 'multi_query', true)) return 1;
  const count = config.integer('num_kv_heads', numHeads, 1, MAX_HEADS);
  if (isNew ? numHeads % count !== 0 : numHeads !== count) {
    config.malformed(`${numHeads} attention heads cannot share ${count} key-value heads`);
  }
  return count;
}

/** Of this class null means false. */
function flag(config: ConfigReader, key: string, fallback: boolean): boolean {
  return config.json[key] === null ? false : config.boolean(key, fallback);
}

function plan(
  { numLayers, hiddenSize: h, numHeads, numKeyValueHeads, intermediateSize: f, vocabSize }: EncoderHyperparameters,
  [attentionNorm, feedForwardNorm]: Norms,
  bias: boolean,
  weights: TensorIndex,
): Pick<EncoderModel, 'tensors' | 'numLabels'> {
  const place = {
    prefixes: prefixesOf('transformer'),
    probe: 'word_embeddings',
    classifier: 'score',
    ignored: IGNORED,
  };
  return planClassifier(weights, place, (planner, decoder, head, numLabels) => {
    planner.matrix('token_embd.weight', [vocabSize, h], `${decoder}word_embeddings.weight`);
    for (let layer = 0; layer < numLayers; layer++) {
      const [block, from] = [`blk.${layer}.`, `${decoder}h.${layer}.`];
      const joined = `${from}self_attention.query_key_value`;
      planner.norm(`${block}attn_norm`, h, `${from}${attentionNorm}`);
      planner.joinedHeads(`${block}attn_qkv`, h, numHeads, joined, bias, numKeyValueHeads);
      planner.dense(`${block}attn_output`, h, h, `${from}self_attention.dense`, bias);
      planner.norm(`${block}ffn_norm`, h, `${from}${feedForwardNorm}`);
      planner.dense(`${block}ffn_up`, f, h, `${from}mlp.dense_h_to_4h`, bias);
      planner.dense(`${block}ffn_down`, h, f, `${from}mlp.dense_4h_to_h`, bias);
    }
    planner.norm('output_norm', h, `${decoder}ln_f`);
    planScore(planner, head, numLabels, h);
  });
}
