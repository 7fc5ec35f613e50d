// Makes a machine for `chroot` that has musl and no glibc: Debian's musl and busybox, and Node with the libraries it needs.
// node scripts/musl-machine.mjs <folder> [<root that scripts/make-musl-root.sh made, default /opt/musl>]
// Needs Debian's g++, musl-tools and busybox-static, and npm. docs/releasing.md has what to run there.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** npm has no Node for musl by itself; this program is one, with a bundle that it runs. */
const NODE_PACKAGE = '@pnpm/linuxstatic-x64@11.21.0';
const BUNDLE_IS_THERE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:1';
const MUSL = '/usr/lib/x86_64-linux-musl';

/** The one function of a later libstdc++ that Node takes: basic_string::_M_replace_cold, for text that may overlap. */
const LATER_LIBSTDCXX = `
#include <string.h>
void _ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE15_M_replace_coldEPcmPKcmm(
    void* string, char* at, size_t old_size, const char* text, size_t size, size_t behind) {
  const char* end = at + old_size;
  if (size <= old_size) memmove(at, text, size);
  if (behind > 0 && size != old_size) memmove(at + size, end, behind);
  if (size <= old_size) return;
  if (text + size <= end) memmove(at, text, size);
  else if (text >= end) memcpy(at, text + (size - old_size), size);
  else {
    const size_t before = end - text;
    memmove(at, text, before);
    memcpy(at + before, at + size, size - before);
  }
}`;

const [folder, musl = '/opt/musl'] = process.argv.slice(2);
if (folder === undefined)
  throw new Error('usage: node scripts/musl-machine.mjs <folder> [<root of make-musl-root.sh>]');
const machine = path.resolve(folder);
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const work = mkdtempSync(path.join(tmpdir(), 'ggml-encoder-musl-'));

function run(program, args, cwd = work) {
  return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
}

function installNode() {
  const tarball = run('npm', ['pack', '--silent', NODE_PACKAGE]);
  run('tar', ['xf', tarball]);
  const program = readFileSync(path.join(work, 'package', 'pnpm'));
  const at = program.indexOf(BUNDLE_IS_THERE);
  if (at < 0) throw new Error(`${NODE_PACKAGE}: no mark of a bundle`);
  program.write('0', at + BUNDLE_IS_THERE.length - 1);
  writeFileSync(path.join(machine, 'usr', 'bin', 'node'), program, { mode: 0o755 });
}

/** Debian's libgcc is for static linking: what it defines is hidden from other libraries. Takes that mark off all symbols. */
function showSymbols(file) {
  const bytes = readFileSync(file);
  const sections = Number(bytes.readBigUInt64LE(0x28));
  for (let i = 0; i < bytes.readUInt16LE(0x3c); i++) {
    const header = sections + 64 * i;
    if (bytes.readUInt32LE(header + 4) !== 2) continue; // SHT_SYMTAB
    const start = Number(bytes.readBigUInt64LE(header + 24));
    const end = start + Number(bytes.readBigUInt64LE(header + 32));
    for (let symbol = start; symbol < end; symbol += 24) bytes[symbol + 5] &= ~3;
  }
  writeFileSync(file, bytes);
}

function link(name, inputs) {
  const file = path.join(machine, 'usr', 'lib', name);
  const gcc = (part) => run('gcc', [`-print-file-name=${part}`]);
  const specs = [`-specs=${MUSL}/musl-gcc.specs`, '-nostdlib', '-Wl,--eh-frame-hdr'];
  const begin = [`${MUSL}/crti.o`, gcc('crtbeginS.o')];
  const end = [`-L${MUSL}`, '-lc', gcc('crtendS.o'), `${MUSL}/crtn.o`];
  run('gcc', ['-shared', ...specs, `-Wl,-soname,${name}`, '-o', file, ...begin, ...inputs, ...end]);
  return file;
}

function makeLibraries() {
  const headers = ['-nostdinc', '-isystem', '/usr/include/x86_64-linux-musl', '-isystem'];
  const compile = ['-O2', '-fPIC', ...headers, run('gcc', ['-print-file-name=include']), '-c'];
  run('gcc', [...compile, path.join(root, 'native', 'cmake', 'toolchains', 'musl_compat.c')]);
  writeFileSync(path.join(work, 'later.c'), LATER_LIBSTDCXX);
  run('gcc', [...compile, 'later.c']);
  const objects = path.join(work, 'libgcc');
  mkdirSync(objects);
  for (const archive of ['libgcc.a', 'libgcc_eh.a'])
    run('ar', ['x', run('gcc', [`-print-file-name=${archive}`])], objects);
  // Not position-independent, and not needed.
  const files = readdirSync(objects)
    .filter((name) => !/cpuinfo|morestack/.test(name))
    .map((name) => path.join(objects, name));
  files.forEach(showSymbols);
  const libgcc = link('libgcc_s.so.1', ['-Wl,-Bsymbolic', ...files, 'musl_compat.o']);
  const library = path.join(path.resolve(musl), 'lib', 'libstdc++.a');
  link('libstdc++.so.6', ['-Wl,--whole-archive', library, '-Wl,--no-whole-archive', 'later.o', libgcc]);
}

try {
  rmSync(machine, { recursive: true, force: true });
  for (const name of ['bin', 'dev', 'lib', 'proc', 'tmp', 'usr/bin', 'usr/lib'])
    mkdirSync(path.join(machine, name), { recursive: true });
  cpSync(realpathSync('/lib/ld-musl-x86_64.so.1'), path.join(machine, 'lib', 'ld-musl-x86_64.so.1'));
  cpSync(run('which', ['busybox']), path.join(machine, 'bin', 'busybox'));
  for (const name of ['bin/sh', 'bin/env', 'usr/bin/env']) symlinkSync('/bin/busybox', path.join(machine, name));
  run('mknod', ['-m', '666', path.join(machine, 'dev', 'null'), 'c', '1', '3']);
  installNode();
  makeLibraries();
  console.log(run('chroot', [machine, '/usr/bin/node', '-p', '`Node ${process.version} in a root without glibc`']));
} finally {
  rmSync(work, { recursive: true, force: true });
}
