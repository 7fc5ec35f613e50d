/** What scripts/make-evaluation-fixtures.py recorded of scikit-learn, scipy and sentence-transformers. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'vitest';

const FIXTURES = join(__dirname, '../../../fixtures/evaluation');

export type Task = 'single-label' | 'multi-label' | 'binary' | 'regression' | 'several-values' | 'ranking' | 'samples';

/** Synchronous, so that a suite can be laid out by it. */
export function fixtureNames(task: Task): string[] {
  return readdirSync(join(FIXTURES, task));
}

export function fixture<Fixture>(task: Task, name: string): Fixture {
  return JSON.parse(readFileSync(join(FIXTURES, task, name), 'utf8')) as Fixture;
}

/** Equal to the last digits that the order of additions decides. */
export function expectEqual(actual: number | null, expected: number | null): void {
  if (expected === null || actual === null) expect(actual).toBe(expected);
  else expect(Math.abs(actual - expected)).toBeLessThan(1e-12 * Math.max(1, Math.abs(expected)));
}
