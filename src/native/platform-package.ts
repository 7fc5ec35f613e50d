/**
 * Binaries that do not come with the main package, in packages of exactly this version: the addon of another platform, laid
 * out as in the main package (prebuilds/<platform>-<arch>), and the libraries of GPU backends.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

import nodeGypBuild from 'node-gyp-build';

import { detectLibc } from './libc';

interface Manifest {
  readonly version?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Folder of ready-made addons in a package; the C library is in the file's name. */
export const prebuildsFolder = join('prebuilds', `${process.platform}-${process.arch}`);

/** This platform as packages are named: `linux-x64`, `linux-x64-musl`. */
export function platformName(): string {
  return `${process.platform}-${process.arch}${detectLibc() === 'musl' ? '-musl' : ''}`;
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
}

/** Folder of an installed package of the version of the package in `root`. */
function findPackage(root: string, name: string): string | undefined {
  const manifest = join(root, 'package.json');
  try {
    const found = createRequire(manifest).resolve(`${name}/package.json`);
    return readManifest(found).version === readManifest(manifest).version ? dirname(found) : undefined;
  } catch {
    return undefined;
  }
}

/** The addon in a package's folder. node-gyp-build takes a system for musl by the file /etc/alpine-release alone. */
function findAddonIn(folder: string): string | undefined {
  const libc = detectLibc();
  try {
    const found = nodeGypBuild.resolve(folder);
    const [, tag] = /\.(glibc|musl)\.node$/.exec(found) ?? [];
    if (tag === undefined || tag === libc) return found;
  } catch {
    // None, or none for what it takes the C library for.
  }
  const file = join(folder, prebuildsFolder, `ggml-encoder.${String(libc)}.node`);
  return existsSync(file) ? file : undefined;
}

/** Path of the addon for this platform: in the package in `root`, or in an installed package of this platform. */
export function findAddon(root: string): string | undefined {
  const found = findAddonIn(root);
  if (found !== undefined) return found;
  const folder = findPackage(root, `@ggml-encoder/${platformName()}`);
  return folder === undefined ? undefined : findAddonIn(folder);
}

/** Where libraries of GPU backends may be, first those that the user named. */
export function backendFolders(root: string, addonPath: string): string[] {
  const named = process.env['GGML_ENCODER_BACKENDS']?.split(delimiter).filter((folder) => folder !== '') ?? [];
  const packages = ['cuda', 'sycl', 'vulkan']
    .map((kind) => findPackage(root, `@ggml-encoder/${kind}-${process.platform}-${process.arch}`))
    .filter((folder) => folder !== undefined);
  return [...named, dirname(addonPath), ...packages];
}

/** What to install, with a space behind, when this release has a package for this platform; '' when it has none. */
export function platformPackageHint(root: string): string {
  let optional: Manifest['optionalDependencies'];
  try {
    optional = readManifest(join(root, 'package.json')).optionalDependencies;
  } catch {
    return '';
  }
  const name = `@ggml-encoder/${platformName()}`;
  const version = optional?.[name];
  if (version === undefined) return '';
  return `The binary is in an optional package that npm left out: npm install ${name}@${version}. `;
}
