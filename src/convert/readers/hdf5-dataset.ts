/** Where the values of an HDF5 dataset lie (specification section IV.A.2.i): one run of bytes, or chunks with filters. */
import { EncoderError } from '../../errors';
import { ByteCursor, UNDEFINED_ADDRESS } from './byte-cursor';
import { type Hdf5Chunks, readChunkIndex } from './hdf5-chunks';
import type { Hdf5File } from './hdf5-file';
import { type Hdf5Filter, readFilters } from './hdf5-filters';
import { type Hdf5Message, MESSAGE, findMessage } from './hdf5-object';
import { readDataspace, readDatatype } from './hdf5-types';

export interface Hdf5Dataset {
  readonly dtype: string;
  /** Outermost dimension first. */
  readonly shape: readonly number[];
  readonly elementBytes: number;
  readonly sizeBytes: number;
  /** The address of the values in row-major order, or the chunks that they must be put together from. */
  readonly storage: number | Hdf5Chunks;
}

const COMPACT = 0;
const CONTIGUOUS = 1;
const CHUNKED = 2;
const RESAVE = 'save it again with h5py and libver="earliest"';

/** Describes the dataset with these messages; `name` is for messages. Reads chunk indexes, but no values. */
export async function readDataset(h5: Hdf5File, messages: readonly Hdf5Message[], name: string): Promise<Hdf5Dataset> {
  const what = `${h5.path}, dataset ${name}`;
  const find = (type: number) => {
    const message = findMessage(h5, messages, type);
    return message === undefined ? undefined : new ByteCursor(message.bytes, what);
  };
  if (find(MESSAGE.externalFiles) !== undefined) {
    h5.malformed(`unsafe: ${name} keeps its values in another file, which was not opened`);
  }
  const [typeBytes, spaceBytes] = [find(MESSAGE.datatype), find(MESSAGE.dataspace)];
  const layout = findMessage(h5, messages, MESSAGE.layout);
  if (typeBytes === undefined || spaceBytes === undefined || layout === undefined) {
    h5.malformed(`${name} is neither a group nor a dataset with a type, a shape and a place`);
  }
  const type = readDatatype(typeBytes);
  if (type.kind !== 'number') {
    const found = type.kind === 'text' ? 'text' : type.name;
    throw new EncoderError('dtype_unsupported', `${what} has the type ${found}; little-endian numbers are supported`);
  }
  const shape = readDataspace(spaceBytes);
  if (shape === undefined) h5.malformed(`${name} has no values`);
  const elements = shape.reduce((product, size) => product * Math.max(size, 1), 1);
  if (elements * type.sizeBytes > Number.MAX_SAFE_INTEGER)
    h5.malformed(`${name} has the impossible shape [${shape.join()}]`);
  const sizeBytes = shape.includes(0) ? 0 : elements * type.sizeBytes;
  const place = { dtype: type.dtype, shape, elementBytes: type.sizeBytes, sizeBytes };
  const filters = readFilters(find(MESSAGE.filters));
  const cursor = new ByteCursor(layout.bytes, `${what}, layout`);
  return { ...place, storage: await readLayout(h5, cursor, { ...place, name, filters, address: layout.address }) };
}

interface Place {
  readonly name: string;
  readonly shape: readonly number[];
  readonly elementBytes: number;
  readonly sizeBytes: number;
  readonly filters: readonly Hdf5Filter[];
  /** Of the layout message itself, which holds the values of compact datasets. */
  readonly address: number;
}

async function readLayout(h5: Hdf5File, cursor: ByteCursor, place: Place): Promise<number | Hdf5Chunks> {
  const { name, shape, elementBytes, sizeBytes, filters } = place;
  const version = cursor.u8();
  const layoutClass = cursor.u8();
  if (version !== 3 && version !== 4) cursor.fail(`the version ${version} is not supported; ${RESAVE}`);
  if (layoutClass === CHUNKED) {
    if (version === 4) cursor.fail(`chunks in the newest storage format; ${RESAVE}`);
    const dimensions = cursor.u8();
    const root = cursor.address();
    if (dimensions !== shape.length + 1 || shape.length === 0) cursor.fail(`chunks of ${dimensions - 1} dimensions`);
    const chunkShape = shape.map(() => cursor.u32());
    if (cursor.u32() !== elementBytes) cursor.fail('chunks of another element size');
    return readChunkIndex(h5, { name, shape, chunkShape, elementBytes, filters, root });
  }
  if (filters.length > 0) cursor.fail('filters without chunks');
  if (layoutClass === COMPACT) {
    const length = cursor.u16();
    if (length !== sizeBytes || length > cursor.remaining) cursor.fail(`${length} bytes where ${sizeBytes} are needed`);
    return place.address + cursor.offset;
  }
  if (layoutClass !== CONTIGUOUS) cursor.fail('unsafe: virtual datasets take values from other files; none was opened');
  const address = cursor.address();
  const length = cursor.address();
  if (sizeBytes === 0) return 0;
  if (address === UNDEFINED_ADDRESS) cursor.fail('its values were never written');
  if (length !== sizeBytes) {
    cursor.fail(`${length} bytes, but its shape [${shape.join()}] needs ${sizeBytes}`);
  }
  h5.requireInside(address, length, `dataset ${name}`);
  h5.visit(address, `the values of ${name}`);
  return address;
}
