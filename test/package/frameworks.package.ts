/**
 * The examples of docs/guides/frameworks.md, checked by TypeScript and run with the frameworks and the packed package. Installs
 * the frameworks from the registry; its own command, `npm run test:package:frameworks`. Needs `npm run build`.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import ts from 'typescript';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { goldenModel, writeCheckpoint } from '../golden/checkpoint-fixture';
import { NPM_CLI } from './bare-machine';
import { PACKAGE_ROOT, packPackage } from './tarballs';

const GUIDE = readFileSync(join(PACKAGE_ROOT, 'docs', 'guides', 'frameworks.md'), 'utf8');

/** As the guide says: "name 1.2.3". */
const FRAMEWORKS = [...GUIDE.matchAll(/(@langchain\/\w+|llamaindex) (\d+\.\d+\.\d+)/g)].map(
  ([, name, version]) => `${name}@${version}`,
);
const EXAMPLES = [...GUIDE.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code], index) => ({
  file: `example-${index + 1}.mts`,
  code: code!,
}));

const folder = mkdtempSync(join(tmpdir(), 'ggml-encoder-frameworks-'));

function run(...args: string[]): string {
  return execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
}

beforeAll(async () => {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const { filename } = packPackage(folder);
  run(NPM_CLI, 'install', '--ignore-scripts', '--no-audit', '--no-fund', `./${filename}`, ...FRAMEWORKS);
  // What this checkout built, where the tarball has no prebuilt addon.
  const build = join(folder, 'node_modules', 'ggml-encoder', 'build', 'Release');
  mkdirSync(build, { recursive: true });
  cpSync(join(PACKAGE_ROOT, 'build', 'Release'), build, { recursive: true });
  await writeCheckpoint(goldenModel('bert-reranker'), join(folder, 'reranker-checkpoint'));
  await writeCheckpoint(goldenModel('bert-old-names'), join(folder, 'nli-checkpoint'), {
    config: { id2label: { 0: 'contradiction', 1: 'entailment', 2: 'neutral' }, label2id: undefined },
  });
  for (const { file, code } of EXAMPLES) writeFileSync(join(folder, file), code);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

it('has examples, and names what they were run with', () => {
  expect(FRAMEWORKS).toHaveLength(3);
  expect(EXAMPLES).toHaveLength(3);
});

it('passes the compiler', () => {
  const options: ts.CompilerOptions = {
    strict: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
    typeRoots: [join(PACKAGE_ROOT, 'node_modules', '@types')],
  };
  const files = EXAMPLES.map(({ file }) => join(folder, file));
  const problems = ts.getPreEmitDiagnostics(ts.createProgram(files, options));
  expect(ts.formatDiagnostics(problems, { ...ts.createCompilerHost(options), getCurrentDirectory: () => folder })).toBe(
    '',
  );
});

it.each(EXAMPLES.map(({ file, code }) => [file, code] as const))('runs: %s', (file, code) => {
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  const script = file.replace('.mts', '.mjs');
  writeFileSync(join(folder, script), ts.transpileModule(code, { compilerOptions: options }).outputText);
  const lines = run(script).trim().split('\n');
  expect(lines.length).toBeGreaterThan(1);
  const scores = lines.filter((line) => /^-?\d+\.\d+ /.test(line)).map(Number.parseFloat);
  expect(scores).toHaveLength(code.includes('CrossEncoder') ? 2 : 0);
  expect(scores).toEqual([...scores].sort((a, b) => b - a));
});
