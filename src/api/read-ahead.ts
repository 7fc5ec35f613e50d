/** Inputs of an iterable, read ahead as far as there is room and taken in chunks. */
import { setImmediate } from 'node:timers';

/** @internal Inputs that go into one run, and how many came before them. */
export interface Chunk<Input> {
  readonly first: number;
  readonly inputs: readonly Input[];
}

/**
 * @internal A chunk is ready when it is full, when the source has ended, or when the source lets the event loop turn
 * without bringing more: a source that waits for answers gets them.
 */
export class ReadAhead<Input> {
  readonly #source: Iterable<Input> | AsyncIterable<Input>;
  readonly #check: (input: Input, name: string) => void;
  readonly #onChange: () => void;
  #iterator: Iterator<Input> | AsyncIterator<Input> | undefined;
  #inputs: Input[] = [];
  #numTaken = 0;
  #room = 0;
  #isReading = false;
  #turn: NodeJS.Immediate | undefined;
  #hasTurned = false;
  #hasEnded = false;
  #failure: { readonly error: unknown } | undefined;

  /**
   * @param check throws for an input that is misused, which ends the reading.
   * @param onChange called when an input came, the source ended or a chunk became ready.
   */
  constructor(
    source: Iterable<Input> | AsyncIterable<Input>,
    check: (input: Input, name: string) => void,
    onChange: () => void,
  ) {
    this.#source = source;
    this.#check = check;
    this.#onChange = onChange;
  }

  /** True when nothing more will come and everything was taken. */
  get isDone(): boolean {
    return this.#hasEnded && this.#inputs.length === 0;
  }

  get isReady(): boolean {
    const { length } = this.#inputs;
    return length > 0 && (length >= this.#room || this.#hasTurned || this.#hasEnded);
  }

  /** Reads until a chunk of `room` inputs is there; at once from an iterable, in the background from an async one. */
  fill(room: number): void {
    this.#room = room;
    while (!this.#hasEnded && !this.#isReading && this.#inputs.length < room) this.#read();
  }

  take(): Chunk<Input> {
    const chunk = { first: this.#numTaken, inputs: this.#inputs };
    this.#numTaken += this.#inputs.length;
    this.#inputs = [];
    this.#stopTurn();
    return chunk;
  }

  /** Throws what ended the source, if that was an error. */
  assertNoFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Closes a source that has not ended. A read under way is not waited for: it may never come. */
  async close(): Promise<void> {
    this.#stopTurn();
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const isReading = this.#isReading;
    try {
      const closing = Promise.resolve(this.#iterator?.return?.());
      closing.catch(() => undefined);
      if (!isReading) await closing;
    } catch {
      // The stream is over, and what ended it is what its reader must hear about.
    }
  }

  #read(): void {
    try {
      this.#iterator ??= open(this.#source);
      const step = this.#iterator.next();
      if ('then' in step) void this.#receiveLater(step);
      else this.#receive(step);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #receiveLater(step: Promise<IteratorResult<Input, unknown>>): Promise<void> {
    this.#isReading = true;
    this.#awaitTurn();
    try {
      const result = await step;
      this.#isReading = false;
      this.#receive(result);
    } catch (error) {
      this.#isReading = false;
      this.#fail(error);
    }
    this.#onChange();
  }

  #receive(step: IteratorResult<Input, unknown>): void {
    if (this.#hasEnded) return;
    if (step.done === true) {
      this.#hasEnded = true;
      return;
    }
    try {
      this.#check(step.value, `inputs[${this.#numTaken + this.#inputs.length}]`);
      this.#inputs.push(step.value);
    } catch (error) {
      // The source itself goes on, so it must be closed.
      void this.close();
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#hasEnded = true;
    this.#failure ??= { error };
  }

  #awaitTurn(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      if (this.#inputs.length === 0) return;
      this.#hasTurned = true;
      this.#onChange();
    });
  }

  #stopTurn(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    this.#hasTurned = false;
  }
}

function open<Input>(source: Iterable<Input> | AsyncIterable<Input>): Iterator<Input> | AsyncIterator<Input> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}
