/** The package and what it depends on at run time, as the tarballs that a registry would hold. */
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

import { NPM_CLI } from './bare-machine';

export const PACKAGE_ROOT = resolve(__dirname, '..', '..');

export interface Tarball {
  readonly filename: string;
  /** Bytes of the packed and of the unpacked package. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

function run(args: readonly string[]): string {
  // What npm sets for scripts that it runs would reach into the npm that is started here.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));
  return execFileSync(process.execPath, args, { cwd: PACKAGE_ROOT, env, encoding: 'utf8', maxBuffer: 1 << 26 });
}

/** Packs a package that is ready in its folder. */
export function pack(folder: string, destination: string): Tarball {
  // Of a relative path with one slash npm thinks that it is a repository on GitHub.
  const path = resolve(PACKAGE_ROOT, folder);
  const args = [NPM_CLI, 'pack', '--ignore-scripts', '--json', '--pack-destination', destination, path];
  const [tarball] = JSON.parse(run(args)) as [Tarball];
  return tarball;
}

/** Packs this checkout as it is built. Without `prepare`, which would build it again under the other tests. */
export function packPackage(destination: string): Tarball {
  run(['scripts/vendor.mjs']);
  try {
    return pack(PACKAGE_ROOT, destination);
  } finally {
    run(['scripts/vendor.mjs', '--remove']);
  }
}

/** Packs every package that is installed with this one. */
export function packDependencies(destination: string): Tarball[] {
  const folders = run([NPM_CLI, 'ls', '--omit=dev', '--all', '--parseable']).trim().split('\n').slice(1);
  return folders.map((folder) => pack(folder, destination));
}
