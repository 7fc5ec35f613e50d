/**
 * Binaries that do not come with the main package, in packages of exactly this version: the addon of another platform, laid
 * out as in the main package (prebuilds/<platform>-<arch>), and the libraries of GPU backends.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

import nodeGypBuild from 'node-gyp-build';

interface Manifest {
  readonly version?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** This platform's packages. node-gyp-build takes a file for the wrong C library for none. */
const NAMES = [`${process.platform}-${process.arch}`]
  .flatMap((platform) => (process.platform === 'linux' ? [platform, `${platform}-musl`] : [platform]))
  .map((platform) => `@ggml-encoder/${platform}`);

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

/** Path of the addon in an installed package of this platform. */
export function findPlatformPackage(root: string): string | undefined {
  for (const name of NAMES) {
    const folder = findPackage(root, name);
    try {
      if (folder !== undefined) return nodeGypBuild.resolve(folder);
    } catch {
      // For the other C library.
    }
  }
  return undefined;
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
  const names = NAMES.filter((name) => optional?.[name] !== undefined);
  if (names.length === 0) return '';
  const specs = names.map((name) => `${name}@${String(optional?.[name])}`);
  return `The binary is in an optional package that npm left out: npm install ${specs.join(' or ')}. `;
}
