/** Hand-made GGUF files of every sound family: its keys with wrong values or left out, its tensors as `tensorCases` has them. */
import type { Case } from '../case';
import { type GgufParts, buildGguf, copyParts, parseGguf, text } from '../gguf-bytes';
import { WRONG_INTEGERS, tensorCases } from './gguf';

/** Of 4 bytes: unsigned, signed, float. */
const NUMBERS = [4, 5, 6];

export function ggufFamilyCases(name: string, sound: Buffer): Case[] {
  const parts = parseGguf(sound);
  const cases: Case[] = [{ name: `gguf ${name}/sound`, gguf: sound, expect: 'accepted' }];
  const changed = (what: string, change: (copy: GgufParts) => void, expect: Case['expect'] = 'refused') => {
    const copy = copyParts(parts);
    change(copy);
    cases.push({ name: `gguf ${name}/${what}`, gguf: buildGguf(copy), expect });
  };
  for (const [index, { key, type }] of parts.entries.entries()) {
    // Many are for people or for llama.cpp.
    changed(`without ${key.toString()}`, (copy) => copy.entries.splice(index, 1), 'any');
    const wrong = NUMBERS.includes(type) ? WRONG_INTEGERS : [['another word', 8, text('another')] as const];
    for (const [what, otherType, value] of wrong) {
      const change = { type: otherType, value };
      changed(`${key.toString()} is ${what}`, (copy) => Object.assign(copy.entries[index]!, change), 'any');
    }
  }
  tensorCases(parts, changed);
  return cases;
}
