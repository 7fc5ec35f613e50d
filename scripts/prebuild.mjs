// Makes prebuilds/<platform>-<arch>: the addon and its libraries, stripped, by prebuildify.
// node scripts/prebuild.mjs [--sysroot <root>] [--arch <arm64 or x64>] [--platform win32 or darwin] [--libc musl] [-- <CMake options>]
// A release passes --sysroot (scripts/make-sysroot.sh): linked against an old C library, and refused when it still needs a
// newer one than MAX_GLIBC. Without it the tree of `npm run build` is taken: quick, and good for this machine. --arch with a
// --sysroot of that architecture builds for another processor than this one, by Debian's cross compiler; --platform win32
// builds for Windows on Linux, by Debian's MinGW; --libc musl with a --sysroot of scripts/make-musl-root.sh builds for musl;
// --platform darwin with a --sysroot of scripts/make-macos-root.sh builds for macOS on Linux, by Debian's Clang and LLD.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

import prebuildify from 'prebuildify';

import { machOFaults } from './mach-o.mjs';

/** What the official builds of Node 20 to 24 need themselves. */
const MAX_GLIBC = '2.28';

/** What Debian calls the machines that Node names `process.arch`. */
const MACHINES = { arm64: 'aarch64-linux-gnu', x64: 'x86_64-linux-gnu' };

/** What Apple calls them. */
const MAC_MACHINES = { arm64: 'arm64', x64: 'x86_64' };

/** What every Windows 10 has. */
const WINDOWS_LIBRARIES = /^(kernel32|advapi32|msvcrt|api-ms-win-core-synch-l1-2-0)\.dll$/i;

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { values: options, positionals: cmakeOptions } = parseArgs({
  allowPositionals: true,
  options: {
    sysroot: { type: 'string' },
    arch: { type: 'string', default: process.arch },
    platform: { type: 'string', default: process.platform },
    libc: { type: 'string' },
  },
});
const { arch, platform } = options;
const isForMusl = options.libc === 'musl';
const isForWindows = platform === 'win32' && process.platform !== 'win32';
const isForMacos = platform === 'darwin' && process.platform !== 'darwin';
const isCross = !isForWindows && !isForMacos && arch !== process.arch;
const canBuild =
  platform === process.platform ||
  (isForWindows && arch === 'x64' && options.sysroot === undefined) ||
  (isForMacos && MAC_MACHINES[arch] !== undefined && options.sysroot !== undefined);
if (!canBuild) {
  throw new Error(
    `--platform ${platform}: of other platforms win32 with x64, without --sysroot, can be built here, ` +
      `and darwin with arm64 or x64 and a --sysroot by scripts/make-macos-root.sh`,
  );
}
if (isCross && (options.sysroot === undefined || MACHINES[arch] === undefined)) {
  throw new Error(`--arch ${arch} needs --sysroot and must be one of ${Object.keys(MACHINES).join(', ')}`);
}
if (isForMusl && (platform !== 'linux' || isCross || options.sysroot === undefined)) {
  throw new Error('--libc musl needs a --sysroot by scripts/make-musl-root.sh, and is for Linux on this processor');
}
/** In front of the names of compilers and binutils. */
const prefix = isForWindows ? 'x86_64-w64-mingw32-' : isCross ? `${MACHINES[arch]}-` : '';

function compareVersions(a, b) {
  return a.localeCompare(b, 'en', { numeric: true });
}

/** The files' needs from the system: versioned symbols, and undefined ones that no version stands beside. */
function readNeeds(files) {
  const versions = { GLIBC: [], GLIBCXX: [], CXXABI: [], GCC: [] };
  const unversioned = new Set();
  for (const file of files) {
    for (const line of execFileSync(`${prefix}objdump`, ['-T', file], { encoding: 'utf8' }).split('\n')) {
      const [, family, version] = /\b(GLIBC|GLIBCXX|CXXABI|GCC)_([0-9.]+)\)?\s/.exec(line) ?? [];
      if (family !== undefined) versions[family].push({ version, line: `${path.basename(file)}: ${line}` });
      else if (/\*UND\*/.test(line) && !/ w /.test(line)) unversioned.add(line.trim().split(/\s+/).at(-1));
    }
  }
  for (const list of Object.values(versions)) list.sort((a, b) => compareVersions(a.version, b.version));
  return { versions, unversioned };
}

/** Symbols that the files export to one another; all others without a version must come from Node. */
function exportedSymbols(files) {
  const symbols = files.flatMap((file) =>
    execFileSync(`${prefix}nm`, ['-D', '--defined-only', file], { encoding: 'utf8' })
      .split('\n')
      .map((line) => line.split(' ').at(-1)),
  );
  return new Set(symbols);
}

function checkGlibcNeeds(files) {
  const { versions, unversioned } = readNeeds(files);
  for (const [family, list] of Object.entries(versions)) {
    console.log(`needs ${family} ${list.at(-1)?.version ?? '(none)'}`);
  }
  const exported = exportedSymbols(files);
  const unknown = [...unversioned].filter((symbol) => !exported.has(symbol) && !/^(napi_|node_api_)/.test(symbol));
  if (unknown.length > 0) throw new Error(`undefined symbols that nothing defines: ${unknown.join(', ')}`);
  const tooNew = versions.GLIBC.filter(({ version }) => compareVersions(version, MAX_GLIBC) > 0);
  if (options.sysroot !== undefined && tooNew.length > 0) {
    throw new Error(`newer than glibc ${MAX_GLIBC}:\n${tooNew.map(({ line }) => line).join('\n')}`);
  }
}

/** musl's symbols have no versions. Its library is the loader, found under every name that begins with "libc.". */
function checkMuslNeeds(files) {
  const { versions, unversioned } = readNeeds(files);
  const versioned = Object.values(versions).flat();
  if (versioned.length > 0) throw new Error(`needs glibc:\n${versioned.map(({ line }) => line).join('\n')}`);
  const machine = { arm64: 'aarch64', x64: 'x86_64' }[arch];
  const defined = exportedSymbols([...files, `/lib/ld-musl-${machine}.so.1`]);
  const unknown = [...unversioned].filter((symbol) => !defined.has(symbol) && !/^(napi_|node_api_)/.test(symbol));
  if (unknown.length > 0) throw new Error(`undefined symbols that nothing defines: ${unknown.join(', ')}`);
  const own = files.map((file) => path.basename(file));
  for (const file of files) {
    const headers = execFileSync('objdump', ['-p', file], { encoding: 'utf8' });
    for (const [, needed] of headers.matchAll(/NEEDED +(\S+)/g)) {
      if (!own.includes(needed) && !needed.startsWith('libc.')) throw new Error(`${file} needs ${needed}`);
    }
  }
}

/** Node-API is not among the imports: the host program is asked for it when it is first called. */
function checkWindowsNeeds(files) {
  const own = new Set(files.map((file) => path.basename(file)));
  const needed = files.flatMap((file) =>
    [
      ...execFileSync(`${prefix}objdump`, ['-p', file], { encoding: 'utf8', maxBuffer: 2 ** 26 }).matchAll(
        /DLL Name: (\S+)/g,
      ),
    ].map(([, name]) => name),
  );
  const unknown = new Set(needed.filter((name) => !own.has(name) && !WINDOWS_LIBRARIES.test(name)));
  if (unknown.size > 0) throw new Error(`needs libraries that not every Windows has: ${[...unknown].join(', ')}`);
}

function checkMacNeeds(files) {
  const contents = new Map(files.map((file) => [path.basename(file), readFileSync(file)]));
  const faults = machOFaults(contents, arch);
  if (faults.length > 0) throw new Error(`a Mac would not load these:\n${faults.join('\n')}`);
}

const stage = mkdtempSync(path.join(tmpdir(), 'ggml-encoder-prebuild-'));
try {
  mkdirSync(path.join(stage, 'build', 'Release'), { recursive: true });
  const args = [];
  const toolchains = path.join(root, 'native', 'cmake', 'toolchains');
  if (isForWindows) {
    const toolchain = path.join(toolchains, 'windows_x64.cmake');
    args.push('--tree', path.join(root, 'build-prebuild-win32'), '--', `-DCMAKE_TOOLCHAIN_FILE=${toolchain}`);
  } else if (isForMacos) {
    const toolchain = path.join(toolchains, 'macos.cmake');
    args.push('--tree', path.join(root, `build-prebuild-darwin-${arch}`), '--', `-DCMAKE_TOOLCHAIN_FILE=${toolchain}`);
    args.push(`-DENC_MACOS_ROOT=${path.resolve(options.sysroot)}`, `-DENC_MACOS_ARCH=${MAC_MACHINES[arch]}`);
  } else if (isForMusl) {
    const toolchain = path.join(toolchains, 'linux_musl.cmake');
    args.push('--tree', path.join(root, 'build-prebuild-musl'), '--', `-DCMAKE_TOOLCHAIN_FILE=${toolchain}`);
    args.push(`-DENC_MUSL_ROOT=${path.resolve(options.sysroot)}`);
  } else if (options.sysroot !== undefined) {
    const toolchain = path.join(toolchains, 'old_glibc.cmake');
    const tree = path.join(root, isCross ? `build-prebuild-${arch}` : 'build-prebuild');
    args.push('--tree', tree, '--', `-DCMAKE_TOOLCHAIN_FILE=${toolchain}`);
    args.push(`-DENC_SYSROOT=${path.resolve(options.sysroot)}`, `-DENC_CROSS=${prefix}`);
  } else {
    args.push('--tree', path.join(root, 'build-cmake'), '--');
  }
  process.env.ENC_BUILD_ARGS = JSON.stringify([...args, ...cmakeOptions]);
  const target = path.join(root, 'prebuilds', `${platform}-${arch}`);
  // prebuildify leaves what an earlier version put there.
  rmSync(target, { recursive: true, force: true });
  await promisify(prebuildify)({
    cwd: stage,
    arch,
    platform,
    out: root,
    name: 'ggml-encoder',
    napi: true,
    // The linker has done it for a Mac, and signed what it left.
    strip: !isForMacos,
    stripBin: `${prefix}strip`,
    libc: options.libc,
    tagLibc: platform === 'linux',
    nodeGyp: path.join(root, 'scripts', 'node-gyp-shim.mjs'),
  });
  const files = readdirSync(target).map((name) => path.join(target, name));
  for (const file of files) console.log(`${String(statSync(file).size).padStart(9)} ${path.relative(root, file)}`);
  if (isForMusl) checkMuslNeeds(files);
  if (files.some((file) => file.endsWith('.glibc.node'))) checkGlibcNeeds(files);
  if (platform === 'win32') checkWindowsNeeds(files);
  if (isForMacos) checkMacNeeds(files);
} finally {
  rmSync(stage, { recursive: true, force: true });
}
