/** The smallest sound checkpoints, as files by name, that hostile cases then break. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

export const ROOT = join(__dirname, ...(__dirname.includes('build') ? ['..', '..', '..', '..'] : ['..', '..']));

const H = 4;
const F = 8;
const ROWS = 10;
const VOCABULARY = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'b', '##c'];

export const CONFIG = {
  architectures: ['BertForSequenceClassification'],
  model_type: 'bert',
  vocab_size: ROWS,
  hidden_size: H,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: F,
  max_position_embeddings: 16,
  type_vocab_size: 2,
  hidden_act: 'gelu',
  layer_norm_eps: 1e-12,
  position_embedding_type: 'absolute',
  pruned_heads: {},
  is_decoder: false,
  problem_type: 'single_label_classification',
  id2label: { 0: 'no', 1: 'yes' },
  label2id: { no: 0, yes: 1 },
};

export const TOKENIZER_CONFIG = {
  tokenizer_class: 'BertTokenizer',
  model_max_length: 16,
  do_lower_case: true,
  cls_token: { __type: 'AddedToken', content: '[CLS]', lstrip: false },
  added_tokens_decoder: { 0: { content: '[PAD]', special: true } },
  additional_special_tokens: ['[UNK]'],
};

export const TOKENIZER = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [0, 1, 2, 3, 4].map((id) => ({
    id,
    content: VOCABULARY[id],
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: null,
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(VOCABULARY.map((word, id) => [word, id])),
  },
};

export interface SoundTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Buffer;
}

export const VOCAB_TXT = `${VOCABULARY.join('\n')}\n`;

/** Files of PhoBERT's tokenizer: "ab" is no token, but on the way to one. */
export const SUBWORDS = {
  'vocab.txt': 'a 5\nb@@ 4\nabc 3\n',
  'bpe.codes': '#version: 0.2\na b 3\nab c</w> 2\n',
  'tokenizer_config.json': JSON.stringify({ tokenizer_class: 'PhobertTokenizer' }),
};

/** Likewise of BERTweet's, with its normalizer. */
export const TWEETS = {
  ...SUBWORDS,
  'tokenizer_config.json': JSON.stringify({ tokenizer_class: 'BertweetTokenizer', normalization: true }),
};

/** Name -> tensor, values counted so that no two elements are alike, and what adds to it; norms are `size` wide. */
export function tensorsByPart(size: number) {
  const tensors: Record<string, SoundTensor> = {};
  const add = (name: string, ...shape: number[]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const values = Float32Array.from({ length: count }, (_, index) => (((index * 37) % 61) - 30) / 32);
    tensors[name] = { dtype: 'F32', shape, data: Buffer.from(values.buffer) };
  };
  const linear = (name: string, out: number, input: number) => {
    add(`${name}.weight`, out, input);
    add(`${name}.bias`, out);
  };
  const norm = (name: string) => {
    add(`${name}.weight`, size);
    add(`${name}.bias`, size);
  };
  return { tensors, add, linear, norm };
}

export function soundTensors(size = H): Record<string, SoundTensor> {
  const { tensors, add, linear, norm } = tensorsByPart(size);
  const layer = 'bert.encoder.layer.0';
  add('bert.embeddings.word_embeddings.weight', ROWS, size);
  add('bert.embeddings.position_embeddings.weight', 16, size);
  add('bert.embeddings.token_type_embeddings.weight', 2, size);
  norm('bert.embeddings.LayerNorm');
  for (const name of ['self.query', 'self.key', 'self.value', 'output.dense']) {
    linear(`${layer}.attention.${name}`, size, size);
  }
  norm(`${layer}.attention.output.LayerNorm`);
  linear(`${layer}.intermediate.dense`, F, size);
  linear(`${layer}.output.dense`, size, F);
  norm(`${layer}.output.LayerNorm`);
  linear('bert.pooler.dense', size, size);
  linear('classifier', 2, size);
  return tensors;
}

export function safetensors(header: unknown, data: Uint8Array = Buffer.alloc(0)): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

/** The header that describes the tensors one after another, and their bytes. */
export function layOut(tensors: Readonly<Record<string, SoundTensor>>): {
  header: Record<string, { dtype: string; shape: readonly number[]; data_offsets: readonly [number, number] }>;
  data: Buffer;
} {
  let offset = 0;
  const entries = Object.entries(tensors).map(([name, { dtype, shape, data }]) => {
    return [name, { dtype, shape, data_offsets: [offset, (offset += data.length)] }] as const;
  });
  return { header: Object.fromEntries(entries), data: Buffer.concat(Object.values(tensors).map(({ data }) => data)) };
}

/** All files of the sound checkpoint. */
export function soundFiles(): Record<string, Uint8Array | string> {
  const { header, data } = layOut(soundTensors());
  return {
    'config.json': JSON.stringify(CONFIG),
    'vocab.txt': VOCAB_TXT,
    'tokenizer.json': JSON.stringify(TOKENIZER),
    'tokenizer_config.json': JSON.stringify(TOKENIZER_CONFIG),
    'model.safetensors': safetensors(header, data),
  };
}

/** A file of test/fixtures/formats, unpacked when it is kept packed. */
export function formatFixture(name: string): Buffer {
  const path = join(ROOT, 'test/fixtures/formats', name);
  return /\.(?:h5|onnx)$/.test(name) ? gunzipSync(readFileSync(`${path}.gz`)) : readFileSync(path);
}

/** The folder of a family's fixtures without its weights: for cases that bring their own. */
export function fixtureFiles(family: 'bert' | 'distilbert'): Record<string, Uint8Array | undefined> {
  const names = ['config.json', 'vocab.txt', 'tokenizer_config.json'];
  const files = Object.fromEntries(names.map((name) => [name, formatFixture(`${family}/${name}`)]));
  return { ...files, 'model.safetensors': undefined, 'tokenizer.json': undefined };
}
