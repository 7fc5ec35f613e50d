/**
 * A commit of a repository as a folder in the cache. Who needs files asks which there are and has them fetched; a commit
 * whose files are all there, or known to be absent, is answered from the cache without a connection.
 */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

import { EncoderError, isEncoderError } from '../errors';
import { type Limits, limitExceeded } from '../support/limits';
import { CacheLayout } from './cache-layout';
import { HubClient, type HubFile } from './client';
import { downloadBlob } from './download';
import { HubHttp } from './http';
import { type Repository, describeRepository, isCommit } from './repository';
import type { HubSettings } from './settings';

export interface DownloadProgress {
  /** File under way, '' at the start. */
  readonly file: string;
  readonly bytesReceived: number;
  readonly bytesTotal: number;
}

export interface SnapshotOptions {
  readonly limits: Limits;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/** A file to fetch, and the limit that its size is held to. */
export interface FileRequest {
  readonly path: string;
  readonly limit: keyof Limits;
}

export interface Snapshot {
  /** Absolute path; files are in it once they were fetched. */
  readonly folder: string;
  /** True when the commit has a file at `path`, parts joined by slashes. */
  has(path: string): Promise<boolean>;
  /** Sees to it that the files are in the folder. Each must be one that `has` confirmed. */
  fetch(requests: readonly FileRequest[]): Promise<void>;
  /** The error for something that `has` did not find and that cannot be done without; `advice` is for those online. */
  missing(what: string, advice: string): EncoderError;
}

export interface SnapshotResult {
  readonly folder: string;
  readonly warnings: readonly string[];
}

/**
 * Runs `choose` on the repository's commit: from the cache where that is enough, else with the Hub.
 *
 * Throws `hub_*` codes, `limit_exceeded`, `io_failed`, `aborted`, and what `choose` throws.
 */
export async function withSnapshot(
  repository: Repository,
  settings: HubSettings,
  options: SnapshotOptions,
  choose: (snapshot: Snapshot) => Promise<string>,
): Promise<SnapshotResult> {
  const layout = new CacheLayout(settings.cacheDir, repository);
  const what = describeRepository(repository);
  const cached = await layout.cachedCommit();
  if (settings.offline) {
    if (cached === undefined) throw notCached(what, settings.cacheDir);
    return { folder: await choose(new CachedSnapshot(layout, cached, false)), warnings: [] };
  }
  if (cached !== undefined && isCommit(repository.revision)) {
    const folder = await choose(new CachedSnapshot(layout, cached, true)).catch((error: unknown) => {
      if (error instanceof NotInCache) return undefined;
      throw error;
    });
    if (folder !== undefined) return { folder, warnings: [] };
  }
  const client = new HubClient(new HubHttp(settings, options.signal, what), repository);
  const found = await client.commit().catch((error: unknown) => {
    if (cached !== undefined && isEncoderError(error, 'hub_unreachable')) return error;
    throw error;
  });
  if (typeof found !== 'string') {
    // As Python does: a server that restarts while the Hub is down should not stay down with it.
    const warning = `${found.message}; the cached commit ${cached} is used`;
    return { folder: await choose(new CachedSnapshot(layout, cached!, false)), warnings: [warning] };
  }
  const folder = await choose(new OnlineSnapshot(client, layout, found, options));
  await layout.rememberCommit(found);
  return { folder, warnings: [] };
}

function notCached(what: string, cacheDir: string): EncoderError {
  return new EncoderError(
    'hub_offline',
    `${what} is not in the cache ${cacheDir}, and the Hub is switched off (HF_HUB_OFFLINE); download it once online`,
  );
}

/** The cache cannot tell whether the commit has a file. */
class NotInCache extends Error {}

class CachedSnapshot implements Snapshot {
  constructor(
    private readonly layout: CacheLayout,
    private readonly commit: string,
    /** Refuse to take a missing file for an absent one. */
    private readonly isStrict: boolean,
  ) {}

  get folder(): string {
    return this.layout.snapshot(this.commit);
  }

  async has(path: string): Promise<boolean> {
    if ((await this.layout.cachedBytes(this.commit, path)) !== undefined) return true;
    if (this.isStrict && !(await this.layout.isKnownAbsent(this.commit, path))) throw new NotInCache(path);
    return false;
  }

  async fetch(requests: readonly FileRequest[]): Promise<void> {
    for (const { path } of requests) {
      if ((await this.layout.cachedBytes(this.commit, path)) !== undefined) continue;
      if (this.isStrict) throw new NotInCache(path);
      throw this.missing(path);
    }
  }

  missing(what: string): EncoderError {
    return new EncoderError('hub_offline', `the cache ${this.folder} has no ${what}; download it once online`);
  }
}

class OnlineSnapshot implements Snapshot {
  private readonly listings = new Map<string, Map<string, HubFile>>();

  constructor(
    private readonly client: HubClient,
    private readonly layout: CacheLayout,
    private readonly commit: string,
    private readonly options: SnapshotOptions,
  ) {}

  get folder(): string {
    return this.layout.snapshot(this.commit);
  }

  async has(path: string): Promise<boolean> {
    if ((await this.find(path)) !== undefined) return true;
    await this.layout.rememberAbsent(this.commit, path);
    return false;
  }

  async fetch(requests: readonly FileRequest[]): Promise<void> {
    const missing: HubFile[] = [];
    let bytesTotal = 0;
    for (const { path, limit } of requests) {
      const file = await this.find(path);
      if (file === undefined) throw this.client.http.error('hub_not_found', `the repository has no file ${path}`);
      if (file.sizeBytes > this.options.limits[limit]) {
        throw limitExceeded(this.options.limits, limit, `${path} has ${file.sizeBytes} bytes on the Hub`);
      }
      // A snapshot belongs to a commit, so a file of the right size is the right file.
      if ((await this.layout.cachedBytes(this.commit, path)) === file.sizeBytes) continue;
      missing.push(file);
      bytesTotal += file.sizeBytes;
    }
    if (bytesTotal > this.options.limits.downloadBytes) {
      throw limitExceeded(this.options.limits, 'downloadBytes', `the files to download have ${bytesTotal} bytes`);
    }
    let before = 0;
    for (const file of missing) {
      await this.download(file, before, bytesTotal);
      before += file.sizeBytes;
    }
  }

  missing(what: string, advice: string): EncoderError {
    return this.client.http.error('checkpoint_not_found', `the repository has no ${what}; ${advice}`);
  }

  private async download(file: HubFile, before: number, bytesTotal: number): Promise<void> {
    const { http } = this.client;
    http.throwIfAborted();
    await this.layout.prepare(this.commit, file);
    const blob = this.layout.blob(file);
    if (!(await this.hasBlob(file))) {
      await this.requireSpace(blob, bytesTotal - before);
      const report = (received: number): void => {
        this.options.onProgress?.({ file: file.path, bytesReceived: before + received, bytesTotal });
      };
      report(0);
      await downloadBlob(this.client, this.commit, file, blob, report);
    }
    await this.layout.link(this.commit, file);
  }

  /** The same content is often there already, from another commit. */
  private async hasBlob(file: HubFile): Promise<boolean> {
    return (await this.layout.blobBytes(file)) === file.sizeBytes;
  }

  private async requireSpace(blob: string, sizeBytes: number): Promise<void> {
    const space = await statfs(dirname(blob)).catch(() => undefined);
    if (space === undefined || space.blocks === 0) return;
    const freeBytes = space.bavail * space.bsize;
    if (freeBytes >= sizeBytes) return;
    throw new EncoderError(
      'io_failed',
      `the download needs ${sizeBytes} bytes, but ${dirname(blob)} has ${freeBytes} free; set HF_HOME to another disk`,
    );
  }

  private async find(path: string): Promise<HubFile | undefined> {
    const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
    let listing = this.listings.get(folder);
    if (listing === undefined) {
      listing = await this.client.files(this.commit, folder);
      this.listings.set(folder, listing);
    }
    return listing.get(path);
  }
}
