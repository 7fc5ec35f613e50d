// Fails when a source file is not formatted: clang-format over the C++, prettier over TypeScript, JavaScript and JSON.
// node scripts/check-format.mjs [--write]
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const write = process.argv.includes('--write');

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root })
  .toString('utf8')
  .split('\0')
  .filter((file) => file !== '' && existsSync(path.join(root, file)));

// Generated tables (.inc) and fixtures keep the form their scripts give them.
const cpp = files.filter((file) => /^(native|test\/native)\/.*\.(cc|h|cu|cpp)$/.test(file));
const script = files.filter(
  (file) =>
    /\.(ts|mts|js|mjs|cjs)$/.test(file) && !file.startsWith('test/fixtures/') && !file.startsWith('bench/results/'),
);

function run(program, args) {
  const { status, error } = spawnSync(path.join(root, 'node_modules', '.bin', program), args, {
    cwd: root,
    stdio: 'inherit',
  });
  if (error !== undefined) console.error(`${program}: ${error.message}`);
  return status === 0;
}

const results = [
  cpp.length === 0 || run('clang-format', [...(write ? ['-i'] : ['--dry-run', '-Werror']), ...cpp]),
  script.length === 0 || run('prettier', [write ? '--write' : '--check', '--log-level=warn', ...script]),
];
process.exitCode = results.every(Boolean) ? 0 : 1;
