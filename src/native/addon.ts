/**
 * Finds and loads the native addon, once and only when it is first needed: importing the package costs nothing,
 * and conversion works on machines that have no addon.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';

import nodeGypBuild from 'node-gyp-build';

import { EncoderError } from '../errors';
import { packageRoot } from '../support/package-root';
import type { NativeAddon } from './bindings';

const requireAddon = createRequire(join(packageRoot, 'package.json'));

let loaded: NativeAddon | undefined;

/**
 * The addon of this environment (main thread or worker).
 *
 * @throws EncoderError `addon_missing` when no file fits this platform, `addon_failed` when the file does not load.
 */
export function nativeAddon(): NativeAddon {
  if (loaded === undefined) {
    loaded = openAddon(packageRoot);
    const { shutdown } = loaded;
    // Cleanup hooks do not run when the main thread calls process.exit(), and running threads must not outlive it.
    process.once('exit', () => {
      shutdown();
    });
  }
  return loaded;
}

/** @internal */
export function openAddon(root: string): NativeAddon {
  const path = resolveAddon(root);
  // ggml installs a terminate handler that may fork a debugger and prints backtraces; it reads this at load time.
  process.env['GGML_NO_BACKTRACE'] ??= '1';
  try {
    return requireAddon(path) as NativeAddon;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EncoderError(
      'addon_failed',
      `the native addon ${path} was found but did not load: ${reason}. ${repairHint()}`,
      { cause },
    );
  }
}

function resolveAddon(root: string): string {
  try {
    return nodeGypBuild.resolve(root);
  } catch (cause) {
    const tried = [
      join(root, 'build', 'Release', '*.node'),
      join(root, 'build', 'Debug', '*.node'),
      join(root, 'prebuilds', `${process.platform}-${process.arch}`, '*.node'),
    ];
    throw new EncoderError(
      'addon_missing',
      `no native addon for ${process.platform}-${process.arch}, Node ${process.versions.node}; ` +
        `looked for ${tried.join(', ')}. ${repairHint()}`,
      { cause },
    );
  }
}

function repairHint(): string {
  return 'Build it with "npm rebuild ggml-encoder --build-from-source" (needs a C++20 compiler and CMake 3.21 or newer).';
}
