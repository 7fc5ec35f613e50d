// Makes the packages that go beside the main one, from binaries that other machines built, and names the platforms' ones as
// optional dependencies in package.json (in place: for a release, never to be committed).
// node scripts/make-packages.mjs --out <folder> [--artifacts <folder>] [--gpu <kind>=<library>]...
//   --artifacts  holds prebuild-<platform>-<arch>[-musl]/<platform>-<arch>/*, each as scripts/prebuild.mjs makes it
//   --gpu        cuda, sycl or vulkan, and the library that the preset of that name built
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** Its binary is in the main package. */
const IN_MAIN_PACKAGE = 'linux-x64';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { values: options } = parseArgs({
  options: {
    out: { type: 'string' },
    artifacts: { type: 'string' },
    gpu: { type: 'string', multiple: true, default: [] },
  },
});
if (options.out === undefined) throw new Error('--out <folder> is missing');
const manifestPath = path.join(root, 'package.json');
const main = JSON.parse(readFileSync(manifestPath, 'utf8'));

/** Writes the package's folder but for its binaries; returns where those go. */
function startPackage(target, what, platform) {
  const [os, cpu, libc] = platform.split('-');
  const folder = path.join(options.out, target);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const manifest = {
    name: `@ggml-encoder/${target}`,
    version: main.version,
    description: `${what} for ggml-encoder ${main.version}`,
    license: main.license,
    repository: main.repository,
    preferUnplugged: true,
    os: [os],
    cpu: [cpu],
    ...(os === 'linux' ? { libc: [libc ?? 'glibc'] } : {}),
  };
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(
    path.join(folder, 'README.md'),
    `# ${manifest.name}\n\n${what} for the npm package ggml-encoder ${main.version}, ` +
      `of exactly that version. ggml is MIT-licensed, by its authors.\n`,
  );
  cpSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'));
  console.log(`${manifest.name}@${manifest.version}: ${folder}`);
  return { folder, name: manifest.name };
}

const optionalDependencies = {};
if (options.artifacts !== undefined) {
  for (const artifact of readdirSync(options.artifacts).sort()) {
    const target = /^prebuild-(\w+-\w+(?:-musl)?)$/.exec(artifact)?.[1];
    if (target === undefined || target === IN_MAIN_PACKAGE) continue;
    const tuple = target.replace(/-musl$/, '');
    const built = path.join(options.artifacts, artifact, tuple);
    if (!existsSync(built)) throw new Error(`${built} is missing`);
    const { folder, name } = startPackage(target, 'The native addon', target);
    cpSync(built, path.join(folder, 'prebuilds', tuple), { recursive: true });
    optionalDependencies[name] = main.version;
  }
}
for (const entry of options.gpu) {
  const [kind, library] = entry.split('=');
  if (!['cuda', 'sycl', 'vulkan'].includes(kind) || library === undefined)
    throw new Error(`--gpu ${entry}: expected <kind>=<library>`);
  const { folder } = startPackage(`${kind}-linux-x64`, `ggml's ${kind.toUpperCase()} backend`, 'linux-x64');
  cpSync(library, path.join(folder, path.basename(library)));
}
if (Object.keys(optionalDependencies).length > 0) {
  writeFileSync(manifestPath, `${JSON.stringify({ ...main, optionalDependencies }, null, 2)}\n`);
}
