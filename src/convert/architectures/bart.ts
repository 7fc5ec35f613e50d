/**
 * BartForSequenceClassification and its kin, MVP and mBART: an encoder, and a decoder that reads the same text moved
 * by one token; logits = classification_head.out_proj(tanh(classification_head.dense(h))), h the decoder's state at the
 * text's last eos. mBART's norms stand before each part, and its decoder begins with the text's own last token.
 */
import type { ConfigReader } from '../config';
import {
  MAX_HEADS,
  MAX_HIDDEN_SIZE,
  MAX_INTERMEDIATE_SIZE,
  MAX_LAYERS,
  MAX_POSITIONS,
  MAX_VOCAB_SIZE,
} from '../limits';
import type {
  Architecture,
  DecoderHyperparameters,
  EncoderHyperparameters,
  EncoderModel,
  TensorIndex,
} from './architecture';
import { checkHeads, readActivation, refusePruned } from './mechanisms';
import { type Prefixes, type TensorPlanner, planClassifier } from './tensor-planner';

/** Rows at the front of both position tables that no token takes. */
const POSITION_OFFSET = 2;

const PREFIXES: Prefixes = [
  ['model.', ''],
  ['', ''],
  ['model.model.', 'model.'],
  ['module.model.', 'module.'],
];
/** The names of the one embedding table. */
const TABLES = ['shared', 'encoder.embed_tokens', 'decoder.embed_tokens'];
/** Language modelling, and the version that the first checkpoints carry. */
const IGNORED = /(^|\.)(lm_head\.weight|final_logits_bias|(encoder|decoder)\.version)$/;

/** What the two differ in. */
interface Family {
  readonly className: string;
  readonly modelType: string;
  /** Default of the HF class where it is not BART's. */
  readonly vocabSize?: number;
  readonly normPlacement: 'post' | 'pre';
  readonly readStart: (
    config: ConfigReader,
    sizes: { readonly vocabSize: number },
  ) => Pick<DecoderHyperparameters, 'startTokenId' | 'wrapPadTokenId'>;
}

export const bart = architectureOf({
  className: 'Bart',
  modelType: 'bart',
  normPlacement: 'post',
  readStart: (config, sizes) => ({ startTokenId: readToken(config, 'decoder_start_token_id', sizes, 2) }),
});

/** Without the vectors that use_prompt puts before keys and values. */
export const mvp = architectureOf({
  className: 'Mvp',
  modelType: 'mvp',
  vocabSize: 50_267,
  normPlacement: 'post',
  readStart: (config, sizes) => {
    if (config.boolean('use_prompt', false))
      config.unsupported('use_prompt is true; only models without are supported');
    return { startTokenId: readToken(config, 'decoder_start_token_id', sizes, 2) };
  },
});

export const mbart = architectureOf({
  className: 'MBart',
  modelType: 'mbart',
  normPlacement: 'pre',
  readStart: (config, sizes) => ({ wrapPadTokenId: readToken(config, 'pad_token_id', sizes, 1) }),
});

function architectureOf(family: Family): Architecture {
  return {
    sourceClass: `${family.className}ForSequenceClassification`,
    modelType: family.modelType,

    describe(config: ConfigReader, weights: TensorIndex): EncoderModel {
      const hyperparameters = readHyperparameters(family, config);
      const eosTokenId = readToken(config, 'eos_token_id', hyperparameters, 2);
      return {
        architecture: family.modelType,
        hyperparameters,
        ...plan(hyperparameters, weights),
        head: { pooling: 'eos', activation: 'tanh', eosTokenId },
        llamacppCompat: 'unsupported',
      };
    },
  };
}

type BartHyperparameters = EncoderHyperparameters & { readonly decoder: DecoderHyperparameters };

function readHyperparameters(family: Family, config: ConfigReader): BartHyperparameters {
  if (!config.boolean('is_encoder_decoder', true)) config.unsupported('is_encoder_decoder is false');
  if (!config.boolean('tie_word_embeddings', true)) {
    config.unsupported('tie_word_embeddings is false; only one embedding table for encoder and decoder is supported');
  }
  refusePruned(config);
  const sizes = {
    numLayers: config.integer(['encoder_layers', 'num_hidden_layers'], 12, 1, MAX_LAYERS),
    hiddenSize: config.integer(['d_model', 'hidden_size'], 1024, 1, MAX_HIDDEN_SIZE),
    numHeads: config.integer(['encoder_attention_heads', 'num_attention_heads'], 16, 1, MAX_HEADS),
    intermediateSize: config.integer('encoder_ffn_dim', 4096, 1, MAX_INTERMEDIATE_SIZE),
    numPositions: config.integer('max_position_embeddings', 1024, 1, MAX_POSITIONS),
    vocabSize: config.integer('vocab_size', family.vocabSize ?? 50_265, 1, MAX_VOCAB_SIZE),
  };
  const decoder = {
    numLayers: config.integer('decoder_layers', 12, 1, MAX_LAYERS),
    numHeads: config.integer('decoder_attention_heads', 16, 1, MAX_HEADS),
    intermediateSize: config.integer('decoder_ffn_dim', 4096, 1, MAX_INTERMEDIATE_SIZE),
    ...family.readStart(config, sizes),
  };
  checkHeads(config, sizes);
  checkHeads(config, { ...sizes, numHeads: decoder.numHeads });
  return {
    ...sizes,
    positionOffset: POSITION_OFFSET,
    numTokenTypes: 0,
    // Written nowhere: the default of torch's LayerNorm.
    normEps: 1e-5,
    normPlacement: family.normPlacement,
    hiddenActivation: readActivation(config, 'activation_function'),
    ...(config.boolean('scale_embedding', false) ? { embeddingScale: Math.sqrt(sizes.hiddenSize) } : {}),
    decoder,
  };
}

/** Null, with which transformers does not run, is no default. */
function readToken(
  config: ConfigReader,
  key: string,
  { vocabSize }: { readonly vocabSize: number },
  fallback: number,
): number {
  if (config.json[key] === null) config.unsupported(`${key} is null; the model needs that token`);
  return config.integer(key, fallback, 0, vocabSize - 1);
}

function plan(hyperparameters: BartHyperparameters, weights: TensorIndex): Pick<EncoderModel, 'tensors' | 'numLabels'> {
  const { hiddenSize: h, vocabSize, numPositions, numLayers, normPlacement, decoder } = hyperparameters;
  const classifier = 'classification_head.out_proj';
  const place = { prefixes: PREFIXES, probe: 'encoder.embed_positions', classifier, ignored: IGNORED };
  return planClassifier(weights, place, (planner, model, head, numLabels) => {
    const stack = (target: string, source: string) => {
      const kept = [[POSITION_OFFSET, numPositions]] as const;
      const positions = `${source}embed_positions.weight`;
      planner.exact(`${target}position_embd.weight`, [numPositions + POSITION_OFFSET, h], positions, kept);
      planner.norm(`${target}token_embd_norm`, h, `${source}layernorm_embedding`);
      if (normPlacement === 'pre') planner.norm(`${target}output_norm`, h, `${source}layer_norm`);
    };
    planner.tied(
      'token_embd.weight',
      [vocabSize, h],
      TABLES.map((table) => `${model}${table}.weight`),
    );
    stack('', `${model}encoder.`);
    for (let layer = 0; layer < numLayers; layer++) {
      const [target, source] = [`blk.${layer}.`, `${model}encoder.layers.${layer}.`];
      planLayer(planner, target, source, hyperparameters, hyperparameters.intermediateSize, false);
    }
    stack('dec.', `${model}decoder.`);
    for (let layer = 0; layer < decoder.numLayers; layer++) {
      const [target, source] = [`dec.blk.${layer}.`, `${model}decoder.layers.${layer}.`];
      planLayer(planner, target, source, hyperparameters, decoder.intermediateSize, true);
    }
    planner.headDense('cls', h, h, `${head}classification_head.dense`);
    planner.headDense('cls.output', numLabels, h, `${head}${classifier}`);
  });
}

/** One layer of either stack; a decoder's also attends `across`, to the encoder's states. */
function planLayer(
  planner: TensorPlanner,
  target: string,
  source: string,
  { hiddenSize: h, normPlacement }: EncoderHyperparameters,
  f: number,
  across: boolean,
): void {
  const linear = (name: string, rows: readonly number[], columns: number, ...sources: readonly string[]) => {
    planner.linear(`${target}${name}`, {
      sources: sources.map((part) => `${source}${part}`),
      rows,
      columns,
      bias: true,
    });
  };
  const [attentionNorm, crossNorm, lastNorm] =
    normPlacement === 'pre'
      ? ['attn_norm', 'cross_attn_norm', 'ffn_norm']
      : ['attn_output_norm', 'cross_attn_output_norm', 'layer_output_norm'];
  const norm = (name: string, part: string) => planner.norm(`${target}${name}`, h, `${source}${part}`);
  linear('attn_qkv', [h, h, h], h, 'self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj');
  linear('attn_output', [h], h, 'self_attn.out_proj');
  norm(attentionNorm, 'self_attn_layer_norm');
  if (across) {
    linear('cross_attn_q', [h], h, 'encoder_attn.q_proj');
    linear('cross_attn_kv', [h, h], h, 'encoder_attn.k_proj', 'encoder_attn.v_proj');
    linear('cross_attn_output', [h], h, 'encoder_attn.out_proj');
    norm(crossNorm, 'encoder_attn_layer_norm');
  }
  linear('ffn_up', [f], h, 'fc1');
  linear('ffn_down', [h], f, 'fc2');
  norm(lastNorm, 'final_layer_norm');
}
