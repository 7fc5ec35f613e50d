// What prebuilt files for macOS ask of a Mac, read from their load commands, symbols and signature, and what would keep one from
// loading them. For scripts/prebuild.mjs. Constants: <mach-o/loader.h>, <mach-o/nlist.h>, <kern/cs_blobs.h>.
import { createHash } from 'node:crypto';

/** The oldest macOS that the files are for: the first for arm64, and what Node 20 and 22 ask for. */
const MIN_MACOS = 11;

const SYSTEM_LIBRARY = '/usr/lib/libSystem.B.dylib';
const NODE_API = /^_(napi|node_api)_/;
const CPU_TYPES = { arm64: 0x0100000c, x64: 0x01000007 };
const DYLIB = 6;
const BUNDLE = 8;
/** Header flags: symbols are bound to a library each; symbols are merged with those of other libraries. */
const TWO_LEVEL = 0x80;
const WEAK = 0x8000 | 0x10000;
/** Instead of a library's number: whoever in the process has the symbol. */
const FLAT_LOOKUP = 0xfe;

/** Every command that names a library to load, in whose order symbols count them. */
const LOAD_COMMANDS = new Set([0xc, 0x80000018, 0x8000001f, 0x20, 0x80000023]);

function textAt(bytes, offset, limit) {
  const end = bytes.indexOf(0, offset);
  if (end < 0 || end >= limit) throw new Error('a name without an end');
  return bytes.toString('utf8', offset, end);
}

function readSymbols(bytes, command) {
  const [offset, count, strings, stringBytes] = [8, 12, 16, 20].map((at) => bytes.readUInt32LE(command + at));
  if (offset + count * 16 > bytes.length || strings + stringBytes > bytes.length)
    throw new Error('symbols beyond the end');
  const symbols = [];
  for (let at = offset; at < offset + count * 16; at += 16) {
    const type = bytes[at + 4];
    // Neither for debuggers nor private.
    if ((type & 0xe0) !== 0 || (type & 0x11) !== 1) continue;
    symbols.push({
      name: textAt(bytes, strings + bytes.readUInt32LE(at), strings + stringBytes),
      isUndefined: (type & 0x0e) === 0,
      library: bytes.readUInt16LE(at + 6) >> 8,
    });
  }
  return symbols;
}

/** True when the code directory's hashes are those of the pages before it. */
function isSigned(bytes, offset) {
  if (bytes.readUInt32BE(offset) !== 0xfade0cc0 || bytes.readUInt32BE(offset + 8) < 1) return false;
  const directory = offset + bytes.readUInt32BE(offset + 16);
  const [hashes, pages, limit] = [16, 28, 32].map((at) => bytes.readUInt32BE(directory + at));
  const [hashBytes, hashType] = [bytes[directory + 36], bytes[directory + 37]];
  const pageBytes = 2 ** bytes[directory + 39];
  if (bytes.readUInt32BE(directory) !== 0xfade0c02 || hashBytes !== 32 || hashType !== 2) return false;
  if (limit !== offset || pages !== Math.ceil(limit / pageBytes)) return false;
  for (let page = 0; page < pages; page++) {
    const content = bytes.subarray(page * pageBytes, Math.min((page + 1) * pageBytes, limit));
    const at = directory + hashes + page * hashBytes;
    if (
      !createHash('sha256')
        .update(content)
        .digest()
        .equals(bytes.subarray(at, at + hashBytes))
    )
      return false;
  }
  return true;
}

/** Throws on what is no file of this kind. */
export function readMachO(bytes) {
  if (bytes.readUInt32LE(0) !== 0xfeedfacf) throw new Error('it is no 64-bit Mach-O file');
  const [cpuType, , fileType, numCommands, commandBytes, flags] = [4, 8, 12, 16, 20, 24].map((at) =>
    bytes.readUInt32LE(at),
  );
  const file = { cpuType, fileType, flags, libraries: [], runPaths: [], symbols: [], hasUuid: false, isSigned: false };
  const end = 32 + commandBytes;
  let at = 32;
  for (let i = 0; i < numCommands; i++) {
    const [command, size] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
    if (size < 8 || at + size > end) throw new Error('a load command beyond their end');
    const name = () => textAt(bytes, at + bytes.readUInt32LE(at + 8), at + size);
    if (LOAD_COMMANDS.has(command)) file.libraries.push(name());
    else if (command === 0xd) file.installName = name();
    else if (command === 0x8000001c) file.runPaths.push(name());
    else if (command === 0x2) file.symbols = readSymbols(bytes, at);
    else if (command === 0x1b) file.hasUuid = true;
    else if (command === 0x1d) file.isSigned = isSigned(bytes, bytes.readUInt32LE(at + 8));
    else if (command === 0x32) {
      file.platform = bytes.readUInt32LE(at + 8);
      file.minimum = bytes.readUInt32LE(at + 12) / 0x10000;
    }
    at += size;
  }
  return file;
}

/**
 * Why a Mac would not load the files, which lie in one folder; empty when nothing is known against it.
 *
 * @param contents Bytes of each file by its name.
 */
export function machOFaults(contents, arch) {
  const files = new Map([...contents].map(([name, bytes]) => [name, readMachO(bytes)]));
  const faults = [];
  for (const [name, file] of files) {
    const isAddon = name.endsWith('.node');
    const require = (holds, fault) => {
      if (!holds) faults.push(`${name}: ${fault}`);
    };
    require(file.cpuType === CPU_TYPES[arch], `it is not for ${arch}`);
    require(file.fileType === (isAddon ? BUNDLE : DYLIB), `it is of the kind ${file.fileType}`);
    require(file.platform === 1 &&
      file.minimum <= MIN_MACOS, `it is for platform ${file.platform}, ${file.minimum} or later`);
    require((file.flags & TWO_LEVEL) !== 0, 'its symbols are not bound to libraries');
    require((file.flags & WEAK) === 0, 'it shares symbols of C++ with other libraries');
    require(file.hasUuid, 'it has no UUID');
    require(file.isSigned, 'it has no signature, or one of other bytes');
    require(isAddon || file.installName === `@rpath/${name}`, `its install name is ${file.installName}`);
    const own = file.libraries.filter((library) => library !== SYSTEM_LIBRARY);
    for (const library of own) {
      require(library.startsWith('@rpath/') && files.has(library.slice(7)), `it needs ${library}`);
    }
    require(own.length === 0 || String(file.runPaths) === '@loader_path', `it searches [${file.runPaths}]`);
    if (isAddon) {
      const registers = file.symbols.some(
        (symbol) => !symbol.isUndefined && symbol.name === '_napi_register_module_v1',
      );
      require(registers, 'it exports no napi_register_module_v1');
    }
    for (const symbol of file.symbols.filter((each) => each.isUndefined)) {
      const library = file.libraries[symbol.library - 1];
      const provider = files.get(library?.replace('@rpath/', ''));
      const isProvided =
        symbol.library === FLAT_LOOKUP
          ? isAddon && NODE_API.test(symbol.name)
          : library === SYSTEM_LIBRARY ||
            provider?.symbols.some((each) => !each.isUndefined && each.name === symbol.name);
      require(isProvided, `nothing defines ${symbol.name}`);
    }
  }
  return faults;
}
