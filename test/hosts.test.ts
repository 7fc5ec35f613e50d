/**
 * The built package in places that load code in their own way: vm contexts with globals of their own (Jest, Vitest's vm
 * pools), more than one copy of the code in a process (reset modules, hot reload), bundles and tracers of files.
 * Needs `npm run build`.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { compileFunction, createContext, runInContext } from 'node:vm';

import { afterEach, expect, test } from 'vitest';

import type * as AiSdk from '../src/ai-sdk';
import type * as Package from '../src/index';
import { goldenModel, writeCheckpoint } from './golden/checkpoint-fixture';
import { PACKAGE_ROOT } from './support/cli-process';

const folders: string[] = [];
const models: { dispose(): Promise<void> }[] = [];

afterEach(async () => {
  for (const model of models.splice(0)) await model.dispose();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ggml-encoder-hosts-'));
  folders.push(folder);
  return folder;
}

/** Not `await using`: in Node 20 a new realm has no Symbol.asyncDispose. */
function disposedLater<Model extends { dispose(): Promise<void> }>(model: Model): Model {
  models.push(model);
  return model;
}

interface Realm {
  /** Evaluates an expression with the realm's own globals. */
  evaluate(code: string): unknown;
  /** `require` of a file of the package; every realm has a copy of its code. */
  load(file: 'index.js' | 'ai-sdk.js'): unknown;
}

/** What a test runner with vm contexts does: the package's code runs there, Node's own modules and the addon do not. */
function createRealm(): Realm {
  const context = createContext();
  const ofLanguage = new Set(runInContext('Object.getOwnPropertyNames(globalThis)', context) as string[]);
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    // Jest's jsdom has neither; a fake clock would stand still.
    if (name === 'TextDecoder' || name === 'setImmediate') continue;
    if (!ofLanguage.has(name)) context[name] = globalThis[name as keyof typeof globalThis];
  }
  const modules = new Map<string, { exports: unknown }>();
  const load = (path: string): unknown => {
    const known = modules.get(path);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    modules.set(path, module);
    const outer = createRequire(path);
    const require = (name: string): unknown => {
      const found = outer.resolve(name);
      return found.startsWith(join(PACKAGE_ROOT, 'dist')) ? load(found) : outer(name);
    };
    const names = ['exports', 'require', 'module', '__filename', '__dirname'];
    const run = compileFunction(readFileSync(path, 'utf8'), names, { filename: path, parsingContext: context });
    run(module.exports, require, module, path, dirname(path));
    return module.exports;
  };
  return {
    evaluate: (code) => runInContext(code, context) as unknown,
    load: (file) => load(join(PACKAGE_ROOT, 'dist', file)),
  };
}

test('in a realm of its own the package gives values and errors of that realm', async () => {
  const realm = createRealm();
  const { Classifier, EncoderError } = realm.load('index.js') as typeof Package;
  const classifier = disposedLater(await Classifier.load());
  expect((await classifier.classify('A chess engine')).label).toBe('games');
  const labels: string[] = [];
  for await (const { label } of classifier.classifyStream(['A chess engine', 'Fonts'])) labels.push(label);
  expect(labels).toEqual(['games', 'fonts']);

  const { ids, typeIds } = await classifier.tokenize('A chess engine');
  const Ids = realm.evaluate('Int32Array') as Int32ArrayConstructor;
  expect(Ids).not.toBe(Int32Array);
  expect(ids).toBeInstanceOf(Ids);
  expect(typeIds).toBeInstanceOf(Ids);
  expect(ids).toHaveLength(5);

  const error: unknown = await classifier.classify('text', { maxLength: 1 }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(EncoderError);
  // The addon's error is of another class Error than the realm's; what it says is taken over alone.
  expect((error as Error).message).toMatch(/^maxLength 1 /);
});

test('a signal of another class ends calls as one of Node does', async () => {
  const { Classifier, isEncoderError } = createRealm().load('index.js') as typeof Package;
  const classifier = disposedLater(await Classifier.load());
  const foreign = Object.assign(new EventTarget(), { aborted: false, reason: undefined as unknown });
  const texts = Array.from({ length: 20_000 }, (_, index) => `text number ${index}`);
  const call = classifier.classify(texts, { signal: foreign as unknown as AbortSignal });
  foreign.aborted = true;
  foreign.reason = 'enough';
  foreign.dispatchEvent(new Event('abort'));
  const error: unknown = await call.catch((reason: unknown) => reason);
  expect(isEncoderError(error, 'aborted')).toBe(true);
  expect(error).toMatchObject({ cause: 'enough' });
  await expect(classifier.classify('text', { signal: {} as AbortSignal })).rejects.toThrow(/expected an AbortSignal/);
});

test('copies of the package know the errors and models of one another', async () => {
  const [one, other] = [createRealm(), createRealm()];
  const { CrossEncoder } = one.load('index.js') as typeof Package;
  const { isEncoderError, EncoderError } = other.load('index.js') as typeof Package;
  const folder = temporaryFolder();
  await writeCheckpoint(goldenModel('bert-reranker'), join(folder, 'reranker'));
  const options = { cacheDir: join(folder, 'cache') };
  const reranker = disposedLater(await CrossEncoder.load(join(folder, 'reranker'), options));

  const signal = AbortSignal.abort();
  const error: unknown = await reranker.rank('query', ['document'], { signal }).catch((reason: unknown) => reason);
  expect(error).not.toBeInstanceOf(EncoderError);
  expect(isEncoderError(error, 'aborted')).toBe(true);
  expect(isEncoderError(error, 'internal')).toBe(false);
  expect(isEncoderError(Object.assign(new Error('aborted'), { code: 'aborted' }))).toBe(false);

  const { rerankingModel } = other.load('ai-sdk.js') as typeof AiSdk;
  const documents = { type: 'text' as const, values: ['a', 'b'] };
  const { ranking } = await rerankingModel(reranker as never).doRerank({ query: 'query', documents });
  expect(ranking).toHaveLength(2);
  expect(() => rerankingModel({} as never)).toThrow(/expected a loaded CrossEncoder/);
});

test('however many copies load the addon, the process gets one listener', async () => {
  const load = async (): Promise<void> => {
    const { Classifier } = createRealm().load('index.js') as typeof Package;
    await (await Classifier.load()).dispose();
  };
  await load();
  const before = process.listenerCount('exit');
  for (let copy = 0; copy < 3; copy++) await load();
  expect(process.listenerCount('exit')).toBe(before);
});

test('tools that look for open handles find none once all calls are answered', () => {
  const code = `
    const queues = [];
    const init = (id, type, trigger, resource) => type === 'ggml-encoder' && queues.push(resource);
    require('node:async_hooks').createHook({ init }).enable();
    require('ggml-encoder').Classifier.load().then(async (classifier) => {
      const call = classifier.classify('A chess engine');
      const states = queues.map((queue) => queue.hasRef());
      await call;
      console.log(JSON.stringify([...states, ...queues.map((queue) => queue.hasRef())]));
    });`;
  const output = execFileSync(process.execPath, ['--eval', code], { cwd: PACKAGE_ROOT, encoding: 'utf8' });
  expect(JSON.parse(output)).toEqual([true, false]);
});

test('paths of the files that go with the code are written out from __dirname, for tools that trace files', () => {
  const dist = join(PACKAGE_ROOT, 'dist');
  const traced = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js'))
    .flatMap((file) => {
      const code = readFileSync(join(dist, file), 'utf8');
      return [...code.matchAll(/join\)\(__dirname((?:, '[^']+')+)\)/g)].map(([, parts]) =>
        join(dirname(join(dist, file)), ...Array.from(parts!.matchAll(/'([^']+)'/g), ([, part]) => part!)),
      );
    });
  const needed = [
    'package.json',
    'models/default.gguf',
    'prebuilds',
    'build/Release',
    'dist/native/isolation/child.js',
  ];
  expect(new Set(traced)).toEqual(new Set(needed.map((file) => join(PACKAGE_ROOT, file))));
  expect(existsSync(join(PACKAGE_ROOT, 'dist/native/isolation/child.js'))).toBe(true);
});

test('code that was bundled away from its files says so when it is imported', () => {
  const folder = temporaryFolder();
  cpSync(join(PACKAGE_ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
  const load = (): unknown => createRequire(__filename)(join(folder, 'dist', 'support', 'package-root.js'));
  const failure = { code: 'addon_missing', message: expect.stringContaining('external') as string };
  expect(load).toThrow(expect.objectContaining(failure) as Error);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'an-app', version: '1.0.0' }));
  expect(load).toThrow(expect.objectContaining(failure) as Error);
});

test('a GGUF file is loaded and run without the converter, which is most of what an import would read', () => {
  const program = `
    const { Classifier } = require(${JSON.stringify(PACKAGE_ROOT)});
    Classifier.load().then((classifier) => classifier.classify('A chess engine')).then(() => {
      const own = Object.keys(require.cache).filter((name) => /[\\\\/]dist[\\\\/]/.test(name));
      console.log(JSON.stringify({ own: own.length, converter: own.filter((name) => /converter|architectures/.test(name)) }));
    });`;
  const output = execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  const { own, converter } = JSON.parse(output) as { readonly own: number; readonly converter: readonly string[] };
  expect(converter).toEqual([]);
  expect(own).toBeGreaterThan(20);
});
