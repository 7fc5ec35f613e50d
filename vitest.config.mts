import { defineConfig } from 'vitest/config';

/** Tests that import src/ run TypeScript, which the `require` in there cannot load. */
const converterWithoutRequire = {
  name: 'converter-without-require',
  enforce: 'pre' as const,
  transform: (code: string, id: string) =>
    id.endsWith('/src/api/conversion.ts')
      ? `import * as loaded from '../convert/converter';\n${code.replace("require('../convert/converter')", 'loaded')}`
      : undefined,
};

export default defineConfig({
  plugins: [converterWithoutRequire],
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Two workers: the suites that load the addon are themselves threaded.
    maxWorkers: 2,
    pool: 'forks',
  },
});
