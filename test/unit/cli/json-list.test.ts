import { describe, expect, test } from 'vitest';

import { jsonRecords } from '../../../src/cli/json-list';

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function read(text: string | Buffer, size = 1000): Promise<[number, unknown][]> {
  const found: [number, unknown][] = [];
  const batches = jsonRecords(inPieces(Buffer.from(text), size), 'x.json', (piece) => JSON.parse(piece) as unknown);
  for await (const batch of batches) found.push(...batch.map(({ line, value }): [number, unknown] => [line, value]));
  return found;
}

describe('a JSON list', () => {
  const text = '\ufeff\n [ {"a": "], \\" }\\\\"},\n[1, [2]] ,"é, \u{1f642}",\r\n\n 7\n,null]\n ';
  const values = [
    [2, { a: '], " }\\' }],
    [3, [1, [2]]],
    [3, 'é, \u{1f642}'],
    [5, 7],
    [6, null],
  ];

  test.each([1, 2, 3, 5, 1000])('may be cut anywhere: pieces of %i', async (size) => {
    expect(await read(text, size)).toEqual(values);
  });

  test('of nothing', async () => {
    expect(await read('[]')).toEqual([]);
    expect(await read('[\n]\n')).toEqual([]);
  });

  test.each<[string | Buffer, string]>([
    ['[1, 2', 'line 1 of x.json: the list does not end'],
    ['[1,\n"a', 'line 2 of x.json: the list does not end'],
    ['[1]\n[2]', 'line 2 of x.json: something follows the end of the list'],
    ['[1,\n,2]', 'line 2 of x.json: '],
    ['[1,\n{"a": NaN}]', 'line 2 of x.json: '],
    ['[1,\n{"a": 1]', 'line 2 of x.json: '],
    [Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), 'line 1 of x.json: not valid UTF-8'],
  ])('%j is refused', async (bytes, message) => {
    await expect(read(bytes, 1)).rejects.toMatchObject({
      code: 'input_invalid',
      message: expect.stringContaining(message) as string,
    });
  });

  test('an endless element is refused', async () => {
    async function* endless(): AsyncGenerator<Buffer> {
      yield Buffer.from('["');
      for (;;) yield Buffer.alloc(1024 * 1024, 'x');
    }
    const reading = (async () => {
      for await (const batch of jsonRecords(endless(), 'x.json', String)) expect(batch).toEqual([]);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'limit_exceeded' });
  });
});

test('lines stay lines', async () => {
  expect(await read('{"a": 1}\n\n{"a": 2}')).toEqual([
    [1, { a: 1 }],
    [3, { a: 2 }],
  ]);
  expect(await read(' \n\n')).toEqual([]);
});
