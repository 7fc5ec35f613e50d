/**
 * JinaBERT, of jina-embeddings-v2 and jina-reranker-v1, which transformers has no class for: BERT with ALiBi in the place
 * of its position table and a gated feed-forward part; pooled = tanh(pooler.dense(h[0])), logits = classifier(pooled).
 */
import type { ConfigReader } from '../config';
import { MAX_TOKEN_TYPES } from '../limits';
import { readSlopes } from './alibi';
import { BERT_BODY, type EncoderFacts, type EncoderNames, encoderFamily, withoutBody } from './encoder-tensors';
import { BERT_BASE, type Sizes, checkHeads, readSizes, refuseDecoder } from './mechanisms';
import { prefixesOf } from './tensor-planner';

/** The gate's activation by feed_forward_type; hidden_act is for the other type, which is BERT's own part. */
const ACTIVATIONS = { geglu: 'gelu', reglu: 'relu' } as const;

/** Without a body: AutoModel makes BERT of its model_type, which has a position table. */
export const jinaBert = withoutBody(encoderFamily('JinaBertForSequenceClassification', 'bert', read));

function read(config: ConfigReader): EncoderFacts {
  // The default of the class is BERT's table, which no published model has.
  if (config.get('position_embedding_type') === undefined) config.unsupported('position_embedding_type is not set');
  refuseDecoder(config, 'alibi');
  const sizes = readSizes(config, BERT_BASE);
  checkHeads(config, sizes);
  const hiddenActivation = ACTIVATIONS[config.oneOf('feed_forward_type', 'original', ['geglu', 'reglu'])];
  const { slopes, assumption } = readSlopes(config, sizes.numHeads);
  return {
    architecture: 'jina-bert',
    hyperparameters: {
      ...sizes,
      numTokenTypes: config.integer('type_vocab_size', 2, 1, MAX_TOKEN_TYPES),
      normEps: config.number('layer_norm_eps', 1e-12, 0, 1),
      hiddenActivation,
      feedForwardKind: 'glu',
      positionKind: 'linear-bias',
      biasSlopes: slopes,
    },
    names: names(sizes),
    head: { pooling: 'cls', activation: 'tanh' },
    llamacppCompat: 'unsupported',
    ...(assumption === undefined ? {} : { assumptions: [assumption] }),
  };
}

function names({ hiddenSize: h, intermediateSize: f }: Sizes): EncoderNames {
  return {
    ...BERT_BODY,
    prefixes: prefixesOf('bert'),
    positionEmbedding: undefined,
    layer: (block) => {
      const mlp = `encoder.layer.${block}.mlp`;
      return {
        ...BERT_BODY.layer(block),
        up: (planner, target, from) =>
          planner.matrix(`${target}.weight`, [2 * f, h], from(`${mlp}.gated_layers.weight`)),
        down: `${mlp}.wo`,
        outputNorm: `${mlp}.layernorm`,
      };
    },
    pooled: 'pooler.dense',
    pooledIn: 'encoder',
    classifier: 'classifier',
    ignored: /(^|\.)embeddings\.(position_ids|token_type_ids)$|(^|\.)encoder\.alibi$|(^|\.)cls\.predictions\./,
  };
}
