/** The smallest sound checkpoint of a model with a decoder, as files by name. */
import { type SoundTensor, TOKENIZER, TOKENIZER_CONFIG, layOut, safetensors, tensorsByPart } from './sound';

const H = 4;
const ROWS = 10;
const ENCODER_F = 8;
const DECODER_F = 12;
export const END = 3;

const CONFIG = {
  architectures: ['BartForSequenceClassification'],
  vocab_size: ROWS,
  d_model: H,
  encoder_layers: 1,
  decoder_layers: 2,
  encoder_attention_heads: 2,
  decoder_attention_heads: 1,
  encoder_ffn_dim: ENCODER_F,
  decoder_ffn_dim: DECODER_F,
  max_position_embeddings: 16,
  activation_function: 'gelu',
  scale_embedding: true,
  eos_token_id: END,
  decoder_start_token_id: END,
  id2label: { 0: 'no', 1: 'yes' },
};

const [CLS, SEP] = [
  { SpecialToken: { id: '[CLS]', type_id: 0 } },
  { SpecialToken: { id: '[SEP]', type_id: 0 } },
] as const;
const sequence = (id: string) => ({ Sequence: { id, type_id: 0 } });

export const ENDING_TOKENIZER = {
  ...TOKENIZER,
  post_processor: {
    type: 'TemplateProcessing',
    single: [CLS, sequence('A'), SEP],
    pair: [CLS, sequence('A'), SEP, sequence('B'), SEP],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [END], tokens: ['[SEP]'] },
    },
  },
};

function soundTensors(): Record<string, SoundTensor> {
  const { tensors, add, linear, norm } = tensorsByPart(H);
  const stack = (name: string, layers: number, inner: number, attentions: readonly string[]) => {
    add(`${name}.embed_positions.weight`, 18, H);
    norm(`${name}.layernorm_embedding`);
    for (let layer = 0; layer < layers; layer++) {
      const block = `${name}.layers.${layer}`;
      for (const attention of attentions) {
        for (const part of ['q_proj', 'k_proj', 'v_proj', 'out_proj']) linear(`${block}.${attention}.${part}`, H, H);
        norm(`${block}.${attention}_layer_norm`);
      }
      linear(`${block}.fc1`, inner, H);
      linear(`${block}.fc2`, H, inner);
      norm(`${block}.final_layer_norm`);
    }
  };
  add('model.shared.weight', ROWS, H);
  stack('model.encoder', 1, ENCODER_F, ['self_attn']);
  stack('model.decoder', 2, DECODER_F, ['self_attn', 'encoder_attn']);
  linear('classification_head.dense', H, H);
  linear('classification_head.out_proj', 2, H);
  return tensors;
}

export function soundDecoderFiles(): Record<string, Uint8Array | string> {
  const { header, data } = layOut(soundTensors());
  return {
    'config.json': JSON.stringify(CONFIG),
    'tokenizer.json': JSON.stringify(ENDING_TOKENIZER),
    'tokenizer_config.json': JSON.stringify(TOKENIZER_CONFIG),
    'model.safetensors': safetensors(header, data),
  };
}
