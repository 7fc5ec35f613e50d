// Every test of the native programs as a test of its own. `npm test` builds the programs first.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const outDir = path.join(__dirname, '..', 'build-cmake', 'out');
const programs = readdirSync(outDir).filter((name) => /^enc_\w+_tests(\.exe)?$/.test(name));

it('finds the test program of each level', () => {
  // Faults are made by replacing functions of glibc.
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  const faults = header.glibcVersionRuntime === undefined ? [] : ['faults'];
  expect(programs.map((name) => name.replace(/^enc_|_tests.*$/g, '')).sort()).toEqual([
    ...faults,
    'kernels',
    'model',
    'tokenizer',
  ]);
});

describe.each(programs)('%s', (program) => {
  const file = path.join(outDir, program);
  const names = execFileSync(file, ['--list'], { encoding: 'utf8' }).trim().split(/\r?\n/);
  it.each(names)('%s', (name) => {
    const result = spawnSync(file, [name], { encoding: 'utf8' });
    expect(result.status, result.stderr).toBe(0);
    expect(result.stdout).toContain(`ok ${name}`);
  });
});
