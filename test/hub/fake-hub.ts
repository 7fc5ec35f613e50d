/**
 * A server on this machine that speaks the part of the Hub's HTTP API that a download needs: revision lookup, listing in
 * pages, file addresses that redirect to a second server in place of the content network. Faults are set per test.
 */
import { createHash } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Request {
  readonly server: 'hub' | 'cdn';
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** Answers a request in place of the server; false lets the server answer. */
export type Fault = (request: Request, response: ServerResponse, body: Buffer | undefined) => boolean;

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

export class FakeHub {
  /** Everything that was asked, in order. */
  readonly requests: Request[] = [];
  fault: Fault = () => false;
  /** When set, only requests with this token are let in. */
  token: string | undefined;
  /** Entries per page of a listing. */
  pageSize = 1000;
  /** Replaces fields of the listed entries, by path. */
  listed: Readonly<Record<string, object>> = {};
  private readonly servers: Server[] = [];
  private urls = { hub: '', cdn: '' };

  private constructor(
    private readonly id: string,
    private readonly files: ReadonlyMap<string, Buffer>,
    private readonly revisions: readonly string[],
  ) {}

  /** A Hub with one repository `id`. Files of `largeBytes` and more are stored as large files, with a SHA-256. */
  static async start(
    id: string,
    files: Readonly<Record<string, Uint8Array | string>>,
    { revisions = ['main'], largeBytes = 2048 } = {},
  ): Promise<FakeHub> {
    const contents = new Map(Object.entries(files).map(([path, data]) => [path, Buffer.from(data)] as const));
    const hub = new FakeHub(id, contents, [...revisions, COMMIT]);
    hub.largeBytes = largeBytes;
    for (const name of ['hub', 'cdn'] as const) {
      const server = createServer((request, response) => {
        hub.answer(name, request, response);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      hub.urls[name] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      hub.servers.push(server);
    }
    return hub;
  }

  private largeBytes = 2048;

  get endpoint(): string {
    return this.urls.hub;
  }

  get cdn(): string {
    return this.urls.cdn;
  }

  async stop(): Promise<void> {
    for (const server of this.servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  /** Requests for the content of files. */
  get downloads(): string[] {
    return this.requests.filter(({ path }) => path.includes('/resolve/')).map(({ path }) => path.split('/').pop()!);
  }

  private answer(server: 'hub' | 'cdn', incoming: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://localhost');
    const { authorization, range } = incoming.headers;
    const request = { server, method: incoming.method ?? '', path: decodeURIComponent(pathname), authorization, range };
    this.requests.push(request);
    const file = this.content(request.path);
    if (this.fault(request, response, file)) return;
    if (server === 'cdn') return send(response, file, range);
    if (this.token !== undefined && authorization !== `Bearer ${this.token}`) {
      return fail(response, 401, 'RepoNotFound');
    }
    const [, , , , , kind, revision, ...rest] = pathname.split('/');
    if (request.path.startsWith(`/api/models/${this.id}/`)) {
      return this.api(response, [kind!, revision!, rest.join('/')], Number(searchParams.get('cursor') ?? 0));
    }
    if (!request.path.startsWith(`/${this.id}/resolve/`)) return fail(response, 404, 'RepoNotFound');
    if (file === undefined) return fail(response, 404, 'EntryNotFound');
    if (file.length < this.largeBytes) return send(response, file, range);
    response.writeHead(302, { location: `${this.cdn}${pathname}?signature=1` }).end();
  }

  private api(
    response: ServerResponse,
    [kind, revision, rest]: readonly [string, string, string],
    cursor: number,
  ): void {
    if (!this.revisions.includes(decodeURIComponent(revision))) return fail(response, 404, 'RevisionNotFound');
    if (kind === 'paths-info')
      return json(
        response,
        [...this.files.keys()].map((path) => this.entry(path)),
      );
    if (kind === 'revision') return json(response, { _id: 'x', id: this.id, sha: COMMIT, lastModified: '2024-01-01' });
    const prefix = rest === '' ? '' : `${rest}/`;
    const names = [...this.files.keys()].filter((path) => path.startsWith(prefix));
    const entries = new Map<string, object>();
    for (const path of names) {
      const [first, ...deeper] = path.slice(prefix.length).split('/');
      if (deeper.length > 0) entries.set(first!, { type: 'directory', path: prefix + first, size: 0, oid: '' });
      else entries.set(first!, this.entry(path));
    }
    if (entries.size === 0) return fail(response, 404, 'EntryNotFound');
    const page = [...entries.values()].slice(cursor, cursor + this.pageSize);
    const next = cursor + this.pageSize;
    const place = `${this.endpoint}/api/models/${this.id}/tree/${revision}${rest === '' ? '' : `/${rest}`}`;
    const link = next < entries.size ? { link: `<${place}?cursor=${next}>; rel="next"` } : {};
    json(response, page, link);
  }

  private entry(path: string): object {
    const data = this.files.get(path)!;
    const large = data.length >= this.largeBytes;
    const lfs = large ? { lfs: { oid: sha256(data), size: data.length, pointerSize: 130 } } : {};
    return { type: 'file', path, size: data.length, oid: gitHash(data), ...lfs, ...this.listed[path] };
  }

  private content(path: string): Buffer | undefined {
    const match = /^\/[^/]+\/[^/]+\/resolve\/[^/]+\/(.*)$/.exec(path);
    return match === null ? undefined : this.files.get(match[1]!);
  }
}

export function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

export function gitHash(data: Uint8Array): string {
  return createHash('sha1').update(`blob ${data.length}\0`).update(data).digest('hex');
}

export function send(response: ServerResponse, file: Buffer | undefined, range: string | undefined): void {
  if (file === undefined) return fail(response, 404, 'EntryNotFound');
  const etag = `"${sha256(file)}"`;
  const [, start, end] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  if (start === undefined) {
    response.writeHead(200, { etag, 'content-length': file.length }).end(file);
    return;
  }
  const part = file.subarray(Number(start), end === '' ? file.length : Number(end) + 1);
  const extent = `bytes ${start}-${Number(start) + part.length - 1}/${file.length}`;
  response.writeHead(206, { etag, 'content-length': part.length, 'content-range': extent }).end(part);
}

export function fail(response: ServerResponse, status: number, code = '', headers: Record<string, string> = {}): void {
  response.writeHead(status, { ...(code === '' ? {} : { 'x-error-code': code }), ...headers }).end('{"error":"no"}');
}

function json(response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}
