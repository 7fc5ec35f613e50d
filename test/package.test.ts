/** The built package through its own name, as `require` and as `import`. Needs `npm run build`. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import * as source from '../src/index';
import { PACKAGE_ROOT } from './support/cli-process';

function evaluate(type: 'commonjs' | 'module', code: string): unknown {
  const args = [`--input-type=${type}`, '--eval', code];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: PACKAGE_ROOT, encoding: 'utf8' }));
}

const names = Object.keys(source).sort();

test('require and import give every public name', () => {
  expect(evaluate('commonjs', `console.log(JSON.stringify(Object.keys(require('ggml-encoder')).sort()))`)).toEqual(
    names,
  );
  const code = `import * as all from 'ggml-encoder';
    console.log(JSON.stringify(Object.keys(all).filter((name) => name !== 'default').sort()))`;
  expect(evaluate('module', code)).toEqual(names);
});

test('both worlds share one module state', () => {
  const code = `import { createRequire } from 'node:module';
    import * as esm from 'ggml-encoder';
    const cjs = createRequire(process.cwd() + '/')('ggml-encoder');
    console.log(JSON.stringify(Object.keys(cjs).filter((name) => cjs[name] !== esm[name])))`;
  expect(evaluate('module', code)).toEqual([]);
});

test('importing loads no native code', () => {
  const code = `require('ggml-encoder');
    console.log(JSON.stringify(Object.keys(require.cache).filter((file) => file.endsWith('.node'))))`;
  expect(evaluate('commonjs', code)).toEqual([]);
});

test('a process with a loaded model ends by itself and by process.exit', () => {
  for (const end of ['', 'process.exit(0)', 'await model.dispose()']) {
    const code = `import { Classifier } from 'ggml-encoder';
      const model = await Classifier.load();
      void model.classify(Array.from({ length: 500 }, (_, i) => 'text ' + i)).catch(() => {});
      console.log(JSON.stringify(model.info.numLabels));
      ${end}`;
    expect(evaluate('module', code)).toBe(20);
  }
});

test('the manifest of the model in the package describes its file', () => {
  const manifest = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'models', 'default.json'), 'utf8')) as {
    files: { gguf: string; ggufSha256: string };
    weightType: string;
    labels: string[];
  };
  const file = source.defaultModelPath;
  expect(join(PACKAGE_ROOT, 'models', manifest.files.gguf)).toBe(file);
  expect(createHash('sha256').update(readFileSync(file)).digest('hex')).toBe(manifest.files.ggufSha256);
  const code = `require('ggml-encoder').Classifier.load().then((model) => console.log(JSON.stringify(model.info)))`;
  expect(evaluate('commonjs', code)).toMatchObject({
    weightType: manifest.weightType.toLowerCase(),
    labels: manifest.labels,
  });
});
