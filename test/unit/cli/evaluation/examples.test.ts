import { Readable } from 'node:stream';

import { describe, expect, test } from 'vitest';

import { csvRows } from '../../../../src/cli/evaluation/input/csv';
import type { ColumnTitles } from '../../../../src/cli/evaluation/input/columns';
import { alike, examples } from '../../../../src/cli/evaluation/input/examples';
import { labelPlace } from '../../../../src/cli/evaluation/input/label-place';
import { labelledText } from '../../../../src/cli/evaluation/input/labelled-text';
import { labelSet } from '../../../../src/cli/evaluation/input/label-set';
import type { Example } from '../../../../src/cli/evaluation/input/record-format';
import type { TargetFormat } from '../../../../src/cli/evaluation/input/target-format';
import { targetValue } from '../../../../src/cli/evaluation/input/target-value';

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

interface Reading {
  readonly path?: string;
  readonly titles?: ColumnTitles;
}

async function readAs<Target>(
  format: TargetFormat<Target>,
  text: string,
  { path = 'x.csv', titles = {} }: Reading = {},
): Promise<[number, Example<Target>][]> {
  const batches = examples(inPieces(text, 1000), { path, titles, format: labelledText(format) });
  return (await flat(batches)).map(({ line, value }) => [line, value]);
}

async function expectRefusal(reading: Promise<unknown>, message: string): Promise<void> {
  await expect(reading).rejects.toMatchObject({
    code: 'input_invalid',
    message: expect.stringContaining(message) as string,
  });
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

describe('one label', () => {
  const read = async (text: string, reading?: Reading) => readAs(labelPlace(['no', 'yes', '7']), text, reading);

  test('CSV: columns by name in any order, labels by name or place', async () => {
    expect(await read('Label,id,text\nyes,1,"a, b"\n0,2,c\n7,3,d\n')).toEqual([
      [2, { input: 'a, b', target: 1 }],
      [3, { input: 'c', target: 0 }],
      [4, { input: 'd', target: 2 }],
    ]);
    expect(await read('text,text_pair,label\na,b,no')).toEqual([
      [2, { input: { text: 'a', textPair: 'b' }, target: 0 }],
    ]);
  });

  test('JSON lines', async () => {
    const text = '{"text": "a", "label": "yes"}\n\n{"text": "b", "text_pair": "c", "label": 2, "id": 5}\n';
    expect(await read(text, { path: 'x.jsonl' })).toEqual([
      [1, { input: { text: 'a' }, target: 1 }],
      [3, { input: { text: 'b', textPair: 'c' }, target: 2 }],
    ]);
  });

  test('--column gives the names other titles', async () => {
    const titles = { text: 'premise', text_pair: 'hypothesis', label: 'gold' };
    const expected = { input: { text: 'a', textPair: 'b' }, target: 1 };
    const csv = await read('text,premise,Hypothesis,gold\nx,a,b,yes\n', { titles });
    expect(csv).toEqual([[2, expected]]);
    const json = '{"text": "x", "premise": "a", "hypothesis": "b", "gold": 1, "label": 0}';
    expect(await read(json, { path: 'x.jsonl', titles })).toEqual([[1, expected]]);
  });

  test('a name for a model that names nothing is refused with what to do', async () => {
    const read = readAs(labelPlace(['LABEL_0', 'LABEL_1']), 'text,label\na,positive\n');
    await expect(read).rejects.toThrow('write their places from 0, or name them by "ggml-encoder convert --labels"');
  });

  test.each<[string, string, string]>([
    ['x.csv', 'text,title\n', 'line 1 of x.csv: the header must name the columns "text" and "label"'],
    ['x.csv', 'title,label\n', 'line 1 of x.csv: the header must name the column "text"; --column'],
    ['x.csv', 'Tweet,Label\n', 'says where else it stands; the header is "Tweet,Label"'],
    ['x.csv', 'text;label\n', 'the header is "text;label"; fields must stand between commas'],
    ['x.csv', 'text,text,label\n', 'line 1 of x.csv: the header names the column "text" twice'],
    ['x.csv', 'text,label\na,no\nb\n', 'line 3 of x.csv: 1 fields; the header has 2'],
    [
      'x.csv',
      'text,label\na,maybe\n',
      `line 2 of x.csv: the label "maybe" is not one of the model's labels (no, yes, 7)`,
    ],
    ['x.csv', 'text,label\na,8\n', 'line 2 of x.csv: the label "8" is not'],
    ['x.jsonl', '{"text": "a"}', 'line 1 of x.jsonl: no "label"'],
    ['x.jsonl', '{"text": "a", "labels": ["no"]}', '"labels", which may be several, need --task multi-label'],
    ['x.jsonl', '{"text": "a", "label": 1.5}', 'line 1 of x.jsonl: the label 1.5 is not'],
    ['x.jsonl', '{"text": "a", "label": null}', 'line 1 of x.jsonl: the label null is not'],
    ['x.jsonl', '{"label": "no"}', 'line 1 of x.jsonl: found an object without "text"'],
    ['x.jsonl', '"a"', 'line 1 of x.jsonl: found a string'],
    ['x.jsonl', 'a', 'line 1 of x.jsonl: not JSON; expected {"text": ..., "label": ...}; a file of columns is one'],
    ['x.jsonl', '{"text": NaN}', 'line 1 of x.jsonl: not JSON, which has no NaN'],
    ['x.jsonl', 'null', 'line 1 of x.jsonl: found null'],
  ])('%s with %j is refused by its line', async (path, text, message) => {
    await expectRefusal(read(text, { path }), message);
  });

  test('a title that is not there', async () => {
    await expectRefusal(read('text,label\n', { titles: { text_pair: 'b' } }), 'does not name the column "b"');
    const reading = { path: 'x.jsonl', titles: { text: 'body' } };
    await expectRefusal(read('{"text": "a", "label": 0}', reading), 'line 1 of x.jsonl: no string under "body"');
  });
});

describe('any number of labels', () => {
  const read = async (text: string, reading?: Reading, labels = ['toxic', 'threat', 'hate, mild']) =>
    (await readAs(labelSet(labels, reading?.path === 'bar.csv' ? '|' : ','), text, reading)).map(([, { target }]) =>
      Array.from(target),
    );
  const json = (labels: unknown): string => JSON.stringify({ text: 'x', labels });

  test.each<[unknown, number[]]>([
    [[], [0, 0, 0]],
    [['toxic'], [1, 0, 0]],
    [
      ['hate, mild', 'toxic', 'toxic'],
      [1, 0, 1],
    ],
    [[2], [0, 0, 1]],
    [
      [1, 2],
      [0, 1, 1],
    ],
    [
      [0, 1],
      [1, 1, 0],
    ],
    [
      [0, 1, 1],
      [0, 1, 1],
    ],
    [
      [0, 0, 0],
      [0, 0, 0],
    ],
    [
      [1.0, 0.0, 1.0],
      [1, 0, 1],
    ],
    [
      [true, false, true],
      [1, 0, 1],
    ],
    [{ toxic: 1, threat: 0, 'hate, mild': true }, [1, 0, 1]],
    ['threat', [0, 1, 0]],
    [2, [0, 0, 1]],
  ])('JSON %j', async (labels, expected) => {
    expect(await read(json(labels), { path: 'x.jsonl' })).toEqual([expected]);
    expect(await read(json(labels).replace('labels', 'label'), { path: 'x.jsonl' })).toEqual([expected]);
  });

  test('JSON with a key for each label', async () => {
    const line = '{"text": "x", "id": 3, "toxic": 0, "threat": 1, "hate, mild": 0}';
    expect(await read(line, { path: 'x.jsonl' })).toEqual([[0, 1, 0]]);
  });

  test.each<[unknown, string]>([
    [['toxic', 'rude'], 'the label "rude" is not one of the model\'s labels (toxic, threat, hate, mild)'],
    [['toxic', 1], '1 in a list of names'],
    [[0, 0, 1, 1], '4 times 0 or 1; the model has 3 labels'],
    [[1, 1], '2 times 0 or 1; the model has 3 labels'],
    [[3], '[3] are neither places from 0 to 2 nor one 0 or 1 for each label'],
    [[0.5, 0, 1], 'are neither places'],
    [[true, false], '2 times 0 or 1'],
    [{ toxic: 1, threat: 0 }, 'no 0 or 1 for the label "hate, mild"'],
    [{ toxic: 1, threat: 0, 'hate, mild': 0, rude: 0 }, 'the label "rude" is not'],
    [{ toxic: 0.7, threat: 0, 'hate, mild': 0 }, '0.7 for the label "toxic"; expected 0 or 1'],
    [{ toxic: -1, threat: -1, 'hate, mild': -1 }, 'leave out the examples that nobody has labelled'],
    ['toxic,threat', 'the label "toxic,threat" is not one'],
    [1, "1 alone may be a place or mean yes or no; write the label's name, or [1]"],
    ['0', '"0" alone may be a place'],
    [null, 'the labels are null; expected a list, [] for none'],
    [true, 'the labels are true; expected a list'],
  ])('JSON %j is refused by its line', async (labels, message) => {
    await expectRefusal(read(`\n${json(labels)}`, { path: 'x.jsonl' }), 'line 2 of x.jsonl: ');
    await expectRefusal(read(json(labels), { path: 'x.jsonl' }), message);
  });

  test('what may be a vector or places is refused', async () => {
    for (const labels of [
      [0, 1],
      [1, 0],
    ]) {
      const reading = read(json(labels), { path: 'x.jsonl' }, ['a', 'b']);
      await expectRefusal(reading, `line 1 of x.jsonl: ${JSON.stringify(labels)} may be places or one 0 or 1 for each`);
    }
    expect(await read(json([1, 1]), { path: 'x.jsonl' }, ['a', 'b'])).toEqual([[1, 1]]);
    expect(await read(json([1]), { path: 'x.jsonl' }, ['a', 'b'])).toEqual([[0, 1]]);
  });

  test.each<[string, string]>([
    ['{"text": "x"}', 'no "labels"; expected a list'],
    ['{"text": "x", "labels": [], "label": "toxic"}', 'found "labels" and "label"; say with --column label=...'],
    ['{"text": "x", "labels": [], "toxic": 0, "threat": 1, "hate, mild": 0}', 'found "labels" and a key for each'],
  ])('%s is refused', async (line, message) => {
    await expectRefusal(read(line, { path: 'x.jsonl' }), `line 1 of x.jsonl: ${message}`);
  });

  test('CSV with a column for each label, as the Jigsaw toxic comments have', async () => {
    const text = 'id,comment_text,threat,toxic,"hate, mild"\n1,x,1,0,0\n2,"y,z",0,1.0,True\n';
    expect(await read(text, { titles: { text: 'comment_text' } })).toEqual([
      [0, 1, 0],
      [1, 0, 1],
    ]);
  });

  test('CSV with one column: names, places, a vector, a JSON list, nothing', async () => {
    const fields = ['toxic', 'toxic,threat', '"hate, mild"', '2', '0, 2', '0,0,1', '', '[""toxic""]', '[]', '[0,2]'];
    const rows = fields.map((field) => `x,"${field.replace(/^"(.*)"$/, '$1')}"\n`);
    expect(await read(`text,labels\n${rows.join('')}`)).toEqual([
      [1, 0, 0],
      [1, 1, 0],
      [0, 0, 1],
      [0, 0, 1],
      [1, 0, 1],
      [0, 0, 1],
      [0, 0, 0],
      [1, 0, 0],
      [0, 0, 0],
      [1, 0, 1],
    ]);
    expect(
      await read('text,label\nx,toxic | hate, mild\n'.replace('hate, mild', 'threat'), { path: 'bar.csv' }),
    ).toEqual([[1, 1, 0]]);
  });

  test.each<[string, string]>([
    [
      'text,toxic,threat\n',
      "line 1 of x.csv: the header has columns for some of the model's labels, but none for hate",
    ],
    ['text,title\n', 'line 1 of x.csv: the header must name a column "labels", or one for each label of the model'],
    ['text,labels,label\n', 'line 1 of x.csv: the header has the columns "labels" and "label"; say with --column'],
    [
      'text,labels,toxic,threat,"hate, mild"\n',
      'line 1 of x.csv: the header has the column "labels" and one for each label',
    ],
    ['text,toxic,toxic,threat,"hate, mild"\n', 'line 1 of x.csv: the header names the column "toxic" twice'],
    [
      'text,labels\nx,toxic\nx,toxic|threat\n',
      'line 3 of x.csv: the label "toxic|threat" is not known; expected labels',
    ],
    ['text,labels\nx,"toxic,,threat"\n', 'line 2 of x.csv: the label "" is not known'],
    ['text,labels\nx,1\n', 'line 2 of x.csv: "1" alone may be a place or mean yes or no'],
    [`text,labels\nx,['toxic']\n`, 'line 2 of x.csv: the labels "[\'toxic\']" are no JSON list'],
    ['text,labels\nx,"0,1,1,0"\n', 'line 2 of x.csv: 4 times 0 or 1; the model has 3 labels'],
    [
      'text,toxic,threat,"hate, mild"\nx,0,-1,0\n',
      'line 2 of x.csv: "-1" for the label "threat"; expected 0 or 1; leave out',
    ],
    ['text,toxic,threat,"hate, mild"\nx,0,,0\n', 'line 2 of x.csv: "" for the label "threat"; expected 0 or 1'],
  ])('CSV %j is refused by its line', async (text, message) => {
    await expectRefusal(read(text), message);
  });

  test('--column decides where two columns could be meant', async () => {
    const text = 'text,labels,label\nx,toxic,threat\n';
    expect(await read(text, { titles: { label: 'label' } })).toEqual([[0, 1, 0]]);
    await expectRefusal(read(text, { titles: { label: 'tags' } }), 'the header does not name the column "tags"');
  });
});

describe('one value', () => {
  const read = async (text: string, reading?: Reading, isBinary = false) =>
    (await readAs(targetValue(isBinary), text, reading)).map(([, { target }]) => target);

  test('CSV and JSON lines, under "label" or "score"', async () => {
    expect(await read('text,text_pair,score\na,b,3.8\na,b,-1e-1\na,b,5\na,b,True\n')).toEqual([3.8, -0.1, 5, 1]);
    expect(await read('text,label\na,.5\n')).toEqual([0.5]);
    const json = '{"text": "a", "label": 2.5}\n{"text": "a", "score": 1}\n{"text": "a", "label": false}\n';
    expect(await read(json, { path: 'x.jsonl' })).toEqual([2.5, 1, 0]);
  });

  test.each<[string, string, string]>([
    ['x.csv', 'text,label,score\n', 'line 1 of x.csv: the header has the columns "label" and "score"'],
    ['x.csv', 'text\n', 'line 1 of x.csv: the header must name the column "label" or "score"'],
    ['x.csv', 'text,label\na,high\n', 'line 2 of x.csv: "label" is "high"; expected a number'],
    ['x.csv', 'text,label\na,\n', 'line 2 of x.csv: "label" is ""; expected a number'],
    ['x.csv', 'text,label\na,0x10\n', 'line 2 of x.csv: "label" is "0x10"'],
    ['x.csv', 'text,label\na,1e999\n', 'line 2 of x.csv: "label" is "1e999"'],
    ['x.csv', 'text,label\na,"1,5"\n', 'line 2 of x.csv: "label" is "1,5"'],
    ['x.jsonl', '{"text": "a"}', 'line 1 of x.jsonl: no "label" or "score"; expected a number'],
    ['x.jsonl', '{"text": "a", "label": "2"}', 'line 1 of x.jsonl: "label" is "2"; expected a number'],
    ['x.jsonl', '{"text": "a", "label": null}', 'line 1 of x.jsonl: "label" is null; expected a number'],
    ['x.jsonl', '{"text": "a", "label": 1, "score": 1}', 'line 1 of x.jsonl: found "label" and "score"'],
  ])('%s with %j is refused by its line', async (path, text, message) => {
    await expectRefusal(read(text, { path }), message);
  });

  test('a binary task takes 0 and 1', async () => {
    expect(await read('text,label\na,1\na,0.0\n', {}, true)).toEqual([1, 0]);
    await expectRefusal(read('text,label\na,1\na,2\n', {}, true), 'line 3 of x.csv: "label" is "2"; expected 0 or 1');
  });
});

test('a text among pairs is refused, and a pair among texts, after the examples before it', async () => {
  const pair = '{"text": "a", "text_pair": "b", "label": 1}\n';
  const text = '{"text": "a", "label": 1}\n';
  const file = { path: 'x.jsonl', titles: {}, format: labelledText(targetValue(false)) };
  for (const [lines, message] of [
    [`${pair}${pair}${text}`, 'line 3 of x.jsonl: no "text_pair", but the lines before have one'],
    [`${text}${pair}`, 'line 2 of x.jsonl: a "text_pair", but the lines before have none'],
  ] as const) {
    const read: unknown[] = [];
    const reading = (async () => {
      for await (const batch of alike(examples(inPieces(lines, 1000), file), 'x.jsonl')) read.push(...batch);
    })();
    await expectRefusal(reading, message);
    expect(read).toHaveLength(lines.split('\n').length - 2);
  }
});
