/** How many inputs a model has before it, and the bound that a caller may put on that. */
import { EncoderError } from '../errors';
import { assertNotAborted } from '../native/native-model';
import { onAbort } from '../native/on-abort';

/** @internal */
export class CallQueue {
  /** Most inputs that may be unanswered at a time; Infinity for no bound. */
  readonly limit: number;
  #numWaiting = 0;
  readonly #onChange = new Set<() => void>();

  constructor(limit: number) {
    this.limit = limit;
  }

  /** @throws EncoderError `queue_full` when the inputs would go beyond the limit. */
  enter(count: number): void {
    if (this.#numWaiting + count > this.limit) throw this.#refusal(count);
    this.#numWaiting += count;
  }

  /**
   * Enters as soon as there is room, for streams, which hold their source back meanwhile.
   *
   * @throws EncoderError `queue_full` when there never will be; `aborted`.
   */
  async enterLater(count: number, signal: AbortSignal | undefined): Promise<void> {
    // More than the limit never fits, and waiting for it would not end.
    while (this.#numWaiting > 0 && this.#numWaiting + count > this.limit && count <= this.limit) {
      await this.#change(signal);
      assertNotAborted(signal);
    }
    this.enter(count);
  }

  leave(count: number): void {
    this.#numWaiting -= count;
    for (const wake of this.#onChange) wake();
    this.#onChange.clear();
  }

  async #change(signal: AbortSignal | undefined): Promise<void> {
    let takeBack: (() => void) | undefined;
    await new Promise<void>((resolve) => {
      this.#onChange.add(resolve);
      takeBack = signal && onAbort(signal, resolve);
    });
    takeBack?.();
  }

  #refusal(count: number): EncoderError {
    const [waiting, limit] = [this.#numWaiting, this.limit];
    return new EncoderError(
      'queue_full',
      count > limit
        ? `a call brings ${count} inputs, more than maxQueue, which is ${limit}; split it, or raise maxQueue`
        : `${waiting} inputs wait and ${count} more came, which is beyond maxQueue, ${limit}; try again later`,
    );
  }
}
