/**
 * What torch.save wrote before PyTorch 1.6: pickles one behind the other (a number that says so, a version, the machine,
 * the state dict, the keys of its storages), then each storage in that order, behind the number of its elements.
 */
import { type Limits, limitExceeded } from '../../support/limits';
import type { SourceFile } from '../../support/source-file';
import { ByteCursor } from './byte-cursor';
import { PickleDict, type PickleHost, PickleList, type PickleValue, readPickle } from './pickle';
import { type TorchContents, malformed } from './torch-contents';
import { type StateDict, readStateDict } from './torch-pickle';

/** The pickle of 0x1950a86a20f9469cfc6c, in ten bytes. */
const MAGIC = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');
const VERSION = 1001;
const COUNT_BYTES = 8;

/** Whether a file that begins with `head` is one. */
export function isLegacy(head: Buffer): boolean {
  return head.subarray(0, MAGIC.length).equals(MAGIC);
}

export async function readLegacy(file: SourceFile, limits: Limits): Promise<TorchContents> {
  const head = await file.read(0, Math.min(file.sizeBytes, limits.pickleBytes));
  const isPart = head.length < file.sizeBytes;
  const cursor = new ByteCursor(head, `${file.path}, pickles`, isPart ? () => tooLong(file, limits) : undefined);
  cursor.skip(MAGIC.length);
  const plain = () => readPickle(cursor, file.path, plainHost(file), limits);
  const version = plain();
  if (version !== VERSION) malformed(file, `its format has the version ${JSON.stringify(version)}, not ${VERSION}`);
  const machine = plain();
  if (!(machine instanceof PickleDict) || machine.entries.get('little_endian') !== true) {
    malformed(file, 'its numbers are not little-endian; save it again on a little-endian machine');
  }
  const { views, storages } = readStateDict(cursor, file.path, limits);
  const starts = await readStarts(file, plain(), storages, cursor.offset);
  return { views, starts };
}

/** The storages lie one behind the other from byte `offset` to the end of the file. */
async function readStarts(
  file: SourceFile,
  keys: PickleValue,
  storages: StateDict['storages'],
  offset: number,
): Promise<Map<string, number>> {
  if (!(keys instanceof PickleList)) malformed(file, 'it has no list of its storages');
  const starts = new Map<string, number>();
  for (const key of keys.items) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (typeof key !== 'string' || storage === undefined || starts.has(key)) {
      malformed(file, 'it lists a storage twice, or one that no tensor has');
    }
    const { dtype, elementBytes, numElements } = storage;
    const start = offset + COUNT_BYTES;
    offset = start + numElements * elementBytes;
    if (offset > file.sizeBytes) malformed(file, `it ends within the storage ${key}, which is to end at ${offset}`);
    const count = (await file.read(start - COUNT_BYTES, COUNT_BYTES)).readBigInt64LE();
    if (count !== BigInt(numElements)) {
      malformed(file, `the storage ${key} has ${count} elements, but ${numElements} of ${dtype} are said to be there`);
    }
    starts.set(key, start);
  }
  if (starts.size !== storages.size) malformed(file, 'it lacks a storage that a tensor needs');
  if (offset !== file.sizeBytes) malformed(file, `bytes follow its last storage, which ends at ${offset}`);
  return starts;
}

function tooLong(file: SourceFile, limits: Limits): never {
  throw limitExceeded(limits, 'pickleBytes', `${file.path}: its pickles do not end within ${limits.pickleBytes} bytes`);
}

/** Numbers, text, lists and dictionaries. */
function plainHost(file: SourceFile): PickleHost {
  const refuse = () => malformed(file, 'unsafe: a call among its lists');
  return {
    protocols: [2],
    writer: 'torch.save',
    advice: 'save the weights again with torch.save(model.state_dict(), path) or as safetensors',
    global: () => undefined,
    reduce: refuse,
    build: refuse,
  };
}
