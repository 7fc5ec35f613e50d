// npm's install script: nothing to do where a prebuilt binary loads, a source build where none does. It downloads nothing
// and never fails an install unless the build was asked for (npm_config_build_from_source or
// GGML_ENCODER_BUILD_FROM_SOURCE); build/failure.txt tells the package's loader why there is no addon.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { installCommand, missingTools } from './build-tools.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const wantsSource = [process.env.npm_config_build_from_source, process.env.GGML_ENCODER_BUILD_FROM_SOURCE].some(
  (value) => value !== undefined && !['', '0', 'false'].includes(value),
);

/** True when this package's own loader opens an addon: in a process of its own, since a binary may be for another CPU. */
function addonLoads() {
  const load = `require(${JSON.stringify(path.join(root, 'dist', 'native', 'addon.js'))}).nativeAddon()`;
  return spawnSync(process.execPath, ['-e', load], { stdio: 'ignore' }).status === 0;
}

/** Why the source build failed, in one sentence without its full stop; undefined when it succeeded. */
function buildFromSource() {
  const missing = missingTools();
  if (missing.length > 0) return `it needs ${missing.join('; ')} (to install: ${installCommand()})`;
  const script = path.join(root, 'scripts', 'build.mjs');
  const { status } = spawnSync(process.execPath, [script], { stdio: 'inherit' });
  return status === 0 ? undefined : `the compiler's messages are shown by "node ${script}"`;
}

// A checkout builds itself in `prepare`, once all development dependencies are there.
if (!existsSync(path.join(root, '.git')) && (wantsSource || !addonLoads())) {
  const report = path.join(root, 'build', 'failure.txt');
  rmSync(report, { force: true });
  const failure = buildFromSource();
  if (failure !== undefined) {
    mkdirSync(path.dirname(report), { recursive: true });
    writeFileSync(report, `${failure}\n`);
    console.error(`ggml-encoder: no prebuilt binary fits this system and the source build failed: ${failure}.`);
    if (wantsSource) process.exitCode = 1;
  }
}
