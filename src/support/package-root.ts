/**
 * Where the installed package lies, the same from src/ (tests) and dist/ (users). Each path is written out from __dirname:
 * so tools that copy what a program needs (@vercel/nft in Next.js, on Vercel and in Nitro; @vercel/ncc) find the files.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { EncoderError } from '../errors';

/** Folders that hold addons, built from source and ready-made; the first is seldom there. */
const addonFolders = [
  join(__dirname, '..', '..', 'build', 'Release'),
  join(__dirname, '..', '..', 'prebuilds'),
] as const;

/** Absolute path of the classifier that comes with the package (sections of the Debian archive, 20 labels). */
export const defaultModelPath: string = join(__dirname, '..', '..', 'models', 'default.gguf');

/** Absolute path of the folder that holds package.json. */
export const packageRoot: string = dirname(addonFolders[1]);

function isOwnManifest(value: unknown): value is { version: string } {
  if (typeof value !== 'object' || value === null || !('name' in value) || !('version' in value)) return false;
  return value.name === 'ggml-encoder' && typeof value.version === 'string';
}

/** Read when the package is imported, so that a bundle fails at once and says why. */
function readVersion(): string {
  const path = join(__dirname, '..', '..', 'package.json');
  let manifest: unknown;
  let cause: unknown;
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    cause = error;
  }
  if (isOwnManifest(manifest)) return manifest.version;
  throw new EncoderError(
    'addon_missing',
    `${path} is not that of ggml-encoder: its code was bundled away from its addon and model. ` +
      'Declare the package external (esbuild --external:ggml-encoder, serverExternalPackages in Next.js, externals in ' +
      'webpack; docs/install.md has the lines) and install it beside the bundle',
    { cause },
  );
}

/** This package's version, as in package.json. */
export const version: string = readVersion();
