// What a toolchain adds to everything that is linked is linked again when its source changes, in a build folder as it is.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { PACKAGE_ROOT } from './support/cli-process';

const LINK_COMPAT = path.join(PACKAGE_ROOT, 'native', 'cmake', 'toolchains', 'link_compat.cmake');

const folder = mkdtempSync(path.join(tmpdir(), 'ggml-encoder-link-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('an object of a toolchain follows its source', () => {
  const write = (name: string, text: string) => writeFileSync(path.join(folder, name), text);
  const tree = path.join(folder, 'build');
  const answer = () => execFileSync(path.join(tree, 'program'), { encoding: 'utf8' });
  const cmake = (...args: string[]) => execFileSync('cmake', args, { encoding: 'utf8' });
  write('lacking.c', 'int lacking(void) { return 1; }\n');
  write('program.c', '#include <stdio.h>\nint lacking(void);\nint main(void) { printf("%d", lacking()); return 0; }\n');
  write('CMakeLists.txt', 'cmake_minimum_required(VERSION 3.21)\nproject(t C)\nadd_executable(program program.c)\n');
  write(
    'toolchain.cmake',
    `set(CMAKE_C_COMPILER cc)\ninclude("${LINK_COMPAT}")\nenc_link_compat("${path.join(folder, 'lacking.c')}" -Wall)\n`,
  );
  cmake('-S', folder, '-B', tree, `-DCMAKE_TOOLCHAIN_FILE=${path.join(folder, 'toolchain.cmake')}`);
  cmake('--build', tree);
  expect(answer()).toBe('1');

  write('lacking.c', 'int lacking(void) { return 2; }\n');
  cmake('--build', tree);
  expect(answer()).toBe('2');
  expect(cmake('--build', tree)).not.toContain('Linking');
}, 60_000);
