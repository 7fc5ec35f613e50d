/** Hand-made GGUF files with a chat template: pieces and places that do not belong together, and too many of them. */
import type { Case } from '../case';
import { buildGguf, copyParts, entry, parseGguf, text, texts, u32, u64 } from '../gguf-bytes';

const KEY = 'ggml_encoder.chat_template.';
const BOTH = ['query', 'document'];

export function ggufTemplateCases(sound: Buffer): Case[] {
  const parts = parseGguf(sound);
  const cases: Case[] = [];
  const add = (
    name: string,
    values: Readonly<Record<string, readonly string[] | readonly [type: number, value: Buffer]>>,
    expect: Case['expect'] = 'refused',
  ) => {
    const copy = copyParts(parts);
    for (const [key, value] of Object.entries(values)) {
      const [type, bytes] = typeof value[0] === 'number' ? (value as [number, Buffer]) : [9, texts(value as string[])];
      copy.entries.push(entry(KEY + key, type, bytes));
    }
    cases.push({ name: `gguf template/${name}`, gguf: buildGguf(copy), expect });
  };
  const plain = { pieces: ['a', 'b', 'c'], slots: BOTH };
  const prompted = { prompted_pieces: ['', '', '', ''], prompted_slots: [...BOTH, 'prompt'] };
  // A text alone has no place in a template, which is an error of the call.
  add('sound', { ...plain, ...prompted, restores_end: [7, Buffer.of(1)] }, 'any');
  add('broken UTF-8', {
    pieces: [9, Buffer.concat([u32(8), u64(3), text(Buffer.of(0xff)), text('b'), text('c')])],
    slots: BOTH,
  });
  add('no slots', { pieces: ['a', 'b', 'c'] });
  add('no pieces at all', { pieces: [], slots: [] });
  add('as many pieces as slots', { pieces: ['a', 'b'], slots: BOTH });
  add('more pieces', { pieces: ['a', 'b', 'c', 'd'], slots: BOTH });
  add('no document', { pieces: ['a', 'b'], slots: ['query'] });
  add('no query', { pieces: ['a', 'b'], slots: ['document'] });
  add('an unknown place', { pieces: ['a', 'b', 'c', 'd'], slots: [...BOTH, 'system'] });
  add('a prompt where there is none', { pieces: ['a', 'b', 'c', 'd'], slots: [...BOTH, 'prompt'] });
  add('breaks', { pieces: ['', 'a', '', 'b', '', ''], slots: ['break', 'query', 'break', 'document', 'break'] }, 'any');
  add('breaks alone', { pieces: ['a', 'b', 'c'], slots: ['break', 'break'] });
  add('17 places', { pieces: Array<string>(18).fill(''), slots: Array.from({ length: 17 }, (_, i) => BOTH[i % 2]!) });
  add('a million places', {
    pieces: Array<string>(1_000_001).fill(''),
    slots: Array.from({ length: 1_000_000 }, (_, i) => BOTH[i % 2]!),
  });
  add('long pieces', { pieces: ['a'.repeat(300_000), 'b', 'c'], slots: BOTH });
  add('pieces that are numbers', { pieces: [9, Buffer.concat([u32(4), u64(3), u32(1), u32(2), u32(3)])], slots: BOTH });
  add('pieces that are a text', { pieces: [8, text('abc')], slots: BOTH });
  add('a prompted form without slots', { ...plain, prompted_pieces: ['', '', '', ''] });
  add('a prompted form without a document', {
    ...plain,
    prompted_pieces: ['', '', ''],
    prompted_slots: ['query', 'prompt'],
  });
  add('an end restored by number', { ...plain, restores_end: [4, u32(1)] });
  return cases;
}
