/**
 * The built package once more in another folder, as npm lays it there when two dependents ask for different versions.
 */
import { cpSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { PACKAGE_ROOT } from './cli-process';

const MANIFEST = readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8');

export const VERSION = (JSON.parse(MANIFEST) as { version: string }).version;

/** A version that is not this one's and as long. */
export const OTHER_VERSION = VERSION.replace(/\d$/, (digit) => (digit === '9' ? '8' : '9'));

/**
 * Copies what runs into `folder` as `version`, VERSION or OTHER_VERSION. The version is part of the names of the addon's libraries
 * and of the names that the addon asks the dynamic linker for: in their bytes it is replaced by the other of the same length, which
 * is what a build of that version would have there.
 */
export function copyPackage(folder: string, version: string): void {
  const release = join('build', 'Release');
  mkdirSync(join(folder, release), { recursive: true });
  mkdirSync(join(folder, 'models'));
  cpSync(join(PACKAGE_ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  cpSync(join(PACKAGE_ROOT, 'models', 'default.gguf'), join(folder, 'models', 'default.gguf'));
  writeFileSync(join(folder, 'package.json'), MANIFEST.replace(`"version": "${VERSION}"`, `"version": "${version}"`));
  const theirs = (text: string) => text.replaceAll(`ggml-encoder-${VERSION}-`, `ggml-encoder-${version}-`);
  for (const name of readdirSync(join(PACKAGE_ROOT, release))) {
    if (!/\.(node|so|dylib|dll)$/.test(name)) continue;
    const bytes = readFileSync(join(PACKAGE_ROOT, release, name), 'latin1');
    writeFileSync(join(folder, release, theirs(name)), theirs(bytes), 'latin1');
  }
}

/** Makes the dependencies of copies in `folder` resolve to this checkout's. */
export function shareDependencies(folder: string): void {
  symlinkSync(join(PACKAGE_ROOT, 'node_modules'), join(folder, 'node_modules'));
}
