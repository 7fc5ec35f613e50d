// What goes wrong between here and the Hub: each fault is survived where it passes, and a coded error where it does not.
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import type * as FileSystem from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { resolveModelFile } from '../../src/api/model-source';
import { type ConvertOptions, convert } from '../../src/convert/convert';
import type * as HubSettingsModule from '../../src/hub/settings';
import { temporaryFolder } from '../unit/convert/temp-folder';
import { COMMIT, FakeHub, type Fault, fail, send, sha256 } from './fake-hub';
import { ID, cleanEnvironment, microFiles } from './hub-fixture';

/** Long enough for a busy machine; tests of silence take less. */
const patience = vi.hoisted(() => ({ timeoutMs: 20_000 }));
vi.mock('../../src/hub/settings', async (original) => {
  const settings = await original<typeof HubSettingsModule>();
  return {
    ...settings,
    resolveHubSettings: async (options?: Parameters<typeof settings.resolveHubSettings>[0]) => ({
      ...(await settings.resolveHubSettings(options)),
      retryDelayMs: 2,
      timeoutMs: patience.timeoutMs,
    }),
  };
});

const statfs = vi.hoisted(() => ({ freeBytes: undefined as number | undefined }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof FileSystem>();
  return {
    ...real,
    statfs: async (path: string) => {
      const space = await real.statfs(path);
      return statfs.freeBytes === undefined ? space : { ...space, bavail: statfs.freeBytes, bsize: 1 };
    },
  };
});

let hub: FakeHub;
let blobs: string;
const files = microFiles();
const weights = files['model.safetensors']!;

beforeEach(async () => {
  const home = temporaryFolder();
  cleanEnvironment(home);
  blobs = join(home, 'hub', 'models--some-owner--some.model_1', 'blobs');
  hub = await FakeHub.start(ID, files);
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
});
afterEach(async () => {
  statfs.freeBytes = undefined;
  patience.timeoutMs = 20_000;
  vi.unstubAllEnvs();
  await hub.stop();
});

async function fromHub(options: Partial<ConvertOptions> = {}, source = ID) {
  return convert(source, { output: join(temporaryFolder(), 'out.gguf'), ...options });
}

/** The first `count` requests whose path ends in `ending` meet the fault. */
function firstTimes(count: number, ending: string, fault: (...parameters: Parameters<Fault>) => unknown): Fault {
  let left = count;
  return (...parameters) => {
    if (!parameters[0].path.endsWith(ending) || left === 0) return false;
    left--;
    fault(...parameters);
    return true;
  };
}

/** Sends `bytes` of the rest of the file and drops the connection. */
const cutAfter =
  (bytes: number): ((...parameters: Parameters<Fault>) => void) =>
  ({ range }, response, body) => {
    const start = Number(/\d+/.exec(range ?? '')?.[0] ?? 0);
    const rest = body!.length - start;
    const extent = { 'content-length': rest, 'content-range': `bytes ${start}-${body!.length - 1}/${body!.length}` };
    response.writeHead(range === undefined ? 200 : 206, extent);
    response.write(body!.subarray(start, start + bytes), () => response.destroy());
  };

const onCdn =
  (fault: Fault): Fault =>
  (request, ...rest) =>
    request.server === 'cdn' && fault(request, ...rest);

describe('the token', () => {
  it('goes to the Hub and not to the server that it redirects to', async () => {
    hub.token = 'hf_secret';
    vi.stubEnv('HF_TOKEN', 'hf_secret');
    await fromHub();
    const sent = (server: string) =>
      new Set(hub.requests.filter((r) => r.server === server).map((r) => r.authorization));
    expect(sent('hub')).toEqual(new Set(['Bearer hf_secret']));
    expect(sent('cdn')).toEqual(new Set([undefined]));
  });

  it.each([
    [{}, 'private'],
    [{ token: 'hf_wrong' }, 'token is wrong'],
  ])('that is absent or wrong is told (%j)', async (options, message) => {
    hub.token = 'hf_secret';
    const attempt = fromHub({ hub: options });
    await expect(attempt).rejects.toMatchObject({ code: 'hub_unauthorized' });
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.not.toThrow('hf_');
  });
});

describe('a refusal', () => {
  const answer = (status: number, code: string, ending: string): Fault =>
    firstTimes(Infinity, ending, (_, response) => {
      fail(response, status, code);
    });

  it.each([
    [403, 'GatedRepo', 'main', 'hub_unauthorized', 'gated'],
    [401, 'GatedRepo', 'model.safetensors', 'hub_unauthorized', 'gated'],
    [404, 'RepoNotFound', 'main', 'hub_not_found', 'no such repository'],
    [404, 'RevisionNotFound', 'main', 'hub_not_found', 'no such revision'],
    [404, '', 'main', 'hub_not_found', 'not found'],
    [404, 'EntryNotFound', 'config.json', 'hub_not_found', 'no such file'],
    [418, '', 'main', 'hub_response_invalid', 'status 418'],
    [416, '', 'config.json', 'hub_response_invalid', 'status 416'],
  ])('with status %i %s of %s is %s', async (status, reason, ending, code, message) => {
    hub.fault = answer(status, reason, ending);
    const attempt = fromHub();
    await expect(attempt).rejects.toMatchObject({ code });
    await expect(attempt).rejects.toThrow(message);
    expect(hub.requests.filter(({ path }) => path.endsWith(ending))).toHaveLength(1);
  });

  it('names a revision that is not there', async () => {
    await expect(fromHub({ revision: 'v9' })).rejects.toMatchObject({ code: 'hub_not_found' });
  });
});

describe('overload', () => {
  const slowDown =
    (status: number, headers: Record<string, string>) => (_: unknown, response: Parameters<Fault>[1]) => {
      fail(response, status, '', headers);
    };

  it.each([429, 500, 502, 503, 408])('that passes (status %i) is waited out', async (status) => {
    hub.fault = firstTimes(3, 'main', slowDown(status, {}));
    await fromHub();
    hub.fault = onCdn(firstTimes(3, 'model.safetensors', slowDown(status, {})));
    await fromHub({ hub: { cacheDir: temporaryFolder() } });
  });

  it('that stays is an error after five attempts', async () => {
    hub.fault = firstTimes(Infinity, 'main', slowDown(429, {}));
    await expect(fromHub()).rejects.toMatchObject({ code: 'hub_rate_limited' });
    expect(hub.requests).toHaveLength(5);
    hub.fault = firstTimes(Infinity, 'main', slowDown(503, {}));
    await expect(fromHub()).rejects.toMatchObject({ code: 'hub_unreachable' });
    hub.fault = firstTimes(Infinity, 'model.safetensors', slowDown(503, {}));
    await expect(fromHub()).rejects.toMatchObject({ code: 'hub_unreachable' });
  });

  it.each([429, 503])('waits as long as the Hub asks for (status %i), and not for minutes', async (status) => {
    hub.fault = firstTimes(1, 'main', slowDown(status, { 'retry-after': '1' }));
    const start = performance.now();
    await fromHub();
    expect(performance.now() - start).toBeGreaterThan(990);
    hub.requests.splice(0);
    hub.fault = firstTimes(1, 'main', slowDown(status, { 'retry-after': '290' }));
    await expect(fromHub({ hub: { cacheDir: temporaryFolder() } })).rejects.toThrow('in 290 seconds');
    expect(hub.requests).toHaveLength(1);
  });

  it('does not stop those who have the files', async () => {
    await fromHub();
    hub.fault = (_, response) => {
      fail(response, 503);
      return true;
    };
    const message = expect.stringContaining(`the cached commit ${COMMIT} is used`) as string;
    expect((await fromHub()).warnings).toEqual([message]);
    const loaded = await resolveModelFile(ID, { cacheDir: temporaryFolder() });
    expect(loaded.warnings).toEqual([{ code: 'hub_unreachable', message }]);
  });
});

describe('a connection', () => {
  it('that is refused or hangs is an error', async () => {
    patience.timeoutMs = 100;
    hub.fault = () => true;
    await expect(fromHub()).rejects.toMatchObject({ code: 'hub_unreachable' });
    patience.timeoutMs = 20_000;
    const { endpoint } = hub;
    await hub.stop();
    const attempt = fromHub({ hub: { endpoint } });
    await expect(attempt).rejects.toMatchObject({ code: 'hub_unreachable' });
    await expect(attempt).rejects.toThrow('ECONNREFUSED');
  });

  it('that breaks off is taken up where it broke off', async () => {
    hub.fault = onCdn(firstTimes(4, 'model.safetensors', cutAfter(500)));
    await fromHub();
    const ranges = hub.requests.filter(({ server }) => server === 'cdn').map(({ range }) => range);
    expect(ranges[0]).toBeUndefined();
    expect(ranges).toHaveLength(5);
    expect(readFileSync(join(blobs, sha256(weights)))).toEqual(weights);
  });

  it('that stands still is given up and taken up again', async () => {
    patience.timeoutMs = 1000;
    hub.fault = onCdn(
      firstTimes(1, 'model.safetensors', (_, response, body) => {
        response.writeHead(200, { 'content-length': body!.length }).write(body!.subarray(0, 500));
      }),
    );
    await fromHub();
    expect(readFileSync(join(blobs, sha256(weights)))).toEqual(weights);
  });

  it('that never brings anything is an error, and what came before is kept for the next run', async () => {
    const cut = firstTimes(1, 'model.safetensors', cutAfter(1000));
    const dead = firstTimes(Infinity, 'model.safetensors', cutAfter(0));
    hub.fault = onCdn((...parameters) => cut(...parameters) || dead(...parameters));
    const attempt = fromHub();
    await expect(attempt).rejects.toMatchObject({ code: 'hub_unreachable' });
    await expect(attempt).rejects.toThrow(`of ${weights.length} bytes`);
    const leftover = readdirSync(blobs).filter((name) => name.endsWith('.incomplete'));
    expect(leftover).toEqual([`${sha256(weights)}.ggml-encoder.incomplete`]);
    const keptBytes = statSync(join(blobs, leftover[0]!)).size;
    expect(keptBytes).toBeGreaterThan(0);
    hub.fault = () => false;
    hub.requests.splice(0);
    await fromHub();
    expect(hub.requests.find(({ server }) => server === 'cdn')?.range).toBe(`bytes=${keptBytes}-`);
    expect(readdirSync(blobs)).toHaveLength(3);
  });

  it('to a server without ranges starts over', async () => {
    const cut = firstTimes(1, 'model.safetensors', cutAfter(1000));
    hub.fault = onCdn((request, response, body) => {
      if (cut(request, response, body)) return true;
      send(response, body, undefined);
      return true;
    });
    await fromHub();
    expect(readFileSync(join(blobs, sha256(weights)))).toEqual(weights);
  });
});

describe('content', () => {
  const altered = (change: (body: Buffer) => Buffer): Fault =>
    firstTimes(Infinity, '', ({ range }, response, body) => {
      send(response, change(Buffer.from(body!)), range);
    });
  const flipped = (body: Buffer): Buffer => {
    body[body.length - 1]! ^= 1;
    return body;
  };
  const only =
    (ending: string, fault: Fault): Fault =>
    (request, ...rest) =>
      (request.server === 'cdn') === ending.endsWith('.safetensors') &&
      request.path.endsWith(ending) &&
      fault(request, ...rest);

  it.each([
    ['model.safetensors', 'another SHA-256', flipped],
    ['vocab.txt', 'another git checksum', flipped],
    ['model.safetensors', 'the server sends', (body: Buffer) => body.subarray(1)],
    ['vocab.txt', 'the server sends', (body: Buffer) => Buffer.concat([body, body])],
  ])('of %s that is wrong (%s) is refused and not kept', async (name, message, change) => {
    hub.fault = only(name, altered(change));
    const attempt = fromHub();
    await expect(attempt).rejects.toMatchObject({ code: 'hub_download_corrupt' });
    await expect(attempt).rejects.toThrow(message);
    expect(readdirSync(blobs).filter((file) => file.includes('ggml-encoder'))).toEqual([]);
    hub.fault = () => false;
    await fromHub();
  });

  it('without a length that is too long is refused', async () => {
    hub.fault = only('model.safetensors', (_, response, body) => {
      response.writeHead(200).end(Buffer.concat([body!, body!]));
      return true;
    });
    await expect(fromHub()).rejects.toMatchObject({ code: 'hub_download_corrupt' });
  });

  it('of a leftover that is wrong is downloaded anew', async () => {
    hub.fault = onCdn(firstTimes(Infinity, 'model.safetensors', cutAfter(0)));
    await expect(fromHub()).rejects.toMatchObject({ code: 'hub_unreachable' });
    const leftover = join(blobs, `${sha256(weights)}.ggml-encoder.incomplete`);
    hub.fault = () => false;
    for (const bytes of [Buffer.alloc(100), Buffer.alloc(weights.length), Buffer.alloc(weights.length + 5)]) {
      writeFileSync(leftover, bytes);
      await fromHub();
      expect(readFileSync(join(blobs, sha256(weights)))).toEqual(weights);
      expect(existsSync(leftover)).toBe(false);
      unlinkSync(join(blobs, sha256(weights)));
    }
  });

  it('of another range than asked for is refused', async () => {
    const cut = firstTimes(1, 'model.safetensors', cutAfter(1000));
    hub.fault = onCdn((request, response, body) => {
      if (cut(request, response, body)) return true;
      response.writeHead(206, { 'content-range': `bytes 0-9/${body!.length}` }).end(body!.subarray(0, 10));
      return true;
    });
    await expect(fromHub()).rejects.toMatchObject({ code: 'hub_response_invalid' });
  });

  it('that a process which died left behind is taken up', async () => {
    hub.fault = onCdn(firstTimes(Infinity, 'model.safetensors', cutAfter(0)));
    await expect(fromHub()).rejects.toMatchObject({ code: 'hub_unreachable' });
    hub.fault = () => false;
    // No process has this number: it is above the largest that Linux gives.
    const left = join(blobs, `${sha256(weights)}.4999999.0123abcd.ggml-encoder`);
    writeFileSync(left, weights.subarray(0, 700));
    utimesSync(left, 1e9, 1e9);
    hub.requests.splice(0);
    await fromHub();
    expect(hub.requests.find(({ server }) => server === 'cdn')?.range).toBe('bytes=700-');
    expect(readdirSync(blobs)).toHaveLength(3);
  });

  it('that only seems left behind stays whole while its owner, on another machine, goes on writing', async () => {
    hub.fault = onCdn(firstTimes(Infinity, 'model.safetensors', cutAfter(0)));
    await expect(fromHub()).rejects.toMatchObject({ code: 'hub_unreachable' });
    const left = join(blobs, `${sha256(weights)}.4999999.0123abcd.ggml-encoder`);
    const owner = openSync(left, 'a');
    writeSync(owner, weights.subarray(0, 700));
    utimesSync(left, 1e9, 1e9);
    hub.requests.splice(0);
    hub.fault = onCdn(() => {
      writeSync(owner, weights.subarray(700, 900));
      return false;
    });
    await fromHub();
    writeSync(owner, weights.subarray(900));
    closeSync(owner);
    expect(hub.requests.find(({ server }) => server === 'cdn')?.range).toBe('bytes=700-');
    expect(readFileSync(join(blobs, sha256(weights)))).toEqual(weights);
    expect(readdirSync(blobs)).toHaveLength(3);
  });
});

describe('an answer', () => {
  const says = (ending: string, body: string, headers: Record<string, string> = {}): Fault =>
    firstTimes(Infinity, ending, (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body);
    });

  it.each([
    ['main', 'no json'],
    ['main', '{}'],
    ['main', '{"sha":"../../etc"}'],
    ['main', 'null'],
    [COMMIT, '{}'],
    [COMMIT, '[{"type":"file","path":"config.json","size":1,"oid":"../x"}]'],
    [COMMIT, '[{"type":"file","path":"config.json","size":-1,"oid":"0123456789abcdef0123456789abcdef01234567"}]'],
    [COMMIT, '[{"type":"file","path":"config.json","oid":"0123456789abcdef0123456789abcdef01234567"}]'],
    [COMMIT, '[null]'],
  ])('about %s that makes no sense is refused: %s', async (ending, body) => {
    hub.fault = says(ending, body);
    const code = body === '[null]' ? 'checkpoint_not_found' : 'hub_response_invalid';
    await expect(fromHub()).rejects.toMatchObject({ code });
  });

  it('that leads to another server is not followed', async () => {
    hub.fault = says(COMMIT, '[]', { link: `<${hub.cdn}/more>; rel="next"` });
    await expect(fromHub()).rejects.toMatchObject({ code: 'hub_response_invalid' });
    expect(hub.requests.filter(({ server }) => server === 'cdn')).toEqual([]);
  });

  it.each(['file:///etc/passwd', 'http://', 'ftp://x/y'])('that redirects to %s is refused', async (location) => {
    hub.fault = firstTimes(1, 'config.json', (_, response) => {
      response.writeHead(302, { location }).end();
    });
    await expect(fromHub()).rejects.toMatchObject({ code: 'hub_response_invalid' });
  });

  it('that redirects for ever is refused', async () => {
    hub.fault = firstTimes(Infinity, 'config.json', ({ path }, response) => {
      response.writeHead(307, { location: path }).end();
    });
    await expect(fromHub()).rejects.toThrow('redirects');
  });

  it('that has no end is cut', async () => {
    hub.fault = firstTimes(1, COMMIT, (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const block = Buffer.alloc(2 ** 20, ' ');
      const more = (): void => {
        while (!response.destroyed && response.write(block));
      };
      response.on('drain', more);
      more();
    });
    await expect(fromHub()).rejects.toMatchObject({ code: 'limit_exceeded' });
  });

  it('that lists pages for ever is cut', async () => {
    const page = JSON.stringify(Array.from({ length: 1000 }, () => ({ type: 'directory', path: 'x' })));
    hub.fault = says(COMMIT, page, { link: `<${hub.endpoint}/api/models/${ID}/tree/${COMMIT}>; rel="next"` });
    await expect(fromHub()).rejects.toMatchObject({ code: 'limit_exceeded' });
  });

  it.each(['../../outside', '/etc', '0_Transformer/../..', 'a\\b', ''])(
    'with the module path %j stays in the folder',
    async (path) => {
      await hub.stop();
      const module = [{ idx: 0, path, type: 'sentence_transformers.models.Transformer' }];
      hub = await FakeHub.start(ID, { ...files, 'modules.json': JSON.stringify(module) });
      const attempt = fromHub({ hub: { endpoint: hub.endpoint } });
      if (path === '') await attempt;
      else await expect(attempt).rejects.toMatchObject({ code: 'checkpoint_malformed' });
    },
  );

  it('with shards elsewhere is refused', async () => {
    await hub.stop();
    const { 'model.safetensors': _, ...rest } = files;
    const index = JSON.stringify({ weight_map: { a: '../../../token.safetensors' } });
    hub = await FakeHub.start(ID, { ...rest, 'model.safetensors.index.json': index });
    const attempt = fromHub({ hub: { endpoint: hub.endpoint } });
    await expect(attempt).rejects.toMatchObject({ code: 'checkpoint_malformed' });
  });
});

describe('limits', () => {
  it.each([{ configBytes: 10 }, { tokenizerBytes: 10 }, { downloadBytes: 1000 }])(
    '%j hold before the download',
    async (limits) => {
      await expect(fromHub({ limits })).rejects.toMatchObject({ code: 'limit_exceeded' });
      expect(hub.downloads).toEqual([]);
    },
  );

  it('a full disk is told with numbers', async () => {
    statfs.freeBytes = 100;
    const attempt = fromHub();
    await expect(attempt).rejects.toMatchObject({ code: 'io_failed' });
    await expect(attempt).rejects.toThrow('has 100 free');
    expect(hub.downloads).toEqual([]);
  });

  it('a cache that cannot be written is told', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    await expect(fromHub({ hub: { cacheDir: file } })).rejects.toMatchObject({ code: 'io_failed' });
  });
});

describe('an abort', () => {
  it('before, during a request, and during a download ends at once and keeps what came', async () => {
    await expect(fromHub({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    expect(hub.requests).toEqual([]);

    const during = new AbortController();
    hub.fault = () => {
      during.abort('enough');
      return true;
    };
    await expect(fromHub({ signal: during.signal })).rejects.toMatchObject({ code: 'aborted', cause: 'enough' });

    const later = new AbortController();
    hub.fault = onCdn((_, response, body) => {
      response.writeHead(200, { 'content-length': body!.length }).write(body!.subarray(0, 500));
      return true;
    });
    const attempt = fromHub({
      signal: later.signal,
      onProgress: ({ file, bytesWritten }) => {
        if (file === 'model.safetensors' && bytesWritten > files['vocab.txt']!.length + files['config.json']!.length) {
          later.abort();
        }
      },
    });
    await expect(attempt).rejects.toMatchObject({ code: 'aborted' });
    expect(readdirSync(blobs)).toContain(`${sha256(weights)}.ggml-encoder.incomplete`);
  });
});
