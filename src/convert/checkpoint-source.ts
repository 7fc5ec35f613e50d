/** What a caller names as a checkpoint: a folder of this machine or, where there is none, a repository on the Hub. */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { EncoderError, isEncoderError } from '../errors';
import { type Repository, checkRevision, parseRepository } from '../hub/repository';
import { HUB_KEYS, type HubOptions, resolveHubSettings } from '../hub/settings';
import { type DownloadProgress, type FileRequest, type Snapshot, withSnapshot } from '../hub/snapshot';
import { checkBoolean, checkOptions, checkString, wrongValue } from '../support/arguments';
import { decodeUtf8, parseJson } from '../support/json';
import { type Limits, limitExceeded } from '../support/limits';
import { SourceFile } from '../support/source-file';
import { ADAPTER_CONFIG, readAdapterConfig } from './adapter/adapter-config';
import { CHAT_TEMPLATE, Checkpoint, SENTENCEPIECE_MODELS } from './checkpoint';
import { readShardIndex } from './readers/sharded';
import { MODEL_SETTINGS, MODULES, TRANSFORMER_SETTINGS, listModules, moduleFolders } from './sentence-transformers';
import type { SourcePaths } from './source';
import { ADAPTER_FORMATS, OTHER_WEIGHTS, WEIGHT_FORMATS, WEIGHT_NAMES, weightsAdvice } from './weight-formats';

export interface SourceOptions {
  readonly revision?: string | undefined;
  readonly hub?: HubOptions | undefined;
  /** What an adapter changes, in place of the base that its configuration names. */
  readonly base?: string | undefined;
  readonly limits: Limits;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

export interface CheckpointSource extends SourcePaths {
  readonly warnings: readonly string[];
}

type FoundFolder = Pick<CheckpointSource, 'folder' | 'warnings'>;

const TOKENIZER_FILES = ['tokenizer_config.json', 'added_tokens.json'];
/** What stands in for tokenizer.json. */
const VOCABULARY_FILES = ['vocab.txt', 'vocab.json', 'merges.txt', ...SENTENCEPIECE_MODELS];
const SETTINGS_FILES = ['special_tokens_map.json', TRANSFORMER_SETTINGS, CHAT_TEMPLATE];

/**
 * The folder that `source` stands for. A path that exists wins over the Hub; what is neither a path nor spelt like
 * `owner/name` is given back as it is, for the caller to refuse. Throws `hub_*` codes and those of the download.
 */
export async function resolveCheckpoint(source: string, options: SourceOptions): Promise<CheckpointSource> {
  const found = await resolveFolder(source, options);
  const adapter = await readAdapter(found.folder, options.limits);
  if (adapter === undefined) {
    if (options.base === undefined) return { ...found, base: undefined };
    throw wrongValue(`options.base: only a LoRA adapter has a base, and ${source} holds no ${ADAPTER_CONFIG}`);
  }
  const name = options.base ?? adapter.base;
  if (name === undefined) {
    throw new EncoderError(
      'checkpoint_malformed',
      `${found.folder}/${ADAPTER_CONFIG} does not name the base that the adapter changes; name it with base`,
    );
  }
  const revision = options.base === undefined ? adapter.baseRevision : undefined;
  const base = await resolveBase(name, { ...options, revision }, found.folder);
  return { folder: found.folder, base: base.folder, warnings: [...found.warnings, ...base.warnings] };
}

/** The folder of the base `name`, which is read from beside the adapter's configuration or given by the caller. */
async function resolveBase(name: string, options: SourceOptions, adapter: string): Promise<FoundFolder> {
  const base = await resolveFolder(name, options);
  const reason = (await isFolder(base.folder))
    ? (await readAdapter(base.folder, options.limits)) && `its base ${name} is an adapter itself`
    : `its base ${JSON.stringify(name)} is neither a folder nor owner/name on the Hub`;
  if (reason === undefined) return base;
  throw new EncoderError(
    'checkpoint_not_found',
    `${adapter} holds a LoRA adapter, and ${reason}; name another with base`,
  );
}

/** Undefined where `folder` holds no adapter, or is no folder. */
async function readAdapter(folder: string, limits: Limits) {
  if (!(await isFolder(folder))) return undefined;
  const checkpoint = await Checkpoint.open(folder, limits);
  try {
    const config = await checkpoint.adapterConfig();
    return config && readAdapterConfig(config);
  } finally {
    await checkpoint.close();
  }
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

async function resolveFolder(source: string, options: SourceOptions): Promise<FoundFolder> {
  const path = resolve(source);
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  const repository = exists ? undefined : parseRepository(source, options.revision);
  if (repository !== undefined) return downloadCheckpoint(repository, options);
  if (options.revision !== undefined) {
    throw wrongValue(`options.revision: only a repository on the Hub has revisions, ${source} is none`);
  }
  return { folder: path, warnings: [] };
}

/** Throws TypeError or RangeError for wrong options of the Hub. */
export function checkHubOptions(revision: unknown, hub: unknown): void {
  if (revision !== undefined) checkRevision(checkString('options.revision', revision));
  if (hub === undefined) return;
  checkOptions(hub, HUB_KEYS, 'options.hub');
  const { endpoint, token, cacheDir, offline } = hub as { readonly [Key in keyof HubOptions]: unknown };
  if (endpoint !== undefined) checkString('options.hub.endpoint', endpoint);
  if (token !== undefined && token !== false) checkString('options.hub.token', token);
  if (cacheDir !== undefined) checkString('options.hub.cacheDir', cacheDir);
  if (offline !== undefined) checkBoolean('options.hub.offline', offline);
}

async function downloadCheckpoint(repository: Repository, options: SourceOptions): Promise<FoundFolder> {
  const { limits, signal, onProgress, hub } = options;
  const settings = await resolveHubSettings(hub);
  return withSnapshot(repository, settings, { limits, signal, onProgress }, async (snapshot) => {
    await fetchCheckpoint(snapshot, limits);
    return snapshot.folder;
  });
}

/** Fetches what a conversion reads, and the weights in one format only: the first that the repository has. */
async function fetchCheckpoint(snapshot: Snapshot, limits: Limits): Promise<void> {
  const requests: FileRequest[] = [];
  const want = async (path: string, limit: keyof Limits): Promise<boolean> => {
    const found = await snapshot.has(path);
    if (found) requests.push({ path, limit });
    return found;
  };
  let prefix = '';
  const modules: ReturnType<typeof listModules> = [];
  if (await want(MODULES, 'configBytes')) {
    const folders = moduleFolders(await fetchJson(snapshot, MODULES, 'configBytes', limits), MODULES);
    prefix = folders.transformer === '' ? '' : `${folders.transformer}/`;
    modules.push(...listModules(folders));
  }
  for (const { folder } of modules) await want(`${folder}/config.json`, 'configBytes');
  const adapter = await adapterFile(snapshot);
  if (!(await want(`${prefix}config.json`, 'configBytes')) && adapter === undefined) {
    throw snapshot.missing(
      `${prefix}config.json`,
      'it is no transformers checkpoint; a GGUF file is loaded by its path',
    );
  }
  await want(MODEL_SETTINGS, 'configBytes');
  for (const name of SETTINGS_FILES) await want(prefix + name, 'configBytes');
  for (const name of TOKENIZER_FILES) await want(prefix + name, 'tokenizerBytes');
  if (!(await want(`${prefix}tokenizer.json`, 'tokenizerBytes'))) {
    for (const name of VOCABULARY_FILES) await want(prefix + name, 'tokenizerBytes');
  }
  if (adapter !== undefined) {
    await want(ADAPTER_CONFIG, 'configBytes');
    await want(adapter, 'downloadBytes');
    return snapshot.fetch(requests);
  }
  const weighty = modules.filter(({ hasWeights }) => hasWeights).map(({ folder }) => `${folder}/`);
  for (const place of [prefix, ...weighty]) {
    for (const path of await weightFiles(snapshot, place, limits)) requests.push({ path, limit: 'downloadBytes' });
  }
  await snapshot.fetch(requests);
}

/** The adapter's weights, in a repository that has them and none of a whole model. */
async function adapterFile(snapshot: Snapshot): Promise<string | undefined> {
  if (!(await snapshot.has(ADAPTER_CONFIG))) return undefined;
  for (const { single, index } of WEIGHT_FORMATS) {
    if ((await snapshot.has(single)) || (index !== undefined && (await snapshot.has(index)))) return undefined;
  }
  for (const { single } of ADAPTER_FORMATS) if (await snapshot.has(single)) return single;
  const names = ADAPTER_FORMATS.map(({ single }) => single).join(', ');
  throw snapshot.missing(`weights of its adapter (none of ${names})`, 'the upload is not complete');
}

async function weightFiles(snapshot: Snapshot, prefix: string, limits: Limits): Promise<string[]> {
  for (const { single, index, extension } of WEIGHT_FORMATS) {
    if (await snapshot.has(prefix + single)) return [prefix + single];
    if (index === undefined || !(await snapshot.has(prefix + index))) continue;
    const path = prefix + index;
    const { shards } = readShardIndex(await fetchJson(snapshot, path, 'indexBytes', limits), path, extension, limits);
    for (const shard of shards) {
      if (await snapshot.has(prefix + shard)) continue;
      throw snapshot.missing(prefix + shard, `${path} names it; the upload is not complete`);
    }
    return [path, ...shards.map((shard) => prefix + shard)];
  }
  for (const name of OTHER_WEIGHTS) {
    if (await hasInFolder(snapshot, prefix + name)) {
      throw snapshot.missing(`weights but ${name} (none of ${WEIGHT_NAMES})`, weightsAdvice(name));
    }
  }
  throw snapshot.missing(`weights (none of ${WEIGHT_NAMES}, nor an index of shards)`, weightsAdvice());
}

/** For a file whose folder may be missing too, which the Hub then refuses to list. */
async function hasInFolder(snapshot: Snapshot, path: string): Promise<boolean> {
  return snapshot.has(path).catch((error: unknown) => {
    if (isEncoderError(error, 'hub_not_found')) return false;
    throw error;
  });
}

async function fetchJson(snapshot: Snapshot, path: string, limit: keyof Limits, limits: Limits) {
  await snapshot.fetch([{ path, limit }]);
  const file = await SourceFile.open(join(snapshot.folder, path), 'checkpoint_not_found');
  try {
    if (file.sizeBytes > limits[limit]) throw limitExceeded(limits, limit, `${path} has ${file.sizeBytes} bytes`);
    return parseJson(decodeUtf8(await file.read(0, file.sizeBytes), path), { what: path });
  } finally {
    await file.close();
  }
}
