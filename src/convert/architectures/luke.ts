/**
 * LUKE and mLUKE, read without entities: then words attend to each other as in RoBERTa, and what is there for entities is
 * left out. Positions count from pad_token_id + 1; logits = classifier(tanh(pooler.dense(h[0]))).
 */
import type { ConfigReader } from '../config';
import { BERT_BODY, type EncoderFacts, encoderFamily, withoutBody } from './encoder-tensors';
import { BERT_BASE, readBertHyperparameters } from './mechanisms';
import { readPositions } from './roberta';
import { prefixesOf } from './tensor-planner';

/** Entities' embeddings and predictions, queries from and to them, and the head of the language model. */
const IGNORED =
  /(^|\.)embeddings\.(position_ids|token_type_ids)$|(^|\.)(entity_embeddings|entity_predictions|lm_head)\./;
const ENTITY_QUERIES = /\.attention\.self\.(w2e|e2w|e2e)_query\.(weight|bias)$/;

export const luke = withoutBody(encoderFamily('LukeForSequenceClassification', 'luke', read));

function read(config: ConfigReader): EncoderFacts {
  const own = readBertHyperparameters(config, { ...BERT_BASE, vocabSize: 50_267 });
  return {
    architecture: 'luke',
    hyperparameters: { ...own, ...readPositions(config, own) },
    names: {
      ...BERT_BODY,
      prefixes: prefixesOf('luke'),
      pooled: 'pooler.dense',
      pooledIn: 'encoder',
      classifier: 'classifier',
      ignored: new RegExp(`${IGNORED.source}|${ENTITY_QUERIES.source}`),
    },
    head: { pooling: 'cls', activation: 'tanh' },
    llamacppCompat: 'unsupported',
  };
}
