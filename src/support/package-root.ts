/** Where the installed package lies, the same from src/ (tests) and dist/ (users). */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Absolute path of the folder that holds package.json. */
export const packageRoot = resolve(__dirname, '..', '..');

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  if (
    typeof manifest === 'object' &&
    manifest !== null &&
    'version' in manifest &&
    typeof manifest.version === 'string'
  ) {
    return manifest.version;
  }
  return '0.0.0';
}

/** This package's version, as in package.json. */
export const version: string = readVersion();
