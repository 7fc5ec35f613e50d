/**
 * ESM-2 and ESM-1b, models of proteins: norms before each part, rotary positions or a table counted from pad_token_id + 1;
 * with `token_dropout` the embeddings are scaled as if some of them were still dropped, and those of the mask are;
 * logits = classifier.out_proj(tanh(classifier.dense(h[0]))).
 */
import type { ConfigReader } from '../config';
import type { Architecture, RotaryEmbedding, TensorIndex, TensorValues } from './architecture';
import { BERT_BODY, type EncoderFacts, type EncoderNames, encoderFamily, withoutBody } from './encoder-tensors';
import { BERT_BASE, type Sizes, checkHeads, readSharedHeadSize, readSizes, refuseDecoder } from './mechanisms';
import { readPositions } from './roberta';
import { inverseFrequencies } from './rotary';
import { prefixesOf } from './tensor-planner';

/** The share of tokens that were replaced by the mask in the training, and so had no embedding. */
const DROPPED = 0.15 * 0.8;

const FREQUENCIES = /(^|\.)rotary_embeddings\.inv_freq$/;
const TABLE = 'embeddings.position_embeddings';

/** Without a body: what it needs of the weights' values is read for classifiers alone. */
export const esm: Architecture = {
  ...withoutBody(encoderFamily('EsmForSequenceClassification', 'esm', read)),
  valuesOf: storedFrequencies,
};

/** The frequencies that a checkpoint holds count, not the theta: half precision may have rounded them in the training. */
function storedFrequencies(weights: TensorIndex): string[] {
  return [...weights.names()].filter((name) => FREQUENCIES.test(name)).sort();
}

function read(config: ConfigReader, weights: TensorIndex, values?: TensorValues): EncoderFacts {
  const kind = config.oneOf('position_embedding_type', 'absolute', ['absolute', 'rotary']);
  refuseDecoder(config, kind);
  for (const key of ['vocab_size', 'pad_token_id']) {
    if (config.get(key) === undefined) config.malformed(`${key} is not set, for which the class has no default`);
  }
  const sizes = readSizes(config, { ...BERT_BASE, numPositions: 1026 });
  checkHeads(config, sizes);
  const isRotary = kind === 'rotary';
  const hasNorm = config.boolean('emb_layer_norm_before', false);
  return {
    architecture: 'esm',
    hyperparameters: {
      ...sizes,
      ...(isRotary
        ? { positionKind: 'rope', rope: readRotary(config, weights, sizes, values) }
        : { positionKind: 'absolute', ...readPositions(config, sizes) }),
      numTokenTypes: 0,
      normEps: config.number('layer_norm_eps', 1e-12, 0, 1),
      normPlacement: 'pre',
      hiddenActivation: 'gelu',
      ...readDropout(config, sizes),
    },
    names: namesOf(isRotary, hasNorm),
    head: { pooling: 'cls', activation: 'tanh' },
    llamacppCompat: 'unsupported',
  };
}

function readDropout(config: ConfigReader, { vocabSize }: Sizes) {
  if (!config.boolean('token_dropout', false)) return {};
  if (config.get('mask_token_id') === undefined) {
    config.malformed('token_dropout is true, but mask_token_id is not set');
  }
  const droppedTokenId = config.integer('mask_token_id', 0, 0, vocabSize - 1);
  return { embeddingScale: 1 - DROPPED, droppedTokenId };
}

function readRotary(
  config: ConfigReader,
  weights: TensorIndex,
  sizes: Sizes,
  values: TensorValues | undefined,
): RotaryEmbedding {
  const headSize = readSharedHeadSize(config, sizes);
  const theta = config.number('rope_theta', 10_000, 1, 1e9);
  const computed = inverseFrequencies(config, { rope_theta: theta, partial_rotary_factor: 1 }, headSize, theta);
  const [first, ...others] = storedFrequencies(weights).map((name) => ({ name, stored: values?.get(name) }));
  if (first?.stored === undefined) return { inverseFrequencies: computed, attentionFactor: 1 };
  const { name, stored } = first;
  if (stored.length !== computed.length || !stored.every((value) => value >= 0 && value <= 1000)) {
    config.malformed(`${name} of the weights is no list of ${computed.length} frequencies`);
  }
  for (const other of others) {
    if (other.stored?.every((value, index) => value === stored[index]) === true) continue;
    config.unsupported(`${other.name} differs from ${name}; supported are the same frequencies in all layers`);
  }
  return { inverseFrequencies: stored, attentionFactor: 1 };
}

function namesOf(isRotary: boolean, hasNorm: boolean): EncoderNames {
  const unread = ['embeddings\\.position_ids$', 'contact_head\\.', 'lm_head\\.', 'pooler\\.'];
  // Checkpoints that turn their heads keep a table that nothing reads.
  if (isRotary) unread.push(`${TABLE.replace('.', '\\.')}\\.weight$`);
  return {
    ...BERT_BODY,
    prefixes: prefixesOf('esm'),
    positionEmbedding: isRotary ? undefined : TABLE,
    typeEmbedding: undefined,
    embeddingNorm: hasNorm ? 'embeddings.layer_norm' : undefined,
    layer: (block) => ({
      ...BERT_BODY.layer(block),
      attentionNorm: `encoder.layer.${block}.attention.LayerNorm`,
      outputNorm: `encoder.layer.${block}.LayerNorm`,
    }),
    lastNorm: 'encoder.emb_layer_norm_after',
    pooled: 'classifier.dense',
    pooledIn: 'head',
    classifier: 'classifier.out_proj',
    ignored: new RegExp(`${FREQUENCIES.source}|(^|\\.)(${unread.join('|')})`),
  };
}
