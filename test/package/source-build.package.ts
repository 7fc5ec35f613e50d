/**
 * The fallback of the install: where no prebuilt addon fits and compilers are there, the sources in the package are built, still
 * without a network. Minutes; its own command, `npm run test:package:source`.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, expect, it } from 'vitest';

import { BareMachine } from './bare-machine';
import { packDependencies, packPackage } from './tarballs';

const machine = new BareMachine('/');
const consumer = join(machine.folder, 'consumer');
const installed = join(consumer, 'node_modules', 'ggml-encoder');

afterAll(() => {
  machine.remove();
});

it('builds from the sources in the package', () => {
  const tarball = packPackage(machine.folder);
  const files = [tarball, ...packDependencies(machine.folder)].map(({ filename }) => join(machine.folder, filename));
  mkdirSync(consumer);
  const unpack = machine.npm(['install', '--ignore-scripts', ...files], consumer);
  expect(unpack.status, unpack.stderr).toBe(0);
  rmSync(join(installed, 'prebuilds'), { recursive: true, force: true });

  const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };
  const build = machine.npm(['run', 'install'], installed, env);
  expect(build.status, build.stderr).toBe(0);

  const program = `const { Classifier } = require('ggml-encoder');
    Classifier.load().then(async (model) => {
      const { label } = await model.classify('Real-time strategy game of ancient warfare');
      const addons = Object.keys(require.cache).filter((file) => file.endsWith('.node'));
      console.log(JSON.stringify({ label, addons }));
    });`;
  const { stdout, stderr } = machine.node(['-e', program], consumer);
  expect(JSON.parse(stdout), stderr).toEqual({
    label: 'games',
    addons: [expect.stringContaining(join('ggml-encoder', 'build', 'Release'))],
  });
});
