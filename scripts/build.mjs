// Builds the addon with CMake and lays it, with its libraries, flat in build/Release.
// node scripts/build.mjs [--tests] [--debug] [--force] [--tree <CMake folder>] [--out <folder>] [-- <CMake options>]
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { installCommand, missingTools } from './build-tools.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { values: options, positionals: cmakeOptions } = parseArgs({
  allowPositionals: true,
  options: {
    tests: { type: 'boolean' },
    debug: { type: 'boolean' },
    force: { type: 'boolean' },
    // Outside build/, which node-gyp and prebuildify wipe.
    tree: { type: 'string', default: path.join(root, 'build-cmake') },
    out: { type: 'string', default: path.join(root, 'build', 'Release') },
  },
});
const tree = path.resolve(options.tree);
const out = path.resolve(options.out);

function run(program, programArgs) {
  execFileSync(program, programArgs, { cwd: root, stdio: 'inherit' });
}

const missing = missingTools();
if (missing.length > 0) {
  console.error(
    `ggml-encoder: building the native addon needs ${missing.join('; ')} (to install: ${installCommand()})`,
  );
  process.exit(1);
}
if (options.force) rmSync(tree, { recursive: true, force: true });

const configure = ['-S', root, '-B', tree, `-DCMAKE_BUILD_TYPE=${options.debug ? 'Debug' : 'Release'}`];
if (options.tests) configure.push('-DENC_BUILD_TESTS=ON');
const hasNinja = spawnSync('ninja', ['--version'], { stdio: 'ignore' }).status === 0;
if (!existsSync(path.join(tree, 'CMakeCache.txt'))) {
  if (hasNinja) configure.push('-G', 'Ninja');
  else if (process.platform === 'win32') configure.push('-G', 'MinGW Makefiles'); // CMake's own choice is Visual Studio
}
run('cmake', [...configure, ...cmakeOptions]);
run('cmake', ['--build', tree, '--config', 'Release', '--parallel', String(availableParallelism())]);

mkdirSync(out, { recursive: true });
// Renamed into place: a process that has the old file mapped keeps it whole.
for (const file of readFileSync(path.join(tree, 'artifacts.txt'), 'utf8').trim().split('\n')) {
  const target = path.join(out, path.basename(file));
  copyFileSync(file, `${target}.new`);
  renameSync(`${target}.new`, target);
}
