/** Temporary folders and tiny safetensors files for the converter's tests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A new folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ggml-encoder-'));
  folders.push(folder);
  return folder;
}

export interface TinyTensor {
  readonly dtype?: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** The bytes of a safetensors file with exactly this header text and data. */
export function safetensorsBytes(header: string, data: Uint8Array = new Uint8Array()): Buffer {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

/** A well-formed safetensors file. */
export function writeSafetensors(path: string, tensors: Readonly<Record<string, TinyTensor>>): void {
  let offset = 0;
  const entries = Object.entries(tensors).map(([name, { dtype = 'F32', shape, data }]) => {
    return [name, { dtype, shape, data_offsets: [offset, (offset += data.length)] }] as const;
  });
  const data = Buffer.concat(Object.values(tensors).map((tensor) => tensor.data));
  writeFileSync(path, safetensorsBytes(JSON.stringify(Object.fromEntries(entries)), data));
}

export function floats(...values: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}
