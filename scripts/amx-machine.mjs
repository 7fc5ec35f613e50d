// Runs a program on an emulated CPU with AMX, under a Linux that guards the tiles as it does on hardware:
// node scripts/amx-machine.mjs --bochs <source of Bochs 3.0> --kernel <vmlinuz> [--file <path>]... -- <program> [argument]...
// The program is copied with its libraries, --file adds files or folders (all at their own paths), and variables that begin with
// ENC_ or GGML_ENCODER_ are passed on. Prints what the program prints; its exit status is the script's. Needs Debian's bochsbios,
// busybox-static, cpio, isolinux, syslinux-common, vgabios and xorriso. docs/adding-a-kernel.md says what this proves.
import { execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { AMX_EDITS } from './bochs-amx-edits.mjs';

const { values: options, positionals: command } = parseArgs({
  allowPositionals: true,
  options: {
    bochs: { type: 'string' },
    kernel: { type: 'string' },
    file: { type: 'string', multiple: true, default: [] },
  },
});
if (!options.bochs || !options.kernel || command.length === 0) {
  throw new Error('give --bochs <source folder>, --kernel <vmlinuz> and, after --, a program');
}

/** Adds to Bochs what it lacks and builds it, once. */
function buildBochs(source) {
  const program = path.join(source, 'bochs');
  if (existsSync(program)) return program;
  for (const { file, from, to } of AMX_EDITS) {
    const target = path.join(source, file);
    const text = readFileSync(target, 'utf8');
    if (!text.includes(from)) throw new Error(`${target} is not as Bochs 3.0 has it: no ${JSON.stringify(from)}`);
    writeFileSync(
      target,
      text.replaceAll(from, () => to),
    );
  }
  const run = (tool, ...args) => execFileSync(tool, args, { cwd: source, stdio: ['ignore', 'ignore', 'inherit'] });
  const sets = [
    'x86-64',
    'avx',
    'evex',
    'amx',
    'long-phy-address',
    'repeat-speedups',
    'handlers-chaining',
    'fast-function-calls',
  ];
  run(
    './configure',
    ...sets.map((name) => `--enable-${name}`),
    '--enable-cpu-level=6',
    '--with-nogui',
    '--disable-docbook',
  );
  run('make', '-j', String(availableParallelism()));
  return program;
}

/** The libraries that the dynamic loader would open, itself included. */
function librariesOf(program) {
  const listing = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...listing.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1]);
}

/** The root file system, as the kernel unpacks it into memory. */
function writeInitrd(folder, output) {
  const add = (from, to = from) => {
    mkdirSync(path.dirname(path.join(folder, to)), { recursive: true });
    cpSync(realpathSync(from), path.join(folder, to), { recursive: true, dereference: true });
  };
  const program = path.resolve(command[0]);
  add('/bin/busybox');
  for (const file of [program, ...librariesOf(program), ...options.file.map((file) => path.resolve(file))]) add(file);
  const quote = (word) => `'${word.replaceAll("'", "'\\''")}'`;
  const passed = Object.entries(process.env).filter(([name]) => /^(ENC_|GGML_ENCODER_)/.test(name));
  const init = [
    '#!/bin/busybox sh',
    'b=/bin/busybox; $b mkdir -p /proc /sys /dev /tmp; $b mount -t proc p /proc; $b mount -t sysfs s /sys; $b mount -t devtmpfs d /dev',
    'exec </dev/null >/dev/ttyS0 2>&1',
    ...passed.map(([name, value]) => `export ${name}=${quote(value)}`),
    `cd ${quote(process.cwd())} 2>/dev/null || cd /`,
    [program, ...command.slice(1)].map(quote).join(' '),
    'echo "exit status $?"; $b sleep 2', // until the serial line has sent it
    '$b poweroff -f',
  ];
  writeFileSync(path.join(folder, 'init'), `${init.join('\n')}\n`, { mode: 0o755 });
  execFileSync('sh', ['-c', `find . | cpio -o -H newc --quiet | gzip -1 > ${quote(output)}`], { cwd: folder });
}

/** A CD that starts the kernel; what the emulated BIOS can boot without a disk driver. */
function writeBootDisc(folder, output) {
  copyFileSync('/usr/lib/ISOLINUX/isolinux.bin', path.join(folder, 'isolinux.bin'));
  copyFileSync('/usr/lib/syslinux/modules/bios/ldlinux.c32', path.join(folder, 'ldlinux.c32'));
  copyFileSync(options.kernel, path.join(folder, 'vmlinuz'));
  const kernelOptions =
    'console=ttyS0,115200 loglevel=4 panic=1 mitigations=off nokaslr acpi=off nosmp lsm=capability idle=halt';
  writeFileSync(
    path.join(folder, 'isolinux.cfg'),
    `DEFAULT l\nLABEL l\n KERNEL vmlinuz\n APPEND initrd=initrd ${kernelOptions}\n`,
  );
  const layout = ['-b', 'isolinux.bin', '-c', 'boot.cat', '-no-emul-boot', '-boot-load-size', '4', '-boot-info-table'];
  execFileSync('xorriso', ['-as', 'mkisofs', '-quiet', '-o', output, ...layout, folder], {
    stdio: ['ignore', 'inherit', 'ignore'],
  });
}

const bochs = buildBochs(path.resolve(options.bochs));
const work = mkdtempSync(path.join(tmpdir(), 'amx-machine-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
const [root, disc] = ['root', 'disc'].map((name) => path.join(work, name));
mkdirSync(root);
mkdirSync(disc);
writeInitrd(root, path.join(disc, 'initrd'));
writeBootDisc(disc, path.join(work, 'boot.iso'));
const serial = path.join(work, 'serial');
writeFileSync(
  path.join(work, 'bochsrc'),
  [
    // Left out: what Linux would use and Bochs emulates in part.
    'cpu: model=sapphire_rapids, ips=100000000, exclude_features="cet uintr pks pku la57 vmx waitpkg mwait tsc_deadline fsgsbase serialize"',
    'megs: 2048',
    'romimage: file=/usr/share/bochs/BIOS-bochs-latest',
    'vgaromimage: file=/usr/share/vgabios/vgabios.bin',
    `ata0-master: type=cdrom, path=${path.join(work, 'boot.iso')}, status=inserted`,
    'boot: cdrom',
    `com1: enabled=1, mode=file, dev=${serial}`,
    'display_library: nogui',
    `log: ${path.join(work, 'log')}`,
    'panic: action=fatal',
    'error: action=ignore',
    'info: action=ignore',
  ].join('\n'),
);
const machine = spawn(bochs, ['-q', '-f', path.join(work, 'bochsrc')], { stdio: 'ignore' });
process.on('SIGINT', () => process.exit(130)).on('exit', () => machine.kill());

let shown = 0;
let status;
while (status === undefined && machine.exitCode === null) {
  await setTimeout(500);
  const said = existsSync(serial) ? readFileSync(serial) : Buffer.alloc(0);
  process.stdout.write(said.subarray(shown));
  shown = said.length;
  status = /^exit status (\d+)/m.exec(said.toString())?.[1];
}
process.exit(status === undefined ? 1 : Number(status));
