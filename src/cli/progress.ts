/** Progress on stderr, only where that is a terminal. */
import type { Io } from './io';
import { bar } from './style';

const CLEAR_LINE = '\r\u001b[2K';
const REDRAW_MS = 100;
const BAR_WIDTH = 30;

/** Counts what is done and shows how fast, beside output that goes elsewhere. */
export class RateMeter {
  readonly #io: Io;
  readonly #unit: string;
  readonly #startedMs = performance.now();
  #done = 0;
  #drawnMs = 0;
  #visible = false;

  constructor(io: Io, unit: string) {
    this.#io = io;
    this.#unit = unit;
  }

  add(count: number): void {
    this.#done += count;
    const nowMs = performance.now();
    // On a terminal that shows the results themselves a meter between them would only flicker.
    if (this.#io.stderr.isTTY !== true || this.#io.stdout.isTTY === true || nowMs - this.#drawnMs < REDRAW_MS) return;
    this.#drawnMs = nowMs;
    const rate = this.#done / ((nowMs - this.#startedMs) / 1000);
    const text = `${this.#done.toLocaleString('en')} ${this.#unit}, ${Math.round(rate).toLocaleString('en')}/s`;
    this.#io.stderr.write(`${CLEAR_LINE}${text}`);
    this.#visible = true;
  }

  hide(): void {
    if (!this.#visible) return;
    this.#io.stderr.write(CLEAR_LINE);
    this.#visible = false;
  }
}

/** A bar for work whose end is known. */
export class ProgressBar {
  readonly #io: Io;
  #drawnMs = 0;
  #visible = false;

  constructor(io: Io) {
    this.#io = io;
  }

  /** @param share 0 to 1 */
  update(share: number, text: string): void {
    const nowMs = performance.now();
    if (this.#io.stderr.isTTY !== true || (nowMs - this.#drawnMs < REDRAW_MS && share < 1)) return;
    this.#drawnMs = nowMs;
    const percent = `${Math.floor(share * 100)}`.padStart(3);
    this.#io.stderr.write(`${CLEAR_LINE}${percent} % ${bar(share, BAR_WIDTH).padEnd(BAR_WIDTH)} ${text}`);
    this.#visible = true;
  }

  hide(): void {
    if (!this.#visible) return;
    this.#io.stderr.write(CLEAR_LINE);
    this.#visible = false;
  }
}
