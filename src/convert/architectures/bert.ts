/**
 * BERT and ERNIE, and Megatron's BERT with norms before each part: pooled = tanh(pooler.dense(h[0])), logits =
 * classifier(pooled).
 */
import type { ConfigReader } from '../config';
import { MAX_TOKEN_TYPES } from '../limits';
import { BERT_BODY, type EncoderFacts, type EncoderNames, encoderFamily } from './encoder-tensors';
import { BERT_BASE, bertCompatibility, readBertHyperparameters } from './mechanisms';
import { type TensorPlanner, prefixesOf } from './tensor-planner';

const HEAD = {
  pooled: 'pooler.dense',
  pooledIn: 'encoder',
  classifier: 'classifier',
  ignored: /(^|\.)embeddings\.(position_ids|token_type_ids)$|(^|\.)cls\.(predictions|seq_relationship)\./,
} as const;

const NAMES: EncoderNames = { prefixes: prefixesOf('bert'), ...BERT_BODY, ...HEAD };

export const bert = encoderFamily('BertForSequenceClassification', 'bert', (config) => readBert(config, NAMES));

/** BERT; with `use_task_id` every token takes the first task's embedding as well. */
export const ernie = encoderFamily('ErnieForSequenceClassification', 'ernie', (config) => {
  const names = { ...NAMES, prefixes: prefixesOf('ernie') };
  if (!config.boolean('use_task_id', false)) return readBert(config, names);
  const { hiddenSize: h, numTokenTypes } = readBertHyperparameters(config, BERT_BASE);
  const shapes = [
    [numTokenTypes, h],
    [config.integer('task_type_vocab_size', 3, 1, MAX_TOKEN_TYPES), h],
  ] as const;
  // Added to the segments' embeddings, of which every token takes one.
  const more = (planner: TensorPlanner, from: (name: string) => string) =>
    planner.computed(
      'token_types.weight',
      shapes[0],
      [
        [from(`${BERT_BODY.typeEmbedding}.weight`), shapes[0]],
        [from('embeddings.task_type_embeddings.weight'), shapes[1]],
      ],
      ([types, tasks]) => [types!.map((value, index) => value + tasks![index % h]!)],
    );
  return readBert(config, { ...names, typeEmbedding: undefined, more });
});

export const megatronBert = encoderFamily('MegatronBertForSequenceClassification', 'megatron-bert', (config) => {
  const sizes = { numLayers: 24, hiddenSize: 1024, numHeads: 16, intermediateSize: 4096, vocabSize: 29_056 };
  const hyperparameters = {
    ...readBertHyperparameters(config, { ...BERT_BASE, ...sizes }),
    normPlacement: 'pre' as const,
  };
  const names: EncoderNames = {
    ...NAMES,
    embeddingNorm: undefined,
    layer: (block) => ({
      ...BERT_BODY.layer(block),
      attentionNorm: `encoder.layer.${block}.attention.ln`,
      outputNorm: `encoder.layer.${block}.ln`,
    }),
    lastNorm: 'encoder.ln',
  };
  return {
    architecture: 'megatron-bert',
    hyperparameters,
    names,
    head: { pooling: 'cls', activation: 'tanh' },
    llamacppCompat: 'unsupported',
  };
});

function readBert(config: ConfigReader, names: EncoderNames): EncoderFacts {
  const hyperparameters = readBertHyperparameters(config, BERT_BASE);
  return {
    architecture: 'bert',
    hyperparameters,
    names,
    head: { pooling: 'cls', activation: 'tanh' },
    llamacppCompat: bertCompatibility(hyperparameters),
  };
}
