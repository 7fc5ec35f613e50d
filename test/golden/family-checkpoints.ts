/**
 * The small checkpoints of families.json in every format that a Hub repository may have: weights that
 * scripts/make-family-goldens.py makes identically, rounded to bf16 so that no stored type changes the model.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

import { convert, type TensorType } from 'ggml-encoder';

import { decodeElements, encodeElements } from '../../src/convert/dtypes/dtypes';
import { MBART50_LANGUAGES, MBART_LANGUAGES } from '../../src/convert/tokenizer/language-codes';
import { type GoldenModel, type StoredType, goldenInputs, tensorValues } from './checkpoint-fixture';
import { pickle, tensorOpcodes, torchFile, unicode } from '../unit/convert/readers/torch-builder';
import { writeSafetensors } from '../unit/convert/temp-folder';

export type Format = 'safetensors' | 'sharded safetensors' | 'bin' | 'sharded bin';

export interface Family {
  readonly name: string;
  readonly seed: number;
  readonly scales: GoldenModel['scales'];
  readonly config: Readonly<Record<string, unknown>>;
  /** Shapes by the names of transformers' state dict. */
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  /** Indices into texts.json and pairs.json, in the order of `rows`. */
  readonly texts: readonly number[];
  readonly pairs: readonly number[];
  /** A tokenizer of pipelines.json.br. Default: WordPiece. */
  readonly tokenizer?: string;
  /** What its model takes, where it says so. */
  readonly inputNames?: readonly string[];
  /** The only file of the tokenizer, line by line; its class is that of the model. */
  readonly vocabulary?: readonly string[];
  /** tokenizer_config.json, where the tokenizer has the codes of its class's languages before the mask. */
  readonly languages?: { readonly tokenizer_class: string; readonly src_lang: string };
  /** Inputs that are read in windows, and the logits of each of them. */
  readonly windows?: {
    readonly maxLength: number;
    readonly overlap: number;
    readonly inputs: readonly (string | readonly [string, string])[];
    readonly rows: readonly (readonly (readonly number[])[])[];
  };
  /** Inputs of the family's own, behind those above. */
  readonly more?: readonly (string | readonly [string, string])[];
  /** Logits of transformers in float32. */
  readonly rows: readonly (readonly number[])[];
}

interface StoredTensor {
  readonly shape: readonly number[];
  readonly dtype: StoredType;
  readonly data: Uint8Array;
}

const TOKENIZER_FOLDER = resolve(__dirname, '../fixtures/tokenizers/wordpiece-uncased');
const STORAGES = { F32: 'FloatStorage', F16: 'HalfStorage', BF16: 'BFloat16Storage' } as const;
const ENCODING = { F32: 'f32', F16: 'f16', BF16: 'bf16' } as const;

/** Synchronous, so that a suite can be laid out by it. */
export function families(): Family[] {
  return JSON.parse(readFileSync(join(__dirname, 'families.json'), 'utf8')) as Family[];
}

export function familyInputs(family: Family): (string | { text: string; textPair: string })[] {
  const texts = goldenInputs('texts') as string[];
  const pairs = goldenInputs('pairs') as [string, string][];
  return [
    ...family.texts.map((index) => texts[index]!),
    ...family.pairs.map((index) => ({ text: pairs[index]![0], textPair: pairs[index]![1] })),
    ...(family.more ?? []).map((item) => (typeof item === 'string' ? item : { text: item[0], textPair: item[1] })),
  ];
}

/** Contents of the tokenizer's two files. */
export interface TokenizerFiles {
  /** tokenizer.json, or the text of vocab.txt. */
  readonly tokenizer: unknown;
  readonly config: Readonly<Record<string, unknown>>;
}

/** The tokenizer that the family's logits were made with, where that is not WordPiece. */
export function ownTokenizer(family: Family): TokenizerFiles | undefined {
  const { tokenizer, config, languages, vocabulary, inputNames } = family;
  if (vocabulary !== undefined) return { tokenizer: vocabulary.join('\n'), config: { model_max_length: 512 } };
  if (tokenizer === undefined) return undefined;
  const packed = readFileSync(join(TOKENIZER_FOLDER, '../pipelines.json.br'));
  const { tokenizers } = JSON.parse(brotliDecompressSync(packed).toString('utf8')) as {
    tokenizers: Readonly<Record<string, unknown>>;
  };
  if (languages !== undefined) {
    const codes = languages.tokenizer_class === 'MBartTokenizer' ? MBART_LANGUAGES : MBART50_LANGUAGES;
    const settings = { model_max_length: 512, ...languages };
    return { tokenizer: withCodes(tokenizers[tokenizer] as UnigramFile, codes), config: settings };
  }
  const [className = ''] = config['architectures'] as string[];
  // mT5's and umT5's is T5's.
  const tokenizerClass = className.replace(/^U?MT5/, 'T5').replace('ForSequenceClassification', 'Tokenizer');
  // Other classes do not read the number of sentinels, nor the place of the unknown token.
  const settings = { tokenizer_class: tokenizerClass, model_max_length: 512, extra_ids: 10, unk_id: 3 };
  return { tokenizer: tokenizers[tokenizer], config: { ...settings, model_input_names: inputNames } };
}

interface UnigramFile {
  readonly added_tokens: readonly { readonly id: number; readonly content: string }[];
  readonly model: { readonly vocab: readonly (readonly [string, number])[] };
}

/** The tokenizer with the codes in its vocabulary, before the mask. */
function withCodes(file: UnigramFile, codes: readonly string[]): UnigramFile {
  const vocab = [...file.model.vocab];
  vocab.splice(-1, 0, ...codes.map((code) => [code, 0] as const));
  const added_tokens = file.added_tokens.map((token) =>
    token.content === '<mask>' ? { ...token, id: vocab.length - 1 } : token,
  );
  return { ...file, added_tokens, model: { ...file.model, vocab } };
}

export function familyNamed(wanted: string): Family {
  return families().find(({ name }) => name === wanted)!;
}

/** The GGUF file of its checkpoint, which is written into the folder `name` of `parent` beside it. */
export async function familyFile(
  parent: string,
  name: string,
  type: TensorType,
  family: Family,
  tokenizer = ownTokenizer(family),
): Promise<string> {
  const checkpoint = join(parent, name);
  await writeFamily(family, checkpoint, 'safetensors', 'F32', tokenizer);
  await convert(checkpoint, { output: `${checkpoint}.gguf`, type });
  return `${checkpoint}.gguf`;
}

/** Writes the checkpoint into `folder`, which is made when missing; with WordPiece unless it has its own tokenizer. */
export async function writeFamily(
  family: Family,
  folder: string,
  format: Format,
  dtype: StoredType,
  own?: TokenizerFiles,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  // transformers rebuilds some families' tokenizers by the model type, which WordPiece would not survive.
  const config = own === undefined ? { ...family.config, model_type: undefined } : family.config;
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  if (own === undefined) {
    for (const file of ['tokenizer.json', 'tokenizer_config.json']) {
      await copyFile(join(TOKENIZER_FOLDER, file), join(folder, file));
    }
  } else {
    const isText = typeof own.tokenizer === 'string';
    const content = isText ? (own.tokenizer as string) : JSON.stringify(own.tokenizer);
    await writeFile(join(folder, isText ? 'vocab.txt' : 'tokenizer.json'), content);
    await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(own.config));
  }
  const tensors = Object.entries(family.tensors).map(([name, shape]) => {
    return [name, store(family, name, shape, dtype)] as const;
  });
  const isTorch = format.endsWith('bin');
  const [base, extension] = isTorch ? ['pytorch_model', 'bin'] : ['model', 'safetensors'];
  const write = (file: string, part: typeof tensors) => {
    const path = join(folder, file);
    if (isTorch) writeFileSync(path, encodeTorch(part));
    else writeSafetensors(path, Object.fromEntries(part));
  };
  if (!format.startsWith('sharded')) {
    write(`${base}.${extension}`, tensors);
    return;
  }
  const weightMap: Record<string, string> = {};
  for (const shard of [0, 1]) {
    const file = `${base}-0000${shard + 1}-of-00002.${extension}`;
    const part = tensors.filter((_, index) => index % 2 === shard);
    for (const [name] of part) weightMap[name] = file;
    write(file, part);
  }
  const index = { metadata: { total_size: 0 }, weight_map: weightMap };
  await writeFile(join(folder, `${base}.${extension}.index.json`), JSON.stringify(index));
}

/** What `torch.save(state_dict)` writes, one storage for each tensor. */
export function encodeTorch(tensors: readonly (readonly [string, StoredTensor])[]): Buffer {
  const entries = tensors.map(([name, { shape, dtype }], index) => {
    const numElements = shape.reduce((product, size) => product * size, 1);
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
    const opcodes = tensorOpcodes({ type: STORAGES[dtype], key: String(index), numElements, shape, strides });
    return pickle(unicode(name), opcodes);
  });
  return torchFile(pickle(0x80, 2, '}(', ...entries, 'u.'), ...tensors.map(([, { data }]) => data));
}

function store(family: Family, name: string, shape: readonly number[], dtype: StoredType): StoredTensor {
  const rounded = decodeElements('BF16', encodeElements('bf16', tensorValues(family, name, shape)));
  return { shape, dtype, data: encodeElements(ENCODING[dtype], rounded) };
}
