/** The process of one system with one model: requests go out and answers come back as lines of JSON. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Processes still alive, so that none outlives the benchmark, stopped ones included. */
const alive = new Set();
process.on('exit', () => alive.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

/** Neighbours that want the processors all the time. */
export function startBusyLoops(count) {
  for (let index = 0; index < count; index += 1) {
    alive.add(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
  }
}

export class WorkerProcess {
  #child;
  #waiting;
  #log = '';

  /**
   * @param {string[]} command program and arguments
   * @param {number} threads for the libraries that read their thread count from the environment
   */
  constructor([program, ...args], threads) {
    const environment = { ...process.env, RAYON_NUM_THREADS: String(threads), OMP_NUM_THREADS: String(threads) };
    this.#child = spawn(program, args, { env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
    alive.add(this.#child);
    // Libraries print to both streams; an answer is a line that begins with a brace.
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) this.#settle(JSON.parse(line));
    });
    this.#child.stderr.on('data', (data) => (this.#log = (this.#log + data).slice(-2000)));
    this.#child.on('error', (error) => this.#settle({ error: error.message }));
    this.#child.on('close', (code, signal) => {
      alive.delete(this.#child);
      this.#settle({ error: `ended with ${signal ?? code}: ${this.#log}` });
    });
  }

  /** Sends one request and waits for its answer; there is never more than one under way. */
  request(message) {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#child.stdin.write(`${JSON.stringify(message)}\n`);
    });
  }

  /** Takes the process off the processors: threads that spin for work would slow those whose turn it is. */
  pause() {
    this.#child.kill('SIGSTOP');
  }

  resume() {
    this.#child.kill('SIGCONT');
  }

  /** Most memory the process has held so far, in MiB. Linux only; NaN elsewhere. */
  peakMemory() {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
      return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
    } catch {
      return NaN;
    }
  }

  async end() {
    if (!alive.has(this.#child)) return;
    const closed = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGKILL');
    await closed;
  }

  #settle(answer) {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (answer.error === undefined) waiting?.resolve(answer);
    else waiting?.reject(new Error(answer.error));
  }
}
