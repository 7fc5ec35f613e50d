/** Datasets in chunks: the B-tree that says where each lies (specification section III.A.1), and putting them together. */
import { EncoderError } from '../../errors';
import { limitExceeded } from '../../support/limits';
import { UNDEFINED_ADDRESS } from './byte-cursor';
import type { Hdf5File } from './hdf5-file';
import { type Hdf5Filter, MAX_DEFLATE_RATIO, unfilter } from './hdf5-filters';

export interface ChunkedPlace {
  readonly name: string;
  readonly shape: readonly number[];
  readonly chunkShape: readonly number[];
  readonly elementBytes: number;
  readonly filters: readonly Hdf5Filter[];
  /** Address of the B-tree. */
  readonly root: number;
}

export interface Hdf5Chunks extends ChunkedPlace {
  readonly chunks: readonly Hdf5Chunk[];
}

interface Hdf5Chunk {
  readonly address: number;
  readonly storedBytes: number;
  /** Bit i: filter i was not applied. */
  readonly skipped: number;
  /** Of its first element in the dataset. */
  readonly origin: readonly number[];
}

const MAX_TREE_DEPTH = 8;
const MAX_CHUNKS = 65_536;

/** Finds every chunk. Each must be there once and inside the file: a missing one would mean values nobody wrote. */
export async function readChunkIndex(h5: Hdf5File, place: ChunkedPlace): Promise<Hdf5Chunks> {
  const { name, shape, chunkShape, root } = place;
  const sizeBytes = chunkBytes(place);
  if (chunkShape.includes(0)) h5.malformed(`${name} has chunks without elements`);
  if (sizeBytes > h5.limits.hdf5ChunkBytes) {
    throw limitExceeded(h5.limits, 'hdf5ChunkBytes', `${h5.path}: ${name} has chunks of ${sizeBytes} bytes`);
  }
  const expected = shape.reduce((product, size, axis) => product * Math.ceil(size / chunkShape[axis]!), 1);
  if (expected > MAX_CHUNKS) throw new EncoderError('limit_exceeded', `${h5.path}: ${name} has ${expected} chunks`);
  const chunks: Hdf5Chunk[] = [];
  if (expected > 0) {
    if (root === UNDEFINED_ADDRESS) h5.malformed(`the values of ${name} were never written`);
    for await (const chunk of treeLeaves(h5, place)) {
      checkChunk(h5, place, chunk);
      chunks.push(chunk);
      if (chunks.length > expected) h5.malformed(`${name} has more chunks than its shape needs`);
    }
  }
  const origins = new Set(chunks.map(({ origin }) => origin.join()));
  if (origins.size !== expected)
    h5.malformed(`${name} has ${origins.size} of the ${expected} chunks that its shape needs`);
  checkOverlap(h5, name, chunks);
  return { ...place, chunks };
}

function chunkBytes({ chunkShape, elementBytes }: ChunkedPlace): number {
  return chunkShape.reduce((product, size) => product * size, elementBytes);
}

async function* treeLeaves(h5: Hdf5File, { shape, root }: ChunkedPlace): AsyncGenerator<Hdf5Chunk> {
  const keyBytes = 8 + 8 * (shape.length + 1);
  const pending = [{ address: root, level: -1 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { address, level: expected } = next;
    h5.visit(address, 'a B-tree node');
    const head = await h5.structure(address, 24, 'chunk B-tree');
    head.signature('TREE');
    if (head.u8() !== 1) head.fail('it is no tree of chunks');
    const level = head.u8();
    if (level > MAX_TREE_DEPTH || (expected >= 0 && level !== expected)) head.fail(`a node of the level ${level}`);
    const count = head.u16();
    const body = await h5.structure(address + 24, count * (keyBytes + 8) + keyBytes, 'chunk B-tree');
    for (let i = 0; i < count; i++) {
      const [storedBytes, skipped] = [body.u32(), body.u32()];
      const origin = shape.map(() => body.u64());
      body.skip(8);
      const child = body.u64();
      if (level > 0) pending.push({ address: child, level: level - 1 });
      else yield { address: child, storedBytes, skipped, origin };
    }
  }
}

function checkChunk(h5: Hdf5File, place: ChunkedPlace, { address, storedBytes, skipped, origin }: Hdf5Chunk): void {
  const { name, shape, chunkShape, filters } = place;
  if (origin.some((start, axis) => start >= shape[axis]! || start % chunkShape[axis]! !== 0)) {
    h5.malformed(`${name} has a chunk at [${origin.join()}], which is no place of one`);
  }
  h5.requireInside(address, storedBytes, `a chunk of ${name}`);
  h5.visit(address, `a chunk of ${name}`);
  const packs = filters.some((filter, index) => filter === 'deflate' && ((skipped >>> index) & 1) === 0);
  const sizeBytes = chunkBytes(place);
  if (packs ? sizeBytes > storedBytes * MAX_DEFLATE_RATIO : sizeBytes !== storedBytes) {
    h5.malformed(`${name} has a chunk of ${storedBytes} stored bytes for ${sizeBytes} bytes of values`);
  }
}

function checkOverlap(h5: Hdf5File, name: string, chunks: readonly Hdf5Chunk[]): void {
  let end = 0;
  for (const { address, storedBytes } of [...chunks].sort((a, b) => a.address - b.address)) {
    if (address < end) h5.malformed(`${name} has chunks that overlap`);
    end = address + storedBytes;
  }
}

/** All values in row-major order. */
export async function readChunks(h5: Hdf5File, place: Hdf5Chunks, sizeBytes: number): Promise<Buffer> {
  const { name, filters, elementBytes, chunks } = place;
  const result = Buffer.allocUnsafeSlow(sizeBytes);
  const expected = { elementBytes, sizeBytes: chunkBytes(place) };
  const fail = (reason: string): never => h5.malformed(`a chunk of ${name}: ${reason}`);
  for (const chunk of chunks) {
    const stored = await h5.data(chunk.address, chunk.storedBytes, `a chunk of ${name}`);
    placeChunk(await unfilter(stored, filters, chunk.skipped, expected, fail), place, chunk.origin, result);
  }
  return result;
}

/** Copies the runs along the last axis that lie inside the dataset; chunks at the edge reach beyond it. */
function placeChunk(values: Buffer, place: ChunkedPlace, origin: readonly number[], result: Buffer): void {
  const { shape, chunkShape, elementBytes } = place;
  const last = shape.length - 1;
  const extent = shape.map((size, axis) => Math.min(chunkShape[axis]!, size - origin[axis]!));
  const runBytes = extent[last]! * elementBytes;
  const numRuns = extent.slice(0, last).reduce((product, size) => product * size, 1);
  const index = shape.map(() => 0);
  for (let run = 0; run < numRuns; run++) {
    let [from, to] = [0, 0];
    for (let axis = 0; axis <= last; axis++) {
      from = from * chunkShape[axis]! + index[axis]!;
      to = to * shape[axis]! + origin[axis]! + index[axis]!;
    }
    values.copy(result, to * elementBytes, from * elementBytes, from * elementBytes + runBytes);
    for (let axis = last - 1; axis >= 0 && ++index[axis]! === extent[axis]; axis--) index[axis] = 0;
  }
}
