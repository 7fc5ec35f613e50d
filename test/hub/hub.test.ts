// Checkpoints from the Hub: which files are fetched, how the cache looks, and what of it needs a connection.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { type ConvertOptions, type ConvertProgress, convert } from '../../src/convert/convert';
import { readGgufHead } from '../../src/gguf/reader';
import { parseRepository } from '../../src/hub/repository';
import { resolveHubSettings } from '../../src/hub/settings';
import { adapterModel, writeAdapter, writeBase } from '../golden/adapter-checkpoints';
import { causalModel, writeCausal } from '../golden/causal-checkpoints';
import { interactionModel, writeInteraction } from '../golden/interaction-checkpoints';
import { moduleHeadModel, writeModuleHead } from '../golden/module-head-checkpoints';
import { writeSetFit } from '../golden/setfit-checkpoints';
import { temporaryFolder } from '../unit/convert/temp-folder';
import { writeMicro } from '../unit/convert/micro-checkpoint';
import { formatCheckpoint } from '../unit/convert/readers/format-fixtures';
import { integerField } from '../unit/convert/readers/protobuf-builder';
import { piece, sentencePieceFile } from '../unit/convert/readers/sentencepiece-builder';
import { COMMIT, FakeHub, gitHash, sha256 } from './fake-hub';
import { ID, cleanEnvironment, microFiles } from './hub-fixture';

let hub: FakeHub;
let home: string;
let root: string;
beforeEach(() => {
  home = temporaryFolder();
  cleanEnvironment(home);
  root = join(home, 'hub', 'models--some-owner--some.model_1');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.stop();
});

async function start(files: Record<string, Uint8Array | string>, options?: Parameters<typeof FakeHub.start>[2]) {
  hub = await FakeHub.start(ID, files, options);
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
}

async function convertFromHub(source = ID, options: Partial<ConvertOptions> = {}) {
  return convert(source, { output: join(temporaryFolder(), 'out.gguf'), ...options });
}

function filesOf(folder: string): Record<string, Uint8Array> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.\w+$/.test(name));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name))]));
}

describe('a repository', () => {
  it('converts like the same files in a folder, and only what is needed is fetched', async () => {
    const files = microFiles();
    const others = ['pytorch_model.bin', 'tf_model.h5', 'onnx/model.onnx', 'README.md', 'training_args.bin'];
    await start({ ...files, ...Object.fromEntries(others.map((name) => [name, name])) });
    const progress: ConvertProgress[] = [];
    const { path, warnings } = await convertFromHub(ID, { onProgress: (event) => progress.push(event) });
    expect(warnings).toEqual([]);
    expect(hub.downloads.sort()).toEqual([
      ...['config.json', 'model.safetensors', 'model.safetensors', 'vocab.txt'].sort(),
    ]);
    const folder = join(temporaryFolder(), 'some.model_1');
    mkdirSync(folder);
    for (const [name, data] of Object.entries(files)) writeFileSync(join(folder, name), data);
    const local = await convertFromHub(folder);
    expect(readFileSync(path)).toEqual(readFileSync(local.path));

    const downloads = progress.filter(({ phase }) => phase === 'download');
    const total = Object.values(files).reduce((sum, { length }) => sum + length, 0);
    expect(new Set(downloads.map(({ file }) => file))).toEqual(new Set(Object.keys(files)));
    expect(downloads.at(-1)).toMatchObject({ bytesWritten: total, bytesTotal: total, tensor: '' });
    expect(progress.findIndex(({ phase }) => phase === 'read')).toBe(downloads.length);
  });

  it('with an adapter is fetched without any other weights, and merged into the base that it names', async () => {
    const model = adapterModel('roberta-masked');
    const folder = writeAdapter(model, writeBase(model));
    await start({ ...filesOf(folder), 'README.md': 'an adapter', 'training_args.bin': 'no weights' });
    const { path } = await convertFromHub();
    expect(new Set(hub.downloads)).toEqual(new Set(['adapter_config.json', 'adapter_model.safetensors']));
    const named = join(temporaryFolder(), 'some.model_1');
    renameSync(folder, named);
    expect(readFileSync(path)).toEqual(readFileSync((await convertFromHub(named)).path));
  });

  it('is the base of an adapter that names it, at the revision that this says', async () => {
    const model = adapterModel('roberta-masked');
    const base = writeBase(model);
    await start(filesOf(base), { revisions: ['main', 'v2'] });
    const folder = writeAdapter(model, ID, { config: { revision: 'v2' } });
    const { path } = await convertFromHub(folder);
    expect(existsSync(join(root, 'refs', 'v2'))).toBe(true);
    expect(readFileSync(path)).toEqual(readFileSync((await convertFromHub(folder, { base })).path));
  });

  it('with an adapter whose weights are missing is incomplete', async () => {
    const model = adapterModel('roberta-masked');
    const { 'adapter_config.json': config } = filesOf(writeAdapter(model, ID));
    await start({ 'adapter_config.json': config! });
    await expect(convertFromHub()).rejects.toMatchObject({
      code: 'checkpoint_not_found',
      message: expect.stringContaining('adapter_model.safetensors') as unknown,
    });
  });

  it('lies in the cache as Python would have put it there', async () => {
    const files = microFiles();
    await start(files, { revisions: ['main', 'refs/pr/1'] });
    await convertFromHub();
    await convertFromHub(ID, { revision: 'refs/pr/1' });
    const [config, weights] = [files['config.json']!, files['model.safetensors']!];
    expect(readdirSync(join(root, 'blobs')).sort()).toEqual(
      [gitHash(config), gitHash(files['vocab.txt']!), sha256(weights)].sort(),
    );
    const pointer = join(root, 'snapshots', COMMIT, 'model.safetensors');
    expect(lstatSync(pointer).isSymbolicLink()).toBe(true);
    expect(readlinkSync(pointer)).toBe(`../../blobs/${sha256(weights)}`);
    for (const name of ['main', 'refs/pr/1']) expect(readFileSync(join(root, 'refs', name), 'utf8')).toBe(COMMIT);
    expect(existsSync(join(root, '.no_exist', COMMIT, 'modules.json'))).toBe(true);
  });

  it('takes files that Python downloaded', async () => {
    const files = microFiles();
    await start(files);
    for (const [name, data] of Object.entries(files)) {
      const blob = name.endsWith('.safetensors') ? sha256(data) : gitHash(data);
      const pointer = join(root, 'snapshots', COMMIT, name);
      for (const path of [join(root, 'blobs', blob), pointer]) mkdirSync(dirname(path), { recursive: true });
      writeFileSync(join(root, 'blobs', blob), data);
      symlinkSync(`../../blobs/${blob}`, pointer);
    }
    await convertFromHub();
    expect(hub.downloads).toEqual([]);
  });

  it('is asked for its commit and its list again, and for no file', async () => {
    await start(microFiles());
    await convertFromHub();
    hub.requests.splice(0);
    await convertFromHub();
    expect(hub.requests.map(({ path }) => path.replace(COMMIT, 'C'))).toEqual([
      `/api/models/${ID}/revision/main`,
      `/api/models/${ID}/tree/C`,
    ]);
  });

  it.each([`${ID}@${COMMIT}`, ID])('pinned to a commit needs no connection the second time (%s)', async (source) => {
    await start(microFiles());
    const revision = source === ID ? COMMIT : undefined;
    const first = await convertFromHub(source, { revision });
    hub.requests.splice(0);
    const second = await convertFromHub(source, { revision });
    expect(second.sha256).toBe(first.sha256);
    expect(hub.requests).toEqual([]);
  });

  it('pinned to a commit of which the cache has a part is completed', async () => {
    await start(microFiles());
    const config = join(root, 'snapshots', COMMIT, 'config.json');
    mkdirSync(dirname(config), { recursive: true });
    writeFileSync(config, microFiles()['config.json']!);
    await convertFromHub(ID, { revision: COMMIT });
    expect(new Set(hub.downloads)).toEqual(new Set(['model.safetensors', 'vocab.txt']));
  });

  it('works offline from the cache, and says what is missing without it', async () => {
    await start(microFiles());
    const hubOptions = { offline: true };
    await expect(convertFromHub(ID, { hub: hubOptions })).rejects.toMatchObject({ code: 'hub_offline' });
    await convertFromHub();
    hub.requests.splice(0);
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    await convertFromHub();
    await expect(convertFromHub(ID, { revision: 'other' })).rejects.toMatchObject({ code: 'hub_offline' });
    expect(hub.requests).toEqual([]);
  });

  it('is found in shards, in pages of the listing, and in the folder that modules.json names', async () => {
    const files = microFiles();
    const module = { idx: 0, name: '0', path: '0_Transformer', type: 'sentence_transformers.models.Transformer' };
    const moved = Object.entries(files).map(([name, data]) => [`0_Transformer/${name}`, data] as const);
    const map = Object.fromEntries(
      Object.keys(JSON.parse(safetensorsHeader(files['model.safetensors']!)) as object).map((name) => [
        name,
        'a.safetensors',
      ]),
    );
    const { '0_Transformer/model.safetensors': weights, ...rest } = Object.fromEntries(moved);
    await start({
      ...rest,
      'modules.json': JSON.stringify([module]),
      'config_sentence_transformers.json': JSON.stringify({
        model_type: 'CrossEncoder',
        activation_fn: 'torch.nn.modules.linear.Identity',
      }),
      '0_Transformer/sentence_bert_config.json': JSON.stringify({ max_seq_length: 9 }),
      '0_Transformer/a.safetensors': weights!,
      '0_Transformer/model.safetensors.index.json': JSON.stringify({ weight_map: map }),
      '0_Transformer/unused.safetensors': weights!,
    });
    hub.pageSize = 1;
    const { path } = await convertFromHub();
    const { metadata } = await readGgufHead(path);
    expect(metadata.get('ggml_encoder.max_length')?.value).toBe(9);
    expect(metadata.get('ggml_encoder.activation_fn')?.value).toBe('identity');
    expect(metadata.get('general.name')?.value).toBe('some.model_1');
    expect(hub.downloads).not.toContain('unused.safetensors');
    expect(readlinkSync(join(root, 'snapshots', COMMIT, '0_Transformer/a.safetensors'))).toMatch(
      /^\.\.\/\.\.\/\.\.\/blobs\//,
    );
    hub.requests.splice(0);
    await convertFromHub(ID, { revision: COMMIT });
    expect(hub.requests).toEqual([]);
  });

  it.each([
    ['pylate-bert', 'model.safetensors'],
    ['native-distilbert', 'model.safetensors'],
    ['stanford-bert', 'artifact.metadata'],
  ])('of late interaction comes with what its vectors are made by: %s', async (name, file) => {
    const folder = writeInteraction(interactionModel(name));
    await start({ ...filesOf(folder), 'colbert_linear.py': 'x', 'onnx/model.onnx': 'x' });
    const { sha256: ofHub } = await convertFromHub();
    expect(hub.downloads).toContain(file);
    expect(hub.downloads).not.toContain('model.onnx');
    const named = join(temporaryFolder(), 'some.model_1');
    renameSync(folder, named);
    const output = join(temporaryFolder(), 'out.gguf');
    expect((await convert(named, { output })).sha256).toBe(ofHub);
  });

  it('for transformers.js alone comes with what its weights lie in', async () => {
    const folder = formatCheckpoint('bert', {
      'onnx/model.onnx': 'model.beside.onnx',
      'onnx/model.onnx_data': 'model.onnx_data',
      'onnx/model_quantized.onnx': Buffer.from('x'),
    });
    await start(filesOf(folder));
    const { sha256 } = await convertFromHub();
    expect(hub.downloads).toContain('model.onnx_data');
    expect(hub.downloads).not.toContain('model_quantized.onnx');
    const named = join(temporaryFolder(), 'some.model_1');
    renameSync(folder, named);
    expect((await convertFromHub(named)).sha256).toBe(sha256);
    await hub.stop();
    rmSync(join(named, 'onnx/model.onnx_data'));
    await start(filesOf(named));
    await expect(convertFromHub()).rejects.toMatchObject({
      code: 'checkpoint_not_found',
      message: expect.stringMatching(/onnx\/model\.onnx_data.*has its weights there/) as unknown,
    });
  });

  it('with rounded weights for transformers.js alone is refused with what to use in its place', async () => {
    await start({ 'config.json': '{}', 'onnx/model_quantized.onnx': 'x' });
    await expect(convertFromHub()).rejects.toThrow(/no weights but onnx\/model_quantized\.onnx .*exported from/);
    expect(hub.downloads).not.toContain('onnx/model_quantized.onnx');
  });

  it('is a language model whose LogitScore and chat template lie in files of their own', async () => {
    const model = causalModel('qwen3-saved');
    const folder = writeCausal(model);
    await start(filesOf(folder));
    const { path } = await convertFromHub();
    const { metadata } = await readGgufHead(path);
    expect(metadata.get('ggml_encoder.source_class')?.value).toBe('Qwen3ForCausalLM');
    expect(metadata.get('ggml_encoder.chat_template.slots')?.value).toEqual(['query', 'document']);
    expect(metadata.get('ggml_encoder.chat_template.prompted_slots')?.value).toEqual(['prompt', 'query', 'document']);
    hub.requests.splice(0);
    await convertFromHub(ID, { revision: COMMIT });
    expect(hub.requests).toEqual([]);
  });

  it('is an encoder whose head lies in folders of modules', async () => {
    const folder = writeModuleHead(moduleHeadModel('modernbert-ettin'));
    await start(filesOf(folder));
    const { path } = await convertFromHub();
    const { metadata, tensors } = await readGgufHead(path);
    expect(metadata.get('ggml_encoder.source_class')?.value).toBe('ModernBertModel');
    expect(tensors.map(({ name }) => name)).toEqual(expect.arrayContaining(['cls.weight', 'cls.norm.bias']));
    hub.requests.splice(0);
    await convertFromHub(ID, { revision: COMMIT });
    expect(hub.requests).toEqual([]);
    const cached = readlinkSync(join(root, 'snapshots', COMMIT, '2_Dense/config.json'));
    expect(cached).toMatch(/^\.\.\/\.\.\/\.\.\/blobs\//);
  });

  it('is a SetFit model, whose module of no files the listing lacks', async () => {
    const folder = writeSetFit('bert-binary');
    await start(filesOf(folder));
    const { path } = await convertFromHub();
    const { metadata, tensors } = await readGgufHead(path);
    expect(metadata.get('ggml_encoder.source_class')?.value).toBe('SetFitModel');
    expect(metadata.get('ggml_encoder.head.norm_kind')?.value).toBe('rms');
    expect(metadata.get('bert.classifier.output_labels')?.value).toEqual(['negative', 'positive']);
    expect(tensors.map(({ name }) => name)).toContain('cls.norm.weight');
  });

  it('whose head has no weights is refused before anything large is fetched', async () => {
    const folder = writeModuleHead(moduleHeadModel('modernbert-ettin'));
    rmSync(join(folder, '2_Dense/model.safetensors'));
    await start(filesOf(folder));
    const attempt = convertFromHub();
    await expect(attempt).rejects.toMatchObject({ code: 'checkpoint_not_found' });
    expect(hub.downloads).toEqual(['modules.json']);
  });

  it('without weights or config is refused before anything large is fetched', async () => {
    await start({ 'config.json': '{}', 'model.gguf': 'x' });
    await expect(convertFromHub()).rejects.toMatchObject({ code: 'checkpoint_not_found' });
    await hub.stop();
    await start({ 'model.safetensors': 'x' });
    await expect(convertFromHub()).rejects.toMatchObject({ code: 'checkpoint_not_found' });
    expect(hub.downloads).toEqual([]);
  });

  it('of which the cache has a part is refused offline by what is missing', async () => {
    const files = microFiles();
    await start(files);
    await convertFromHub();
    rmSync(join(root, 'snapshots', COMMIT, 'model.safetensors'));
    const attempt = convertFromHub(ID, { hub: { offline: true } });
    await expect(attempt).rejects.toMatchObject({ code: 'hub_offline' });
    await expect(attempt).rejects.toThrow('has no weights');
  });

  it('with a tokenizer.json is not asked for the files that it replaces', async () => {
    const tokenizer = readFileSync(join(__dirname, '../fixtures/sentence-transformers/labels-1/tokenizer.json'));
    await start({ ...microFiles(), 'tokenizer.json': tokenizer, 'spiece.model': 'x', 'vocab.json': '{}' });
    await convertFromHub().catch(() => undefined);
    expect(hub.downloads).toContain('tokenizer.json');
    for (const name of ['vocab.txt', 'vocab.json', 'spiece.model']) expect(hub.downloads).not.toContain(name);
  });

  it('with a tokenizer.json and bpe.codes is asked for the vocabulary of both', async () => {
    const tokenizer = readFileSync(join(__dirname, '../fixtures/sentence-transformers/labels-1/tokenizer.json'));
    await start({ ...microFiles(), 'tokenizer.json': tokenizer, 'bpe.codes': 'a b 1\n', 'merges.txt': 'a b\n' });
    await convertFromHub().catch(() => undefined);
    for (const name of ['tokenizer.json', 'bpe.codes', 'vocab.txt']) expect(hub.downloads).toContain(name);
    expect(hub.downloads).not.toContain('merges.txt');
  });

  it('with a SentencePiece model and no tokenizer.json is converted with it', async () => {
    const { 'vocab.txt': _, ...files } = microFiles({ config: { model_type: 'bert' } });
    const model = sentencePieceFile({
      pieces: ['<pad>', '<unk>', '[CLS]', '[SEP]'].map((text) => piece(text, 0, text === '<unk>' ? 2 : 3)),
      trainer: [integerField(40, 1)],
    });
    const settings = JSON.stringify({ tokenizer_class: 'AlbertTokenizer' });
    await start({ ...files, 'spiece.model': model, 'tokenizer_config.json': settings });
    const { path } = await convertFromHub();
    expect(hub.downloads).toContain('spiece.model');
    const { metadata } = await readGgufHead(path);
    expect(String(metadata.get('tokenizer.huggingface.json')?.value)).toContain('"Unigram"');
  });

  it('with a SentencePiece model that its class does not read is told what to set', async () => {
    const { 'vocab.txt': _, ...files } = microFiles({ config: { model_type: 'bert' } });
    await start({ ...files, 'spiece.model': 'x' });
    const attempt = convertFromHub();
    await expect(attempt).rejects.toMatchObject({ code: 'tokenizer_missing' });
    await expect(attempt).rejects.toThrow('set tokenizer_class');
  });

  it('two downloads at once do not disturb each other', async () => {
    await start(microFiles());
    const [a, b] = await Promise.all([convertFromHub(), convertFromHub()]);
    expect(a.sha256).toBe(b.sha256);
    expect(readdirSync(join(root, 'blobs'))).toHaveLength(3);
  });
});

describe('a local path', () => {
  it('wins over a repository of that name', async () => {
    await start(microFiles());
    const folder = temporaryFolder();
    const place = join(folder, ID);
    mkdirSync(dirname(place));
    symlinkSync(writeMicro(), place);
    const before = process.cwd();
    process.chdir(folder);
    try {
      await convertFromHub();
      await expect(convertFromHub(ID, { revision: 'main' })).rejects.toThrow(RangeError);
    } finally {
      process.chdir(before);
    }
    expect(hub.requests).toEqual([]);
  });

  it.each([
    './a/b',
    'a/b/c',
    'a',
    '/a/b',
    'a/b.gguf',
    '../b',
    'a/..',
    'a--b/c',
    'a/-b',
    'a/b.',
    'a b/c',
    'models/x.json',
  ])('%s is never a repository', async (source) => {
    await start({});
    expect(parseRepository(source)).toBeUndefined();
    await expect(convertFromHub(source)).rejects.toMatchObject({ code: 'checkpoint_not_found' });
    expect(hub.requests).toEqual([]);
  });
});

describe('names and revisions', () => {
  beforeEach(async () => {
    await start({});
  });

  it('are told apart', () => {
    expect(parseRepository('a/b')).toEqual({ owner: 'a', name: 'b', revision: 'main' });
    expect(parseRepository('a/b@v1.0')).toEqual({ owner: 'a', name: 'b', revision: 'v1.0' });
    expect(parseRepository('a/b@refs/pr/3')).toMatchObject({ revision: 'refs/pr/3' });
    expect(parseRepository('a/b', 'x')).toMatchObject({ revision: 'x' });
    expect(parseRepository('a/b@x', 'x')).toMatchObject({ revision: 'x' });
    expect(() => parseRepository('a/b@x', 'y')).toThrow(RangeError);
  });

  it.each(['', '..', 'a/../b', '/a', 'a/', '-x', 'a b', 'a\0', 'x'.repeat(201), 'a\\b', '.git'])(
    'the revision %j is refused',
    (revision) => {
      expect(() => parseRepository('a/b', revision)).toThrow(RangeError);
    },
  );

  it('wrong options are told by name', async () => {
    const wrong = (options: object) => convertFromHub(ID, options as Partial<ConvertOptions>);
    await expect(wrong({ revision: 1 })).rejects.toThrow(TypeError);
    await expect(wrong({ hub: [] })).rejects.toThrow('options.hub');
    await expect(wrong({ hub: { tokn: 'x' } })).rejects.toThrow('options.hub.tokn');
    await expect(wrong({ hub: { offline: 'yes' } })).rejects.toThrow('options.hub.offline');
    await expect(wrong({ hub: { token: true } })).rejects.toThrow(
      'options.hub.token: expected a string, or false for none',
    );
    expect(hub.requests).toEqual([]);
  });
});

describe('settings', () => {
  beforeEach(async () => {
    await start({});
  });
  const resolve = (environment: Record<string, string>, options = {}) => resolveHubSettings(options, environment);

  it('find the cache like huggingface_hub', async () => {
    const cache = async (environment: Record<string, string>) => (await resolve(environment)).cacheDir;
    expect(await cache({ HF_HUB_CACHE: '/a', HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c' })).toBe('/a');
    expect(await cache({ HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c' })).toBe('/b');
    expect(await cache({ HF_HOME: '/c' })).toBe('/c/hub');
    expect(await cache({ XDG_CACHE_HOME: '/d' })).toBe('/d/huggingface/hub');
    vi.stubEnv('HOME', '/home/x');
    expect(await cache({})).toBe('/home/x/.cache/huggingface/hub');
    expect(await cache({ HF_HOME: '~/hf' })).toBe('/home/x/hf/hub');
    expect((await resolve({ HF_HOME: '/c' }, { cacheDir: '/e' })).cacheDir).toBe('/e');
  });

  it('find the token like huggingface_hub', async () => {
    const token = async (environment: Record<string, string>, options = {}) =>
      (await resolve(environment, options)).token;
    expect(await token({ HF_HOME: home })).toBeUndefined();
    writeFileSync(join(home, 'token'), 'hf_stored\n');
    expect(await token({ HF_HOME: home })).toBe('hf_stored');
    expect(await token({ HF_HOME: home, HF_TOKEN: ' hf_variable\n' })).toBe('hf_variable');
    expect(await token({ HF_HOME: home, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' })).toBeUndefined();
    expect(await token({ HF_HOME: home }, { token: false })).toBeUndefined();
    expect(await token({ HF_HOME: home }, { token: 'other' })).toBe('other');
    writeFileSync(join(home, 'elsewhere'), 'hf_elsewhere');
    expect(await token({ HF_HOME: home, HF_TOKEN_PATH: join(home, 'elsewhere') })).toBe('hf_elsewhere');
    const bad = token({ HF_HOME: home, HF_TOKEN: 'hf_two words' });
    await expect(bad).rejects.toMatchObject({ code: 'hub_unauthorized' });
    await expect(bad).rejects.not.toThrow('two words');
  });

  it.each(['', 'x', 'ftp://a', 'https://user:pass@a', 'https://a?b=c'])('refuse the address %j', async (endpoint) => {
    const settings = resolve({ HF_HOME: home }, { endpoint });
    await expect(settings).rejects.toMatchObject({ code: 'hub_unreachable' });
  });
});

function safetensorsHeader(bytes: Buffer): string {
  return bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE(0)));
}
