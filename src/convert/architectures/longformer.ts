/**
 * LongformerForSequenceClassification: RoBERTa whose tokens see a window around them and the first token, which sees all, by
 * queries, keys and values of its own; logits = classifier.out_proj(tanh(classifier.dense(h[0]))).
 */
import type { ConfigReader } from '../config';
import { MAX_POSITIONS } from '../limits';
import type { EncoderHyperparameters } from './architecture';
import {
  BERT_BODY,
  type EncoderFacts,
  type EncoderNames,
  type LayerNames,
  encoderFamily,
  withoutBody,
} from './encoder-tensors';
import { layerIndices } from './layer-types';
import { BERT_BASE, readBertHyperparameters } from './mechanisms';
import { readPositions } from './roberta';
import { type TensorPlanner, prefixesOf } from './tensor-planner';

/** Without a body: the bare model has no token that sees all. */
export const longformer = withoutBody(encoderFamily('LongformerForSequenceClassification', 'longformer', read));

function read(config: ConfigReader): EncoderFacts {
  const own = readBertHyperparameters(config, BERT_BASE);
  const hyperparameters = {
    ...own,
    ...readPositions(config, own),
    slidingWindow: readWindow(config, own.numLayers),
    isFirstGlobal: true,
  };
  return {
    architecture: 'longformer',
    hyperparameters,
    names: namesOf(hyperparameters),
    head: { pooling: 'cls', activation: 'tanh' },
    llamacppCompat: 'unsupported',
  };
}

/** A number, or one for each layer. */
function readWindow(config: ConfigReader, numLayers: number) {
  const layers = layerIndices(numLayers);
  const value = config.get('attention_window');
  const sizes = Array.isArray(value) ? value : layers.map(() => value ?? 512);
  if (sizes.length !== numLayers) {
    config.malformed(`attention_window has ${sizes.length} entries for ${numLayers} layers`);
  }
  const [size] = sizes;
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 1 || size > 2 * MAX_POSITIONS || size % 2 !== 0) {
    config.malformed(`attention_window is no even number from 2 to ${2 * MAX_POSITIONS}`);
  }
  if (sizes.some((other) => other !== size)) {
    config.unsupported('attention_window differs from layer to layer; supported is one window for all of them');
  }
  return { size, layers };
}

function namesOf(hyperparameters: EncoderHyperparameters): EncoderNames {
  return {
    prefixes: prefixesOf('longformer'),
    ...BERT_BODY,
    layer: (block) => layerNames(block, hyperparameters),
    pooled: 'classifier.dense',
    pooledIn: 'head',
    classifier: 'classifier.out_proj',
    ignored: /(^|\.)embeddings\.(position_ids|token_type_ids)$|(^|\.)(pooler|lm_head)\./,
  };
}

function layerNames(block: number, { hiddenSize: h, numLayers }: EncoderHyperparameters): LayerNames {
  const layer = BERT_BODY.layer(block);
  const parts = layer.qkv as readonly string[];
  const qkv = (planner: TensorPlanner, target: string, from: (name: string) => string) => {
    const linear = (name: string, sources: readonly string[]) =>
      planner.linear(name, { sources, rows: sources.map(() => h), columns: h, bias: true });
    const own = parts.map(from);
    const [query, key, value] = parts.map((part) => from(`${part}_global`));
    // Of the last layer the head reads the first token alone.
    if (block + 1 < numLayers) linear(target, own);
    else for (const name of own) planner.unread(h, h, name);
    linear(target.replace('attn_qkv', 'attn_global_q'), [query!]);
    linear(target.replace('attn_qkv', 'attn_global_kv'), [key!, value!]);
  };
  return { ...layer, qkv };
}
