/** What a caller names as a checkpoint: a folder of this machine or, where there is none, a repository on the Hub. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';

import { EncoderError } from '../errors';
import { parseRepository } from '../hub/repository';
import { wrongValue } from '../support/arguments';
import type { Limits } from '../support/limits';
import { isFolder } from '../support/make-folder';
import { ADAPTER_CONFIG, readAdapterConfig } from './adapter/adapter-config';
import { Checkpoint } from './checkpoint';
import { type DownloadOptions, downloadCheckpoint } from './checkpoint-download';
import type { SourcePaths } from './source';

export interface SourceOptions extends DownloadOptions {
  readonly revision?: string | undefined;
  /** What an adapter changes, in place of the base that its configuration names. */
  readonly base?: string | undefined;
}

export interface CheckpointSource extends SourcePaths {
  readonly warnings: readonly string[];
}

type FoundFolder = Pick<CheckpointSource, 'folder' | 'warnings'>;

/**
 * The folder that `source` stands for, and that of its base where it is an adapter. A path that exists wins over the Hub;
 * what is neither a path nor spelt like `owner/name` is given back as it is, for the caller to refuse. Throws `hub_*` codes
 * and those of the download, and for an adapter those of its configuration.
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
  const isGiven = options.base !== undefined || (await isFolder(resolve(name)));
  const revision = isGiven ? undefined : adapter.baseRevision;
  const base = await resolveBase(name, { ...options, revision }, found.folder);
  return { folder: found.folder, base: base.folder, warnings: [...found.warnings, ...base.warnings] };
}

/** The folder of the base `name` of the adapter in the folder `adapter`. */
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
