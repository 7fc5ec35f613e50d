import { Readable } from 'node:stream';

import { describe, expect, test } from 'vitest';

import { csvRows } from '../../../../src/cli/evaluation/csv';
import { examples } from '../../../../src/cli/evaluation/labelled-input';

/** The bytes in pieces of a size. */
function inPieces(text: string | Buffer, size: number): Readable {
  const bytes = Buffer.from(text);
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
  return Readable.from(pieces);
}

async function flat<Item>(batches: AsyncIterable<readonly Item[]>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const batch of batches) items.push(...batch);
  return items;
}

async function rowsOf(text: string | Buffer, size = 1000): Promise<string[][]> {
  return (await flat(csvRows(inPieces(text, size), 'x.csv'))).map(({ value }) => value);
}

async function read(text: string, path = 'x.csv'): Promise<unknown[]> {
  const labels = ['no', 'yes', '7'];
  return (await flat(examples(inPieces(text, 1000), path, labels))).map(({ line, value }) => [line, value]);
}

describe('csvRows', () => {
  const text = '\ufeffa,"b, ""c""",d\r\n\r\n"two\nlines","",\n,\rx"y,\u{1f642},é\n""\nlast';
  const rows = [['a', 'b, "c"', 'd'], ['two\nlines', '', ''], ['', ''], ['x"y', '\u{1f642}', 'é'], [''], ['last']];

  test.each([1, 2, 3, 7, 1000])('quotes, line ends and characters may be cut anywhere: pieces of %i', async (size) => {
    expect(await rowsOf(text, size)).toEqual(rows);
    expect(await rowsOf(`${text}\n`, size)).toEqual(rows);
  });

  test('a row carries the line it begins on', async () => {
    const numbered = await flat(csvRows(inPieces('a\n"b\nc"\r\n\nd', 1), 'x.csv'));
    expect(numbered.map(({ line }) => line)).toEqual([1, 2, 5]);
  });

  test('nothing is no rows', async () => {
    expect(await rowsOf('')).toEqual([]);
    expect(await rowsOf('\n\n')).toEqual([]);
  });

  test.each<[string | Buffer, string]>([
    ['a\n"b\n', 'line 2 of x.csv: a quoted field does not end'],
    ['a\n"b"c', 'line 2 of x.csv: text after a closing quote'],
    [Buffer.from([0x61, 0x0a, 0xff]), 'not valid UTF-8'],
    [Buffer.from([0x61, 0x0a, 0xc3]), 'not valid UTF-8'],
  ])('%j is refused by its line', async (bytes, message) => {
    await expect(rowsOf(bytes, 1)).rejects.toMatchObject({
      code: 'input_invalid',
      message: expect.stringContaining(message) as string,
    });
  });

  test('an endless row is refused', async () => {
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(1024 * 1024, 'x');
      })(),
    );
    await expect(flat(csvRows(endless, 'x.csv'))).rejects.toMatchObject({ code: 'limit_exceeded' });
  });
});

describe('examples', () => {
  test('CSV: columns by name in any order, labels by name or place', async () => {
    expect(await read('Label,id,text\nyes,1,"a, b"\n0,2,c\n7,3,d\n')).toEqual([
      [2, { input: 'a, b', label: 1 }],
      [3, { input: 'c', label: 0 }],
      [4, { input: 'd', label: 2 }],
    ]);
    expect(await read('text,text_pair,label\na,b,no')).toEqual([
      [2, { input: { text: 'a', textPair: 'b' }, label: 0 }],
    ]);
  });

  test('JSON lines', async () => {
    const text = '{"text": "a", "label": "yes"}\n\n{"text": "b", "text_pair": "c", "label": 2, "id": 5}\n';
    expect(await read(text, 'x.jsonl')).toEqual([
      [1, { input: { text: 'a' }, label: 1 }],
      [3, { input: { text: 'b', textPair: 'c' }, label: 2 }],
    ]);
  });

  test.each<[string, string, string]>([
    ['x.csv', 'text,title\n', 'line 1 of x.csv: the header must name the columns "text" and "label"'],
    ['x.csv', 'text,label\na,no\nb\n', 'line 3 of x.csv: 1 fields; the header has 2'],
    [
      'x.csv',
      'text,label\na,maybe\n',
      `line 2 of x.csv: the label "maybe" is not one of the model's labels (no, yes, 7)`,
    ],
    ['x.csv', 'text,label\na,8\n', 'line 2 of x.csv: the label "8" is not'],
    ['x.jsonl', '{"text": "a"}', 'line 1 of x.jsonl: no "label"'],
    ['x.jsonl', '{"text": "a", "label": 1.5}', 'line 1 of x.jsonl: the label 1.5 is not'],
    ['x.jsonl', '{"text": "a", "label": null}', 'line 1 of x.jsonl: the label null is not'],
    ['x.jsonl', '{"label": "no"}', 'line 1 of x.jsonl: found an object without "text"'],
    ['x.jsonl', '"a"', 'line 1 of x.jsonl: found a string'],
    ['x.jsonl', 'a', 'line 1 of x.jsonl: not JSON'],
  ])('%s with %j is refused by its line', async (path, text, message) => {
    await expect(read(text, path)).rejects.toMatchObject({
      code: 'input_invalid',
      message: expect.stringContaining(message) as string,
    });
  });
});
