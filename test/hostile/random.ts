/** Seeded randomness and the numbers at which parsers break. */

export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0;
  }

  /** An integer in [0, limit): mulberry32. */
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }
}

const POWERS = [8, 15, 16, 24, 30, 31, 32, 40, 53, 61, 62, 63].map((power) => 2n ** BigInt(power));

/** 64-bit numbers around powers of two, and those at which a product with an element's size wraps around. */
export const ODD_NUMBERS: readonly bigint[] = [
  ...[0n, 1n, 2n, 3n, 7n, 8n, 31n, 32n, 33n, 255n],
  ...POWERS.flatMap((power) => [power - 1n, power, power + 1n]),
  ...[2n ** 64n - 1n, 2n ** 64n - 8n, 2n ** 64n - 32n],
  ...[2n, 4n, 18n, 22n, 34n, 210n].map((bytes) => 2n ** 64n / bytes),
  1_024_819_115_206_086_208n,
];

export const ODD_VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1, 2, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, 1e308, -1e308],
  ...['', 'x', '\0', '0', 'gelu', '__proto__', 'constructor', '../../etc/passwd', 'x'.repeat(5000)],
  ...[[], [null], [[[]]], {}, { a: {} }, { type: 'x' }, { content: 1 }, { 0: 0 }],
];

/** One to four damaged places of arbitrary bytes, structure unknown: bits, bytes, numbers, stretches moved or cut. */
export function damageBytes(bytes: Buffer, random: Random, places?: readonly number[]): Buffer {
  let copy = Buffer.from(bytes);
  for (let edits = random.below(4); edits >= 0 && copy.length > 0; edits--) {
    const at = Math.min(places === undefined ? random.below(copy.length) : random.pick(places), copy.length - 1);
    const odd = Buffer.alloc(8);
    odd.writeBigUInt64LE(random.pick(ODD_NUMBERS));
    const end = at + 1 + random.below(24);
    switch (random.below(7)) {
      case 0:
        copy[at] = random.below(256);
        break;
      case 1:
        copy[at] = copy[at]! ^ (1 << random.below(8));
        break;
      case 2:
        odd.copy(copy, at, 0, 2 ** random.below(4));
        break;
      case 3:
        bytes.copy(copy, at, random.below(bytes.length), bytes.length);
        copy = Buffer.concat([copy.subarray(0, at + 8), bytes.subarray(at + 8)]);
        break;
      case 4:
        copy = Buffer.concat([copy.subarray(0, at), copy.subarray(end)]);
        break;
      case 5:
        copy = Buffer.concat([copy.subarray(0, end), copy.subarray(at)]);
        break;
      default:
        if (random.chance(4)) copy = copy.subarray(0, at);
    }
  }
  return copy;
}

/** Every JSON value that comes of replacing one value inside `value`, or leaving a key out. */
export function* jsonVariants(value: unknown, odd: readonly unknown[] = ODD_VALUES): Generator<unknown> {
  yield* odd;
  if (typeof value !== 'object' || value === null) return;
  const table = value as Record<string, unknown>;
  for (const key of Object.keys(table)) {
    for (const changed of jsonVariants(table[key], odd)) {
      if (Array.isArray(value)) yield value.with(Number(key), changed);
      else yield { ...table, [key]: changed };
    }
    if (!Array.isArray(value)) yield Object.fromEntries(Object.entries(table).filter(([name]) => name !== key));
  }
}

/** `value` with one to three places inside replaced, at any depth. */
export function damageJson(value: unknown, random: Random): unknown {
  let result = value;
  for (let edits = random.below(3); edits >= 0; edits--) result = damageOnce(result, random, 0);
  return result;
}

function damageOnce(value: unknown, random: Random, depth: number): unknown {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  if (keys.length === 0 || (depth > 0 && random.chance(6))) return random.pick(ODD_VALUES);
  const table = value as Record<string, unknown>;
  const key = random.pick(keys);
  const changed = damageOnce(table[key], random, depth + 1);
  if (Array.isArray(value)) {
    if (random.chance(8)) return [...(value as unknown[]), changed];
    return (value as unknown[]).with(Number(key), changed);
  }
  if (random.chance(8)) return Object.fromEntries(Object.entries(table).filter(([name]) => name !== key));
  if (random.chance(8)) return { ...table, [`${key}x`]: changed };
  return { ...table, [key]: changed };
}
