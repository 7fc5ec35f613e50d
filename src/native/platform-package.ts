/**
 * Prebuilt addons that do not come with the main package: one optional package for each platform, of exactly this
 * version, laid out as the main package is (prebuilds/<platform>-<arch>).
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

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

/** Path of the addon in an installed platform package of the version of the package in `root`. */
export function findPlatformPackage(root: string): string | undefined {
  const manifest = join(root, 'package.json');
  const require = createRequire(manifest);
  for (const name of NAMES) {
    try {
      const found = require.resolve(`${name}/package.json`);
      if (readManifest(found).version === readManifest(manifest).version) return nodeGypBuild.resolve(dirname(found));
    } catch {
      // Not installed, or for the other C library.
    }
  }
  return undefined;
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
