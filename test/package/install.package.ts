/**
 * What users get: the packed tarball, installed into an empty folder on a machine with neither compiler nor CMake nor network.
 * Needs `npm run build` and prebuilds/ (scripts/prebuild.mjs). PACKAGE_TEST_ROOT=<root of another distribution> runs it there,
 * PACKAGE_TEST_RUNTIME=<command> runs the programs by another runtime, PACKAGE_TEST_PLATFORM=<folder of scripts/make-packages.mjs>
 * is installed with it and brings the addon of a platform that the main package has none for.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { goldenModel, writeCheckpoint } from '../golden/checkpoint-fixture';
import { BareMachine } from './bare-machine';
import { PACKAGE_ROOT, pack, packDependencies, packPackage } from './tarballs';
import type { Tarball } from './tarballs';

/** Promised in docs/install.md. */
const MAX_UNPACKED_BYTES = 10_000_000;
const TEXT = 'Real-time strategy game of ancient warfare';
const PROGRAMS = join(__dirname, 'programs');

const machine = new BareMachine();
const consumer = join(machine.folder, 'consumer');
const installed = join(consumer, 'node_modules', 'ggml-encoder');
const checkpoint = join(consumer, 'reranker');
/** The package that the addon comes with, as its name and as the folder that it is packed from. */
const platformFolder = process.env['PACKAGE_TEST_PLATFORM'];
const home = platformFolder === undefined ? 'ggml-encoder' : packageName(platformFolder);
let tarball: Tarball;

function packageName(folder: string): string {
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name: string }).name;
}

/** Runs a program that prints one line of JSON. */
function runProgram(file: string, ...args: string[]): unknown {
  const { status, stdout, stderr } = machine.program([file, ...args], consumer);
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

function tarballPaths(): string[] {
  return tarball.files.map(({ path }) => path);
}

beforeAll(async () => {
  tarball = packPackage(machine.folder);
  const dependencies = packDependencies(machine.folder);
  mkdirSync(consumer);
  const platform = platformFolder === undefined ? [] : [pack(platformFolder, machine.folder)];
  const files = [tarball, ...dependencies, ...platform].map(({ filename }) =>
    machine.view(join(machine.folder, filename)),
  );
  const { status, stderr, stdout } = machine.npm(['install', '--ignore-scripts', ...files], consumer);
  expect(status, `${stdout}${stderr}`).toBe(0);
  cpSync(PROGRAMS, consumer, { recursive: true });
  await writeCheckpoint(goldenModel('bert-reranker'), checkpoint);
  console.log(
    `${tarball.filename}: ${tarball.size} bytes, ${tarball.unpackedSize} unpacked, ${tarball.files.length} files; ` +
      `network: ${machine.network}`,
  );
});

afterAll(() => {
  machine.remove();
});

describe('the tarball', () => {
  it('stays small, default model and prebuilt addon included', () => {
    expect(tarball.unpackedSize).toBeLessThan(MAX_UNPACKED_BYTES);
  });

  it('has its comments in the declarations alone', () => {
    const read = (ending: string) => readFileSync(join(installed, 'dist', 'api', `classifier.${ending}`), 'utf8');
    expect(read('js')).not.toContain('/**');
    expect(read('d.ts')).toContain('/**');
  });

  it('holds what it needs and nothing of the development tree', () => {
    const folders = new Set(tarballPaths().map((path) => path.split('/')[0]));
    expect([...folders].sort()).toEqual([
      'CHANGELOG.md',
      'CMakeLists.txt',
      'LICENSE',
      'README.md',
      'bin',
      'binding.gyp',
      'dist',
      'models',
      'native',
      'package.json',
      'prebuilds',
      'scripts',
    ]);
    expect(tarballPaths()).toEqual(
      expect.arrayContaining([
        'models/default.gguf',
        'native/third_party.tar.xz',
        'dist/index.mjs',
        'dist/index.d.mts',
      ]),
    );
  });
});

describe('the checkers of packages', () => {
  const run = (program: string, ...args: string[]) => {
    const file = join(PACKAGE_ROOT, 'node_modules', '.bin', program);
    return spawnSync(file, [...args, join(machine.folder, tarball.filename)], { encoding: 'utf8' });
  };

  it('publint finds nothing', () => {
    const { status, stdout, stderr } = run('publint', 'run', '--strict');
    expect(status, `${stdout}${stderr}`).toBe(0);
  });

  it('arethetypeswrong finds nothing', () => {
    const { status, stdout, stderr } = run('attw', '--no-color', '--no-emoji');
    expect(status, `${stdout}${stderr}`).toBe(0);
  });
});

describe('on a machine without compiler, CMake and network', () => {
  it('sees none of them', () => {
    const look = `const { spawnSync } = require('node:child_process');
      const found = ['cmake', 'c++', 'g++', 'gcc', 'make', 'python3'].filter((name) => !spawnSync(name, ['--version']).error);
      require('node:dns').lookup('example.org', (error) => console.log(JSON.stringify({ found, offline: error !== null })));`;
    const { stdout } = machine.node(['-e', look], consumer);
    expect(JSON.parse(stdout)).toMatchObject({ found: [] });
  });

  it('builds nothing, with install scripts or without', () => {
    const { status, stderr } = machine.npm(['rebuild'], consumer);
    expect(status, stderr).toBe(0);
    expect(existsSync(join(installed, 'build'))).toBe(false);
  });

  it('installs the dependencies of the main path alone', () => {
    const manifest = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const code = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.js'))
      .map((file) => readFileSync(join(installed, 'dist', file), 'utf8'))
      .join('\n');
    for (const name of Object.keys(manifest.dependencies)) expect(code).toMatch(new RegExp(`['"]${name}`));
  });

  it('classifies from CommonJS with the prebuilt addon and the best instructions of the CPU', () => {
    const result = runProgram('classify.cjs') as { isa: string[]; kernels: string; addons: string[] };
    expect(result).toMatchObject({ label: 'games', device: 'cpu' });
    expect(result.addons).toEqual([expect.stringContaining(join(home, 'prebuilds'))]);
    expect(result.kernels).toBe(result.isa.at(-1));
  });

  it('converts and ranks from an ES module', () => {
    const documents = ['steam', 'electricity', 'bread'];
    const result = runProgram('rank.mjs', machine.view(checkpoint), 'reranker.gguf', ...documents);
    expect(result).toMatchObject({
      type: 'f32',
      ranked: [{ index: expect.any(Number) as number }, {}, {}],
    });
  });

  it('serves TypeScript as ES module and as CommonJS', () => {
    // The compiler is a development tool: it runs here, its output there.
    const tsc = join(PACKAGE_ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const typeRoots = join(PACKAGE_ROOT, 'node_modules', '@types');
    execFileSync(process.execPath, [tsc, '-p', consumer, '--typeRoots', typeRoots], {
      cwd: consumer,
      stdio: 'inherit',
    });
    const result = runProgram('typed.mjs', machine.view(checkpoint), 'typed.gguf');
    expect(result).toEqual({ label: 'games', ranked: 2, code: 'model_not_found' });
    expect(runProgram('typed.cjs')).toMatchObject({ label: 'games' });
  });

  it('runs the command line', () => {
    const { status, stdout, stderr } = machine.npm(['exec', '--', 'ggml-encoder', 'classify', TEXT], consumer);
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ label: 'games' });
  });
});

describe('where no prebuilt addon fits', () => {
  const prebuilds = join(consumer, 'node_modules', home, 'prebuilds');
  // Not called prebuilds: node-gyp-build also looks beside the node executable.
  const hidden = join(machine.folder, 'hidden');
  const useTheModel = "require('ggml-encoder').Classifier.load().catch((error) => console.log(JSON.stringify(error)))";

  beforeAll(() => {
    renameSync(prebuilds, hidden);
  });

  afterAll(() => {
    renameSync(hidden, prebuilds);
    rmSync(join(installed, 'build'), { recursive: true, force: true });
  });

  function install(env: Readonly<Record<string, string>> = {}): ReturnType<typeof machine.npm> {
    return machine.npm(['run', 'install'], installed, env);
  }

  it('installs all the same, and says what is missing and what to install', () => {
    const { status, stderr } = install();
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/there is no cmake.*c\+\+.*make.*to install: /s);
  });

  it('fails the install when the build was asked for', () => {
    expect(install({ GGML_ENCODER_BUILD_FROM_SOURCE: '1' }).status).not.toBe(0);
  });

  it('says it again when a model is loaded', () => {
    const { stdout, stderr } = machine.node(
      ['-e', useTheModel.replace('JSON.stringify(error)', 'error.message')],
      consumer,
    );
    expect(stdout, stderr).toMatch(/no native addon for .*there is no cmake.*to install: .*build\.mjs/s);
  });

  it('still converts', () => {
    const convert = `require('ggml-encoder').convert(process.argv[1], { output: 'no-addon.gguf' }).then(() => console.log('done'))`;
    const { stdout, stderr } = machine.node(['-e', convert, machine.view(checkpoint)], consumer);
    expect(stdout, stderr).toBe('done\n');
  });
});
