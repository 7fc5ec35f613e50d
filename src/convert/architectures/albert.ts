/**
 * AlbertForSequenceClassification: narrow embeddings with a projection, layers that share their weights in groups;
 * logits = classifier(tanh(pooler(h[0]))).
 */
import { MAX_HIDDEN_SIZE, MAX_LAYERS } from '../limits';
import { type EncoderNames, encoderFamily } from './encoder-tensors';
import { readBertHyperparameters } from './mechanisms';
import { prefixesOf } from './tensor-planner';

function names(layersPerGroup: number): EncoderNames {
  return {
    prefixes: prefixesOf('albert'),
    tokenEmbedding: 'embeddings.word_embeddings',
    positionEmbedding: 'embeddings.position_embeddings',
    typeEmbedding: 'embeddings.token_type_embeddings',
    embeddingNorm: 'embeddings.LayerNorm',
    embeddingProjection: 'encoder.embedding_hidden_mapping_in',
    layer: (block) => {
      const group = Math.floor(block / layersPerGroup);
      const layer = `encoder.albert_layer_groups.${group}.albert_layers.${block % layersPerGroup}`;
      return {
        qkv: [`${layer}.attention.query`, `${layer}.attention.key`, `${layer}.attention.value`],
        attentionOutput: `${layer}.attention.dense`,
        attentionNorm: `${layer}.attention.LayerNorm`,
        up: `${layer}.ffn`,
        down: `${layer}.ffn_output`,
        outputNorm: `${layer}.full_layer_layer_norm`,
      };
    },
    pooled: 'pooler',
    pooledIn: 'encoder',
    classifier: 'classifier',
    ignored: /(^|\.)embeddings\.(position_ids|token_type_ids)$|(^|\.)(predictions|sop_classifier)\./,
  };
}

const DEFAULTS = {
  numLayers: 12,
  hiddenSize: 4096,
  numHeads: 64,
  intermediateSize: 16_384,
  numPositions: 512,
  vocabSize: 30_000,
  hiddenActivation: 'gelu_new',
};

export const albert = encoderFamily('AlbertForSequenceClassification', 'albert', (config) => {
  const own = readBertHyperparameters(config, DEFAULTS);
  const numGroups = config.integer('num_hidden_groups', 1, 1, own.numLayers);
  const layersPerGroup = config.integer('inner_group_num', 1, 1, MAX_LAYERS);
  if (own.numLayers * layersPerGroup > MAX_LAYERS) {
    config.unsupported(`inner_group_num makes more than ${MAX_LAYERS} layers`);
  }
  const layerWeights = Array.from({ length: own.numLayers }, (_, index) => {
    // The very quotient that transformers rounds down.
    const group = Math.floor(index / (own.numLayers / numGroups));
    return Array.from({ length: layersPerGroup }, (_, inner) => group * layersPerGroup + inner);
  }).flat();
  const hyperparameters = {
    ...own,
    numLayers: layerWeights.length,
    layerWeights,
    embeddingSize: config.integer('embedding_size', 128, 1, MAX_HIDDEN_SIZE),
  };
  return {
    architecture: 'albert',
    hyperparameters,
    names: names(layersPerGroup),
    head: { pooling: 'cls', activation: 'tanh' },
    llamacppCompat: 'unsupported',
  };
});
