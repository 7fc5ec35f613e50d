/** White space as Rust and Python have it, which JavaScript's own is not. */

const RUST =
  '\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';
/** Four separators more. */
const PYTHON = `${RUST}\x1c\x1d\x1e\x1f`;

/** char::is_whitespace */
export const RUST_SPACES: ReadonlySet<string> = new Set(RUST);
/** str.isspace */
export const PYTHON_SPACES: ReadonlySet<string> = new Set(PYTHON);

const BETWEEN_WORDS = new RegExp(`[${PYTHON}]+`, 'u');

/** str.split(); with `most`, at least that many of more words. */
export function pythonWords(text: string, most?: number): string[] {
  return text.split(BETWEEN_WORDS, most && most + 1).filter((word) => word !== '');
}

/** Character by character: an expression for the end takes quadratic time where much white space is not at the end. */
export function stripEnd(text: string, characters: ReadonlySet<string>): string {
  let end = text.length;
  while (end > 0) {
    const start = end > 1 && text.codePointAt(end - 2)! > 0xffff ? end - 2 : end - 1;
    if (!characters.has(text.slice(start, end))) break;
    end = start;
  }
  return text.slice(0, end);
}

export function stripStart(text: string, characters: ReadonlySet<string>): string {
  let start = 0;
  for (const character of text) {
    if (!characters.has(character)) break;
    start += character.length;
  }
  return text.slice(start);
}
