/** Hand-made GGUF files of models with a decoder: its keys and tensors, and switches that no decoder has. */
import type { Case } from '../case';
import { type GgufParts, buildGguf, copyParts, entry, f32, parseGguf, text, u32 } from '../gguf-bytes';
import { WRONG_INTEGERS, tensorCases } from './gguf';

const INTEGER_KEYS = [
  'bart.decoder_block_count',
  'bart.decoder_start_token_id',
  'ggml_encoder.decoder.head_count',
  'ggml_encoder.decoder.feed_forward_length',
  'ggml_encoder.head.eos_token_id',
];

export function ggufDecoderCases(sound: Buffer): Case[] {
  const parts = parseGguf(sound);
  const cases: Case[] = [{ name: 'gguf decoder/sound', gguf: sound, expect: 'accepted' }];
  const changed = (name: string, change: (copy: GgufParts) => void, expect: Case['expect'] = 'refused') => {
    const copy = copyParts(parts);
    change(copy);
    cases.push({ name: `gguf decoder/${name}`, gguf: buildGguf(copy), expect });
  };
  const set = (copy: GgufParts, name: string, type: number, value: Buffer) => {
    const rest = copy.entries.filter((item) => item.key.toString() !== name);
    copy.entries = [...rest, entry(name, type, value)];
  };
  for (const name of INTEGER_KEYS) {
    for (const [what, type, value] of WRONG_INTEGERS) {
      // Token 0 may start a text, and is in no template.
      const isLegal = what === '0' && name.endsWith('start_token_id');
      changed(`${name} is ${what}`, (copy) => set(copy, name, type, value), isLegal ? 'accepted' : 'refused');
    }
    changed(`without ${name}`, (copy) => {
      copy.entries = copy.entries.filter((item) => item.key.toString() !== name);
    });
  }
  for (const id of [2, 4, 9, 10]) {
    const expect = id === 2 ? 'accepted' : 'refused';
    changed(`${id} ends a text`, (copy) => set(copy, 'ggml_encoder.head.eos_token_id', 4, u32(id)), expect);
  }
  changed('a start behind the table', (copy) => set(copy, 'bart.decoder_start_token_id', 4, u32(10)));
  // In the place of the token that starts a text: its own last one.
  const wrapped = (copy: GgufParts, type: number, value: Buffer) => {
    set(copy, 'ggml_encoder.decoder.wrap_pad_token_id', type, value);
    copy.entries = copy.entries.filter((item) => item.key.toString() !== 'bart.decoder_start_token_id');
  };
  for (const [what, type, value] of WRONG_INTEGERS) {
    // Padding with the id 0 is sound.
    changed(`padding is ${what}`, (copy) => wrapped(copy, type, value), what === '0' ? 'accepted' : 'refused');
  }
  for (const id of [1, 3, 9]) changed(`padding is ${id}`, (copy) => wrapped(copy, 4, u32(id)), 'accepted');
  changed('padding behind the table', (copy) => wrapped(copy, 4, u32(10)));
  changed('two tokens to start with', (copy) => set(copy, 'ggml_encoder.decoder.wrap_pad_token_id', 4, u32(0)));
  changed('one layer less', (copy) => set(copy, 'bart.decoder_block_count', 4, u32(1)));
  changed('one layer more', (copy) => set(copy, 'bart.decoder_block_count', 4, u32(3)));
  changed('3 heads of a width of 4', (copy) => set(copy, 'ggml_encoder.decoder.head_count', 4, u32(3)));
  for (const [key, value] of [
    ['ggml_encoder.norm_placement', 'pre'],
    ['ggml_encoder.norm_placement', 'sandwich'],
    ['ggml_encoder.norm_placement', 'parallel'],
    ['ggml_encoder.position_kind', 'rope'],
    ['ggml_encoder.position_kind', 'none'],
    ['ggml_encoder.position_kind', 'disentangled'],
    ['ggml_encoder.position_kind', 'relative-bias'],
    ['ggml_encoder.ffn_kind', 'glu'],
    ['ggml_encoder.head.pooling', 'cls'],
    ['ggml_encoder.head.pooling', 'bos'],
  ] as const) {
    changed(`${key} is ${value}`, (copy) => set(copy, key, 8, text(value)));
  }
  for (const pooling of ['mean', 'last', 'late']) {
    changed(`pooling ${pooling}`, (copy) => set(copy, 'ggml_encoder.head.pooling', 8, text(pooling)), 'accepted');
  }
  changed('a causal encoder', (copy) => set(copy, 'bart.attention.causal', 7, Buffer.of(1)));
  changed('capped scores', (copy) => set(copy, 'bart.attn_logit_softcapping', 6, f32(5)));
  tensorCases(parts, changed);
  return cases;
}
