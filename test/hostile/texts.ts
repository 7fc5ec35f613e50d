/**
 * node texts.js [--count N] [--seed N] [--long N]: N random strings over all of Unicode through classify, and long texts of every
 * kind: finite scores each time, and time in proportion to length. Once with the model in the package, once with BERTweet's tokenizer.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { Classifier } from 'ggml-encoder';

import { Random } from './random';
import { runProgram } from './program';
import { TWEETS, soundFiles } from './sound';

const MAX_SECONDS_4_MIB = 2;
const LONG_BYTES = 4 * 2 ** 20;

/** Kinds of strings, each from any plane, valid or not. */
const KINDS: readonly ((random: Random) => string)[] = [
  // Any code point, surrogates alone included.
  (random) => many(random, 60, () => String.fromCodePoint(random.below(0x110000))),
  (random) => many(random, 200, () => String.fromCharCode(random.below(0x10000))),
  (random) => many(random, 60, () => String.fromCharCode(0xd800 + random.below(0x800))),
  (random) => many(random, 40, () => String.fromCharCode(random.below(0xa0))),
  // One character many times.
  (random) => String.fromCodePoint(random.below(0x110000)).repeat(random.below(3000)),
  // A letter under many marks.
  (random) => many(random, 6, () => `a${many(random, 400, () => String.fromCharCode(0x300 + random.below(0x70)))}`),
  // Words between every kind of space and direction mark.
  (random) =>
    many(random, 60, () =>
      random.pick(['word', 'Ünïcödé', '日本語', 'שלום', '\u202e', '\u200f', '\u2028', '\u0085', '\ufeff', ' ', '\t']),
    ),
  // Text that looks like the tokenizer's own words.
  (random) =>
    many(random, 40, () =>
      random.pick(['[CLS]', '[SEP]', '[MASK]', '[UNK]', '[PAD]', '##', '##a', '[', ']', '\0', ' ']),
    ),
  (random) =>
    many(random, 40, () =>
      random.pick(['\u{1f468}\u200d\u{1f469}\u200d\u{1f467}', '\u{1f1e9}\u{1f1ea}', '\u{1f3fd}', '\ufe0f', '\u20e3']),
    ),
  // What BERTweet's normalizer looks for.
  (random) =>
    many(random, 40, () =>
      random.pick([
        ...[
          'http://',
          'http:',
          'a.co/',
          'a.co',
          'www.',
          '(',
          ')',
          '(a(b)c)',
          '[',
          '.',
          ',',
          '/',
          '@',
          '@a',
          '#a',
          '+1 (555) ',
          '555',
          '1234',
        ],
        ...[
          ':)',
          '8',
          '<',
          '>',
          '-',
          '&amp;',
          '&#x',
          '&#xD83D;',
          ';',
          "n't",
          "'",
          ' p . m .',
          ' ',
          '\n',
          '\u2026',
          '\u2019',
          'a',
          '1',
          '_',
        ],
      ]),
    ),
  () => '',
];

const LONG: readonly string[] = [
  'a',
  ' ',
  '.',
  'the quick brown fox ',
  '\u0301',
  'é',
  '日',
  '\u{1f600}',
  '[SEP]',
  '[',
  '##',
  '\0',
  '\ud800',
  '가',
  'a\u0301\u0323',
  '\u202e',
];

/** Of BERTweet's normalizer, whose original tries ever more ways in these. */
const LONG_TWEETS: readonly string[] = [
  'http://a(',
  'http:/a(b)]',
  'http:.,',
  '(a(b)c)',
  'a.b-',
  'a.co/(',
  'com/.',
  'a+b@',
  '1. * -',
  '<a',
  '&a',
  '. \n',
  "#a'",
  ':) @user http://t.co/a \u{1f600} ',
  " p . m . can't",
];

function many(random: Random, most: number, make: () => string): string {
  return Array.from({ length: random.below(most) }, make).join('');
}

/** A small model with BERTweet's tokenizer. */
function loadTweets(): Promise<Classifier> {
  const root = process.env['HOSTILE_ROOT'] ?? '.';
  const folder = join(root, 'tweets');
  mkdirSync(folder);
  for (const [name, content] of Object.entries({ ...soundFiles(), ...TWEETS }))
    writeFileSync(join(folder, name), content);
  return Classifier.load(folder, { cacheDir: join(root, 'tweets-cache') });
}

/** Returns how many faults there were. */
async function checkModel(model: Classifier, random: Random, count: number, long: readonly string[]): Promise<number> {
  let faults = 0;
  const complain = (what: string) => {
    faults++;
    console.log(`  FAULT ${what}`);
  };

  const size = 500;
  for (let done = 0; done < count; done += size) {
    const texts = Array.from({ length: Math.min(size, count - done) }, () => random.pick(KINDS)(random));
    const specialTokens = random.pick(['text', 'parse'] as const);
    const truncationSide = random.pick(['left', 'right'] as const);
    const inputs = texts.map((text, index) =>
      index % 4 === 0 ? { text, textPair: texts[(index + 1) % texts.length]! } : text,
    );
    const results = await model.classify(inputs, { specialTokens, truncationSide });
    results.forEach(({ scores, tokens }, index) => {
      const total = scores.reduce((sum, { score }) => sum + score, 0);
      if (!scores.every(({ score }) => Number.isFinite(score)) || Math.abs(total - 1) > 1e-4) {
        complain(`scores of ${JSON.stringify(inputs[index]).slice(0, 200)}`);
      }
      if (tokens > model.info.maxLength) complain(`${tokens} tokens`);
    });
  }
  console.log(`  ${count} strings, every score finite, every sum 1`);

  let slowest = 0;
  for (const part of long) {
    const text = part.repeat(Math.ceil(LONG_BYTES / Buffer.byteLength(part)));
    for (const truncationSide of ['right', 'left'] as const) {
      const start = process.cpuUsage();
      await model.classify(text, { truncationSide });
      const { user, system } = process.cpuUsage(start);
      const seconds = (user + system) / 1e6;
      slowest = Math.max(slowest, seconds);
      if (seconds > MAX_SECONDS_4_MIB)
        complain(`4 MiB of ${JSON.stringify(part)}, ${truncationSide}: ${seconds.toFixed(2)} s`);
    }
  }
  console.log(`  ${long.length} texts of 4 MiB, cut at either end: at most ${slowest.toFixed(2)} s of processor time`);
  await model.dispose();
  return faults;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      long: { type: 'string', default: String(LONG.length) },
    },
  });
  const count = Number(values.count);
  const random = new Random(Number(values.seed));
  let total = 0;
  let faults = 0;
  for (const [load, texts] of [
    [() => Classifier.load(), LONG],
    [loadTweets, LONG_TWEETS],
  ] as const) {
    const long = texts.slice(0, Number(values.long));
    faults += await checkModel(await load(), random, count, long);
    total += count + 2 * long.length;
  }
  console.log(`${total} texts, ${faults} faults`);
  return faults === 0 ? 0 : 1;
}

runProgram(main);
