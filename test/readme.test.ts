/** Executes every `sh` and `js` block of the README and the docs as a user would, in a folder with the package. */
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { ARCHITECTURES } from '../src/convert/architectures/index';
import { PROMPT_ROUTER } from '../src/convert/prompt-router';
import { WRAPPED_RANKER } from '../src/convert/wrapped-ranker';
import { adapterModel, writeAdapter, writeBase } from './golden/adapter-checkpoints';
import { goldenModel, writeCheckpoint } from './golden/checkpoint-fixture';
import { interactionModel, writeInteraction } from './golden/interaction-checkpoints';
import { writeListModel } from './golden/list-checkpoints';
import { answerClassifiers, writeAnswerClassifier } from './golden/answer-classifier-checkpoints';
import { miniCheck, ownT5, writeAnsweringT5 } from './golden/answering-t5-checkpoints';
import { rewardModels, writePublished } from './golden/published-checkpoints';
import { FakeHub } from './hub/fake-hub';
import { PACKAGE_ROOT } from './support/cli-process';

/** The frameworks of frameworks.md are not installed here; test/package/frameworks.package.ts runs its examples. */
const GUIDES = readdirSync(join(PACKAGE_ROOT, 'docs', 'guides'))
  .filter((file) => file !== 'frameworks.md')
  .map((file) => `docs/guides/${file}`);
const PAGES = ['README.md', 'docs/api.md', 'docs/cli.md', 'docs/errors.md', 'docs/hub.md', ...GUIDES];

/** Packages that examples use beside this one. */
const PEERS = ['ai', 'fastify', 'express', '@huggingface/jinja'];

/** What has run before any test can. */
const SET_UP = ['npm ci'];

interface Block {
  readonly language: string;
  readonly code: string;
}

let folder = '';
let hub: FakeHub;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ggml-encoder-readme-'));
  const bin = join(folder, 'node_modules', '.bin');
  await mkdir(bin, { recursive: true });
  await symlink(PACKAGE_ROOT, join(folder, 'node_modules', 'ggml-encoder'));
  await mkdir(join(folder, 'node_modules', '@huggingface'));
  for (const name of PEERS) await symlink(join(PACKAGE_ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  await symlink(join(PACKAGE_ROOT, 'bin', 'ggml-encoder.js'), join(bin, 'ggml-encoder'));
  const nliLabels = { id2label: { 0: 'contradiction', 1: 'entailment', 2: 'neutral' }, label2id: undefined };
  await writeCheckpoint(goldenModel('bert-old-names'), join(folder, 'nli-checkpoint'), { config: nliLabels });
  await writeCheckpoint(goldenModel('bert-reranker'), join(folder, 'reranker-checkpoint'));
  const moderationLabels = {
    id2label: { 0: 'toxic', 1: 'insult', 2: 'threat', 3: 'obscene', 4: 'hate' },
    label2id: undefined,
  };
  await writeCheckpoint(goldenModel('bert-multilabel'), join(folder, 'moderation-checkpoint'), {
    config: moderationLabels,
  });
  writePublished(rewardModels[0]!, { name: 'reward-checkpoint' }, folder);
  for (const model of answerClassifiers.slice(0, 2)) writeAnswerClassifier(model, {}, folder);
  writeAnsweringT5(miniCheck, {}, folder);
  writeAnsweringT5(ownT5, { name: 't5-checkpoint' }, folder);
  writeListModel(undefined, {}, 'jina-reranker-v3', folder);
  writeInteraction(interactionModel('pylate-modernbert'), {}, join(folder, 'GTE-ModernColBERT-v1'));
  writeBase(adapterModel('roberta-masked'), {}, join(folder, 'base'));
  writeAdapter(adapterModel('roberta-masked'), './base', {}, join(folder, 'adapter'));
  const files = await readFolder(join(folder, 'reranker-checkpoint'));
  hub = await FakeHub.start('cross-encoder/ms-marco-MiniLM-L6-v2', files);
  await writeFile(join(folder, 'labelled.csv'), 'text,label\nA chess engine,games\n"Fonts, for Bengali",fonts\n');
  await writeFile(
    join(folder, 'passages.txt'),
    'Iron rusts in wet air.\nLeaves turn light into sugar.\nSalt dissolves.\n',
  );
});

afterAll(async () => {
  await hub.stop();
  await rm(folder, { recursive: true, force: true });
});

async function readFolder(path: string): Promise<Record<string, Buffer>> {
  const names = await readdir(path);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(path, name))] as const)),
  );
}

function blocksOf(page: string): Block[] {
  const text = readFileSync(join(PACKAGE_ROOT, page), 'utf8');
  return Array.from(text.matchAll(/^```(sh|js)\n(.*?)^```$/gms), ([, language = '', code = '']) => ({
    language,
    code,
  }));
}

async function execute(program: string, args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const caches = { GGML_ENCODER_CACHE: join(folder, 'cache'), HF_HOME: join(folder, 'hf'), HF_ENDPOINT: hub.endpoint };
  const env = { ...process.env, ...caches };
  return promisify(execFile)(program, args, { cwd: folder, env });
}

async function run({ language, code }: Block): Promise<string> {
  if (language === 'sh') {
    const commands = code.split('\n').filter((line) => !SET_UP.includes(line.trim()));
    return (await execute('bash', ['-euo', 'pipefail', '-c', commands.join('\n')])).stdout;
  }
  const file = join(folder, code.includes('require(') ? 'example.cjs' : 'example.mjs');
  await writeFile(file, code);
  return (await execute(process.execPath, [file])).stdout;
}

describe.each(PAGES)('%s', (page) => {
  const blocks = blocksOf(page).map((block, index): [string, Block] => [`${index + 1}, ${block.language}`, block]);

  test.each(blocks)('block %s runs', async (_, block) => {
    await run(block);
  });
});

test('the first command names a sensible section', async () => {
  const first = blocksOf('README.md').find(({ language }) => language === 'sh');
  expect(JSON.parse(await run(first!))).toMatchObject({ label: 'games' });
});

test('the README shows every task', () => {
  const code = blocksOf('README.md')
    .map((block) => block.code)
    .join('\n');
  for (const word of [
    '.classify(',
    '.predict(',
    '.rank(',
    'ZeroShotClassifier',
    '.classifyStream(',
    'ggml-encoder convert',
    'ggml-encoder rank',
    'ggml-encoder evaluate',
    'windows:',
    'threshold:',
    'rerankingModel(',
  ]) {
    expect(code).toContain(word);
  }
});

test('links between the pages lead somewhere', () => {
  const docs = readdirSync(join(PACKAGE_ROOT, 'docs'), { recursive: true, encoding: 'utf8' });
  const others = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'models/README.md', 'bench/README.md'];
  const pages = [...others, ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
  for (const page of pages) {
    const text = readFileSync(join(PACKAGE_ROOT, page), 'utf8');
    for (const [, target = '', section] of text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)) {
      const path = target === '' ? join(PACKAGE_ROOT, page) : join(PACKAGE_ROOT, page, '..', target);
      expect(() => readFileSync(path), `${page}: ${target}`).not.toThrow();
      if (section !== undefined) expect(sectionsOf(path), `${page}: ${target}`).toContain(section);
    }
  }
});

/** The names that GitHub gives to a page's headings. */
function sectionsOf(path: string): string[] {
  const headings = readFileSync(path, 'utf8').matchAll(/^#+ (.+)$/gm);
  return Array.from(headings, ([, title = '']) => {
    const words = title.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '');
    return words.replaceAll(' ', '-');
  });
}

test('the list of models has every class that is converted, and no other', () => {
  const named =
    readFileSync(join(PACKAGE_ROOT, 'docs', 'models.md'), 'utf8').match(/`(?:HF[A-Z]\w+|Provence|\w+For[A-Z]\w+)`/g) ??
    [];
  const classes = [...ARCHITECTURES.map(({ sourceClass }) => sourceClass), WRAPPED_RANKER, PROMPT_ROUTER];
  const known = classes.map((name) => `\`${name}\``);
  expect([...named].sort()).toEqual([...known].sort());
});
