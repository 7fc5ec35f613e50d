// npm's install script: nothing to do where a prebuilt binary fits, a source build where none does. It never fails an
// install unless --build-from-source asked for the build; loading the package then says what is missing.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const wantsSource = process.env.npm_config_build_from_source === 'true';

function hasPrebuilt() {
  try {
    createRequire(import.meta.url)('node-gyp-build').resolve(root);
    return true;
  } catch {
    return false;
  }
}

// A checkout builds itself in `prepare`, once all development dependencies are there.
if (!existsSync(path.join(root, '.git')) && (wantsSource || !hasPrebuilt())) {
  try {
    execFileSync(process.execPath, [path.join(root, 'scripts', 'build.mjs')], { stdio: 'inherit' });
  } catch {
    console.error(
      'ggml-encoder: no prebuilt binary fits this system and building from source failed. Install CMake 3.21+ and a ' +
        'C++20 compiler (GCC 11, Clang 14 or later), then run: npm rebuild ggml-encoder --build-from-source',
    );
    if (wantsSource) process.exitCode = 1;
  }
}
