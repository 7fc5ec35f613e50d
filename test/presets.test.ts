/** The presets of the GPU backends on a machine that lacks what they need: they stop early and say what to install. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { PACKAGE_ROOT } from './support/cli-process';

let tree = '';

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'ggml-encoder-preset-'));
});

afterEach(() => {
  rmSync(tree, { recursive: true, force: true });
});

/** Configures into a folder of its own; returns CMake's messages in one line. */
function configure(preset: string, ...options: string[]): string {
  const args = ['--preset', preset, '-B', tree, ...options];
  const { stderr } = spawnSync('cmake', args, { cwd: PACKAGE_ROOT, encoding: 'utf8' });
  return stderr.replace(/\s+/g, ' ');
}

it('sycl asks for the oneAPI compiler', () => {
  const options = ['-DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF', '-DCMAKE_FIND_ROOT_PATH=/nonexistent'];
  expect(configure('sycl', ...options, '-DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=ONLY')).toMatch(
    /icpx\), which was not found\. Install the oneAPI Base Toolkit .*setvars\.sh/,
  );
});

it('cuda asks for the toolkit', () => {
  expect(configure('cuda', '-DCMAKE_DISABLE_FIND_PACKAGE_CUDAToolkit=TRUE')).toMatch(
    /needs the CUDA toolkit, and no nvcc was found\. Install it/,
  );
});

it('vulkan asks for the headers, the loader and the shader compiler', () => {
  expect(configure('vulkan', '-DCMAKE_DISABLE_FIND_PACKAGE_Vulkan=TRUE')).toMatch(
    /needs Vulkan's headers and loader, .* glslc\. Install them \(Debian, Ubuntu: libvulkan-dev spirv-headers glslc\)/,
  );
});
