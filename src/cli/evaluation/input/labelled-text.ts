/** Records of one text or pair and its right answer. */
import { readClassifierInput, sameKind } from '../../text-line';
import { OTHER_TITLES, quote } from './columns';
import type { ColumnTitles } from './columns';
import type { RecordFormat } from './record-format';
import type { TargetFormat } from './target-format';

export function labelledText<Target>(format: TargetFormat<Target>): RecordFormat<Target> {
  const checkKind = sameKind();
  return {
    example: format.example,
    fromHeader(header, titles) {
      const readTarget = format.fromHeader(header, titles);
      const text = header.place(titles.text ?? 'text');
      const pair = header.place(titles.text_pair ?? 'text_pair');
      if (text < 0) {
        const hint = header.place('query') < 0 ? '' : `; queries with their documents need --task ranking`;
        throw new Error(`the header must name the column ${quote(titles.text ?? 'text')}; ${OTHER_TITLES}${hint}`);
      }
      if (pair < 0 && titles.text_pair !== undefined) {
        throw new Error(`the header does not name the column ${quote(titles.text_pair)}`);
      }
      return (row) => {
        const first = row[text] ?? '';
        const input = pair < 0 ? first : { text: first, textPair: row[pair] ?? '' };
        return [{ input, target: readTarget(row) }];
      };
    },
    fromObject(object, titles) {
      const input = readClassifierInput(renamed(object, titles));
      if (typeof input === 'object' && 'problem' in input) {
        const hint = Object.hasOwn(object, 'query') ? '; queries with their documents need --task ranking' : '';
        throw new Error(`${input.problem}; expected ${format.example}${hint}`);
      }
      return [{ input: checkKind(input), target: format.fromObject(object, titles) }];
    },
  };
}

/** The object with the texts under their usual names. */
function renamed(object: Readonly<Record<string, unknown>>, { text, text_pair: pair }: ColumnTitles): unknown {
  if (text === undefined && pair === undefined) return object;
  for (const title of [text, pair]) {
    if (title !== undefined && typeof object[title] !== 'string') throw new Error(`no string under ${quote(title)}`);
  }
  return { text: object[text ?? 'text'], text_pair: object[pair ?? 'text_pair'] };
}
