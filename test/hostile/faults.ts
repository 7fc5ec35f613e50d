/**
 * node faults.js [--kills N] [--kinds open,read,...] [--no-mount]: every call of the file system that converting and loading make fails
 * once, with each error that it can have; then a conversion is killed N times. After each: the target is absent, old or
 * complete. Needs test/hostile/failing-io.c preloaded; scripts/hostile.mjs does that.
 */
import { type ChildProcess, execFileSync, fork, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { Classifier, convert, isEncoderError } from 'ggml-encoder';

import { Random } from './random';
import { layOut, safetensors, soundFiles, soundTensors } from './sound';
import { runProgram } from './program';

/** By number in failing-io.c. */
const KINDS = ['open', 'read', 'write', 'sync', 'rename', 'link', 'close', 'unlink'] as const;
type Kind = (typeof KINDS)[number];

const ERRNO = { EIO: 5, EINTR: 4, ENOSPC: 28, EDQUOT: 122, EACCES: 13, EMFILE: 24, EROFS: 30, ESTALE: 116, short: 0 };
const ERRORS: Readonly<Record<Kind, readonly (keyof typeof ERRNO)[]>> = {
  open: ['EACCES', 'EMFILE', 'EROFS', 'EIO'],
  read: ['EIO', 'EINTR', 'ESTALE', 'short'],
  write: ['ENOSPC', 'EIO', 'EDQUOT', 'EINTR', 'short'],
  sync: ['EIO', 'ENOSPC', 'EDQUOT'],
  rename: ['EACCES', 'EIO', 'ENOSPC', 'EROFS'],
  link: ['EACCES', 'EIO', 'ENOSPC'],
  close: ['EIO', 'ENOSPC', 'EDQUOT'],
  unlink: ['EACCES', 'EIO'],
};

const root = process.env['FAULT_MARK']!;
const checkpoint = join(root, 'checkpoint');
const target = join(root, 'out', 'model.gguf');
const faults: string[] = [];
let runs = 0;
let failed = 0;

const control = openSync(process.env['FAULT_CONTROL']!, 'r+');

/** Plants one failure; kind 0 takes it away. */
function plant(kind: number, nth: number, error: number): void {
  writeSync(control, Buffer.from(Int32Array.of(kind, nth, error, 0).buffer), 0, 16, 0);
}

function callsSince(): number {
  const words = new Int32Array(4);
  readSync(control, words, 0, 16, 0);
  return words[3]!;
}

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function targetState(): string {
  return existsSync(target) ? sha256(target) : 'absent';
}

function leftovers(): string[] {
  return readdirSync(join(root, 'out')).filter((name) => name !== 'model.gguf');
}

function complain(what: string): void {
  if (faults.length < 50) faults.push(what);
}

/** Each call of one kind in a conversion fails once: over an absent target, and over an old one. */
async function failConversions(kind: Kind, error: keyof typeof ERRNO, complete: string): Promise<void> {
  for (const before of ['absent', 'old'] as const) {
    for (let nth = 1; ; nth++) {
      rmSync(join(root, 'out'), { recursive: true, force: true });
      mkdirSync(join(root, 'out'));
      if (before === 'old') writeFileSync(target, 'the old file');
      const old = targetState();
      plant(KINDS.indexOf(kind) + 1, nth, ERRNO[error]);
      let code = 'none';
      try {
        await convert(checkpoint, { output: target, overwrite: before === 'old' });
      } catch (thrown) {
        code = isEncoderError(thrown) ? thrown.code : `no code: ${String(thrown)}`;
      }
      const reached = callsSince() >= nth;
      plant(0, 0, 0);
      if (!reached) break;
      runs++;
      const name = `convert, ${before} target, ${kind} ${nth} fails with ${error}`;
      const now = targetState();
      if (code === 'none') {
        if (now !== complete) complain(`${name}: success reported over a target that is not complete`);
      } else {
        failed++;
        if (code === 'internal' || code.startsWith('no code')) complain(`${name}: ${code}`);
        if (now !== old && now !== complete) complain(`${name}: the target is neither old nor complete`);
      }
      // An unlink that fails leaves what it was to remove.
      if (kind !== 'unlink' && leftovers().length > 0) complain(`${name}: left ${leftovers().join()}`);
    }
  }
}

/** Each open and read of loading fails once; the model of before goes on and the next load works. */
async function failLoads(kind: 'open' | 'read', error: keyof typeof ERRNO): Promise<void> {
  const gguf = join(root, 'loaded.gguf');
  await convert(checkpoint, { output: gguf, overwrite: true });
  const model = await Classifier.load(gguf);
  const expected = await model.classify('a b');
  for (let nth = 1; ; nth++) {
    plant(KINDS.indexOf(kind) + 1, nth, ERRNO[error]);
    let code = 'none';
    try {
      await (await Classifier.load(gguf)).dispose();
    } catch (thrown) {
      code = isEncoderError(thrown) ? thrown.code : `no code: ${String(thrown)}`;
    }
    const reached = callsSince() >= nth;
    plant(0, 0, 0);
    if (!reached) break;
    runs++;
    if (code !== 'none') failed++;
    if (!['none', 'io_failed'].includes(code)) complain(`load, ${kind} ${nth} fails with ${error}: ${code}`);
    if (code === 'none' && error !== 'EINTR' && error !== 'short')
      complain(`load, ${kind} ${nth}: ${error} went unseen`);
    const again = await model.classify('a b');
    if (JSON.stringify(again) !== JSON.stringify(expected)) complain(`load, ${kind} ${nth}: other scores afterwards`);
  }
  await model.dispose();
}

/** A loaded model owes nothing to its file. */
async function changeWhileLoaded(): Promise<void> {
  const gguf = join(root, 'changing.gguf');
  const changes: Readonly<Record<string, () => void>> = {
    truncated: () => {
      truncateSync(gguf, 0);
    },
    overwritten: () => {
      writeFileSync(gguf, Buffer.alloc(100_000, 7));
    },
    removed: () => {
      rmSync(gguf);
    },
    replaced: () => {
      writeFileSync(`${gguf}.new`, 'another file');
      renameSync(`${gguf}.new`, gguf);
    },
  };
  for (const [what, change] of Object.entries(changes)) {
    rmSync(gguf, { force: true });
    await convert(checkpoint, { output: gguf });
    const model = await Classifier.load(gguf);
    const before = JSON.stringify(await model.classify(['a b', 'c'], { logits: true }));
    change();
    runs++;
    const after = JSON.stringify(await model.classify(['a b', 'c'], { logits: true }));
    if (after !== before) complain(`a loaded model whose file was ${what} gives other scores`);
    await model.dispose();
  }
}

/** Targets that are no plain file to write: refused with a code or written whole, and what was there lives on. */
async function oddTargets(complete: string): Promise<void> {
  const folder = join(root, 'odd');
  mkdirSync(join(folder, 'folder'), { recursive: true });
  const bystander = join(folder, 'bystander');
  writeFileSync(bystander, 'a file that others need');
  symlinkSync('bystander', join(folder, 'link'));
  symlinkSync('nowhere', join(folder, 'dangling'));
  execFileSync('mkfifo', [join(folder, 'fifo')]);
  writeFileSync(join(folder, 'read-only'), 'old', { mode: 0o444 });
  const targets: Readonly<Record<string, string>> = {
    'a folder': join(folder, 'folder'),
    'a link to a file': join(folder, 'link'),
    'a link to nothing': join(folder, 'dangling'),
    'a FIFO': join(folder, 'fifo'),
    'a full device': '/dev/full',
    'a read-only file': join(folder, 'read-only'),
    'in no folder': join(folder, 'absent', 'model.gguf'),
    'beneath a file': join(bystander, 'model.gguf'),
    'a name of 300 letters': join(folder, 'x'.repeat(300)),
    'a name of 250 letters': join(folder, 'x'.repeat(250)),
    'a name with NUL': join(folder, 'a\0b'),
  };
  for (const [what, path] of Object.entries(targets)) {
    for (const overwrite of [false, true]) {
      let code = 'none';
      const kind = kindOf(path);
      try {
        await convert(checkpoint, { output: path, overwrite });
      } catch (thrown) {
        code = isEncoderError(thrown) ? thrown.code : `no code: ${String(thrown)}`;
      }
      runs++;
      const name = `the target is ${what}, overwrite ${overwrite}`;
      if (code === 'none' && sha256(path) !== complete) complain(`${name}: success over a target that is not complete`);
      if (code !== 'none' && !['io_failed', 'output_exists'].includes(code)) complain(`${name}: ${code}`);
      if (code !== 'none' && kindOf(path) !== kind) complain(`${name}: ${code}, and yet the target has changed`);
      if (readFileSync(bystander, 'utf8') !== 'a file that others need') complain(`${name}: another file was written`);
    }
  }
  const left = readdirSync(folder).filter((file) => file.endsWith('.tmp'));
  if (left.length > 0) complain(`odd targets left ${left.join()}`);
  rmSync(folder, { recursive: true });
}

function kindOf(path: string): string {
  try {
    const { mode, ino } = lstatSync(path);
    return `${mode} ${ino}`;
  } catch {
    return 'absent';
  }
}

/** A disk that is full before a conversion, and one that another program fills during it, under a kernel's own ENOSPC. */
function fullDisk(): void {
  const disk = join(root, 'disk');
  mkdirSync(disk);
  const command = 'mount -t tmpfs -o size=24m tmpfs "$1" && shift && exec "$@"';
  const program = [process.execPath, __filename, '--disk', disk];
  const { status, stdout, stderr } = spawnSync('unshare', ['-rm', 'sh', '-c', command, 'sh', disk, ...program], {
    encoding: 'utf8',
  });
  if (status === 0) {
    runs += 2;
    console.log(stdout.trimEnd());
  } else {
    complain(`the full disk: ${stderr || stdout}`);
  }
}

async function fillDisk(disk: string): Promise<number> {
  const output = join(disk, 'model.gguf');
  const filler = join(disk, 'filler');
  await convert(checkpoint, { output });
  const old = sha256(output);
  const fill = () => {
    const file = openSync(filler, 'a');
    try {
      for (;;) writeSync(file, Buffer.alloc(4096));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  };
  const attempt = async (source: string, onProgress?: () => void) => {
    const code = await convert(source, { output, overwrite: true, ...(onProgress && { onProgress }) }).then(
      () => 'none',
      (error: unknown) => (isEncoderError(error) ? error.code : String(error)),
    );
    if (code !== 'io_failed' || sha256(output) !== old || readdirSync(disk).length !== 2) {
      throw new Error(`ended with ${code}; the disk holds ${readdirSync(disk).join()}`);
    }
  };
  fill();
  await attempt(checkpoint);
  rmSync(filler);
  let isFull = false;
  await attempt(join(root, 'large'), () => {
    if (!isFull) fill();
    isFull = true;
  });
  console.log('  full disk: before a conversion and during one, io_failed and the old file');
  return 0;
}

/** Two conversions to one target at once: one of them wins, whole. */
async function race(complete: string): Promise<void> {
  for (let round = 0; round < 20; round++) {
    rmSync(target, { force: true });
    const codes = await Promise.all(
      [0, 1, 2].map(() =>
        convert(checkpoint, { output: target }).then(
          () => 'won',
          (error: unknown) => (isEncoderError(error) ? error.code : String(error)),
        ),
      ),
    );
    runs++;
    if (codes.filter((code) => code === 'won').length !== 1) complain(`a race of three ended in ${codes.join()}`);
    if (targetState() !== complete) complain('a race of three left a target that is not complete');
    if (leftovers().length > 0) complain(`a race left ${leftovers().join()}`);
  }
}

/** A larger model, so that there is something to interrupt. */
function writeLargeCheckpoint(folder: string): void {
  mkdirSync(folder);
  const rows = 1_000_000;
  const tensors = soundTensors();
  const name = 'bert.embeddings.position_embeddings.weight';
  tensors[name] = { dtype: 'F32', shape: [rows, 4], data: Buffer.alloc(rows * 16, 0x3c) };
  const { header, data } = layOut(tensors);
  const files = soundFiles();
  const config = JSON.parse(String(files['config.json'])) as object;
  const changed = { ...files, 'config.json': JSON.stringify({ ...config, max_position_embeddings: rows }) };
  for (const [file, content] of Object.entries({ ...changed, 'model.safetensors': safetensors(header, data) })) {
    writeFileSync(join(folder, file), content);
  }
}

/** A process converts to one target over and over, in two types by turns, and is killed at a random moment. */
async function killConversions(kills: number): Promise<void> {
  const large = join(root, 'large');
  const hashes = new Set<string>(['absent']);
  for (const type of ['f32', 'f16'] as const) {
    await convert(large, { output: join(root, type), type });
    hashes.add(sha256(join(root, type)));
  }
  rmSync(join(root, 'out'), { recursive: true, force: true });
  mkdirSync(join(root, 'out'));
  const random = new Random(7);
  let partial = 0;
  for (let round = 0; round < kills; round++) {
    const child: ChildProcess = fork(__filename, ['--child', large], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    await new Promise((done) => child.once('message', done));
    await new Promise((done) => setTimeout(done, random.below(250)));
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await ended;
    runs++;
    partial += leftovers().length > 0 ? 1 : 0;
    if (!hashes.has(targetState())) complain(`kill ${round}: the target is neither absent nor complete`);
    // What was left is removed by a conversion that comes much later.
    for (const name of leftovers()) utimesSync(join(root, 'out', name), 1, 1);
  }
  await convert(large, { output: target, overwrite: true });
  if (leftovers().length > 0) complain(`what killed conversions left is still there: ${leftovers().join()}`);
  console.log(`  ${kills} kills, ${partial} of them while a file was being written`);
}

async function child(folder: string): Promise<never> {
  process.send!('ready');
  for (;;) {
    for (const type of ['f32', 'f16'] as const) await convert(folder, { output: target, type, overwrite: true });
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '200' },
      child: { type: 'string' },
      disk: { type: 'string' },
      /** Leaves out what needs the right to mount a file system. */
      'no-mount': { type: 'boolean', default: false },
      /** What fails in conversions; of loads there are few enough to fail all. */
      kinds: { type: 'string', default: KINDS.join() },
    },
  });
  if (values.child !== undefined) return child(values.child);
  if (values.disk !== undefined) return fillDisk(values.disk);
  mkdirSync(checkpoint, { recursive: true });
  for (const [name, content] of Object.entries(soundFiles())) writeFileSync(join(checkpoint, name), content);
  const { sha256: complete } = await convert(checkpoint, { output: join(root, 'complete.gguf') });

  for (const kind of KINDS.filter((name) => values.kinds.split(',').includes(name))) {
    const [before, failedBefore] = [runs, failed];
    for (const error of ERRORS[kind]) await failConversions(kind, error, complete);
    console.log(`  ${kind}: ${runs - before} planted, ${failed - failedBefore} reported as errors, the rest made good`);
  }
  for (const kind of ['open', 'read'] as const) {
    for (const error of ERRORS[kind]) await failLoads(kind, error);
  }
  await changeWhileLoaded();
  await oddTargets(complete);
  await race(complete);
  writeLargeCheckpoint(join(root, 'large'));
  if (!values['no-mount']) fullDisk();
  if (Number(values.kills) > 0) await killConversions(Number(values.kills));
  for (const fault of faults) console.log(`  FAULT ${fault}`);
  console.log(`${runs} faults planted, ${faults.length} with a wrong outcome`);
  closeSync(control);
  return faults.length === 0 ? 0 : 1;
}

runProgram(main);
