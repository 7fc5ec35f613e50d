/** Runs the command line as a user does: the built program in a process of its own. Needs `npm run build`. */
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const PACKAGE_ROOT = resolve(__dirname, '..', '..');

const PROGRAM = join(PACKAGE_ROOT, 'bin', 'ggml-encoder.js');
const RSS_REPORT = join(__dirname, 'report-rss.cjs');

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout's lines, each parsed as JSON. */
  readonly json: () => unknown[];
}

export interface CliOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the program with open streams. */
export function startCli(
  args: readonly string[],
  { cwd = PACKAGE_ROOT, env = {} }: CliOptions = {},
  nodeArgs: readonly string[] = [],
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [...nodeArgs, PROGRAM, ...args], { cwd, env: { ...process.env, ...env } });
}

/** Runs the program to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<Finished> {
  return finish(startCli(args, options), options.input);
}

/** Runs the program and tells the most memory it held, in bytes. */
export async function runCliMeasured(
  args: readonly string[],
  options: CliOptions = {},
): Promise<Finished & { maxRssBytes: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'ggml-encoder-rss-'));
  try {
    const report = join(folder, 'rss');
    const env = { ...options.env, REPORT_RSS_TO: report };
    const finished = await finish(startCli(args, { ...options, env }, ['--require', RSS_REPORT]), options.input);
    return { ...finished, maxRssBytes: Number(await readFile(report, 'utf8')) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Waits for the end of a started program and takes what it wrote. */
export async function finish(child: ChildProcessWithoutNullStreams, input = ''): Promise<Finished> {
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  // A program that refuses its input early closes the pipe.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  const text = stdout();
  return { code, stdout: text, stderr: stderr(), json: () => text.split('\n').slice(0, -1).map(parse) };
}

function parse(line: string): unknown {
  return JSON.parse(line);
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}
