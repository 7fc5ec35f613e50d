/** What torch.save writes since PyTorch 1.6: a zip archive with one pickle and an entry data/<key> for each storage. */
import { type Limits, limitExceeded } from '../../support/limits';
import type { SourceFile } from '../../support/source-file';
import { ByteCursor } from './byte-cursor';
import { crc32 } from './crc32';
import { type TorchContents, malformed } from './torch-contents';
import { readStateDict } from './torch-pickle';
import { readZip } from './zip';

/** The archive's directory and the pickle in it. */
export async function readArchive(file: SourceFile, limits: Limits): Promise<TorchContents> {
  const entries = await readZip(file, limits);
  const roots = new Set([...entries.keys()].map((name) => name.slice(0, name.indexOf('/') + 1)));
  const [root] = roots;
  if (root === undefined || roots.size !== 1 || root === '')
    malformed(file.path, 'its entries do not share one folder');
  const names = [...entries.keys()].map((name) => name.slice(root.length));
  if (names.some((name) => name === 'constants.pkl' || name.startsWith('code/'))) {
    malformed(
      file.path,
      'it is a TorchScript program, not weights; save the model with torch.save(model.state_dict(), path) or save_pretrained',
    );
  }
  const packed = [...entries.values()].find(({ isCompressed }) => isCompressed);
  if (packed !== undefined) {
    malformed(
      file.path,
      `the entry ${packed.name} is compressed; load the model with torch and save it again with torch.save`,
    );
  }
  const order = entries.get(`${root}byteorder`);
  if (
    order !== undefined &&
    (order.sizeBytes > 16 || (await file.read(order.offset, order.sizeBytes)).toString() !== 'little')
  ) {
    malformed(file.path, 'its numbers are not little-endian; save it again on a little-endian machine');
  }
  const entry = entries.get(`${root}data.pkl`);
  if (entry === undefined) malformed(file.path, 'it has no data.pkl');
  if (entry.sizeBytes > limits.pickleBytes) {
    throw limitExceeded(limits, 'pickleBytes', `${file.path}: data.pkl has ${entry.sizeBytes} bytes`);
  }
  const pickle = await file.read(entry.offset, entry.sizeBytes);
  if (crc32(pickle) !== entry.crc32) malformed(file.path, 'data.pkl is damaged: its checksum does not match');
  const cursor = new ByteCursor(pickle, `${file.path}, pickle`);
  const { views, storages } = readStateDict(cursor, file.path, limits);
  cursor.end();
  const starts = new Map<string, number>();
  for (const [key, { dtype, elementBytes, numElements }] of storages) {
    const stored = entries.get(`${root}data/${key}`);
    if (stored === undefined) malformed(file.path, `it has no data/${key}, which a tensor needs`);
    if (stored.sizeBytes !== numElements * elementBytes) {
      malformed(
        file.path,
        `data/${key} has ${stored.sizeBytes} bytes, but ${numElements} elements of ${dtype} are said to be there`,
      );
    }
    starts.set(key, stored.offset);
  }
  return { views, starts };
}
