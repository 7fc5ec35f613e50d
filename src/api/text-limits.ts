/** The limits on what one call may carry, checked before anything is copied or queued. */
import { type Limits, limitExceeded } from '../support/limits';
import type { InputColumns } from './inputs';

/** @internal Throws `limit_exceeded`, which names the text where there are several. */
export function checkTextLimits({ texts, pairs, nameOf }: InputColumns, limits: Limits): void {
  if (texts.length > limits.textsPerCall) {
    throw limitExceeded(limits, 'textsPerCall', `the call has ${texts.length} texts`);
  }
  texts.forEach((text, index) => {
    const name = texts.length === 1 || nameOf === undefined ? '' : `${nameOf(index)}: `;
    const pair = pairs?.[index] ?? null;
    checkText(text, `${name}the ${typeof pair === 'string' ? 'first ' : ''}text`, limits);
    if (typeof pair === 'string') checkText(pair, `${name}the second text`, limits);
  });
}

function checkText(text: string, name: string, limits: Limits): void {
  // A UTF-16 unit takes at most three bytes of UTF-8: most texts are known to fit without being looked at.
  if (text.length * 3 <= limits.textBytes) return;
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.textBytes) throw limitExceeded(limits, 'textBytes', `${name} has ${bytes} bytes`);
}
