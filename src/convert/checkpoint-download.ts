/** Which files of a repository a conversion reads: those are fetched, and the weights in the first format that it has. */
import { join, posix } from 'node:path';

import { isEncoderError } from '../errors';
import type { Repository } from '../hub/repository';
import { type HubOptions, resolveHubSettings } from '../hub/settings';
import {
  type DownloadProgress,
  type FileRequest,
  type Snapshot,
  type SnapshotResult,
  withSnapshot,
} from '../hub/snapshot';
import { decodeUtf8, parseJson } from '../support/json';
import { type Limits, limitExceeded } from '../support/limits';
import { SourceFile } from '../support/source-file';
import { ADAPTER_CONFIG } from './adapter/adapter-config';
import { CHAT_TEMPLATE, COLBERT_SETTINGS, SENTENCEPIECE_MODELS, SUBWORD_CODES } from './checkpoint';
import { onnxDataFiles } from './readers/onnx-weights';
import { readShardIndex } from './readers/sharded';
import { SETFIT_CONFIG, SETFIT_HEAD } from './sentence-transformers/setfit-head';
import {
  MODEL_SETTINGS,
  MODULES,
  TRANSFORMER_SETTINGS,
  listModules,
  moduleFolders,
} from './sentence-transformers/modules';
import {
  ADAPTER_FORMATS,
  ONNX_FILES,
  OTHER_WEIGHTS,
  WEIGHT_FORMATS,
  WEIGHT_NAMES,
  weightsAdvice,
} from './weight-formats';

export interface DownloadOptions {
  readonly hub?: HubOptions | undefined;
  readonly limits: Limits;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

const TOKENIZER_FILES = ['tokenizer_config.json', 'added_tokens.json'];
/** What stands in for tokenizer.json. */
const VOCABULARY_FILES = ['vocab.txt', 'vocab.json', 'merges.txt', ...SENTENCEPIECE_MODELS];
const SETTINGS_FILES = ['special_tokens_map.json', TRANSFORMER_SETTINGS, CHAT_TEMPLATE];

/** The folder in the cache that holds what a conversion of `repository` reads. Throws `hub_*` codes and `limit_exceeded`. */
export async function downloadCheckpoint(repository: Repository, options: DownloadOptions): Promise<SnapshotResult> {
  const { limits, signal, onProgress, hub } = options;
  const settings = await resolveHubSettings(hub);
  return withSnapshot(repository, settings, { limits, signal, onProgress }, async (snapshot) => {
    await fetchCheckpoint(snapshot, limits);
    return snapshot.folder;
  });
}

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
    const hasSetFitHead = await want(SETFIT_HEAD, 'pickleBytes');
    if (hasSetFitHead) await want(SETFIT_CONFIG, 'configBytes');
    const json = await fetchJson(snapshot, MODULES, 'configBytes', limits);
    const folders = moduleFolders(json, MODULES, hasSetFitHead);
    prefix = folders.transformer === '' ? '' : `${folders.transformer}/`;
    modules.push(...listModules(folders));
  }
  for (const { folder, isOptional } of modules) {
    const path = `${folder}/config.json`;
    // Git keeps no empty folder, so that one without settings is not there to be listed.
    if (!isOptional || (await hasInFolder(snapshot, path))) await want(path, 'configBytes');
  }
  const adapter = await adapterFile(snapshot, prefix);
  if (!(await want(`${prefix}config.json`, 'configBytes')) && adapter === undefined) {
    throw snapshot.missing(
      `${prefix}config.json`,
      'it is no transformers checkpoint; a GGUF file is loaded by its path',
    );
  }
  await want(MODEL_SETTINGS, 'configBytes');
  await want(COLBERT_SETTINGS, 'configBytes');
  for (const name of SETTINGS_FILES) await want(prefix + name, 'configBytes');
  for (const name of TOKENIZER_FILES) await want(prefix + name, 'tokenizerBytes');
  const isWhole = await want(`${prefix}tokenizer.json`, 'tokenizerBytes');
  const hasCodes = await want(prefix + SUBWORD_CODES, 'tokenizerBytes');
  const vocabulary = isWhole ? (hasCodes ? ['vocab.txt'] : []) : VOCABULARY_FILES;
  for (const name of vocabulary) await want(prefix + name, 'tokenizerBytes');
  if (adapter !== undefined) {
    await want(prefix + ADAPTER_CONFIG, 'configBytes');
    await want(prefix + adapter, 'downloadBytes');
    return snapshot.fetch(requests);
  }
  const weighty = modules.filter(({ hasWeights }) => hasWeights).map(({ folder }) => `${folder}/`);
  for (const place of [prefix, ...weighty]) {
    for (const path of await weightFiles(snapshot, place, limits)) requests.push({ path, limit: 'downloadBytes' });
  }
  await snapshot.fetch(requests);
}

/** The adapter's weights, in a repository that has them and none of a whole model. */
async function adapterFile(snapshot: Snapshot, prefix: string): Promise<string | undefined> {
  if (!(await snapshot.has(prefix + ADAPTER_CONFIG))) return undefined;
  for (const { single, index } of WEIGHT_FORMATS) {
    if ((await snapshot.has(prefix + single)) || (await snapshot.has(prefix + index))) return undefined;
  }
  for (const { single } of ADAPTER_FORMATS) if (await snapshot.has(prefix + single)) return single;
  const names = ADAPTER_FORMATS.map(({ single }) => single).join(', ');
  throw snapshot.missing(`weights of its adapter (none of ${names})`, 'the upload is not complete');
}

async function weightFiles(snapshot: Snapshot, prefix: string, limits: Limits): Promise<string[]> {
  for (const { single, index, extension } of WEIGHT_FORMATS) {
    if (await snapshot.has(prefix + single)) return [prefix + single];
    if (!(await snapshot.has(prefix + index))) continue;
    const path = prefix + index;
    const shards = readShardIndex(await fetchJson(snapshot, path, 'indexBytes', limits), path, extension, limits);
    for (const shard of shards) {
      if (await snapshot.has(prefix + shard)) continue;
      throw snapshot.missing(prefix + shard, `${path} names it; the upload is not complete`);
    }
    return [path, ...shards.map((shard) => prefix + shard)];
  }
  for (const name of ONNX_FILES) {
    if (await hasInFolder(snapshot, prefix + name)) return onnxFiles(snapshot, prefix + name, limits);
  }
  for (const name of OTHER_WEIGHTS) {
    if (await hasInFolder(snapshot, prefix + name)) {
      throw snapshot.missing(`weights but ${name} (none of ${WEIGHT_NAMES})`, weightsAdvice(name));
    }
  }
  throw snapshot.missing(`weights (none of ${WEIGHT_NAMES}, nor an index of shards)`, weightsAdvice());
}

/** An ONNX file, and those beside it that its weights lie in. */
async function onnxFiles(snapshot: Snapshot, path: string, limits: Limits): Promise<string[]> {
  await snapshot.fetch([{ path, limit: 'downloadBytes' }]);
  const names = await withFile(snapshot, path, (file) => onnxDataFiles(file, limits));
  const beside = names.map((name) => posix.join(posix.dirname(path), name));
  for (const file of beside) {
    if (!(await snapshot.has(file))) {
      throw snapshot.missing(file, `${path} has its weights there; the upload is not complete`);
    }
  }
  return [path, ...beside];
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
  return withFile(snapshot, path, async (file) => {
    if (file.sizeBytes > limits[limit]) throw limitExceeded(limits, limit, `${path} has ${file.sizeBytes} bytes`);
    return parseJson(decodeUtf8(await file.read(0, file.sizeBytes), path), { what: path });
  });
}

/** Hands a file that was fetched to `use` and closes it. */
async function withFile<T>(snapshot: Snapshot, path: string, use: (file: SourceFile) => Promise<T>): Promise<T> {
  const file = await SourceFile.open(join(snapshot.folder, path), 'checkpoint_not_found');
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
