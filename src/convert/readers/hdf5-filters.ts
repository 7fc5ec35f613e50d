/** The two filters that Keras files can have on their chunks (specification section IV.A.2.l): shuffle and deflate. */
import { promisify } from 'node:util';
import { inflate } from 'node:zlib';

import type { ByteCursor } from './byte-cursor';

export type Hdf5Filter = 'deflate' | 'shuffle';

/** Deflate cannot do better than 1032 to 1; a chunk that claims more is refused before anything is allocated. */
export const MAX_DEFLATE_RATIO = 1032;

const FILTERS: ReadonlyMap<number, Hdf5Filter> = new Map([
  [1, 'deflate'],
  [2, 'shuffle'],
]);
const inflateBytes = promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate);

/** The filters in the order in which they were applied; none for an absent message. */
export function readFilters(cursor: ByteCursor | undefined): Hdf5Filter[] {
  if (cursor === undefined) return [];
  const version = cursor.u8();
  if (version !== 1 && version !== 2) cursor.fail(`the filter version ${version} is unknown`);
  const count = cursor.u8();
  if (version === 1) cursor.skip(6);
  const filters = Array.from({ length: Math.min(count, 8) }, () => readFilter(cursor, version));
  // Each filter once, and bytes are grouped before they are packed: the order that h5py writes.
  const order = filters.join();
  if (count > 2 || !['', 'deflate', 'shuffle', 'shuffle,deflate'].includes(order)) {
    cursor.fail(`the filters ${order} in this order`);
  }
  return filters;
}

function readFilter(cursor: ByteCursor, version: number): Hdf5Filter {
  const id = cursor.u16();
  const nameBytes = version === 1 || id >= 256 ? cursor.u16() : 0;
  cursor.skip(2);
  const numValues = cursor.u16();
  cursor.skip(version === 1 ? Math.ceil(nameBytes / 8) * 8 : nameBytes);
  cursor.skip(numValues * 4);
  if (version === 1 && numValues % 2 === 1) cursor.skip(4);
  const filter = FILTERS.get(id);
  if (filter === undefined)
    cursor.fail(`the filter ${id}; supported are gzip and shuffle: save it again with one of them`);
  return filter;
}

/**
 * The values of one chunk, `sizeBytes` of them. Bit i of `skipped` says that filter i was not applied, as when packing
 * did not help. `fail` is called for content that is not what it should be.
 */
export async function unfilter(
  stored: Buffer,
  filters: readonly Hdf5Filter[],
  skipped: number,
  { elementBytes, sizeBytes }: { readonly elementBytes: number; readonly sizeBytes: number },
  fail: (reason: string) => never,
): Promise<Buffer> {
  let bytes = stored;
  for (const [index, filter] of [...filters.entries()].reverse()) {
    if ((skipped >>> index) & 1) continue;
    bytes =
      filter === 'shuffle'
        ? unshuffle(bytes, elementBytes)
        : await inflateBytes(bytes, { maxOutputLength: sizeBytes }).catch(() => fail('its packed bytes are damaged'));
  }
  if (bytes.length !== sizeBytes) fail(`it holds ${bytes.length} bytes where ${sizeBytes} are needed`);
  return bytes;
}

/** Shuffled chunks hold all first bytes of the elements, then all second bytes, and so on; a rest stays as it is. */
function unshuffle(bytes: Buffer, elementBytes: number): Buffer {
  const count = Math.floor(bytes.length / elementBytes);
  const result = Buffer.from(bytes);
  for (let byte = 0, from = 0; byte < elementBytes; byte++) {
    for (let i = 0; i < count; i++) result[i * elementBytes + byte] = bytes[from++]!;
  }
  return result;
}
