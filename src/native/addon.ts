/**
 * Finds and loads the native addon, once and only when it is first needed: importing the package costs nothing,
 * and conversion works on machines that have no addon.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { EncoderError } from '../errors';
import { messageOf } from '../support/error-message';
import { packageRoot } from '../support/package-root';
import type { NativeAddon } from './bindings';
import { backendFolders, findAddon, platformName, platformPackageHint, prebuildsFolder } from './platform-package';
import { buildFailure } from './source-build';

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
    shutDownAtExit(loaded);
  }
  return loaded;
}

/** On an addon that has its listener: copies of this module, as test runners and hot reloads make them, share the addon. */
const HAS_LISTENER = Symbol.for('ggml-encoder.exit');

/** Cleanup hooks do not run when the main thread calls process.exit(), and running threads must not outlive it. */
function shutDownAtExit(addon: NativeAddon): void {
  if (Object.hasOwn(addon, HAS_LISTENER)) return;
  Object.defineProperty(addon, HAS_LISTENER, { value: true });
  process.once('exit', () => {
    addon.shutdown();
  });
}

/** @internal */
export function openAddon(root: string): NativeAddon {
  const path = resolveAddon(root);
  // ggml installs a terminate handler that may fork a debugger and prints backtraces; it reads this at load time.
  process.env['GGML_NO_BACKTRACE'] ??= '1';
  try {
    const addon = requireAddon(path) as NativeAddon;
    addon.setBackendFolders(backendFolders(root, path));
    return addon;
  } catch (cause) {
    const reason = messageOf(cause);
    throw new EncoderError(
      'addon_failed',
      `the native addon ${path} was found but did not load: ${reason}. ${explain(reason)}${repairHint(root)}`,
      { cause },
    );
  }
}

function resolveAddon(root: string): string {
  const found = findAddon(root);
  if (found !== undefined) return found;
  const tried = [
    join(root, 'build', 'Release', '*.node'),
    join(root, 'build', 'Debug', '*.node'),
    join(root, prebuildsFolder, '*.node'),
  ];
  throw new EncoderError(
    'addon_missing',
    `no native addon for ${platformName()}, Node ${process.versions.node}; ` +
      `looked for ${tried.join(', ')}. ${platformPackageHint(root)}${repairHint(root)}`,
  );
}

/** The dynamic loader's commonest complaints in plain words, with a space behind; '' for the rest. */
function explain(reason: string): string {
  if (/GLIBC_[\d.]+' not found/.test(reason)) return "This system's C library is older than the binary needs. ";
  if (/ld-musl|libc\.musl|ld-linux|libc\.so: invalid ELF header/.test(reason))
    return 'The binary is for the other C library (glibc or musl). ';
  return '';
}

function repairHint(root: string): string {
  const failure = buildFailure(root);
  return (
    (failure === undefined ? '' : `The install tried to build it and could not: ${failure}. `) +
    `Build it with "node ${join(root, 'scripts', 'build.mjs')}" (needs a C++20 compiler and CMake 3.21 or later; it says what is missing).`
  );
}
