/** What a repository holds, asked through the official client; it is loaded when the first repository is named. */
import type * as OfficialClient from '@huggingface/hub';

import { EncoderError } from '../errors';
import { messageOf } from '../support/error-message';
import type { HubHttp } from './http';
import type { Repository } from './repository';

/** One file of a repository, with the checksum that the Hub gives. */
export interface HubFile {
  /** From the root of the repository, parts joined by slashes. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Name in the cache, as Python's client chooses it: the checksum itself. */
  readonly etag: string;
  /** `sha256` of the content for large files, `git` for small ones: SHA-1 of git's blob header and the content. */
  readonly checksum: 'sha256' | 'git';
}

/** Checkpoints have a few dozen files; more entries than this in one folder are not looked at. */
const MAX_ENTRIES = 20_000;

export class HubClient {
  constructor(
    readonly http: HubHttp,
    private readonly repository: Repository,
  ) {}

  /** The commit that the revision stands for. */
  async commit(): Promise<string> {
    const { owner, name, revision } = this.repository;
    const { modelInfo } = await officialClient();
    const { sha } = await this.understood(
      modelInfo({
        name: `${owner}/${name}`,
        revision,
        additionalFields: ['sha'],
        hubUrl: this.http.settings.endpoint,
        fetch: this.http.api,
      }),
    );
    if (typeof sha === 'string' && /^[0-9a-f]{40}$/.test(sha)) return sha;
    throw this.http.error('hub_response_invalid', 'the Hub names no commit for the revision');
  }

  /** The files right in `folder` ('' for the root) at a commit, by path. A folder that is not there has none. */
  async files(commit: string, folder: string): Promise<Map<string, HubFile>> {
    const { owner, name } = this.repository;
    const { listFiles } = await officialClient();
    const entries = listFiles({
      repo: { type: 'model', name: `${owner}/${name}` },
      revision: commit,
      ...(folder === '' ? {} : { path: folder }),
      hubUrl: this.http.settings.endpoint,
      fetch: this.http.api,
    });
    const files = new Map<string, HubFile>();
    let count = 0;
    for (;;) {
      const { done, value } = await this.understood(entries.next());
      if (done) return files;
      if (++count > MAX_ENTRIES) {
        throw this.http.error('limit_exceeded', `the repository has more than ${MAX_ENTRIES} files in one folder`);
      }
      if (value?.type === 'file') files.set(value.path, this.describe(value));
    }
  }

  /** Address of a file at a commit. */
  address(commit: string, path: string): URL {
    const { owner, name } = this.repository;
    const place = [owner, name, 'resolve', commit, ...path.split('/')].map(encodeURIComponent).join('/');
    return new URL(`${this.http.settings.endpoint}/${place}`);
  }

  private describe(entry: {
    readonly path: string;
    readonly size: number;
    readonly oid?: string;
    readonly lfs?: { readonly oid: string; readonly size: number };
  }): HubFile {
    const { lfs } = entry;
    const [etag, checksum] = lfs === undefined ? ([entry.oid, 'git'] as const) : ([lfs.oid, 'sha256'] as const);
    const sizeBytes = lfs?.size ?? entry.size;
    const isHash = typeof etag === 'string' && (checksum === 'git' ? /^[0-9a-f]{40}$/ : /^[0-9a-f]{64}$/).test(etag);
    if (isHash && Number.isSafeInteger(sizeBytes) && sizeBytes >= 0) {
      return { path: entry.path, sizeBytes, etag, checksum };
    }
    throw this.http.error('hub_response_invalid', 'a file is listed without its size or checksum');
  }

  /** What the client itself throws is an answer that it could not read; errors of the transport have their code already. */
  private async understood<Result>(answer: Promise<Result>): Promise<Result> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof EncoderError) throw error;
      const reason = messageOf(error);
      throw this.http.error(
        'hub_response_invalid',
        `an answer of the Hub makes no sense (${reason.slice(0, 200)})`,
        error,
      );
    }
  }
}

async function officialClient(): Promise<typeof OfficialClient> {
  try {
    return await import('@huggingface/hub');
  } catch (cause) {
    throw new EncoderError(
      'hub_unreachable',
      'the package @huggingface/hub, a dependency of ggml-encoder, is missing; install ggml-encoder again',
      { cause },
    );
  }
}
