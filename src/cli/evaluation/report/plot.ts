/** Axes with a grid, which all charts but matrices stand on. */
import { element, label } from './svg';

/** Size of the part within the axes. */
const PLOT = { width: 380, height: 300 };
const LEFT = 62;
const TOP = 12;

const oneDigit = (share: number): string => share.toFixed(1);

/** A plot of shares from 0 to 1 with a grid; `x` and `y` give places in the picture. */
export class UnitPlot {
  readonly width = PLOT.width + LEFT + 14;
  readonly height = PLOT.height + TOP + 42;

  readonly x = (share: number): number => LEFT + share * PLOT.width;
  readonly y = (share: number): number => TOP + (1 - share) * PLOT.height;

  /** Grid lines and the names of both axes; `yText` and `xText` say what a place stands for. */
  grid(xName: string, yName: string, yText = oneDigit, xText = oneDigit): string[] {
    const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1];
    const middle = this.y(0.5);
    return [
      ...ticks.flatMap((share) => [
        element('line', { class: 'grid', x1: this.x(0), x2: this.x(1), y1: this.y(share), y2: this.y(share) }),
        label(this.x(0) - 7, this.y(share) + 4, yText(share), 'tick end'),
        label(this.x(share), this.y(0) + 17, xText(share), 'tick middle'),
      ]),
      label(this.x(0.5), this.y(0) + 36, xName, 'axis middle'),
      label(12, middle, yName, 'axis middle', { transform: `rotate(-90 12 ${middle})` }),
    ];
  }

  diagonal(): string {
    return element('line', { class: 'diagonal', x1: this.x(0), y1: this.y(0), x2: this.x(1), y2: this.y(1) });
  }
}

const NICE = [1, 1.2, 1.6, 2, 3, 4, 6, 8, 10];

/** The next round number that five grid lines divide into whole ones. */
export function niceMaximum(value: number): number {
  for (let power = 5; ; power *= 10) {
    const found = NICE.map((factor) => Math.round(power * factor)).find((top) => top >= value && top % 5 === 0);
    if (found !== undefined) return found;
  }
}

/** Round bounds of an axis of five steps that has all values within. */
export function niceRange(values: Float64Array): { lower: number; upper: number } {
  let [min, max] = [Infinity, -Infinity];
  for (const value of values) [min, max] = [Math.min(min, value), Math.max(max, value)];
  const span = max - min || Math.abs(max) || 1;
  const power = 10 ** Math.floor(Math.log10(span / 5));
  const steps = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 20].map((factor) => factor * power);
  const bounds = steps.map((step) => {
    const lower = Math.floor(min / step) * step;
    return { lower, upper: lower + 5 * step };
  });
  return bounds.find(({ upper }) => upper >= max) ?? { lower: min, upper: max };
}

/** The value at a share of the range, as short as its steps allow. */
export function valueAt({ lower, upper }: { lower: number; upper: number }, share: number): string {
  return String(Number((lower + share * (upper - lower)).toPrecision(3)));
}
