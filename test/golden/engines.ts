// What the golden tests run models on.
import path from 'node:path';
import type { LoadOptions } from 'ggml-encoder';
import { PACKAGE_ROOT } from '../support/cli-process';

/** Our kernels, the portable graph on the CPU, or the portable graph as devices run it. */
export type Engine = 'auto' | 'portable' | 'device';

/**
 * The device that GGML_ENCODER_TEST_DEVICE names; without it a library that calls itself CUDA and computes on the CPU, so that
 * every machine tests what only devices do.
 */
const DEVICE = process.env['GGML_ENCODER_TEST_DEVICE'] ?? 'cuda';
export const IS_REAL_DEVICE = process.env['GGML_ENCODER_TEST_DEVICE'] !== undefined;
// Read when the addon is loaded, which the first model does.
if (!IS_REAL_DEVICE)
  process.env['GGML_ENCODER_BACKENDS'] = path.join(PACKAGE_ROOT, 'build-cmake', 'out', 'fake_backends');

/**
 * Added to what tests allow of |logit - transformers float32|. Devices have their own idea of f32: CUDA multiplies in TF32,
 * Vulkan's drivers in f16 where they can and with short series for exp, sin and tanh.
 */
export function deviceSlack(engine: Engine): number {
  return engine === 'device' && IS_REAL_DEVICE ? 2e-2 : 0;
}

export function engineOptions(engine: Engine): LoadOptions {
  return engine === 'device' ? { device: DEVICE } : { device: 'cpu', kernels: engine, threads: 2 };
}
