import { Readable } from 'node:stream';

import { describe, expect, test } from 'vitest';

import { records } from '../../../src/cli/jsonl';
import type { Numbered } from '../../../src/cli/input';
import { parseDocumentLine, parseTextLine } from '../../../src/cli/text-line';

async function read(chunks: readonly (string | Buffer)[], parse = (line: string): unknown => JSON.parse(line)) {
  const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  const batches: Numbered<unknown>[][] = [];
  try {
    for await (const batch of records(stream, 'input', parse)) batches.push(batch);
  } catch (error) {
    return { batches, error: error as Error & { code: string } };
  }
  return { batches };
}

const values = (batches: Numbered<unknown>[][]): unknown[] => batches.flat().map(({ value }) => value);

describe('records', () => {
  test('lines are put together across reads, also inside a character', async () => {
    const bytes = Buffer.from('"für"\n"über"\n');
    for (let cut = 0; cut <= bytes.length; cut++) {
      const { batches } = await read([bytes.subarray(0, cut), bytes.subarray(cut)]);
      expect(values(batches)).toEqual(['für', 'über']);
    }
  });

  test('what one read brought is one batch', async () => {
    const { batches } = await read(['1\n2\n', '3\n4', '\n5']);
    expect(batches.map((batch) => batch.length)).toEqual([2, 1, 1, 1]);
  });

  test('a large read is cut into batches of 512', async () => {
    const { batches } = await read(['7\n'.repeat(1200)]);
    expect(batches.map((batch) => batch.length)).toEqual([512, 512, 176]);
  });

  test('blank lines, carriage returns and a byte order mark are no content', async () => {
    const { batches } = await read(['\ufeff1\r\n\r\n   \n2\r\n\n']);
    expect(batches.flat()).toEqual([
      { line: 1, value: 1 },
      { line: 4, value: 2 },
    ]);
  });

  test('an error names its line and comes after the lines before it', async () => {
    const { batches, error } = await read(['1\n2\n{oops\n4\n'], (line) => {
      if (line.startsWith('{')) throw new Error('not JSON');
      return Number(line);
    });
    expect(values(batches)).toEqual([1, 2]);
    expect(error).toMatchObject({ code: 'input_invalid', message: 'line 3 of input: not JSON' });
  });

  test('bytes that are no UTF-8 are refused with their line', async () => {
    const { error } = await read([Buffer.from([0x31, 0x0a, 0x22, 0xff, 0x22, 0x0a])]);
    expect(error).toMatchObject({ code: 'input_invalid', message: 'line 2 of input: not valid UTF-8' });
  });

  test('a line without end is refused before it fills the memory', async () => {
    const piece = Buffer.alloc(1024 * 1024, 0x61);
    let sent = 0;
    const endless = new Readable({
      read() {
        sent += 1;
        this.push(piece);
      },
    });
    const consume = async (): Promise<void> => {
      for await (const batch of records(endless, 'input', String)) expect(batch).toEqual([]);
    };
    await expect(consume()).rejects.toMatchObject({ code: 'limit_exceeded' });
    expect(sent).toBeLessThan(70);
  });

  test('a failing read is io_failed', async () => {
    const stream = new Readable({
      read() {
        this.destroy(new Error('disk gone'));
      },
    });
    const consume = async (): Promise<void> => {
      for await (const batch of records(stream, 'data.jsonl', String)) expect(batch).toEqual([]);
    };
    await expect(consume()).rejects.toMatchObject({ code: 'io_failed', message: 'cannot read data.jsonl: disk gone' });
  });
});

describe('parseTextLine', () => {
  test.each([
    ['"text"', 'text'],
    ['{"text": "a"}', { text: 'a' }],
    ['{"text": "a", "text_pair": "b", "id": 7}', { text: 'a', textPair: 'b' }],
    ['{"text": "a", "text_pair": null}', { text: 'a' }],
    ['""', ''],
  ])('%s', (line, expected) => {
    expect(parseTextLine(line)).toEqual(expected);
  });

  test.each([
    ['plain text', 'not JSON; expected a JSON string, {"text": ...}'],
    ['12', 'found a number'],
    ['null', 'found null'],
    ['["a", "b"]', 'found an array'],
    ['{"texts": 1}', 'found an object without "text"'],
    ['{"text": 1}', '"text" is no string'],
    ['{"text": "a", "text_pair": 2}', '"text_pair" is no string'],
  ])('%s is refused', (line, message) => {
    expect(() => parseTextLine(line)).toThrow(message);
  });
});

test.each([
  ['"a document"', 'a document'],
  ['{"text": "a document", "id": 1}', 'a document'],
  ['a document', 'a document'],
  ['a document\r', 'a document'],
  ['{"body": "x"}', '{"body": "x"}'],
  ['42', '42'],
])('parseDocumentLine(%j)', (line, expected) => {
  expect(parseDocumentLine(line)).toBe(expected);
});
