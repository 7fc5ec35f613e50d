/**
 * The small checkpoints of families.json in every format that a Hub repository may have: weights that
 * scripts/make-family-goldens.py makes identically, rounded to bf16 so that no stored type changes the model.
 */
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { decodeElements, encodeElements } from '../../src/convert/dtypes';
import { type GoldenModel, type StoredType, goldenInputs, tensorValues } from './checkpoint-fixture';
import { encodeSafetensors } from '../support/safetensors-writer';
import { encodeTorchFile } from '../support/torch-writer';

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
  /** Logits of transformers in float32. */
  readonly rows: readonly (readonly number[])[];
}

export interface StoredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: StoredType;
  readonly bytes: Uint8Array;
}

const TOKENIZER_FOLDER = resolve(__dirname, '../fixtures/tokenizers/wordpiece-uncased');
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
  ];
}

/** Writes the checkpoint into `folder`, which is made when missing. */
export async function writeFamily(family: Family, folder: string, format: Format, dtype: StoredType): Promise<void> {
  await mkdir(folder, { recursive: true });
  // Without the type, by which transformers rebuilds some families' tokenizers: all have the same WordPiece here.
  const config = { ...family.config, model_type: undefined };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) {
    await copyFile(join(TOKENIZER_FOLDER, file), join(folder, file));
  }
  const tensors = Object.entries(family.tensors).map(([name, shape]) => store(family, name, shape, dtype));
  const isTorch = format.endsWith('bin');
  const [base, extension] = isTorch ? ['pytorch_model', 'bin'] : ['model', 'safetensors'];
  const encode = isTorch ? encodeTorchFile : encodeSafetensors;
  if (!format.startsWith('sharded')) return writeFile(join(folder, `${base}.${extension}`), encode(tensors));
  const weightMap: Record<string, string> = {};
  for (const shard of [0, 1]) {
    const file = `${base}-0000${shard + 1}-of-00002.${extension}`;
    const part = tensors.filter((_, index) => index % 2 === shard);
    for (const { name } of part) weightMap[name] = file;
    await writeFile(join(folder, file), encode(part));
  }
  const index = { metadata: { total_size: 0 }, weight_map: weightMap };
  await writeFile(join(folder, `${base}.${extension}.index.json`), JSON.stringify(index));
}

function store(family: Family, name: string, shape: readonly number[], dtype: StoredType): StoredTensor {
  const exact = tensorValues(family, name, shape);
  const rounded = decodeElements('BF16', encodeElements('bf16', exact));
  return { name, shape, dtype, bytes: encodeElements(ENCODING[dtype], rounded) };
}
