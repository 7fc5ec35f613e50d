import { defineConfig } from 'vitest/config';

// `npm run test:package`: apart from the other tests, because it packs what `npm run build` made.
export default defineConfig({
  test: { include: ['test/package/*.package.ts'], testTimeout: 600_000, hookTimeout: 300_000 },
});
