// What the official client does not do when a download fails, and src/hub/download.ts therefore does. When one of these
// tests fails after an update of @huggingface/hub, that part of our code may go: docs/decisions/0004.
import { readFileSync } from 'node:fs';
import { downloadFile, downloadFileToCacheDir } from '@huggingface/hub';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { temporaryFolder } from '../unit/convert/temp-folder';
import { COMMIT, FakeHub, fail, send } from './fake-hub';
import { ID } from './hub-fixture';

const PATH = 'model.safetensors';
const weights = Buffer.alloc(100_000, 'weights ');
let hub: FakeHub;
let cacheDir: string;
beforeEach(async () => {
  hub = await FakeHub.start(ID, { [PATH]: weights });
  cacheDir = temporaryFolder();
  vi.spyOn(console, 'debug').mockReturnValue();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await hub.stop();
});

async function download(): Promise<Buffer> {
  const repo = { type: 'model', name: ID } as const;
  return readFileSync(
    await downloadFileToCacheDir({ repo, path: PATH, revision: COMMIT, hubUrl: hub.endpoint, cacheDir }),
  );
}

/** Requests for the content itself: the client asks for the first byte before. */
const contents = () => hub.requests.filter(({ server, range }) => server === 'cdn' && range !== 'bytes=0-0');

it('downloads', async () => {
  expect(await download()).toEqual(weights);
});

it('gives up when a connection breaks off, and starts over the next time', async () => {
  let left = 1;
  hub.fault = ({ server, range }, response, body) => {
    if (server !== 'cdn' || range === 'bytes=0-0' || left-- === 0) return false;
    response.writeHead(200, { 'content-length': body!.length });
    response.write(body!.subarray(0, 50_000), () => response.destroy());
    return true;
  };
  await expect(download()).rejects.toThrow();
  expect(contents()).toHaveLength(1);
  await download();
  expect(contents().map(({ range }) => range)).toEqual([undefined, undefined]);
});

it('keeps content with another checksum', async () => {
  const wrong = Buffer.from(weights);
  wrong[5]! ^= 1;
  hub.fault = ({ server, range }, response) => {
    if (server === 'cdn') send(response, wrong, range);
    return server === 'cdn';
  };
  expect(await download()).toEqual(wrong);
});

it('repeats nothing when the Hub asks to slow down', async () => {
  hub.fault = (_, response) => {
    fail(response, 429, '', { 'retry-after': '0' });
    return true;
  };
  await expect(download()).rejects.toThrow();
  expect(hub.requests).toHaveLength(1);
});

it('takes a whole file for the part that it asked for', async () => {
  const repo = { type: 'model', name: ID } as const;
  const blob = await downloadFile({ repo, path: PATH, revision: COMMIT, hubUrl: hub.endpoint });
  hub.fault = ({ server }, response, body) => {
    if (server === 'cdn') send(response, body, undefined);
    return server === 'cdn';
  };
  expect((await blob!.slice(50_000).arrayBuffer()).byteLength).toBe(100_000);
});
