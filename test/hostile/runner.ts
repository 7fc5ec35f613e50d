/** Runs hostile cases one after another in this process, and says of each how it ended, how long it took and what memory. */
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { Classifier, CrossEncoder, ZeroShotClassifier, convert, isEncoderError } from 'ggml-encoder';

import type { Case } from './case';
import { ROOT, soundFiles } from './sound';

export const MAX_SECONDS = 2;
export const MAX_BYTES = 256 * 2 ** 20;

export interface Outcome {
  /** 'accepted', or the code of the refusal. */
  readonly result: string;
  /** Processor time of all threads: what other processes do does not count. */
  readonly seconds: number;
  /** Largest resident memory while the case ran, over what there was before. */
  readonly bytes: number;
  /** What was opened, started or connected to beyond the case's own files. */
  readonly strays: readonly string[];
  /** What is wrong with the outcome; undefined when nothing is. */
  readonly fault: string | undefined;
}

/** The codes that docs/errors.md explains, but for the one that stands for a fault of the package. */
const DOCUMENTED = new Set(
  Array.from(readFileSync(join(ROOT, 'docs/errors.md'), 'utf8').matchAll(/^\| `(\w+)` \|/gm), ([, code]) => code!),
);
DOCUMENTED.delete('internal');

const SYSTEM_FILES =
  /^\/proc\/(meminfo$|(self|\d+)\/(status|cgroup|mountinfo)$)|^\/sys\/(fs\/cgroup|devices\/system\/cpu)\//;

/** What test/hostile/watching-io.c wrote between two moments. */
class Watch {
  private readonly log: number;
  private start = 0;

  constructor() {
    const path = process.env['WATCH_LOG'];
    if (path === undefined) throw new Error('run this through scripts/hostile.mjs, which has opened files watched');
    this.log = openSync(path, 'r');
  }

  begin(): void {
    this.start = fstatSync(this.log).size;
  }

  end(): string[] {
    const bytes = Buffer.alloc(fstatSync(this.log).size - this.start);
    readSync(this.log, bytes, 0, bytes.length, this.start);
    return bytes.toString().split('\n').slice(0, -1);
  }

  close(): void {
    closeSync(this.log);
  }
}

export class Runner {
  private readonly folder: string;
  /** The sound checkpoint, for adapters. */
  private readonly base: string;
  private readonly output: string;
  private readonly gguf: string;
  private readonly cache: string;
  private readonly sound = soundFiles();
  private readonly progress: number;
  private readonly watch = new Watch();
  /** Files opened in all cases so far. */
  opened = 0;

  /** Works inside `root`; the name of the running case is kept in root/running. */
  constructor(root: string) {
    this.folder = join(root, 'checkpoint');
    this.output = join(root, 'converted.gguf');
    this.gguf = join(root, 'hostile.gguf');
    mkdirSync(this.folder);
    this.base = join(root, 'base');
    mkdirSync(this.base);
    for (const [name, content] of Object.entries(this.sound)) writeFileSync(join(this.base, name), content);
    // Where `load` puts what it has to convert first.
    this.cache = join(root, 'cache');
    process.env['GGML_ENCODER_CACHE'] = this.cache;
    this.progress = openSync(join(root, 'running'), 'w');
  }

  close(): void {
    closeSync(this.progress);
    this.watch.close();
  }

  /** A case that takes too long is tried again: on a busy machine even processor time is at times twice what it is. */
  async run(hostile: Case): Promise<Outcome> {
    let outcome = await this.runOnce(hostile);
    for (let i = 0; i < 2 && outcome.seconds > MAX_SECONDS; i++) outcome = await this.runOnce(hostile);
    return outcome;
  }

  private async runOnce(hostile: Case): Promise<Outcome> {
    writeSync(this.progress, `${hostile.name.slice(0, 200)}\n`.padEnd(256), 0);
    this.layOut(hostile);
    resetPeak();
    const before = memoryKibibytes('VmRSS');
    this.watch.begin();
    const start = process.cpuUsage();
    const result = await this.attempt(hostile);
    const { user, system } = process.cpuUsage(start);
    const seconds = (user + system) / 1e6;
    const lines = this.watch.end();
    this.opened += lines.length;
    const strays = lines.filter((line) => !this.isOwn(line));
    const bytes = Math.max(0, memoryKibibytes('VmHWM') - before) * 1024;
    const outcome = { result, seconds, bytes, strays };
    return { ...outcome, fault: faultOf(hostile, outcome) };
  }

  /** A file of the case, or one that asks the system about itself. */
  private isOwn(line: string): boolean {
    const opened = line.startsWith('open ') ? line.slice('open '.length) : undefined;
    if (opened === undefined) return false;
    const folders = [this.folder, this.base, this.cache];
    if ([dirname(this.folder), ...folders].includes(opened)) return true;
    const isInside = folders.some((folder) => opened.startsWith(`${folder}/`));
    return isInside || this.isOutput(opened) || SYSTEM_FILES.test(opened);
  }

  private isOutput(path: string): boolean {
    return path === this.gguf || path === this.output || path.startsWith(`${dirname(this.output)}/.converted.gguf.`);
  }

  private layOut({ files = {}, gguf, arrange }: Case): void {
    if (gguf !== undefined) {
      writeFileSync(this.gguf, gguf);
      return;
    }
    for (const name of readdirSync(this.folder)) rmSync(join(this.folder, name), { recursive: true });
    for (const [name, content] of Object.entries({ ...this.sound, ...files })) {
      if (content === undefined) continue;
      mkdirSync(dirname(join(this.folder, name)), { recursive: true });
      writeFileSync(join(this.folder, name), content);
    }
    arrange?.(this.folder);
  }

  private async attempt({ gguf, isAdapter = false }: Case): Promise<string> {
    try {
      if (gguf !== undefined) return await use(this.gguf);
      const base = isAdapter ? { base: this.base } : {};
      await convert(this.folder, { output: this.output, overwrite: true, ...base });
      try {
        return await use(this.output);
      } finally {
        unlinkSync(this.output);
      }
    } catch (error) {
      if (isEncoderError(error)) return error.code;
      return `an error without a code: ${String(error)}`;
    }
  }
}

const CHAT = {
  messages: [
    { role: 'user', content: 'a b' },
    { role: 'assistant', content: 'c' },
  ],
};

const PAIR = { text: 'a'.repeat(300), textPair: 'c b a '.repeat(8) };

const LOADING = { threads: 1, onWarning: () => undefined };

/** Loads the model and asks it for scores in every way that reads weights; throws what that throws. */
async function use(path: string): Promise<string> {
  const model = await Classifier.load(path, LOADING).catch((error: unknown) => {
    // The refusals that name the class for models that read their labels, or lists.
    const message = isEncoderError(error, 'architecture_unsupported') ? error.message : '';
    if (message.includes('ZeroShotClassifier')) return useLabels;
    if (message.includes('CrossEncoder')) return useLists;
    throw error;
  });
  return typeof model === 'function' ? model(path) : useOwnLabels(model);
}

async function useLists(path: string): Promise<string> {
  const model = await CrossEncoder.load(path, LOADING);
  try {
    const ranked = await model.rank(PAIR.textPair, ['a', 'b c', '', PAIR.text], { maxDocumentTokens: 9 });
    const alone = await model.predict(PAIR, { prompt: 'a' }).catch(async (error: unknown) => {
      // Those that read query and document apart have no place for it.
      if (error instanceof RangeError) return model.predict(PAIR);
      throw error;
    });
    return [...ranked, alone].every(({ score }) => Number.isFinite(score)) ? 'accepted' : 'a score that is not finite';
  } finally {
    await model.dispose();
  }
}

async function useLabels(path: string): Promise<string> {
  const model = await ZeroShotClassifier.load(path, LOADING);
  try {
    const results = await model.classify([PAIR.text, PAIR.textPair, ''], ['a', 'b c'], { windows: { overlap: 2 } });
    return results.flatMap(({ scores }) => scores).every(Number.isFinite) ? 'accepted' : 'a score that is not finite';
  } finally {
    await model.dispose();
  }
}

async function useOwnLabels(model: Classifier): Promise<string> {
  try {
    for (const input of [PAIR, 'a b bc', '', CHAT]) {
      const results = await model.classify([input]).catch((error: unknown) => {
        // A model with a template of pairs takes these alone; one without a template of chats takes no chat.
        if (input !== PAIR && isEncoderError(error, 'input_invalid')) return [];
        if (input === CHAT && error instanceof RangeError) return [];
        throw error;
      });
      const scores = results.flatMap((result) => result.scores);
      if (!scores.every(({ score }) => Number.isFinite(score))) return 'a score that is not finite';
    }
    return 'accepted';
  } finally {
    await model.dispose();
  }
}

function faultOf(hostile: Case, { result, seconds, bytes, strays }: Omit<Outcome, 'fault'>): string | undefined {
  if (strays.length > 0) return strays.slice(0, 3).join(', ');
  if (result !== 'accepted' && !DOCUMENTED.has(result)) return result;
  if (seconds > MAX_SECONDS) return `${seconds.toFixed(1)} s of processor time`;
  if (bytes > MAX_BYTES) return `${Math.round(bytes / 2 ** 20)} MiB`;
  if (hostile.expect === 'accepted' && result !== 'accepted') return `refused with ${result}`;
  if (hostile.expect === 'refused' && result === 'accepted') return 'accepted';
  return undefined;
}

/** Makes VmHWM begin anew. */
function resetPeak(): void {
  writeFileSync('/proc/self/clear_refs', '5');
}

function memoryKibibytes(field: 'VmRSS' | 'VmHWM'): number {
  const match = new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(match?.[1]);
}
