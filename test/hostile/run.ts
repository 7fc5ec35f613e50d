/**
 * node run.js [--mutants N] [--seed N] [--every N] [--only TEXT]: the whole hostile corpus and N mutants in this one process, through
 * convert and load. Prints counts by format and code; status 1 when anything but a clean refusal or finite scores came.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

import { Classifier, convert } from 'ggml-encoder';

import type { Case } from './case';
import { adapterCases } from './cases/adapters';
import { ggufCases } from './cases/gguf';
import { ggufChatCases } from './cases/gguf-chats';
import { ggufDecoderCases } from './cases/gguf-decoder';
import { ggufFamilyCases } from './cases/gguf-families';
import { ggufTemplateCases } from './cases/gguf-template';
import { hdf5Cases } from './cases/hdf5';
import { safetensorsCases } from './cases/safetensors';
import { sentencePieceCases } from './cases/sentencepiece';
import { textFileCases } from './cases/text-files';
import { setFitCases } from './cases/setfit';
import { torchCases } from './cases/torch';
import { mutantKinds } from './mutants';
import { Random } from './random';
import { type Outcome, Runner } from './runner';
import { runProgram } from './program';
import { type SoundCheckpoint, soundFamilies } from './sound-families';

const TEXTS = ['A chess engine', 'Fonts for Bengali', '', 'a'.repeat(5000), '\u{1f600} \ud800'];

/** Raw bits of a sound model's answers: what must be the same before and after. */
async function referenceBits(): Promise<string> {
  const model = await Classifier.load();
  const results = await model.classify(TEXTS, { logits: true });
  await model.dispose();
  return results.map(({ logits }) => Buffer.from(logits!.buffer).toString('hex')).join();
}

async function soundGguf(root: string, type: 'f32' | 'bf16' | 'q8_0'): Promise<Buffer> {
  const output = join(root, `sound-${type}.gguf`);
  await convert(join(root, 'checkpoint'), { output, type });
  return readFileSync(output);
}

async function soundFamilyGguf(root: string, { name, files, options }: SoundCheckpoint): Promise<Buffer> {
  const folder = join(root, name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  const output = join(root, `${name}.gguf`);
  await convert(folder, { output, ...options });
  return readFileSync(output);
}

class Tally {
  readonly faults: string[] = [];
  private readonly counts = new Map<string, Map<string, number>>();
  private slowest = { seconds: 0, name: '' };
  private largest = { bytes: 0, name: '' };
  total = 0;

  add(kind: string, hostile: Case, outcome: Outcome): void {
    this.total++;
    const counts = this.counts.get(kind) ?? new Map<string, number>();
    this.counts.set(kind, counts);
    counts.set(outcome.result, (counts.get(outcome.result) ?? 0) + 1);
    if (outcome.seconds > this.slowest.seconds) this.slowest = { seconds: outcome.seconds, name: hostile.name };
    if (outcome.bytes > this.largest.bytes) this.largest = { bytes: outcome.bytes, name: hostile.name };
    if (outcome.fault !== undefined) this.faults.push(`${hostile.name}: ${outcome.fault}`);
  }

  print(title: string): void {
    console.log(`${title}: ${this.total} files`);
    for (const [kind, counts] of this.counts) {
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
      const listed = [...counts].sort((a, b) => b[1] - a[1]).map(([code, count]) => `${code} ${count}`);
      console.log(`  ${kind.padEnd(22)} ${String(total).padStart(6)}   ${listed.join(', ')}`);
    }
    console.log(`  slowest ${this.slowest.seconds.toFixed(2)} s (${this.slowest.name})`);
    console.log(`  largest ${Math.round(this.largest.bytes / 2 ** 20)} MiB (${this.largest.name})`);
    for (const fault of this.faults) console.log(`  FAULT ${fault}`);
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      mutants: { type: 'string', default: '20000' },
      seed: { type: 'string', default: '1' },
      /** Every n-th hand-made case only. */
      every: { type: 'string', default: '1' },
      /** Cases whose name contains this only. */
      only: { type: 'string', default: '' },
    },
  });
  const root = process.env['HOSTILE_ROOT']!;
  const before = await referenceBits();
  const runner = new Runner(root);
  try {
    await runner.run({ name: 'sound', files: {}, expect: 'accepted' });
    if (runner.opened < 3) throw new Error('the watch over opened files saw none');
    const families = new Map<string, Buffer>();
    for (const family of soundFamilies()) families.set(family.name, await soundFamilyGguf(root, family));
    const sound = [await soundGguf(root, 'f32'), await soundGguf(root, 'bf16'), ...families.values()];
    const handMade = [
      ...ggufCases(sound[0]!),
      ...ggufDecoderCases(families.get('decoder')!),
      ...[...families].filter(([name]) => name !== 'decoder').flatMap(([name, gguf]) => ggufFamilyCases(name, gguf)),
      ...ggufTemplateCases(sound[0]!),
      ...ggufChatCases(sound[0]!),
      ...safetensorsCases(),
      ...torchCases(),
      ...hdf5Cases(),
      ...textFileCases(),
      ...sentencePieceCases(),
      ...adapterCases(),
      ...setFitCases(),
    ].filter(({ name }, index) => index % Number(values.every) === 0 && name.includes(values.only));
    const corpus = new Tally();
    for (const hostile of handMade) corpus.add(hostile.name.split('/')[0]!, hostile, await runner.run(hostile));
    corpus.print('hand-made');

    const kinds = mutantKinds(sound);
    const mutants = new Tally();
    for (const [number, { name, share, make }] of kinds.entries()) {
      const count = Math.round((Number(values.mutants) * share) / 100);
      for (let i = 0; i < count; i++) {
        // Each mutant by itself, so that one can be made again alone.
        const random = new Random(Number(values.seed) * 1_000_003 + number * 100_003 + i);
        const hostile: Case = { name: `${name} mutant ${i}`, ...make(random), expect: 'any' };
        if (!hostile.name.includes(values.only)) continue;
        mutants.add(name, hostile, await runner.run(hostile));
      }
    }
    mutants.print('mutants');

    const same = (await referenceBits()) === before;
    console.log(same ? 'the reference bits are the same as before' : 'FAULT the reference bits have changed');
    const faults = corpus.faults.length + mutants.faults.length + (same ? 0 : 1);
    console.log(`${corpus.total + mutants.total} files, ${faults} faults`);
    return faults === 0 ? 0 : 1;
  } finally {
    runner.close();
  }
}

runProgram(main);
