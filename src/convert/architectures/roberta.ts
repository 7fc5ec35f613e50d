/**
 * RoBERTa, XLM-RoBERTa, CamemBERT, Data2Vec and I-BERT: one model under five names, and its two forms with norms before each part.
 * Positions count from pad_token_id + 1;
 * logits = classifier.out_proj(tanh(classifier.dense(h[0]))).
 */
import type { ConfigReader } from '../config';
import type { Architecture, TensorIndex } from './architecture';
import { BERT_BODY, type EncoderFacts, type EncoderNames, encoderFamily } from './encoder-tensors';
import { FLASH_EMBEDDING_NORM, flashLayer } from './flash-names';
import { BERT_BASE, type BertDefaults, type Sizes, bertCompatibility, readBertHyperparameters } from './mechanisms';
import { findPrefix, prefixesOf } from './tensor-planner';

interface Family {
  readonly className: string;
  readonly modelType: string;
  /** The encoder's name in the model. */
  readonly attribute: string;
  /** What else its checkpoints hold and its classifiers do not use. */
  readonly unused?: RegExp;
  /** What must be as the class has it by default. */
  readonly check?: (config: ConfigReader) => void;
  /** Defaults of the HF class where they are not RoBERTa's. */
  readonly defaults?: Partial<BertDefaults>;
  /** Where the norms stand before each part: what their names are. */
  readonly preNorms?: Pick<EncoderNames, 'layer' | 'embeddingNorm' | 'lastNorm'>;
}

const DEFAULTS = { ...BERT_BASE, vocabSize: 50_265 };

const IGNORED = /(^|\.)embeddings\.(position_ids|token_type_ids)$|(^|\.)(pooler|lm_head)\./;

const FAMILIES: readonly Family[] = [
  { className: 'Roberta', modelType: 'roberta', attribute: 'roberta' },
  { className: 'XLMRoberta', modelType: 'xlm-roberta', attribute: 'roberta', defaults: { vocabSize: 30_522 } },
  { className: 'Camembert', modelType: 'camembert', attribute: 'roberta', defaults: { vocabSize: 30_522 } },
  {
    className: 'Data2VecText',
    modelType: 'data2vec-text',
    attribute: 'data2vec_text',
    defaults: { vocabSize: 30_522 },
  },
  {
    className: 'IBert',
    modelType: 'ibert',
    attribute: 'ibert',
    defaults: { vocabSize: 30_522 },
    unused: /\.(x_min|x_max|shift|(act|fc|weight)_scaling_factor|(weight|bias)_integer)$/,
    check: (config) => {
      if (config.boolean('quant_mode', false))
        config.unsupported('quant_mode is true; convert it without, to a type of GGUF');
      config.oneOf('hidden_act', 'gelu', ['gelu']);
    },
  },
  {
    className: 'RobertaPreLayerNorm',
    modelType: 'roberta-prelayernorm',
    attribute: 'roberta_prelayernorm',
    preNorms: {
      embeddingNorm: 'embeddings.LayerNorm',
      layer: (block) => ({
        ...BERT_BODY.layer(block),
        attentionNorm: `encoder.layer.${block}.attention.LayerNorm`,
        outputNorm: `encoder.layer.${block}.intermediate.LayerNorm`,
      }),
      lastNorm: 'LayerNorm',
    },
  },
  {
    className: 'XLMRobertaXL',
    modelType: 'xlm-roberta-xl',
    attribute: 'roberta',
    defaults: {
      numLayers: 36,
      hiddenSize: 2560,
      numHeads: 32,
      intermediateSize: 10_240,
      numPositions: 514,
      vocabSize: 250_880,
      numTokenTypes: 1,
      normEps: 1e-5,
    },
    preNorms: {
      embeddingNorm: undefined,
      layer: (block) => ({
        ...BERT_BODY.layer(block),
        attentionNorm: `encoder.layer.${block}.attention.self_attn_layer_norm`,
        outputNorm: `encoder.layer.${block}.LayerNorm`,
      }),
      lastNorm: 'encoder.LayerNorm',
    },
  },
];

export const robertaFamily: readonly Architecture[] = FAMILIES.map((family) =>
  encoderFamily(`${family.className}ForSequenceClassification`, family.modelType, (config, weights) =>
    read(family, config, weights),
  ),
);

function read(family: Family, config: ConfigReader, weights: TensorIndex): EncoderFacts {
  family.check?.(config);
  const own = readBertHyperparameters(config, { ...DEFAULTS, ...family.defaults });
  const isPre = family.preNorms !== undefined;
  const hyperparameters = {
    ...own,
    ...readPositions(config, own),
    ...(isPre ? { normPlacement: 'pre' as const } : {}),
  };
  return {
    architecture: isPre ? family.modelType : 'bert',
    hyperparameters,
    names: namesOf(family, weights),
    head: { pooling: 'cls', activation: 'tanh' },
    llamacppCompat: isPre ? 'unsupported' : bertCompatibility(hyperparameters),
  };
}

/** Positions count from pad_token_id + 1, and padding in a text does not count: its own is the row before. */
export function readPositions(config: ConfigReader, { vocabSize, numPositions }: Sizes) {
  return positionsAfter(config, config.integer('pad_token_id', 1, 0, vocabSize - 1), numPositions);
}

/** Those of a table with `rows` rows. */
export function positionsAfter(config: ConfigReader, paddingId: number, rows: number) {
  const positionOffset = paddingId + 1;
  if (positionOffset >= rows) config.malformed(`pad_token_id leaves none of the ${rows} max_position_embeddings`);
  return { numPositions: rows - positionOffset, positionOffset, uncountedTokenId: paddingId };
}

function namesOf({ attribute, preNorms, unused }: Family, weights: TensorIndex): EncoderNames {
  const names: EncoderNames = {
    prefixes: prefixesOf(attribute),
    ...BERT_BODY,
    ...preNorms,
    pooled: 'classifier.dense',
    pooledIn: 'head',
    classifier: 'classifier.out_proj',
    ignored: unused === undefined ? IGNORED : new RegExp(`${IGNORED.source}|${unused.source}`),
  };
  const [encoder] = findPrefix(names.prefixes, `${names.tokenEmbedding}.weight`, weights);
  // Jina's rerankers carry the class of transformers, and the names of their own code.
  const isFlash = [...weights.names()].some((name) => name.startsWith(`${encoder}encoder.layers.`));
  if (!isFlash || preNorms !== undefined) return names;
  const layer = (block: number) => flashLayer(block, 'mixer', (mlp) => `${mlp}.fc1`);
  return { ...names, embeddingNorm: FLASH_EMBEDDING_NORM, layer };
}
