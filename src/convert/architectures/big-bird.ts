/**
 * BigBird: BERT with queries, keys and values that may have no bias, and a head with the layers' activation, of which texts
 * are read that all attention is computed for. Longer ones would attend to random blocks, which are left out.
 * logits = classifier.out_proj(act(classifier.dense(h[0]))).
 */
import type { ConfigReader } from '../config';
import { BERT_BODY, type EncoderFacts, type LayerNames, encoderFamily, withoutBody } from './encoder-tensors';
import { BERT_BASE, type Sizes, readBertHyperparameters } from './mechanisms';
import { prefixesOf } from './tensor-planner';

const DEFAULTS = { ...BERT_BASE, numPositions: 4096, vocabSize: 50_358, hiddenActivation: 'gelu_new' };

/** Without a body: modules do not know of a limit that is shorter than the table of positions. */
export const bigBird = withoutBody(encoderFamily('BigBirdForSequenceClassification', 'big_bird', read));

function read(config: ConfigReader): EncoderFacts {
  const hyperparameters = readBertHyperparameters(config, DEFAULTS);
  const hasBias = config.boolean('use_bias', true);
  return {
    architecture: 'big-bird',
    hyperparameters: {
      ...hyperparameters,
      ...(config.boolean('rescale_embeddings', false) ? { embeddingScale: Math.sqrt(hyperparameters.hiddenSize) } : {}),
    },
    names: {
      ...BERT_BODY,
      prefixes: prefixesOf('bert'),
      layer: (block) => layerNames(block, hyperparameters, hasBias),
      pooled: 'classifier.dense',
      pooledIn: 'head',
      classifier: 'classifier.out_proj',
      ignored: /(^|\.)embeddings\.(position_ids|token_type_ids)$|(^|\.)(pooler|cls)\./,
    },
    head: { pooling: 'cls', activation: hyperparameters.hiddenActivation },
    ...readLimit(config, hyperparameters),
    llamacppCompat: 'unsupported',
  };
}

function layerNames(block: number, { hiddenSize: h }: Sizes, hasBias: boolean): LayerNames {
  const layer = BERT_BODY.layer(block);
  if (hasBias) return layer;
  const qkv = layer.qkv as readonly string[];
  return {
    ...layer,
    qkv: (planner, target, from) =>
      planner.linear(target, { sources: qkv.map(from), rows: [h, h, h], columns: h, bias: false }),
  };
}

/** Texts up to this many tokens have all attention in transformers too. */
function readLimit(config: ConfigReader, { numPositions }: Sizes): Pick<EncoderFacts, 'maxTokens' | 'assumptions'> {
  const kind = config.oneOf('attention_type', 'block_sparse', ['original_full', 'block_sparse']);
  if (kind === 'original_full') return {};
  const numRandom = config.integer('num_random_blocks', 3, 0, 2 ** 16);
  const maxTokens = (5 + 2 * numRandom) * config.integer('block_size', 64, 1, 2 ** 16);
  if (maxTokens >= numPositions) return {};
  const limit =
    `texts are cut at ${maxTokens} tokens: longer ones attend to random blocks, which is not supported. ` +
    `transformers reads up to ${numPositions}; with attention_type "original_full" in config.json so does this, by all attention`;
  return { maxTokens, assumptions: [limit] };
}
