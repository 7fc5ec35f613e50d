/**
 * A bounded, read-only part of HDF5, enough for what Keras and h5py write by default: groups, text attributes, and
 * datasets of numbers. The whole tree is walked once when the file is opened; values are read when they are asked for.
 */
import { EncoderError } from '../../errors';
import { DEFAULT_LIMITS, type Limits, limitExceeded } from '../../support/limits';
import type { SourceFile } from '../../support/source-file';
import { type Hdf5Attribute, Hdf5Strings, readAttributes } from './hdf5-attribute';
import { readChunks } from './hdf5-chunks';
import { type Hdf5Dataset, readDataset } from './hdf5-dataset';
import { Hdf5File } from './hdf5-file';
import { readLinks } from './hdf5-group';
import { readObjectHeader } from './hdf5-object';

const MAX_DEPTH = 16;
const MAX_PATH_BYTES = 4096;

export class Hdf5Tree {
  private readonly strings: Hdf5Strings;

  private constructor(
    private readonly h5: Hdf5File,
    private readonly groups: ReadonlyMap<string, ReadonlyMap<string, Hdf5Attribute>>,
    private readonly datasets: ReadonlyMap<string, Hdf5Dataset>,
  ) {
    this.strings = new Hdf5Strings(h5);
  }

  /**
   * Throws `checkpoint_malformed`, `limit_exceeded` or `dtype_unsupported`. Links, values and types that lead to other
   * files or objects are refused, not followed.
   */
  static async open(file: SourceFile, limits: Limits = DEFAULT_LIMITS): Promise<Hdf5Tree> {
    const h5 = await Hdf5File.open(file, limits);
    const groups = new Map<string, ReadonlyMap<string, Hdf5Attribute>>();
    const datasets = new Map<string, Hdf5Dataset>();
    const pending = [{ path: '', address: h5.root, depth: 0 }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { path, address, depth } = next;
      const messages = await readObjectHeader(h5, address);
      const links = await readLinks(h5, messages);
      if (links === undefined) {
        datasets.set(path, await readDataset(h5, messages, path));
        continue;
      }
      groups.set(path, readAttributes(h5, messages));
      for (const link of links) {
        const child = path === '' ? link.name : `${path}/${link.name}`;
        if (depth >= MAX_DEPTH || child.length > MAX_PATH_BYTES)
          tooMuch(file, `groups nested deeper than ${MAX_DEPTH}`);
        pending.push({ path: child, address: link.address, depth: depth + 1 });
      }
      const found = groups.size + datasets.size + pending.length;
      if (found > limits.hdf5Objects) {
        throw limitExceeded(limits, 'hdf5Objects', `${file.path} has at least ${found} groups and datasets`);
      }
    }
    return new Hdf5Tree(h5, groups, datasets);
  }

  /** The text attribute `name` of the group `path` ('' is the root), or undefined when there is none. To be read once. */
  async text(path: string, name: string): Promise<string[] | undefined> {
    const attribute = this.groups.get(path)?.get(name);
    return attribute === undefined ? undefined : this.strings.values(attribute);
  }

  dataset(path: string): Hdf5Dataset | undefined {
    return this.datasets.get(path);
  }

  /** `length` bytes of the values from byte `offset`, row-major. Datasets in chunks can only be read whole. */
  async read({ storage, sizeBytes }: Hdf5Dataset, offset: number, length: number): Promise<Buffer> {
    if (typeof storage === 'number') return this.h5.data(storage + offset, length, 'values');
    const whole = await readChunks(this.h5, storage, sizeBytes);
    return whole.subarray(offset, offset + length);
  }
}

function tooMuch(file: SourceFile, what: string): never {
  throw new EncoderError('limit_exceeded', `${file.path} has ${what}`);
}
