import { defineConfig } from 'vitest/config';

const withDatabase = {
  globalSetup: ['test/support/global-setup.ts'],
  testTimeout: 90_000,
  hookTimeout: 120_000,
};

/**
 * Three projects: `unit` needs nothing, `db` a Postgres, `e2e` a Postgres and the built apps (`npm run build`).
 *
 * Files of one worker share their modules (`isolate: false`): importing the whole application costs more than most tests.
 */
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    globals: true,
    setupFiles: ['reflect-metadata'],
    isolate: false,
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          testTimeout: 90_000,
          include: ['{apps,libs}/**/*.spec.ts', 'test/**/*.spec.ts'],
        },
      },
      { extends: true, test: { name: 'db', include: ['{apps,libs,test}/**/*.db-spec.ts'], ...withDatabase } },
      { extends: true, test: { name: 'e2e', include: ['test/**/*.e2e-spec.ts'], ...withDatabase } },
    ],
  },
});
