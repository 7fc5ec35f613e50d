// The short forms of `npm run test:hostile`: each program runs in one process, which must live to print its last line.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';

const script = path.join(__dirname, '..', 'scripts', 'hostile.mjs');

it.each([
  ['run', ['--mutants', '300', '--every', '16'], /^\d{3,} files, 0 faults$/m],
  ['texts', ['--count', '1000', '--long', '2'], /^\d{4} texts, 0 faults$/m],
  [
    'faults',
    ['--kills', '3', '--kinds', 'rename,close', '--no-mount'],
    /^\d{2,} faults planted, 0 with a wrong outcome$/m,
  ],
] as const)(
  '%s',
  (program, args, lastLine) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, program, ...args], { encoding: 'utf8' });
    expect(stdout + stderr).not.toContain('FAULT');
    expect(status, stdout + stderr).toBe(0);
    expect(stdout).toMatch(lastLine);
  },
  600_000,
);
