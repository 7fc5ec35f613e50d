/** The files of test/fixtures/formats, and ways to open them, changed or not, as sources of tensors. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

import type { TensorSource } from '../../../../src/convert/readers/tensor-source';
import { TorchCheckpoint } from '../../../../src/convert/readers/torch-checkpoint';
import { SourceFile } from '../../../../src/support/source-file';
import { temporaryFolder } from '../temp-folder';

const FORMATS = resolve(__dirname, '../../../fixtures/formats');

export type Family = 'bert' | 'distilbert';

/** The bytes of a fixture; HDF5 and ONNX files are stored gzipped. */
export function formatBytes(name: string): Buffer {
  const path = join(FORMATS, name);
  return existsSync(path) ? readFileSync(path) : gunzipSync(readFileSync(`${path}.gz`));
}

export function formatJson(name: string): unknown {
  return JSON.parse(formatBytes(name).toString()) as unknown;
}

/** A checkpoint folder named as the family, with the given weight files: fixtures by name, or bytes. */
export function formatCheckpoint(family: Family, weights: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = join(temporaryFolder(), family);
  mkdirSync(folder);
  for (const name of ['config.json', 'vocab.txt', 'tokenizer_config.json']) {
    copyFileSync(join(FORMATS, family, name), join(folder, name));
  }
  for (const [name, content] of Object.entries(weights)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === 'string' ? formatBytes(`${family}/${content}`) : content);
  }
  return folder;
}

/** Writes `bytes` to a file, hands it to `use` and closes it. */
export async function withFile<T>(bytes: Uint8Array, use: (file: SourceFile) => Promise<T>): Promise<T> {
  const path = join(temporaryFolder(), 'weights');
  writeFileSync(path, bytes);
  const file = await SourceFile.open(path, 'checkpoint_not_found');
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** Opens a .bin and reads every tensor whole. */
export async function readTorch(bytes: Uint8Array): Promise<Map<string, ReadTensor>> {
  return withFile(bytes, async (file) => readAll(await TorchCheckpoint.open(file)));
}

export interface ReadTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: number[];
}

export async function readAll(source: TensorSource): Promise<Map<string, ReadTensor>> {
  const tensors = new Map<string, ReadTensor>();
  for (const name of source.names()) {
    const { dtype, shape, sizeBytes } = source.find(name)!;
    tensors.set(name, { dtype, shape, values: numbers(dtype, await source.read(name, 0, sizeBytes)) });
  }
  return tensors;
}

/** Elements as numbers; 16-bit floats only where they are halves of small powers of two. */
export function numbers(dtype: string, stored: Uint8Array): number[] {
  const { buffer } = Uint8Array.from(stored);
  switch (dtype) {
    case 'F64':
      return [...new Float64Array(buffer)];
    case 'F32':
      return [...new Float32Array(buffer)];
    case 'BF16':
      return [...new Float32Array(Uint32Array.from(new Uint16Array(buffer), (half) => half << 16).buffer)];
    case 'F16':
      return Array.from(new Uint16Array(buffer), (half) => {
        return (half & 0x8000 ? -1 : 1) * 2 ** (((half >> 10) & 31) - 15) * (1 + (half & 1023) / 1024);
      });
    case 'I64':
      return Array.from(new BigInt64Array(buffer), Number);
    case 'I32':
      return [...new Int32Array(buffer)];
    case 'I16':
      return [...new Int16Array(buffer)];
    case 'I8':
      return [...new Int8Array(buffer)];
    default:
      return [...new Uint8Array(buffer)];
  }
}
