import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { ERROR_CODES, EncoderError, isEncoderError } from '../../src/errors';
import { toEncoderError } from '../../src/native/native-model';
import { packageRoot } from '../../src/support/package-root';

test('TypeScript and C++ hold the same list of codes', () => {
  const header = readFileSync(join(packageRoot, 'native/include/enc/error.h'), 'utf8');
  const list = /#define ENC_ERROR_CODES\(X\)((?:.*\\\n)*.*)/.exec(header)?.[1] ?? '';
  const codes = Array.from(list.matchAll(/X\((\w+)\)/g), ([, code]) => code);
  expect(codes).toEqual([...ERROR_CODES]);
});

test('docs/errors.md explains every code and no other', () => {
  const page = readFileSync(join(packageRoot, 'docs/errors.md'), 'utf8');
  const codes = Array.from(page.matchAll(/^\| `(\w+)` \|/gm), ([, code]) => code);
  expect(codes.sort()).toEqual([...ERROR_CODES].sort());
});

test('isEncoderError narrows to a code', () => {
  const error = new EncoderError('aborted', 'stopped', { cause: 1 });
  expect(isEncoderError(error)).toBe(true);
  expect(isEncoderError(error, 'aborted')).toBe(true);
  expect(isEncoderError(error, 'internal')).toBe(false);
  expect(isEncoderError(new Error('x'))).toBe(false);
  expect(error.cause).toBe(1);
});

test('native errors keep their code, unknown ones become internal', () => {
  const native = Object.assign(new Error('bad shape'), { code: 'tensor_shape_mismatch' });
  expect(toEncoderError(native)).toMatchObject({ code: 'tensor_shape_mismatch', message: 'bad shape', cause: native });
  expect(toEncoderError(Object.assign(new Error('x'), { code: 'EPERM' }))).toMatchObject({ code: 'internal' });
  expect(toEncoderError('text')).toMatchObject({ code: 'internal', message: 'text' });
});
