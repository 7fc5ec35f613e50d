/** BertForSequenceClassification: pooled = tanh(pooler.dense(h[0])), logits = classifier(pooled). */
import type { ConfigReader } from '../config';
import {
  MAX_HEADS,
  MAX_HIDDEN_SIZE,
  MAX_INTERMEDIATE_SIZE,
  MAX_LAYERS,
  MAX_POSITIONS,
  MAX_TOKEN_TYPES,
  MAX_VOCAB_SIZE,
} from '../limits';
import type { Architecture, EncoderModel, TensorIndex } from './architecture';
import { type EncoderNames, planTensors } from './encoder-tensors';
import { checkHeads, readActivation, refuseDecoder } from './mechanisms';

const NAMES: EncoderNames = {
  prefixes: [
    ['bert.', ''],
    ['', ''],
    ['model.bert.', 'model.'],
    ['model.', ''],
    ['module.bert.', 'module.'],
  ],
  tokenEmbedding: 'embeddings.word_embeddings',
  positionEmbedding: 'embeddings.position_embeddings',
  typeEmbedding: 'embeddings.token_type_embeddings',
  embeddingNorm: 'embeddings.LayerNorm',
  layer: (index) => {
    const layer = `encoder.layer.${index}`;
    return {
      query: `${layer}.attention.self.query`,
      key: `${layer}.attention.self.key`,
      value: `${layer}.attention.self.value`,
      attentionOutput: `${layer}.attention.output.dense`,
      attentionNorm: `${layer}.attention.output.LayerNorm`,
      up: `${layer}.intermediate.dense`,
      down: `${layer}.output.dense`,
      outputNorm: `${layer}.output.LayerNorm`,
    };
  },
  pooled: 'pooler.dense',
  pooledIn: 'encoder',
  classifier: 'classifier',
  ignored: /(^|\.)embeddings\.(position_ids|token_type_ids)$|(^|\.)cls\.(predictions|seq_relationship)\./,
};

export const bert: Architecture = {
  sourceClass: 'BertForSequenceClassification',
  modelType: 'bert',

  describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
    refuseDecoder(config);
    const hyperparameters = {
      numLayers: config.integer('num_hidden_layers', 12, 1, MAX_LAYERS),
      hiddenSize: config.integer('hidden_size', 768, 1, MAX_HIDDEN_SIZE),
      numHeads: config.integer('num_attention_heads', 12, 1, MAX_HEADS),
      intermediateSize: config.integer('intermediate_size', 3072, 1, MAX_INTERMEDIATE_SIZE),
      numPositions: config.integer('max_position_embeddings', 512, 1, MAX_POSITIONS),
      vocabSize: config.integer('vocab_size', 30_522, 1, MAX_VOCAB_SIZE),
      numTokenTypes: config.integer('type_vocab_size', 2, 1, MAX_TOKEN_TYPES),
      layerNormEps: config.number('layer_norm_eps', 1e-12, 1e-12, 1),
      hiddenActivation: readActivation(config, 'hidden_act'),
    };
    checkHeads(config, hyperparameters);
    return {
      hyperparameters,
      ...planTensors(hyperparameters, NAMES, weights),
      headActivation: 'tanh',
      llamacppCompat: compatibility(hyperparameters.hiddenActivation, hyperparameters.numTokenTypes),
    };
  },
};

/** llama.cpp always runs GELU, and gives every token the segment 0, so that pairs come out differently. */
function compatibility(hiddenActivation: string, numTokenTypes: number): EncoderModel['llamacppCompat'] {
  if (!hiddenActivation.startsWith('gelu')) return 'unsupported';
  return numTokenTypes >= 2 ? 'single-sequence' : 'exact';
}
