/** Lint rules: typescript-eslint strict, and who may import whom (docs/architecture.md). */
'use strict';

const js = require('@eslint/js');
const { createNodeResolver, importX } = require('eslint-plugin-import-x');
const { defineConfig } = require('eslint/config');
const tseslint = require('typescript-eslint');

/** folder of src/ -> what it may import besides itself; a folder knows nothing of those that are not in its list. */
const MAY_IMPORT = {
  'errors.ts': [],
  support: ['errors.ts'],
  native: ['errors.ts', 'support'],
  gguf: ['errors.ts', 'support'],
  hub: ['errors.ts', 'support'],
  convert: ['errors.ts', 'support', 'gguf', 'hub'],
  api: ['errors.ts', 'support', 'native', 'gguf', 'hub', 'convert'],
  cli: ['errors.ts', 'support', 'gguf', 'convert', 'api'],
};

/** Inside convert: readers know bytes and not models, architectures know names and not files. */
const INSIDE_CONVERT = [
  { target: './src/convert/readers', from: './src/convert/architectures' },
  { target: './src/convert/architectures', from: './src/convert/readers' },
];

const zones = Object.entries(MAY_IMPORT).map(([target, allowed]) => ({
  target: `./src/${target}`,
  from: './src',
  except: [target, ...allowed].map((path) => `./${path}`),
  message: `src/${target} may import ${allowed.length === 0 ? 'nothing' : allowed.join(', ')} only.`,
}));

const nodeGlobals = Object.fromEntries(
  ['Buffer', 'URL', 'TextDecoder', 'TextEncoder', 'AbortController', 'AbortSignal', 'console', 'process']
    .concat(['setTimeout', 'clearTimeout', 'setImmediate', 'performance', 'fetch', '__dirname', '__filename'])
    .map((name) => [name, 'readonly']),
);

module.exports = defineConfig(
  {
    ignores: [
      'dist/',
      'build/',
      'build-*/',
      'prebuilds/',
      'native/',
      'coverage/',
      'docs-html/',
      '.cache/',
      'bench/node_modules/',
      'test/package/programs/',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.mts'],
    extends: [tseslint.configs.strict],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: __dirname } },
    settings: {
      'import-x/resolver-next': [
        createNodeResolver({ extensions: ['.ts', '.js', '.json'], extensionAlias: { '.js': ['.ts', '.js'] } }),
      ],
    },
    rules: {
      'import-x/no-restricted-paths': ['error', { basePath: __dirname, zones: [...zones, ...INSIDE_CONVERT] }],
      'import-x/no-unresolved': ['error', { ignore: ['^ggml-encoder$'] }],
      'import-x/no-self-import': 'error',
      'import-x/no-cycle': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      // noUncheckedIndexedAccess leaves loops with checked bounds no other way to say so.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      eqeqeq: 'error',
    },
  },
  {
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { ...nodeGlobals, module: 'writable', require: 'readonly', exports: 'writable' },
    },
  },
  { files: ['**/*.mjs'], languageOptions: { sourceType: 'module', globals: nodeGlobals } },
);
