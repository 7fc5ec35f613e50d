/**
 * GTE, Nomic BERT and Jina embeddings v3: BERT with rotary positions in the place of its table, a gated feed-forward part
 * but for Jina, and fewer biases. Each has its names in transformers, and those of the code that it was first published
 * with, which transformers reads too and writes; GTE's first code is a class of its own, `New`.
 */
import type { ConfigReader } from '../config';
import { MAX_TOKEN_TYPES } from '../limits';
import type { Architecture, RotaryEmbedding, TensorIndex } from './architecture';
import { type EncoderFacts, type EncoderNames, type LayerNames, encoderFamily } from './encoder-tensors';
import { FLASH_EMBEDDING_NORM, flashLayer } from './flash-names';
import { type Sizes, readActivation, readHeadSize, readSizes, refuseDecoder } from './mechanisms';
import { translateNomicConfig } from './nomic-config';
import { readNtkRotary, readRotary, requireWholeHeads } from './rotary';
import { type Prefixes, findPrefix, prefixesOf } from './tensor-planner';

/** Names of the embeddings' norm and of a layer. */
interface Layout {
  readonly embeddingNorm: string;
  readonly layer: (block: number, sizes: Sizes) => LayerNames;
}

interface Family {
  readonly sourceClass: string;
  readonly modelType: string;
  readonly architecture: string;
  readonly prefixes: Prefixes;
  /** Defaults of the HF class. */
  readonly defaults: Sizes & { readonly numTokenTypes: number; readonly normEps: number; readonly activation: string };
  /** Whether a model may be without segments. */
  readonly hasOptionalTypes?: boolean;
  readonly isGated: boolean;
  readonly biases?: EncoderNames['biases'];
  readonly firstLayout: Layout;
  readonly head: Pick<EncoderNames, 'pooled' | 'pooledIn' | 'classifier'>;
  readonly rotary: (config: ConfigReader, headSize: number) => RotaryEmbedding;
  /** Refuses switches of this family alone. */
  readonly refuse?: (config: ConfigReader) => void;
  /** From the keys of its first code to those of transformers. */
  readonly translate?: (config: ConfigReader) => ConfigReader;
}

/** transformers' own names. */
function layout(isGated: boolean): Layout {
  return {
    embeddingNorm: 'embeddings.LayerNorm',
    layer: (block) => {
      const layer = `layers.${block}`;
      const attention = `${layer}.self_attn`;
      return {
        qkv: [`${attention}.q_proj`, `${attention}.k_proj`, `${attention}.v_proj`],
        attentionOutput: `${attention}.o_proj`,
        attentionNorm: `${layer}.post_attention_layernorm`,
        up: isGated ? [`${layer}.mlp.gate_proj`, `${layer}.mlp.up_proj`] : `${layer}.mlp.fc1`,
        down: isGated ? `${layer}.mlp.down_proj` : `${layer}.mlp.fc2`,
        outputNorm: `${layer}.post_mlp_layernorm`,
      };
    },
  };
}

const GTE_LAYOUT: Layout = {
  embeddingNorm: 'embeddings.LayerNorm',
  layer: (block, { hiddenSize: h, intermediateSize: f }) => {
    const layer = `encoder.layer.${block}`;
    return {
      qkv: [`${layer}.attention.qkv_proj`],
      attentionOutput: `${layer}.attention.o_proj`,
      attentionNorm: `${layer}.attn_ln`,
      // The half that is activated comes second there.
      up: (planner, target, from) => {
        const source = from(`${layer}.mlp.up_gate_proj.weight`);
        planner.matrix(`${target}.weight`, [2 * f, h], source, [
          [f, f],
          [0, f],
        ]);
      },
      down: `${layer}.mlp.down_proj`,
      outputNorm: `${layer}.mlp_ln`,
    };
  },
};

function flashLayout(attention: string, up: (mlp: string) => LayerNames['up']): Layout {
  return { embeddingNorm: FLASH_EMBEDDING_NORM, layer: (block) => flashLayer(block, attention, up) };
}

const POOLER = { pooled: 'pooler.dense', pooledIn: 'encoder', classifier: 'classifier' } as const;

const GTE: Omit<Family, 'sourceClass' | 'modelType' | 'rotary' | 'defaults'> = {
  architecture: 'gte',
  prefixes: [...prefixesOf('gte'), ...prefixesOf('new')],
  hasOptionalTypes: true,
  isGated: true,
  biases: { attention: true, up: false, down: true },
  firstLayout: GTE_LAYOUT,
  head: POOLER,
};

const FAMILIES: readonly Family[] = [
  {
    ...GTE,
    sourceClass: 'GteForSequenceClassification',
    modelType: 'gte',
    defaults: defaults([12, 768, 12, 3072, 8192, 250_048], { numTokenTypes: 1 }),
    rotary: (config, headSize) => readRotary(config, headSize, 160_000),
  },
  {
    ...GTE,
    sourceClass: 'NewForSequenceClassification',
    modelType: 'new',
    defaults: defaults([12, 768, 12, 3072, 2048, 30_528], { numTokenTypes: 1 }),
    rotary: (config, headSize) => readNtkRotary(config, headSize, 10_000),
    refuse: refuseNewVariants,
  },
  {
    sourceClass: 'NomicBertForSequenceClassification',
    modelType: 'nomic_bert',
    architecture: 'nomic_bert',
    prefixes: [...prefixesOf('nomic_bert'), ...prefixesOf('bert')],
    defaults: defaults([12, 768, 12, 3072, 2048, 30_528], { activation: 'silu' }),
    isGated: true,
    biases: { attention: false, up: false, down: false },
    firstLayout: flashLayout('attn', (mlp) => [`${mlp}.fc12`, `${mlp}.fc11`]),
    head: POOLER,
    rotary: (config, headSize) => readRotary(config, headSize, 1000),
    translate: translateNomicConfig,
  },
  {
    sourceClass: 'JinaEmbeddingsV3ForSequenceClassification',
    modelType: 'jina_embeddings_v3',
    architecture: 'jina_embeddings_v3',
    prefixes: prefixesOf('roberta'),
    defaults: defaults([24, 1024, 16, 4096, 8194, 250_002], { numTokenTypes: 1, normEps: 1e-5 }),
    isGated: false,
    firstLayout: flashLayout('mixer', (mlp) => `${mlp}.fc1`),
    head: { pooled: 'classifier.dense', pooledIn: 'head', classifier: 'classifier.out_proj' },
    rotary: (config, headSize) => readRotary(config, headSize, 20_000),
  },
];

function defaults(
  [numLayers, hiddenSize, numHeads, intermediateSize, numPositions, vocabSize]: readonly [
    ...(readonly [number, number, number, number, number, number]),
  ],
  rest: Partial<Family['defaults']>,
): Family['defaults'] {
  const sizes = { numLayers, hiddenSize, numHeads, intermediateSize, numPositions, vocabSize };
  return { ...sizes, numTokenTypes: 2, normEps: 1e-12, activation: 'gelu', ...rest };
}

/** Heads and buffers that sequence classification does not use. */
const IGNORED =
  /(^|\.)embeddings\.(position_ids|token_type_ids)$|(^|\.)rotary_emb\.inv_freq$|(^|\.)(lm_head|cls\.predictions)\./;

/** Where the head is none of the encoder's, its pooler is not used either. */
const IGNORED_WITH_POOLER = new RegExp(`${IGNORED.source}|(^|\\.)pooler\\.dense\\.`);

export const rotaryBertFamily: readonly Architecture[] = FAMILIES.map((family) =>
  encoderFamily(family.sourceClass, family.modelType, (config, weights) => read(family, config, weights)),
);

function read(family: Family, source: ConfigReader, weights: TensorIndex): EncoderFacts {
  const config = family.translate?.(source) ?? source;
  refuseDecoder(config, 'rope');
  family.refuse?.(config);
  const sizes = readSizes(config, family.defaults);
  const headSize = readHeadSize(config, sizes);
  const rope = family.rotary(config, headSize);
  requireWholeHeads(config, rope, headSize);
  const fewestTypes = family.hasOptionalTypes === true ? 0 : 1;
  const hyperparameters = {
    ...sizes,
    headSize,
    numTokenTypes: config.integer('type_vocab_size', family.defaults.numTokenTypes, fewestTypes, MAX_TOKEN_TYPES),
    normEps: config.number('layer_norm_eps', family.defaults.normEps, 0, 1),
    hiddenActivation: readActivation(config, 'hidden_act', family.defaults.activation),
    feedForwardKind: family.isGated ? ('glu' as const) : ('mlp' as const),
    positionKind: 'rope' as const,
    rope,
  };
  const tokenEmbedding = 'embeddings.word_embeddings';
  const [encoder] = findPrefix(family.prefixes, `${tokenEmbedding}.weight`, weights);
  const hasOwnNames = [...weights.names()].some((name) => name.startsWith(`${encoder}layers.`));
  const { embeddingNorm, layer } = hasOwnNames ? layout(family.isGated) : family.firstLayout;
  const names: EncoderNames = {
    prefixes: family.prefixes,
    tokenEmbedding,
    typeEmbedding: hyperparameters.numTokenTypes > 0 ? 'embeddings.token_type_embeddings' : undefined,
    embeddingNorm,
    layer: (block) => layer(block, sizes),
    biases: family.biases,
    ...family.head,
    ignored: family.head.pooledIn === 'head' ? IGNORED_WITH_POOLER : IGNORED,
  };
  return {
    architecture: family.architecture,
    hyperparameters,
    names,
    head: { pooling: 'cls', activation: 'tanh' },
    llamacppCompat: 'unsupported',
  };
}

/** What the first code of GTE can be told and no published model asks for. */
function refuseNewVariants(config: ConfigReader): void {
  config.oneOf('layer_norm_type', 'layer_norm', ['layer_norm']);
  if (config.boolean('logn_attention_scale', false)) {
    config.unsupported('logn_attention_scale is true; scores that depend on the length are not supported');
  }
  if (!config.boolean('pack_qkv', true)) {
    config.unsupported('pack_qkv is false; only queries, keys and values in one layer are supported for this class');
  }
}
