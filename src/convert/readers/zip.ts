/**
 * The directory of a zip archive: where the content of each entry lies, by the central directory alone. Whatever two zip
 * readers could understand differently is refused.
 */
import { EncoderError } from '../../errors';
import { shown } from '../../support/json';
import { DEFAULT_LIMITS, type Limits, limitExceeded } from '../../support/limits';
import type { SourceFile } from '../../support/source-file';
import { ByteCursor } from './byte-cursor';
import { ReadWindow } from './read-window';

export interface ZipEntry {
  readonly name: string;
  /** Of the first byte of the content, from the start of the file. */
  readonly offset: number;
  readonly sizeBytes: number;
  readonly crc32: number;
  /** True when `sizeBytes` counts packed bytes, which cannot be read here. */
  readonly isCompressed: boolean;
}

const MAX_NAME_BYTES = 1024;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 65_535;
const LOCATOR_BYTES = 20;
const END64_BYTES = 56;
const CENTRAL_BYTES = 46;
/** One entry of the directory with its name, and with the comments and extra fields that real files may have. */
const MAX_CENTRAL_BYTES = 1200;
const LOCAL_BYTES = 30;
const WINDOW_BYTES = 4096;
/** Sizes after the content (bit 3) and UTF-8 names (bit 11) change nothing here; encryption and the rest do. */
const HARMLESS_FLAGS = 0x0808;

interface Directory {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly numEntries: number;
}

interface PlacedEntry extends Omit<ZipEntry, 'offset'> {
  readonly localOffset: number;
  readonly flags: number;
}

/** Every entry by name. Throws `checkpoint_malformed` or `limit_exceeded`, naming the file and the entry. */
export async function readZip(file: SourceFile, limits: Limits = DEFAULT_LIMITS): Promise<Map<string, ZipEntry>> {
  const directory = await findDirectory(file);
  if (directory.numEntries > limits.zipEntries) {
    throw limitExceeded(limits, 'zipEntries', `${file.path} has ${directory.numEntries} entries`);
  }
  // An entry with its longest name and no more extra fields than the two that exist.
  if (directory.sizeBytes > directory.numEntries * MAX_CENTRAL_BYTES) {
    malformed(file, `its directory of ${directory.sizeBytes} bytes is too large for ${directory.numEntries} entries`);
  }
  const bytes = await file.read(directory.offset, directory.sizeBytes);
  const cursor = new ByteCursor(bytes, `${file.path}, zip directory`);
  const placed: PlacedEntry[] = [];
  for (let i = 0; i < directory.numEntries; i++) placed.push(readCentral(file, cursor));
  if (cursor.remaining !== 0) malformed(file, 'its directory has more bytes than entries');
  placed.sort((a, b) => a.localOffset - b.localOffset);
  const entries = new Map<string, ZipEntry>();
  const window = new ReadWindow(file, WINDOW_BYTES);
  for (const [index, entry] of placed.entries()) {
    const end = placed[index + 1]?.localOffset ?? directory.offset;
    if (entries.has(entry.name)) malformed(file, `it has two entries ${entry.name}`);
    entries.set(entry.name, await readLocal(file, window, entry, end));
  }
  return entries;
}

async function findDirectory(file: SourceFile): Promise<Directory> {
  if (file.sizeBytes < END_BYTES) malformed(file, `it has ${file.sizeBytes} bytes, too few for an archive`);
  const tailBytes = Math.min(file.sizeBytes, END_BYTES + MAX_COMMENT_BYTES + LOCATOR_BYTES);
  const tailOffset = file.sizeBytes - tailBytes;
  const tail = await file.read(tailOffset, tailBytes);
  const ends: number[] = [];
  for (let at = tail.indexOf('PK\x05\x06'); at >= 0; at = tail.indexOf('PK\x05\x06', at + 1)) {
    if (at + END_BYTES <= tail.length && at + END_BYTES + tail.readUInt16LE(at + 20) === tail.length) ends.push(at);
  }
  const [at] = ends;
  if (at === undefined) malformed(file, 'it has no end record; the download may be incomplete');
  if (ends.length > 1) malformed(file, 'it has several end records, so that readers could disagree about its content');
  const cursor = new ByteCursor(tail.subarray(at), `${file.path}, zip end record`);
  cursor.skip(4);
  if (cursor.u32() !== 0) malformed(file, 'it is one part of a split archive');
  const here = cursor.u16();
  const numEntries = cursor.u16();
  const sizeBytes = cursor.u32();
  const offset = cursor.u32();
  let end = tailOffset + at;
  let directory: Directory = { offset, sizeBytes, numEntries };
  const locator = at >= LOCATOR_BYTES ? tail.subarray(at - LOCATOR_BYTES, at) : undefined;
  if (locator?.toString('latin1', 0, 4) === 'PK\x06\x07') {
    end -= LOCATOR_BYTES + END64_BYTES;
    directory = await readEnd64(file, locator, end, directory);
  } else if (here !== numEntries || numEntries === 0xffff || sizeBytes === 0xffff_ffff || offset === 0xffff_ffff) {
    malformed(file, 'its end record contradicts itself');
  }
  if (directory.offset + directory.sizeBytes !== end) {
    malformed(
      file,
      `its directory of ${directory.sizeBytes} bytes at ${directory.offset} does not end where the end record begins, at ${end}`,
    );
  }
  return directory;
}

/** The 64-bit end record must stand right before its locator, and agree with every 32-bit field that is not all ones. */
async function readEnd64(file: SourceFile, locator: Buffer, expected: number, small: Directory): Promise<Directory> {
  const found = new ByteCursor(locator.subarray(4), `${file.path}, zip64 locator`);
  if (found.u32() !== 0 || found.u64() !== expected || found.u32() > 1 || expected < 0) {
    malformed(file, 'its zip64 locator points elsewhere than to the record before it');
  }
  const cursor = new ByteCursor(await file.read(expected, END64_BYTES), `${file.path}, zip64 end record`);
  cursor.signature('PK\x06\x06');
  if (cursor.u64() !== END64_BYTES - 12) cursor.fail('it has an unknown size');
  cursor.skip(4);
  if (cursor.u32() !== 0 || cursor.u32() !== 0) malformed(file, 'it is one part of a split archive');
  const here = cursor.u64();
  const numEntries = cursor.u64();
  const sizeBytes = cursor.u64();
  const offset = cursor.u64();
  const agrees = (value: number, field: number, ones: number) => field === ones || field === value;
  if (
    here !== numEntries ||
    !agrees(numEntries, small.numEntries, 0xffff) ||
    !agrees(sizeBytes, small.sizeBytes, 0xffff_ffff) ||
    !agrees(offset, small.offset, 0xffff_ffff)
  ) {
    cursor.fail('it contradicts the end record');
  }
  return { offset, sizeBytes, numEntries };
}

function readCentral(file: SourceFile, cursor: ByteCursor): PlacedEntry {
  if (cursor.remaining < CENTRAL_BYTES) malformed(file, 'its directory is cut short');
  cursor.signature('PK\x01\x02');
  cursor.skip(4);
  const flags = cursor.u16();
  const method = cursor.u16();
  cursor.skip(4);
  const crc32 = cursor.u32();
  const sizes = { packed: cursor.u32(), sizeBytes: cursor.u32(), localOffset: 0 };
  const [nameBytes, extraBytes, commentBytes, disk] = [cursor.u16(), cursor.u16(), cursor.u16(), cursor.u16()];
  cursor.skip(6);
  sizes.localOffset = cursor.u32();
  const name = readName(file, cursor.take(nameBytes));
  readZip64Extra(new ByteCursor(cursor.take(extraBytes), `${file.path}, ${name}`), sizes);
  cursor.skip(commentBytes);
  if ((flags & ~HARMLESS_FLAGS) !== 0 || disk !== 0) {
    malformed(file, `the entry ${name} is encrypted, patched or split (flags ${flags})`);
  }
  const isCompressed = method !== 0;
  if (!isCompressed && sizes.packed !== sizes.sizeBytes) malformed(file, `the entry ${name} has two sizes`);
  return { name, flags, crc32, isCompressed, sizeBytes: sizes.packed, localOffset: sizes.localOffset };
}

/** Replaces the fields of `sizes` that are all ones by the 64-bit ones of extra field 1, in the order of the format. */
function readZip64Extra(extra: ByteCursor, sizes: { packed: number; sizeBytes: number; localOffset: number }): void {
  let seen = false;
  while (extra.remaining >= 4) {
    const id = extra.u16();
    const field = new ByteCursor(extra.take(extra.u16()), 'a zip64 extra field');
    if (id !== 1) continue;
    if (seen) extra.fail('it has two zip64 fields');
    seen = true;
    if (sizes.sizeBytes === 0xffff_ffff) sizes.sizeBytes = field.u64();
    if (sizes.packed === 0xffff_ffff) sizes.packed = field.u64();
    if (sizes.localOffset === 0xffff_ffff) sizes.localOffset = field.u64();
  }
}

function readName(file: SourceFile, bytes: Buffer): string {
  const name = bytes.toString('latin1');
  const parts = name.split('/');
  const plain = /^[\x21-\x7e ]+$/.test(name) && !/[\\:]/.test(name);
  if (!plain || bytes.length > MAX_NAME_BYTES || parts.some((part) => part === '' || part === '.' || part === '..')) {
    malformed(file, `the entry name ${shown(name, 80)} is no plain path`);
  }
  return name;
}

/** The local header repeats the name; only it says where the content begins. */
async function readLocal(file: SourceFile, window: ReadWindow, entry: PlacedEntry, end: number): Promise<ZipEntry> {
  const { name, localOffset, sizeBytes, crc32, isCompressed } = entry;
  const overlap = () => malformed(file, `the entry ${name} reaches into what follows it`);
  const headerBytes = LOCAL_BYTES + name.length;
  if (localOffset + headerBytes > end) overlap();
  const header = new ByteCursor(await window.read(localOffset, headerBytes), `${file.path}, header of ${name}`);
  header.signature('PK\x03\x04');
  header.skip(2);
  const flags = header.u16();
  const isPacked = header.u16() !== 0;
  header.skip(16);
  const [nameBytes, extraBytes] = [header.u16(), header.u16()];
  const localName = header.take(header.remaining).toString('latin1');
  if (nameBytes !== name.length || localName !== name || flags !== entry.flags || isPacked !== isCompressed) {
    malformed(file, `the entry ${name} is described differently by the directory and by its own header`);
  }
  const offset = localOffset + headerBytes + extraBytes;
  if (offset + sizeBytes > end) overlap();
  return { name, offset, sizeBytes, crc32, isCompressed };
}

function malformed(file: SourceFile, reason: string): never {
  throw new EncoderError('checkpoint_malformed', `${file.path} is not a valid PyTorch archive: ${reason}`);
}
