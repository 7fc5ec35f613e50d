/**
 * BloomForSequenceClassification: causal attention whose scores fall with the distance (ALiBi), layer norms before each
 * part and behind the embeddings; logits = score(ln_f(h[last token that is no pad])).
 */
import type { ConfigReader } from '../config';
import { MAX_HEADS, MAX_HIDDEN_SIZE, MAX_LAYERS, MAX_POSITIONS, MAX_VOCAB_SIZE } from '../limits';
import { alibiSlopes } from './alibi';
import type { Architecture, EncoderHyperparameters, EncoderModel, TensorIndex } from './architecture';
import { checkHeads } from './mechanisms';
import { planScore, scoreHead } from './score-head';
import { planClassifier, prefixesOf } from './tensor-planner';

const IGNORED = /(^|\.)lm_head\.weight$/;

export const bloom: Architecture = {
  sourceClass: 'BloomForSequenceClassification',
  modelType: 'bloom',

  describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
    const hyperparameters = readHyperparameters(config);
    return {
      architecture: 'bloom',
      hyperparameters,
      ...plan(hyperparameters, weights),
      head: scoreHead(config),
      llamacppCompat: 'unsupported',
    };
  },
};

function readHyperparameters(config: ConfigReader): EncoderHyperparameters {
  if (config.boolean('apply_residual_connection_post_layernorm', false)) {
    config.unsupported(
      'apply_residual_connection_post_layernorm is true; only models that add to what was not normalized are supported',
    );
  }
  const hiddenSize = config.integer(['n_embed', 'hidden_size'], 64, 1, MAX_HIDDEN_SIZE);
  const numHeads = config.integer(['n_head', 'num_attention_heads'], 8, 1, MAX_HEADS);
  checkHeads(config, { hiddenSize, numHeads });
  return {
    numLayers: config.integer(['n_layer', 'num_hidden_layers'], 2, 1, MAX_LAYERS),
    hiddenSize,
    numHeads,
    intermediateSize: 4 * hiddenSize,
    // The class knows no limit: that of the training.
    numPositions: config.integer('seq_length', 2048, 1, MAX_POSITIONS),
    vocabSize: config.integer('vocab_size', 250_880, 1, MAX_VOCAB_SIZE),
    numTokenTypes: 0,
    normEps: config.number('layer_norm_epsilon', 1e-5, 1e-12, 1),
    normPlacement: 'pre',
    hiddenActivation: 'gelu_new',
    isCausal: true,
    positionKind: 'linear-bias',
    biasSlopes: alibiSlopes(numHeads),
  };
}

function plan(
  { numLayers, hiddenSize: h, numHeads, intermediateSize: f, vocabSize }: EncoderHyperparameters,
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
    planner.norm('token_embd_norm', h, `${decoder}word_embeddings_layernorm`);
    for (let layer = 0; layer < numLayers; layer++) {
      const [block, from] = [`blk.${layer}.`, `${decoder}h.${layer}.`];
      planner.norm(`${block}attn_norm`, h, `${from}input_layernorm`);
      planner.joinedHeads(`${block}attn_qkv`, h, numHeads, `${from}self_attention.query_key_value`);
      planner.dense(`${block}attn_output`, h, h, `${from}self_attention.dense`);
      planner.norm(`${block}ffn_norm`, h, `${from}post_attention_layernorm`);
      planner.dense(`${block}ffn_up`, f, h, `${from}mlp.dense_h_to_4h`);
      planner.dense(`${block}ffn_down`, h, f, `${from}mlp.dense_4h_to_h`);
    }
    planner.norm('output_norm', h, `${decoder}ln_f`);
    planScore(planner, head, numLabels, h);
  });
}
