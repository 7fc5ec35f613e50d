// Compiles a program of test/hostile and runs it in a process of its own; a signal that ends it is a failure.
// node scripts/hostile.mjs run|texts|faults|cycles [its options]
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const [program, ...args] = process.argv.slice(2);
const build = path.join(root, 'build', 'hostile');

const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const compiled = spawnSync(process.execPath, [tsc, '-p', path.join(root, 'test', 'hostile')], { stdio: 'inherit' });
if (compiled.status !== 0) process.exit(1);

const folder = mkdtempSync(path.join(tmpdir(), 'ggml-encoder-hostile-'));
const shared = path.join(tmpdir(), `shared-${path.basename(folder)}`);

/** The environment with a library of test/hostile in front of the C library's own calls. */
function preloaded(name, variables) {
  const library = path.join(build, `${name}.so`);
  const source = path.join(root, 'test', 'hostile', `${name}.c`);
  const compiler = process.env.CC ?? 'cc';
  const fresh = `${library}.${process.pid}`;
  execFileSync(compiler, ['-shared', '-fPIC', '-O1', '-o', fresh, source, '-ldl'], { stdio: 'inherit' });
  // Under its name at once: another run may have the library of before in use.
  renameSync(fresh, library);
  // Calls through io_uring would pass the library by.
  return { LD_PRELOAD: library, UV_USE_IO_URING: '0', ...variables };
}

const env = { ...process.env, HOSTILE_ROOT: folder };
writeFileSync(shared, Buffer.alloc(program === 'faults' ? 16 : 0));
if (program === 'faults') Object.assign(env, preloaded('failing-io', { FAULT_MARK: folder, FAULT_CONTROL: shared }));
if (program === 'run') Object.assign(env, preloaded('watching-io', { WATCH_LOG: shared }));

// One heap that gives back what is free: otherwise the C library's own caches are what is measured.
if (program === 'cycles') Object.assign(env, { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '0' });

const file = path.join(build, 'test', 'hostile', `${program}.js`);
// A young generation of one size: V8 lets it grow twice in a thousand cycles, by more than what may be lost in them.
const options = program === 'cycles' ? ['--expose-gc', '--min-semi-space-size=1', '--max-semi-space-size=1'] : [];
const { status, signal } = spawnSync(process.execPath, [...options, file, ...args], {
  cwd: root,
  stdio: 'inherit',
  env,
});
rmSync(folder, { recursive: true, force: true });
rmSync(shared, { force: true });
if (signal !== null) console.error(`FAULT the process was ended by ${signal}`);
process.exit(signal === null ? (status ?? 1) : 1);
