/**
 * fetch as the Hub needs it: patient with overload, strict with redirects, and careful with the token. Every failure is
 * an EncoderError, whoever the caller is, so that errors pass through libraries unchanged.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { EncoderError, type ErrorCode } from '../errors';
import { messageOf } from '../support/error-message';
import type { HubSettings } from './settings';

export const MAX_ATTEMPTS = 5;
const MAX_REDIRECTS = 5;
/** Longer than this nobody waits for an answer: the error says how long the Hub asks for. */
const MAX_RETRY_AFTER_MS = 30_000;
/** A listing of a thousand files takes about 300 KB. */
const MAX_API_BYTES = 32 * 2 ** 20;

/** A request that failed in a way that may pass: the connection, or the server for the moment. */
class Transient extends Error {
  constructor(
    readonly failure: EncoderError,
    readonly waitMs = 0,
  ) {
    super(failure.message);
  }
}

export class HubHttp {
  private readonly signal: AbortSignal | undefined;

  constructor(
    readonly settings: HubSettings,
    signal: AbortSignal | undefined,
    /** The repository, for messages. */
    private readonly what: string,
  ) {
    this.signal = signal === undefined ? undefined : signalForFetch(signal);
  }

  throwIfAborted(): void {
    if (this.signal?.aborted) {
      throw new EncoderError('aborted', 'the download was aborted', { cause: this.signal.reason });
    }
  }

  /** Waits before attempt `attempt` (2, 3, ...) of something, twice as long each time, or as long as was asked for. */
  async pause(attempt: number, leastMs = 0): Promise<void> {
    const backoff = this.settings.retryDelayMs * 2 ** (attempt - 2) * (0.75 + Math.random() / 2);
    await sleep(Math.max(backoff, leastMs), undefined, { signal: this.signal }).catch(() => undefined);
    this.throwIfAborted();
  }

  /** For the official client: the whole answer of the API, bounded in size. */
  readonly api = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(typeof input === 'object' && 'url' in input ? input.url : input);
    if (url.origin !== new URL(this.settings.endpoint).origin) {
      throw this.error('hub_response_invalid', `the Hub's answer leads to ${url.origin}, another server`);
    }
    return this.retrying(async () => {
      const response = await this.open(url, init);
      const body = await this.collect(response);
      return new Response(new Uint8Array(body), { status: response.status, headers: response.headers });
    });
  };

  /** Opens a file's address; the body is still to be read. Transient failures are repeated. */
  async get(url: URL, headers: Readonly<Record<string, string>>): Promise<Response> {
    return this.retrying(async () => this.open(url, { headers }));
  }

  /** The pieces of a body as they come. Throws `hub_unreachable` when it breaks off or stands still. */
  async *pieces(response: Response): AsyncGenerator<Uint8Array, void, undefined> {
    const reader = response.body?.getReader();
    if (reader === undefined) return;
    try {
      for (;;) {
        this.throwIfAborted();
        const { done, value } = await this.timed(reader.read());
        if (done) return;
        yield value as Uint8Array;
      }
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  error(code: ErrorCode, message: string, cause?: unknown): EncoderError {
    return new EncoderError(code, `${this.what}: ${message}`, { cause });
  }

  private async retrying<Result>(attempt: () => Promise<Result>): Promise<Result> {
    for (let count = 1; ; count++) {
      try {
        this.throwIfAborted();
        return await attempt();
      } catch (error) {
        this.throwIfAborted();
        if (!(error instanceof Transient)) throw error;
        if (count === MAX_ATTEMPTS || error.waitMs > MAX_RETRY_AFTER_MS) throw error.failure;
        await this.pause(count + 1, error.waitMs);
      }
    }
  }

  /** One request with its redirects; anything but a success is thrown. */
  private async open(url: URL, init: RequestInit): Promise<Response> {
    const trusted = new URL(this.settings.endpoint);
    let target = url;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const headers = new Headers(init.headers);
      headers.set('user-agent', 'ggml-encoder');
      headers.set('accept-encoding', 'identity');
      headers.delete('authorization');
      if (this.settings.token !== undefined && target.origin === trusted.origin) {
        headers.set('authorization', `Bearer ${this.settings.token}`);
      }
      const response = await this.request(target, { ...init, headers, redirect: 'manual' });
      const location = response.headers.get('location');
      if (response.status < 300 || response.status >= 400 || location === null) return this.checked(response, target);
      await response.body?.cancel();
      const next = URL.canParse(location, target.href) ? new URL(location, target) : undefined;
      if (next === undefined || !(next.protocol === 'https:' || next.protocol === trusted.protocol)) {
        throw this.error('hub_response_invalid', `it redirects to ${location.slice(0, 100)}, which is not followed`);
      }
      target = next;
    }
    throw this.error('hub_response_invalid', `more than ${MAX_REDIRECTS} redirects`);
  }

  private async request(url: URL, init: RequestInit): Promise<Response> {
    const stop = new AbortController();
    const signal = this.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, this.signal]);
    try {
      return await this.timed(fetch(url, { ...init, signal }));
    } catch (error) {
      stop.abort();
      if (error instanceof Transient) throw error;
      throw this.unreachable(reasonOf(error), error);
    }
  }

  private async checked(response: Response, url: URL): Promise<Response> {
    const { status } = response;
    if (response.ok) return response;
    await response.body?.cancel();
    const reason = response.headers.get('x-error-code') ?? '';
    const place = `${url.origin}${url.pathname}`.slice(0, 200);
    if (status === 401 || status === 403) throw this.refused(status, reason);
    if (status === 404) throw this.error('hub_not_found', notFound(reason, place));
    const answer = `status ${status} from ${url.host}`;
    const waitMs = retryAfterMs(response);
    const when = waitMs > 0 ? `in ${Math.ceil(waitMs / 1000)} seconds` : 'later';
    if (status === 429) {
      const error = this.error('hub_rate_limited', `the Hub asks to slow down (${answer}); try again ${when}`);
      throw new Transient(error, waitMs);
    }
    if (status === 408 || status >= 500) {
      const error = this.error('hub_unreachable', `the Hub does not work now (${answer}); try again ${when}`);
      throw new Transient(error, waitMs);
    }
    throw this.error('hub_response_invalid', `unexpected ${answer} (${place})`);
  }

  private refused(status: number, reason: string): EncoderError {
    if (reason === 'GatedRepo') {
      const message =
        'the repository is gated: accept its terms on its page, and set HF_TOKEN to a token of that account';
      return this.error('hub_unauthorized', message);
    }
    const what =
      this.settings.token === undefined
        ? 'there is no public repository and no folder of this name; check it, or set HF_TOKEN if it is private'
        : 'the token is wrong, has expired, or may not read this repository';
    return this.error('hub_unauthorized', `${what} (status ${status})`);
  }

  private unreachable(reason: string, cause?: unknown): Transient {
    const message = `cannot reach ${new URL(this.settings.endpoint).host} (${reason}); check the connection, or use HF_HUB_OFFLINE=1 with a filled cache`;
    return new Transient(this.error('hub_unreachable', message, cause));
  }

  /** `promise`, unless it takes longer than the settings allow. */
  private async timed<Result>(promise: Promise<Result>): Promise<Result> {
    const { timeoutMs } = this.settings;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(this.unreachable(`no answer within ${timeoutMs / 1000} s`));
      }, timeoutMs);
    });
    promise.catch(() => undefined);
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async collect(response: Response): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    let sizeBytes = 0;
    try {
      for await (const piece of this.pieces(response)) {
        sizeBytes += piece.length;
        if (sizeBytes > MAX_API_BYTES) {
          throw this.error('limit_exceeded', `an answer of the Hub is larger than ${MAX_API_BYTES} bytes`);
        }
        parts.push(piece);
      }
    } catch (error) {
      if (error instanceof EncoderError || error instanceof Transient) throw error;
      throw this.unreachable(reasonOf(error), error);
    }
    return Buffer.concat(parts);
  }
}

function notFound(reason: string, place: string): string {
  if (reason === 'RepoNotFound') return 'there is no such repository, and no folder of this name; check owner and name';
  if (reason === 'RevisionNotFound') return 'the repository has no such revision; check the branch, tag or commit';
  if (reason === 'EntryNotFound') return `the repository has no such file (${place})`;
  return `not found (${place}); check owner, name and revision`;
}

/** The signal itself, or one of this realm's class that follows it: fetch and AbortSignal.any take no other. */
function signalForFetch(signal: AbortSignal): AbortSignal {
  if ((signal as object) instanceof AbortSignal) return signal;
  const own = new AbortController();
  const follow = (): void => {
    own.abort(signal.reason);
  };
  if (signal.aborted) follow();
  else signal.addEventListener('abort', follow, { once: true });
  return own.signal;
}

function retryAfterMs(response: Response): number {
  const seconds = Number(response.headers.get('retry-after') ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}

/** fetch puts the reason into the cause: ECONNREFUSED, ENOTFOUND, UND_ERR_SOCKET, ... */
export function reasonOf(error: unknown): string {
  const cause = typeof error === 'object' && error !== null && 'cause' in error ? (error.cause ?? error) : error;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return code ?? messageOf(cause);
}

/** True for the failures after which the same request may succeed; `failure` is what to throw in the end. */
export function isTransient(error: unknown): error is { readonly failure: EncoderError } {
  return error instanceof Transient;
}
