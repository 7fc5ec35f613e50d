/**
 * A native model in a process of its own, with the surface of one in this process. Whatever ends that process (a fault,
 * the kernel's out-of-memory killer) rejects the calls in flight and nothing else; the next call finds it restarted.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import { join } from 'node:path';

import { EncoderError } from '../../errors';
import type {
  NativeJob,
  NativeLoadOptions,
  NativeModel,
  NativeModelInfo,
  NativeRunOptions,
  NativeRunResult,
  NativeTokenizeResult,
  PairColumn,
} from '../bindings';
import type { Answer, Request, Response } from './messages';

/** Compiled code in any case: the child cannot read TypeScript. From __dirname, as src/support/package-root.ts says. */
const PROGRAM = join(__dirname, '..', '..', '..', 'dist', 'native', 'isolation', 'child.js');

/** In a single executable application fork() would start the whole application again, and that one another. */
function isSingleExecutable(): boolean {
  try {
    return (createRequire(__filename)('node:sea') as { isSea(): boolean }).isSea();
  } catch {
    // A runtime without that module.
    return false;
  }
}

/** A process that had its model this long is replaced at once when it dies; a shorter life waits for the next call. */
const MIN_LIFE_MS = 1000;

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** One run of the child process. Calls are answered, or rejected when it ends. */
class ModelProcess {
  readonly pid: number | undefined;
  /** When the model was loaded; undefined before that. */
  loadedAt: number | undefined;
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, Waiting>();
  private next = 1;
  private fate: EncoderError | undefined;

  constructor(
    program: string,
    private readonly onEnd: (ended: ModelProcess) => void,
  ) {
    this.child = fork(program, {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.pid = this.child.pid;
    this.child.on('message', (response: Response) => {
      this.settle(response);
    });
    this.child.on('error', (cause) => {
      this.end(`could not be started: ${cause.message}`);
    });
    this.child.once('exit', (status, signal) => {
      this.end(signal === null ? `ended with status ${status}` : `was ended by ${signal}`);
    });
    this.rest();
  }

  /** Sends a request and waits for its answer. */
  ask(make: (id: number) => Request): { id: number; promise: Promise<Answer> } {
    const id = this.next++;
    const promise = new Promise<Answer>((resolve, reject) => {
      if (this.fate !== undefined) {
        reject(this.fate);
        return;
      }
      if (this.waiting.size === 0) {
        this.child.ref();
        this.channel?.ref?.();
      }
      this.waiting.set(id, { resolve, reject });
      try {
        this.send(make(id));
      } catch (error) {
        // More than the channel can carry, for example: nobody will answer.
        this.waiting.delete(id);
        if (this.waiting.size === 0) this.rest();
        throw error;
      }
    });
    return { id, promise };
  }

  send(request: Request): void {
    // A failed send is followed by the exit of the child, which rejects whatever waits.
    if (this.child.connected) this.child.send(request, () => undefined);
  }

  kill(): void {
    if (this.child.connected) this.child.disconnect();
  }

  private settle(response: Response): void {
    const waiting = this.waiting.get(response.id);
    this.waiting.delete(response.id);
    if ('error' in response) {
      const { code, message } = response.error;
      waiting?.reject(Object.assign(new Error(message), { code }));
    } else {
      waiting?.resolve(response.result);
    }
    if (this.waiting.size === 0) this.rest();
  }

  /** Bun's has neither method, and lets go of it with the child. */
  private get channel(): Partial<Pick<NonNullable<ChildProcess['channel']>, 'ref' | 'unref'>> | null | undefined {
    return this.child.channel;
  }

  /** Nobody waits: the child alone must not keep this process from ending. */
  private rest(): void {
    this.child.unref();
    this.channel?.unref?.();
  }

  private end(how: string): void {
    if (this.fate !== undefined) return;
    this.fate = new EncoderError(
      'process_died',
      `the process of the model ${how}; calls in flight were lost, the next one starts it again`,
    );
    for (const { reject } of this.waiting.values()) reject(this.fate);
    this.waiting.clear();
    this.onEnd(this);
  }
}

export class IsolatedModel implements NativeModel {
  #info: NativeModelInfo | undefined;
  #current: Promise<ModelProcess> | undefined;
  #process: ModelProcess | undefined;
  #disposal: Promise<void> | undefined;
  readonly #path: string;
  readonly #options: NativeLoadOptions;
  readonly #program: string;

  private constructor(path: string, options: NativeLoadOptions, program: string) {
    this.#path = path;
    this.#options = options;
    this.#program = program;
  }

  /**
   * Starts the process and loads the model in it. Rejects as `loadModel` of the addon does; `cancel` ends the process.
   *
   * @param program what the process runs.
   */
  static load(path: string, options: NativeLoadOptions, program = PROGRAM): NativeJob<IsolatedModel> {
    const model = new IsolatedModel(path, options, program);
    const promise = model.#load();
    return { promise, cancel: () => model.#process?.kill() };
  }

  async #load(): Promise<this> {
    if (isSingleExecutable()) {
      const advice = 'load the model without isolation, or in a Node process of your own';
      throw new EncoderError('process_died', `a single executable application can start no process of Node; ${advice}`);
    }
    await this.#ready();
    return this;
  }

  get info(): NativeModelInfo {
    if (this.#info === undefined) throw new EncoderError('internal', 'an isolated model without facts');
    return this.#info;
  }

  /** Of the process that runs now, for those who watch it; undefined while there is none. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  run(texts: readonly string[], pairs: PairColumn, options: NativeRunOptions): NativeJob<NativeRunResult> {
    return this.#start<NativeRunResult>((id) => ({ kind: 'run', id, texts, pairs, options }));
  }

  tokenize(texts: readonly string[], pairs: PairColumn, options: NativeRunOptions): NativeJob<NativeTokenizeResult> {
    return this.#start<NativeTokenizeResult>((id) => ({ kind: 'tokenize', id, texts, pairs, options }));
  }

  dispose(): Promise<void> {
    this.#disposal ??= this.#end();
    return this.#disposal;
  }

  #start<Result extends Answer>(make: (id: number) => Request): NativeJob<Result> {
    let cancel = (): void => undefined;
    const promise = new Promise<Result>((resolve, reject) => {
      let isCancelled = false;
      // A process that has to be started first may take its time.
      cancel = () => {
        isCancelled = true;
        reject(new EncoderError('aborted', 'the call was aborted'));
      };
      this.#ready()
        .then((running) => {
          if (isCancelled) return;
          const asked = running.ask(make);
          cancel = () => {
            running.send({ kind: 'cancel', id: asked.id });
          };
          resolve(asked.promise as Promise<Result>);
        })
        .catch(reject);
    });
    return {
      promise,
      cancel: () => {
        cancel();
      },
    };
  }

  /** The process with the model loaded; started when there is none. */
  #ready(): Promise<ModelProcess> {
    if (this.#disposal !== undefined) {
      return Promise.reject(new EncoderError('model_disposed', 'the model has been disposed'));
    }
    if (this.#current === undefined) {
      const opening = this.#open();
      this.#current = opening;
      opening.catch(() => {
        if (this.#current === opening) this.#current = undefined;
      });
    }
    return this.#current;
  }

  async #open(): Promise<ModelProcess> {
    const started = new ModelProcess(this.#program, (ended) => {
      this.#replace(ended);
    });
    this.#process = started;
    try {
      const answer = await started.ask((id) => ({ kind: 'load', id, path: this.#path, options: this.#options }))
        .promise;
      const info = answer as NativeModelInfo;
      if (this.#info !== undefined && !isSameModel(info, this.#info)) {
        throw new EncoderError(
          'io_failed',
          `${this.#path} is another model than the one that was loaded; load it anew`,
        );
      }
      this.#info ??= info;
      started.loadedAt = performance.now();
      return started;
    } catch (error) {
      started.kill();
      throw error;
    }
  }

  #replace(ended: ModelProcess): void {
    if (ended !== this.#process) return;
    this.#process = undefined;
    // One that ends while it loads fails those who wait for it. To start it again unasked might go on for ever.
    if (ended.loadedAt === undefined) return;
    this.#current = undefined;
    if (this.#disposal !== undefined || performance.now() - ended.loadedAt < MIN_LIFE_MS) return;
    // What goes wrong here, the next call finds out for itself.
    this.#ready().catch(() => undefined);
  }

  async #end(): Promise<void> {
    const running = await this.#current?.catch(() => undefined);
    if (running === undefined) return;
    // A process that dies meanwhile has given its memory back as well.
    await running.ask((id) => ({ kind: 'dispose', id })).promise.catch(() => undefined);
    running.kill();
  }
}

/** How many threads there are is chosen anew for each process, by what the machine has left. */
function isSameModel(a: NativeModelInfo, b: NativeModelInfo): boolean {
  return isDeepStrictEqual({ ...a, threads: 0 }, { ...b, threads: 0 });
}
