/** The limits on what one call may carry, checked before anything is copied or queued. */
import { type Limits, limitExceeded } from '../support/limits';
import type { InputColumns } from './inputs';

/** @internal Throws `limit_exceeded` naming the text. */
export function checkTextLimits({ texts, pairs }: InputColumns, limits: Limits): void {
  if (texts.length > limits.textsPerCall) {
    throw limitExceeded(limits, 'textsPerCall', `the call has ${texts.length} texts`);
  }
  texts.forEach((text, index) => {
    checkText(text, index, limits);
    const pair = pairs?.[index];
    if (pair !== null && pair !== undefined) checkText(pair, index, limits);
  });
}

function checkText(text: string, index: number, limits: Limits): void {
  // A UTF-16 unit takes at most three bytes of UTF-8: most texts are known to fit without being looked at.
  if (text.length * 3 <= limits.textBytes) return;
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.textBytes) throw limitExceeded(limits, 'textBytes', `text ${index} has ${bytes} bytes`);
}
