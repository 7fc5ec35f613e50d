/** Where the Hub is, where its cache lies and who asks: options first, then the environment variables of huggingface_hub. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

import { EncoderError } from '../errors';
import { shown } from '../support/json';
import { errnoOf } from '../support/source-file';

/** How to reach the Hugging Face Hub; what is left out is taken from huggingface_hub's environment variables. */
export interface HubOptions {
  /** Address of the Hub. Default: `$HF_ENDPOINT`, else https://huggingface.co. */
  readonly endpoint?: string | undefined;
  /**
   * Access token, for private and gated repositories; `false` sends none. Default: `$HF_TOKEN`, else what `hf auth
   * login` stored. It is sent to the endpoint alone, never to the servers that it redirects to.
   */
  readonly token?: string | false | undefined;
  /** Cache folder, shared with Python. Default: `$HF_HUB_CACHE`, else `hub` in `$HF_HOME` or ~/.cache/huggingface. */
  readonly cacheDir?: string | undefined;
  /** Use the cache alone and open no connection. Default: `$HF_HUB_OFFLINE`. */
  readonly offline?: boolean | undefined;
}

export const HUB_KEYS: readonly string[] = ['endpoint', 'token', 'cacheDir', 'offline'];

export interface HubSettings {
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly token: string | undefined;
  /** Absolute. */
  readonly cacheDir: string;
  readonly offline: boolean;
  /** Longest wait for an answer, or for more of one. */
  readonly timeoutMs: number;
  /** The first pause before a request is repeated; each further one is twice as long. */
  readonly retryDelayMs: number;
}

const DEFAULT_ENDPOINT = 'https://huggingface.co';
const DEFAULT_TIMEOUT_S = 30;
const RETRY_DELAY_MS = 500;
const MAX_TOKEN_BYTES = 4096;

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws TypeError or RangeError for wrong options, and `hub_unreachable` for an environment that makes no sense. */
export async function resolveHubSettings(
  options: HubOptions = {},
  environment: Environment = process.env,
): Promise<HubSettings> {
  const home = hubHome(environment);
  const { endpoint, token, cacheDir, offline } = options;
  const seconds = Number(environment['HF_HUB_DOWNLOAD_TIMEOUT'] || DEFAULT_TIMEOUT_S);
  return {
    endpoint: parseEndpoint(endpoint ?? (environment['HF_ENDPOINT'] || DEFAULT_ENDPOINT)),
    token: token === undefined ? await storedToken(home, environment) : token === false ? undefined : checkToken(token),
    cacheDir: resolve(
      cacheDir ?? expand(environment['HF_HUB_CACHE'] || environment['HUGGINGFACE_HUB_CACHE'] || join(home, 'hub')),
    ),
    offline: offline ?? (isOn(environment['HF_HUB_OFFLINE']) || isOn(environment['TRANSFORMERS_OFFLINE'])),
    timeoutMs: (seconds >= 1 && seconds <= 3600 ? seconds : DEFAULT_TIMEOUT_S) * 1000,
    retryDelayMs: RETRY_DELAY_MS,
  };
}

function hubHome(environment: Environment): string {
  const { HF_HOME: home, XDG_CACHE_HOME: shared } = environment;
  return expand(home || join(shared || join(homedir(), '.cache'), 'huggingface'));
}

function parseEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.username !== '') {
    throw new EncoderError(
      'hub_unreachable',
      `the Hub's address is ${shown(text, 100)}; set HF_ENDPOINT or hub.endpoint to an http(s) address`,
    );
  }
  return url.href.replace(/\/+$/, '');
}

async function storedToken(home: string, environment: Environment): Promise<string | undefined> {
  if (isOn(environment['HF_HUB_DISABLE_IMPLICIT_TOKEN'])) return undefined;
  const direct = environment['HF_TOKEN'] || environment['HUGGING_FACE_HUB_TOKEN'];
  if (direct) return checkToken(direct.trim());
  const path = expand(environment['HF_TOKEN_PATH'] || join(home, 'token'));
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(cause))) return '';
    throw new EncoderError('io_failed', `cannot read the token file ${path} (${errnoOf(cause)})`, { cause });
  });
  return text.trim() === '' ? undefined : checkToken(text.trim());
}

/** The token itself is never shown. */
function checkToken(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token) && token.length <= MAX_TOKEN_BYTES) return token;
  throw new EncoderError(
    'hub_unauthorized',
    'the access token holds spaces or other characters that no token has; set HF_TOKEN again',
  );
}

function expand(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && ['1', 'on', 'yes', 'true'].includes(value.toLowerCase());
}
