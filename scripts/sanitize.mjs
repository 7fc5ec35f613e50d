// Builds the native tests under each sanitizer and runs them: node scripts/sanitize.mjs [asan] [ubsan] [tsan]
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const presets = process.argv.length > 2 ? process.argv.slice(2) : ['asan', 'ubsan', 'tsan'];
/** All but enc_faults_tests, which replaces malloc, as sanitizers do. */
const PROGRAMS = ['enc_kernels_tests', 'enc_tokenizer_tests', 'enc_model_tests'];
const OPTIONS = {
  LSAN_OPTIONS: `suppressions=${path.join(root, 'test/native/lsan.supp')}:print_suppressions=0`,
  ASAN_OPTIONS: 'detect_leaks=1:allocator_may_return_null=1:abort_on_error=1',
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
  TSAN_OPTIONS: `suppressions=${path.join(root, 'test/native/tsan.supp')}:halt_on_error=1:second_deadlock_stack=1`,
};

function run(program, args, env = {}) {
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  return status === 0;
}

let failures = 0;
for (const preset of presets) {
  const folder = path.join(root, `build-${preset}`);
  const generator =
    existsSync(path.join(folder, 'CMakeCache.txt')) || spawnSync('ninja', ['--version']).status !== 0
      ? []
      : ['-G', 'Ninja'];
  const built =
    run('cmake', ['--preset', preset, ...generator]) &&
    run('cmake', ['--build', folder, '--parallel', String(availableParallelism()), '--target', ...PROGRAMS]);
  if (!built) process.exit(1);
  for (const program of PROGRAMS) {
    const passed = run(path.join(folder, 'out', program), [], OPTIONS);
    if (!passed) failures++;
    console.log(`${preset} ${program}: ${passed ? 'clean' : 'FAILED'}`);
  }
}
process.exitCode = failures === 0 ? 0 : 1;
