/** The command line's contract (docs/cli.md), end to end with converted checkpoints. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { version } from '../src/support/package-root';
import { goldenModel, goldenRows, writeCheckpoint } from './golden/checkpoint-fixture';
import { chats, rewardModels, writePublished } from './golden/published-checkpoints';
import { finish, runCli, runCliMeasured, startCli } from './support/cli-process';

interface Line {
  readonly label: string;
  readonly score: number;
  readonly scores: readonly { readonly label: string; readonly score: number }[];
  readonly tokens: number;
  readonly truncated: boolean;
  readonly logits?: readonly number[];
}

let folder = '';
let classifier = '';
let reranker = '';
let nli = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ggml-encoder-cli-'));
  [classifier = '', reranker = '', nli = ''] = await Promise.all(
    ['bert-relu', 'bert-reranker', 'bert-old-names'].map(async (name) => {
      await writeCheckpoint(goldenModel(name), join(folder, name));
      const path = join(folder, `${name}.gguf`);
      expect(await runCli(['convert', join(folder, name), '-o', path])).toMatchObject({ code: 0 });
      return path;
    }),
  );
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const jsonl = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');

describe('chats', () => {
  const lines = jsonl([
    ...chats.slice(0, 3).map((messages) => ({ messages, label: 1 })),
    ...chats.slice(3, 6).map((messages) => ({ messages, label: 0 })),
  ]);
  const source = (): string[] => ['-m', join(folder, 'reward'), '--input', '-'];

  beforeAll(() => writePublished(rewardModels[0]!, { name: 'reward' }, folder));

  test('are classified, tokenized and evaluated', async () => {
    const scored = await runCli(['classify', ...source(), '--activation', 'none'], { input: lines });
    expect(scored.code).toBe(0);
    const rows = rewardModels[0]!.rows.slice(0, 6);
    scored.json().forEach((line, row) => expect((line as Line).score).toBeCloseTo(rows[row]!.logit, 4));
    expect((await runCli(['tokenize', ...source()], { input: lines })).json()).toEqual(rows.map(({ ids }) => ids));
    const measured = await runCli(['evaluate', ...source(), '--json'], { input: lines });
    expect(measured.json()).toEqual([expect.objectContaining({ examples: 6 })]);
  });

  test('that are none end the run with their line', async () => {
    const input = jsonl([{ messages: chats[0] }, { messages: [{ role: 'user' }] }]);
    const { code, stderr } = await runCli(['classify', ...source()], { input });
    expect(code).toBe(1);
    expect(stderr).toMatch(/line 2.*"messages" has no "role" and "content"/);
    const none = await runCli(['classify', '-m', classifier, '--input', '-'], {
      input: jsonl([{ messages: chats[0] }]),
    });
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('has no chat template');
  });
});

describe('convert', () => {
  test('reports what it wrote, keeps an existing file, and replaces it with --force', async () => {
    const source = join(folder, 'bert-relu');
    const path = join(folder, 'again.gguf');
    const first = await runCli(['convert', source, '-o', path, '--type', 'q8_0']);
    expect(first.code).toBe(0);
    expect(first.json()).toEqual([expect.objectContaining({ path, type: 'q8_0', sizeBytes: (await stat(path)).size })]);

    const second = await runCli(['convert', source, '-o', path]);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toMatch(/^ggml-encoder: error \[output_exists\]: .+--force.+\n$/);
    expect((await runCli(['convert', source, '-o', path, '--force'])).code).toBe(0);
  });

  test('a folder that is no checkpoint ends in one line and leaves no file', async () => {
    const path = join(folder, 'never.gguf');
    const { code, stderr } = await runCli(['convert', join(folder, 'nothing'), '-o', path]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ggml-encoder: error \[checkpoint_not_found\]: .+\n$/);
    await expect(stat(path)).rejects.toThrow();
  });
});

describe('classify', () => {
  test('prints exactly the documented keys, with the logits of transformers', async () => {
    const rows = (await goldenRows(goldenModel('bert-relu'))).slice(0, 20);
    const input = jsonl(rows.map(({ text }) => text));
    const { code, stderr, json } = await runCli(['classify', '-m', classifier, '--input', '-', '--logits'], { input });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const lines = json() as Line[];
    expect(lines).toHaveLength(rows.length);
    lines.forEach((line, index) => {
      expect(Object.keys(line)).toEqual(['label', 'score', 'scores', 'tokens', 'truncated', 'logits']);
      const { logits, numTokens } = rows[index]!;
      logits.forEach((logit, label) => expect(line.logits![label]).toBeCloseTo(logit, 3));
      expect(line.tokens).toBe(numTokens);
      expect(line.label).toBe(logits[1]! > logits[0]! ? 'yes' : 'no');
      expect(line.scores.map(({ score }) => score)).toEqual(
        line.scores.map(({ score }) => score).sort((a, b) => b - a),
      );
      expect(line.scores[0]).toEqual({ label: line.label, score: line.score });
    });
  });

  test('arguments, --top-k, --activation and --output', async () => {
    const output = join(folder, 'out.jsonl');
    const args = ['classify', '-m', classifier, '--top-k', '1', '--activation', 'sigmoid', '--output', output];
    const { code, stdout } = await runCli([...args, 'one text', 'another']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    const lines = (await readFile(output, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    expect(lines).toHaveLength(2);
    for (const { scores } of lines) expect(scores).toHaveLength(1);
    const all = await runCli(['classify', '-m', classifier, '--top-k', 'all', 'one text']);
    expect((all.json() as Line[])[0]!.scores).toHaveLength(2);
  });

  test('a checkpoint folder is converted into the cache', async () => {
    const env = { GGML_ENCODER_CACHE: join(folder, 'cache') };
    const source = join(folder, 'bert-relu');
    const fromFolder = await runCli(['classify', '-m', source, 'a text'], { env });
    const fromFile = await runCli(['classify', '-m', classifier, 'a text']);
    expect(fromFolder).toMatchObject({ code: 0, stdout: fromFile.stdout });
    expect(await runCli(['classify', '-m', source, 'a text'], { env })).toMatchObject({ stdout: fromFile.stdout });
  });

  test('pairs go through --input', async () => {
    const rows = (await goldenRows(goldenModel('bert-old-names'))).slice(0, 8);
    const input = jsonl(rows.map(({ text, pair }) => ({ text, text_pair: pair })));
    const { code, json } = await runCli(['classify', '-m', nli, '--input', '-', '--logits'], { input });
    expect(code).toBe(0);
    (json() as Line[]).forEach((line, index) => {
      rows[index]!.logits.forEach((logit, label) => expect(line.logits![label]).toBeCloseTo(logit, 3));
    });
  });

  test('the classifier in the package needs no -m', async () => {
    const { code, json } = await runCli(['classify', 'Real-time strategy game of ancient warfare']);
    expect(code).toBe(0);
    expect(json()).toEqual([expect.objectContaining({ label: 'games' })]);
  });

  test('on request the output is for people', async () => {
    const { code, stdout } = await runCli(['classify', '-m', classifier, '--format', 'text', 'a text']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^a text\n {2}(yes|no ) {2}0\.\d{4} {2}[█▏▎▍▌▋▊▉]+\n {2}(yes|no ) {2}0\.\d{4}.*\n$/);
  });
});

describe('streaming', () => {
  test('10,000 lines keep their order, in memory that does not grow with them', async () => {
    const texts = (await goldenRows(goldenModel('bert-relu'))).map(({ text }, index) => `${text} ${index}`);
    const few = await runCliMeasured(['classify', '-m', classifier, '--input', '-'], { input: jsonl(texts) });
    expect(few.code).toBe(0);
    const expected = few.stdout.split('\n').slice(0, -1);

    // Lines of 4 kB, most of it cut by the model: the input alone is 40 MB.
    const filler = ' filler'.repeat(580);
    const order = Array.from({ length: 10_000 }, (_, index) => (index * 7919) % texts.length);
    const short = await runCliMeasured(['classify', '-m', classifier, '--input', '-'], {
      input: jsonl(order.slice(0, 1000).map((index) => texts[index]! + filler)),
    });
    const long = await runCliMeasured(['classify', '-m', classifier, '--input', '-'], {
      input: jsonl(order.map((index) => texts[index]! + filler)),
    });
    expect(long.code).toBe(0);
    expect(long.stdout.split('\n').slice(0, 1000)).toEqual(short.stdout.split('\n').slice(0, 1000));
    expect(long.maxRssBytes - short.maxRssBytes).toBeLessThan(32 * 1024 * 1024);

    const many = await runCli(['classify', '-m', classifier, '--input', '-'], {
      input: jsonl(order.map((index) => texts[index]!)),
    });
    expect(many.stdout.split('\n').slice(0, -1)).toEqual(order.map((index) => expected[index]!));
  });

  test('each line is answered before the next one is sent', async () => {
    const child = startCli(['classify', '-m', classifier, '--input', '-']);
    for (const text of ['first', 'second', 'third']) {
      const answer = once(child.stdout, 'data');
      child.stdin.write(`${JSON.stringify(text)}\n`);
      expect(String((await answer)[0])).toMatch(/^\{"label":.+\}\n$/);
    }
    expect((await finish(child)).code).toBe(0);
  });

  test('a line that cannot be used is named after the lines before it are answered', async () => {
    const input = '"one"\n{"text": "two"}\n{"txt": "three"}\n"four"\n';
    const { code, stderr, json } = await runCli(['classify', '-m', classifier, '--input', '-'], { input });
    expect(code).toBe(1);
    expect(json()).toHaveLength(2);
    expect(stderr).toMatch(
      /^ggml-encoder: error \[input_invalid\]: line 3 of the standard input: found an object without "text"/,
    );
    expect(stderr.split('\n')).toHaveLength(2);
  });

  test('a text that the tokenizer refuses is named by its line', async () => {
    const input = '"one"\n"two [SEP] three"\n';
    const args = ['classify', '-m', classifier, '--special-tokens', 'error', '--input', '-'];
    const { code, stderr, json } = await runCli(args, { input });
    expect(code).toBe(1);
    expect(json()).toHaveLength(1);
    expect(stderr).toMatch(/^ggml-encoder: error \[input_invalid\]: line 2 of the standard input: /);
  });

  test('a reader that goes away ends the run in silence', async () => {
    const child = startCli(['classify', '-m', classifier, '--input', '-']);
    const done = finish(child, jsonl(Array.from({ length: 20_000 }, (_, index) => `text number ${index}`)));
    await once(child.stdout, 'data');
    child.stdout.destroy();
    expect(await done).toMatchObject({ code: 0, stderr: '' });
  });

  test.each([
    ['help', ['--help'], 0],
    ['an error', ['clasify'], 2],
  ])('nobody who reads %s is no fault', async (_, args, code) => {
    const child = startCli(args);
    const closed = once(child, 'close');
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.destroy();
    if (code !== 0) child.stderr.destroy();
    expect(await closed).toEqual([code, null]);
    expect(stderr).toBe('');
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s while waiting for input exits with %i', async (signal, code) => {
    const child = startCli(['classify', '-m', classifier, '--input', '-']);
    const answer = once(child.stdout, 'data');
    child.stdin.write('"a text"\n');
    await answer;
    const closed = once(child, 'close');
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.kill(signal);
    expect(await closed).toEqual([code, null]);
    expect(stderr).toBe('');
  });

  test('the output must not overwrite the input', async () => {
    const path = join(folder, 'both.jsonl');
    await writeFile(path, '"a text"\n');
    const { code, stderr } = await runCli(['classify', '-m', classifier, '--input', path, '--output', path]);
    expect(code).toBe(2);
    expect(stderr).toContain('would overwrite the input');
    expect(await readFile(path, 'utf8')).toBe('"a text"\n');
  });
});

describe('rank', () => {
  test('prints documents best first, as the pairs score', async () => {
    const rows = (await goldenRows(goldenModel('bert-reranker'))).slice(0, 12);
    const documents = rows.map(({ pair }) => pair!);
    const path = join(folder, 'documents.jsonl');
    await writeFile(path, jsonl(documents.map((text, index) => (index % 2 === 0 ? text : { text }))));
    const args = ['rank', '-m', reranker, '--query', rows[0]!.text, '--documents'];
    const { code, stderr, json } = await runCli([...args, path]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const ranked = json() as { index: number; score: number; document: string }[];
    expect(Object.keys(ranked[0]!)).toEqual(['index', 'score', 'document', 'tokens', 'truncated']);
    expect(ranked.map(({ index }) => index).sort((a, b) => a - b)).toEqual(rows.map((_, index) => index));
    for (const { index, document } of ranked) expect(document).toBe(documents[index]);
    expect(ranked.map(({ score }) => score)).toEqual(ranked.map(({ score }) => score).sort((a, b) => b - a));

    const top = await runCli([...args, '-', '--top-k', '2'], { input: `${documents.map(oneLine).join('\n')}\n` });
    expect(top.json()).toHaveLength(2);
    expect(top.json()[0]).toMatchObject({ index: ranked[0]!.index });
  });

  test('a model with several labels needs --label', async () => {
    const args = ['rank', '-m', nli, '--query', 'q', '--documents', '-'];
    const refused = await runCli(args, { input: 'a document\n' });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('--label: name the label to rank by, since this model has 3: no, yes, maybe');
    expect((await runCli([...args, '--label', 'yes'], { input: 'a document\n' })).code).toBe(0);
  });
});

const oneLine = (text: string): string => text.replace(/\s+/g, ' ');

describe('tokenize', () => {
  test('prints one array of ids per line; special tokens are text unless parsed', async () => {
    const args = ['tokenize', '-m', classifier, '--input', '-'];
    const input = jsonl(['a text', 'a [SEP] text', { text: 'a', text_pair: 'text' }]);
    const safe = (await runCli(args, { input })).json() as number[][];
    const parsed = (await runCli([...args, '--special-tokens', 'parse'], { input })).json() as number[][];
    const separator = safe[0]!.at(-1)!;
    const separators = (ids: number[] | undefined): number => ids!.filter((id) => id === separator).length;
    expect(safe.map(separators)).toEqual([1, 1, 2]);
    expect(parsed.map(separators)).toEqual([1, 2, 2]);
    expect(parsed[1]!.length).toBeLessThan(safe[1]!.length);

    const refused = await runCli([...args, '--special-tokens', 'error'], { input });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('line 2');
  });
});

describe('inspect, devices, help', () => {
  test('inspect shows metadata and tensors without the long ones', async () => {
    const { code, json } = await runCli(['inspect', classifier]);
    expect(code).toBe(0);
    expect(json()).toEqual([
      expect.objectContaining({
        path: classifier,
        metadata: expect.objectContaining({
          'general.architecture': 'bert',
          'bert.classifier.output_labels': ['no', 'yes'],
          'tokenizer.ggml.tokens': { type: 'string[]', length: 7100 },
        }) as unknown,
        tensors: expect.arrayContaining([
          expect.objectContaining({ name: 'cls.output.weight', type: 'f32', ne: [72, 2] }),
        ]) as unknown,
      }),
    ]);
    const people = await runCli(['inspect', classifier, '--format', 'text']);
    expect(people.stdout).toMatch(/general\.architecture +bert\n/);
  });

  test('inspect of another file is gguf_malformed', async () => {
    const { code, stderr } = await runCli(['inspect', join(folder, 'bert-relu', 'config.json')]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ggml-encoder: error \[gguf_malformed\]: /);
  });

  test('devices lists the CPU', async () => {
    const { code, json } = await runCli(['devices']);
    expect(code).toBe(0);
    expect(json()).toContainEqual(expect.objectContaining({ id: 'cpu', available: true, reason: '' }));
  });

  test.each([
    ['convert', "a .gguf file of llama.cpp's converter"],
    ['evaluate', 'with --task binary, an example is taken for a 1'],
  ])('help about %s says: %s', async (command, words) => {
    const { stdout } = await runCli(['help', command]);
    expect(stdout.replace(/\s+/g, ' ')).toContain(words);
  });

  test('help and version', async () => {
    expect(await runCli(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
    const help = await runCli(['--help']);
    expect(await runCli(['help'])).toEqual({ ...help, json: expect.any(Function) as unknown });
    expect((await runCli(['help', 'classify'])).stdout).toMatch(/^Usage: ggml-encoder classify /);
    expect(help.code).toBe(0);
    for (const command of ['convert', 'classify', 'rank', 'tokenize', 'inspect', 'devices']) {
      expect(help.stdout).toContain(command);
      expect(await runCli([command, '--help'])).toMatchObject({ code: 0, stderr: '' });
    }
  });

  test.each<[string, string[]]>([
    ['an unknown command', ['clasify', 'x']],
    ['help about one', ['help', 'clasify']],
    ['an unknown option', ['classify', '--topk', '3', 'x']],
    ['nothing to read', ['classify']],
    ['texts and --input', ['classify', '--input', '-', 'x']],
    ['top-k 0', ['classify', '--top-k', '0', 'x']],
    ['65 threads', ['classify', '--threads', '65', 'x']],
    ['no query', ['rank', '-m', 'x.gguf', '--documents', '-']],
    ['an unknown type', ['convert', 'folder', '-o', 'x.gguf', '--type', 'q4_k']],
    ['no output', ['convert', 'folder']],
  ])('%s is wrong usage: exit code 2 and one line', async (_, args) => {
    const { code, stdout, stderr } = await runCli(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^ggml-encoder: error \[usage\]: .+\n$/);
    expect(stderr.split('\n')).toHaveLength(2);
  });

  test('a limit above the model is wrong usage', async () => {
    const { code, stderr } = await runCli(['classify', '-m', classifier, '--max-length', '9999', 'x']);
    expect(code).toBe(2);
    expect(stderr).toContain('at most');
  });

  test.each([
    ['a text', ['classify', 'x']],
    ['a text in windows', ['classify', '--windows', 'x']],
    ['a text to tokenize', ['tokenize', 'x']],
  ])('a limit that leaves no room for %s is wrong usage', async (_, [command = '', ...args]) => {
    const { code, stdout, stderr } = await runCli([command, '-m', classifier, '--max-length', '1', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^ggml-encoder: error \[usage\]: .*--max-length 1 leaves no room for text\b/);
  });

  test('a model that is not there', async () => {
    const { code, stderr } = await runCli(['classify', '-m', 'no-such.gguf', 'x']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ggml-encoder: error \[model_not_found\]: no model at no-such\.gguf/);
  });
});
