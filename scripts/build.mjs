// Builds the addon with CMake and lays it, with its libraries, flat in build/Release.
// node scripts/build.mjs [--tests] [--debug] [--force] [-- <CMake options>]
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const args = process.argv.slice(2);
const separator = args.indexOf('--');
const extra = separator < 0 ? [] : args.slice(separator + 1);
const flags = new Set(separator < 0 ? args : args.slice(0, separator));
// Outside build/, which node-gyp and prebuildify wipe.
const buildDir = path.join(root, 'build-cmake');
const outDir = path.join(root, 'build', 'Release');

/** True when the program answers `--version`. */
function has(program) {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function run(program, programArgs) {
  execFileSync(program, programArgs, { cwd: root, stdio: 'inherit' });
}

if (!has('cmake')) {
  console.error(
    'ggml-encoder: the native build needs CMake 3.21 or later and a C++20 compiler (GCC 11, Clang 14 or later); cmake was not found',
  );
  process.exit(1);
}
if (flags.has('--force')) rmSync(buildDir, { recursive: true, force: true });

const configure = ['-S', root, '-B', buildDir, `-DCMAKE_BUILD_TYPE=${flags.has('--debug') ? 'Debug' : 'Release'}`];
if (flags.has('--tests')) configure.push('-DENC_BUILD_TESTS=ON');
if (!existsSync(path.join(buildDir, 'CMakeCache.txt')) && has('ninja')) configure.push('-G', 'Ninja');
run('cmake', [...configure, ...extra]);
run('cmake', ['--build', buildDir, '--parallel', String(availableParallelism())]);

mkdirSync(outDir, { recursive: true });
// Renamed into place: a process that has the old file mapped keeps it whole.
for (const file of readFileSync(path.join(buildDir, 'artifacts.txt'), 'utf8').trim().split('\n')) {
  const target = path.join(outDir, path.basename(file));
  copyFileSync(file, `${target}.new`);
  renameSync(`${target}.new`, target);
}
