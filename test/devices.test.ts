/**
 * Devices beyond the CPU on machines that have none: a library that calls itself the CUDA backend and computes on the CPU
 * (test/native/devices), in a process of its own for each case. Needs `npm run build:tests`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { PACKAGE_ROOT, runCli } from './support/cli-process';

const FAKE_BACKENDS = join(PACKAGE_ROOT, 'build-cmake', 'out', 'fake_backends');
const FAKE = { GGML_ENCODER_BACKENDS: FAKE_BACKENDS };
const TEXTS = [
  'Real-time strategy game of ancient warfare',
  'Fonts for Bengali',
  'a',
  'A chess engine of great strength',
];

/** Runs code that has `Classifier` and `TEXTS` and returns something. */
function evaluate(code: string, env: Readonly<Record<string, string>>): unknown {
  const program = `const { Classifier } = require('ggml-encoder');
    const TEXTS = ${JSON.stringify(TEXTS)};
    const codeOf = (promise) => promise.then(() => '', (error) => error.code + ': ' + error.message);
    (async () => { ${code} })().then((result) => console.log(JSON.stringify(result)));`;
  const options = { cwd: PACKAGE_ROOT, encoding: 'utf8', env: { ...process.env, ...env }, timeout: 60_000 } as const;
  return JSON.parse(execFileSync(process.execPath, ['--eval', program], options));
}

async function listDevices(env: Readonly<Record<string, string>>): Promise<unknown[]> {
  const { code, stderr, json } = await runCli(['devices'], { env });
  expect(code, stderr).toBe(0);
  return json();
}

it('says of a backend that is not there which file was searched and where', async () => {
  const [cpu, ...gpus] = await listDevices({});
  expect(cpu).toMatchObject({ id: 'cpu', available: true });
  for (const [index, kind] of ['cuda', 'sycl', 'vulkan'].entries()) {
    expect(gpus[index]).toMatchObject({
      id: kind,
      available: false,
      reason: expect.stringMatching(`ggml-${kind}\\.\\w+ in .*Release.*docs/devices\\.md`) as string,
    });
  }
});

it('lists a device of a library that loads', async () => {
  expect(await listDevices(FAKE)).toContainEqual(
    expect.objectContaining({ id: 'cuda:0', description: 'Fake card', available: true, reason: '' }),
  );
});

it('says why a library does not load', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ggml-encoder-backends-'));
  try {
    for (const name of readdirSync(FAKE_BACKENDS)) writeFileSync(join(folder, name), 'no library');
    expect(await listDevices({ GGML_ENCODER_BACKENDS: folder })).toContainEqual(
      expect.objectContaining({
        id: 'cuda',
        reason: expect.stringMatching(/does not load: .*(too short|invalid ELF|\(\d+\))/) as string,
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it.each([
  ['cuda', {}, /^device_unavailable: device 'cuda': there is no .*ggml-cuda/],
  ['sycl', FAKE, /^device_unavailable: device 'sycl': there is no .*ggml-sycl/],
  ['cuda:1', FAKE, /^device_unavailable: device 'cuda:1': there are 1 devices/],
  ['vulkan', FAKE, /^device_unavailable: device 'vulkan': there is no .*ggml-vulkan/],
  ['metal', FAKE, /^device_unavailable: device 'metal': there is no such device/],
])('refuses %s, which is not there', (device, env, message) => {
  expect(evaluate(`return codeOf(Classifier.load(undefined, { device: '${device}' }));`, env)).toMatch(message);
});

it('computes on the device what the portable graph computes on the CPU', () => {
  const code = (options: string) => `const model = await Classifier.load(undefined, ${options});
    const results = await model.classify(TEXTS, { logits: true });
    return { device: model.info.device, kernels: model.info.kernels, logits: results.map(({ logits }) => [...logits]) };`;
  const run = (options: string) => evaluate(code(options), FAKE) as { logits: number[][] };
  const portable = run("{ device: 'cpu', kernels: 'portable' }");
  expect(portable).toMatchObject({ device: 'cpu', kernels: 'portable' });
  // Texts of similar lengths are attended to together there, which adds the same numbers in another order.
  const logits = portable.logits.map((row) => row.map((logit) => expect.closeTo(logit, 4) as number));
  for (const device of ['cuda', 'cuda:0', 'auto']) {
    expect(run(`{ device: '${device}' }`)).toEqual({ device: 'cuda:0', kernels: 'portable', logits });
  }
});

it('stays on the CPU where no device is asked for and none is there', () => {
  expect(evaluate('return (await Classifier.load()).info.device;', {})).toBe('cpu');
});

it('names an operation that a device does not have', () => {
  const code = "return codeOf((await Classifier.load(undefined, { device: 'cuda' })).classify(TEXTS));";
  expect(evaluate(code, { ...FAKE, FAKE_CUDA_LACKS: 'SOFT_MAX' })).toMatch(/^device_unavailable: .*SOFT_MAX/);
});

it('turns a fault of the driver into an error, and the process lives', () => {
  const code = `const model = await Classifier.load(undefined, { device: 'cuda' });
    const first = await codeOf(model.classify(TEXTS));
    delete process.env.FAKE_CUDA_FAULT;
    return [first, await codeOf(model.classify(TEXTS))];`;
  const fault = (words: string) => evaluate(code, { ...FAKE, FAKE_CUDA_FAULT: words }) as string[];
  const broken = fault('CUDA error: an illegal memory access was encountered');
  expect(broken[0]).toMatch(/^internal: .*illegal memory access/);
  expect(broken[1]).toMatch(/^model_poisoned/);
  const full = fault('CUDA error: out of memory');
  expect(full[0]).toMatch(/^out_of_memory: .*out of memory/);
  expect(full[1]).toBe('');
  // Vulkan's binding throws where CUDA's backend aborts.
  const thrown = evaluate(code.replace('FAULT', 'THROWS'), {
    ...FAKE,
    FAKE_CUDA_THROWS: 'vk::Queue::submit: ErrorDeviceLost',
  }) as string[];
  expect(thrown[0]).toMatch(/^internal: .*ErrorDeviceLost/);
  expect(thrown[1]).toMatch(/^model_poisoned/);
});
