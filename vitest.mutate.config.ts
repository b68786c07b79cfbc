import { defineConfig } from 'vitest/config';

/** The unit specs of what `npm run mutate` changes; each property runs fewer times than in `npm test`. */
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    globals: true,
    isolate: false,
    testTimeout: 30_000,
    setupFiles: ['reflect-metadata'],
    include: [
      'libs/{kernel/src/money,vault/src/exchange-rates,audit-log/src/log-key}.spec.ts',
      'libs/verifier/src/*.spec.ts',
      'libs/proxy/src/{calls,policies}/*.spec.ts',
    ],
  },
});
