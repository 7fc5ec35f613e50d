/**
 * What torch.save wrote before PyTorch 1.6: pickles one behind the other (a number that says so, a version, the machine,
 * the state dict, the keys of its storages), then each storage in that order, behind the number of its elements.
 */
import { type Limits, limitExceeded } from '../../support/limits';
import type { SourceFile } from '../../support/source-file';
import { ByteCursor } from './byte-cursor';
import { PickleDict, type PickleHost, PickleList, type PickleValue, readPickle } from './pickle';
import { type StateDict, type TorchContents, malformed } from './torch-contents';
import { readStateDict } from './torch-pickle';

/** The pickle of 0x1950a86a20f9469cfc6c, in ten bytes. */
const MAGIC = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');
const VERSION = 1001;
const COUNT_BYTES = 8;
/** The pickles of most files end within them. */
const HEAD_BYTES = 2 ** 20;

/** Whether a file that begins with `head` is one. */
export function isLegacy(head: Buffer): boolean {
  return head.subarray(0, MAGIC.length).equals(MAGIC);
}

export async function readLegacy(file: SourceFile, limits: Limits): Promise<TorchContents> {
  const { views, storages, keys, end } = await readPickles(file, limits);
  return { views, starts: await readStarts(file, keys, storages, end) };
}

interface Pickles extends StateDict {
  readonly keys: PickleValue;
  /** Byte of the file behind the last of them. */
  readonly end: number;
}

/** The pickles go on behind the bytes that were read. */
class HeadTooShort extends Error {}

async function readPickles(file: SourceFile, limits: Limits, headBytes = HEAD_BYTES): Promise<Pickles> {
  const most = Math.min(file.sizeBytes, limits.pickleBytes);
  const head = await file.read(0, Math.min(headBytes, most));
  const beyond = (): never => {
    if (head.length < most) throw new HeadTooShort();
    throw limitExceeded(limits, 'pickleBytes', `${file.path}: its pickles do not end within ${most} bytes`);
  };
  const cursor = new ByteCursor(head, `${file.path}, pickles`, head.length < file.sizeBytes ? beyond : undefined);
  try {
    return parsePickles(cursor, file, limits);
  } catch (error) {
    if (!(error instanceof HeadTooShort)) throw error;
    return readPickles(file, limits, most);
  }
}

function parsePickles(cursor: ByteCursor, file: SourceFile, limits: Limits): Pickles {
  cursor.skip(MAGIC.length);
  const plain = () => readPickle(cursor, file.path, plainHost(file), limits);
  const version = plain();
  if (version !== VERSION) {
    // Anything else may hold itself.
    const found = typeof version === 'number' ? ` ${version}` : '';
    malformed(file.path, `its format has the version${found}, not ${VERSION}`);
  }
  const machine = plain();
  if (!(machine instanceof PickleDict) || machine.entries.get('little_endian') !== true) {
    malformed(file.path, 'its numbers are not little-endian; save it again on a little-endian machine');
  }
  const states = readStateDict(cursor, file.path, limits);
  return { ...states, keys: plain(), end: cursor.offset };
}

/** The storages lie one behind the other from byte `offset` to the end of the file. */
async function readStarts(
  file: SourceFile,
  keys: PickleValue,
  storages: StateDict['storages'],
  offset: number,
): Promise<Map<string, number>> {
  if (!(keys instanceof PickleList)) malformed(file.path, 'it has no list of its storages');
  const starts = new Map<string, number>();
  for (const key of keys.items) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (typeof key !== 'string' || storage === undefined || starts.has(key)) {
      malformed(file.path, 'it lists a storage twice, or one that no tensor has');
    }
    const { dtype, elementBytes, numElements } = storage;
    const start = offset + COUNT_BYTES;
    offset = start + numElements * elementBytes;
    if (offset > file.sizeBytes)
      malformed(file.path, `it ends within the storage ${key}, which is to end at ${offset}`);
    const count = (await file.read(start - COUNT_BYTES, COUNT_BYTES)).readBigInt64LE();
    if (count !== BigInt(numElements)) {
      malformed(
        file.path,
        `the storage ${key} has ${count} elements, but ${numElements} of ${dtype} are said to be there`,
      );
    }
    starts.set(key, start);
  }
  if (starts.size !== storages.size) malformed(file.path, 'it lacks a storage that a tensor needs');
  if (offset !== file.sizeBytes) malformed(file.path, `bytes follow its last storage, which ends at ${offset}`);
  return starts;
}

/** Numbers, text, lists and dictionaries. */
function plainHost(file: SourceFile): PickleHost {
  const refuse = () => malformed(file.path, 'unsafe: a call among its lists');
  return {
    protocols: [2],
    writer: 'torch.save',
    advice: 'save the weights again with torch.save(model.state_dict(), path) or as safetensors',
    global: () => undefined,
    reduce: refuse,
    build: refuse,
  };
}
