// @ts-check
// Builds the console, the pages of apps/console that the API serves.
import path from 'node:path';

/** Browsers since May 2024, when the last of them learnt `light-dark()`. */
const BROWSERS = ['chrome123', 'firefox120', 'safari17.5'];

/**
 * @param {string} root the repository
 * @param {string} dist the folder of the build; the console goes where the API looks for it
 * @param {() => void} [onChange] watches the sources for as long as the process lives, and is told after each further build
 */
export async function buildConsole(root, dist, onChange) {
  const { build } = await import('vite');
  const built = await build({
    configFile: false,
    root: path.join(root, 'apps', 'console'),
    // Relative: nothing that is built knows below which path it is served (apps/console/src/base.ts).
    base: './',
    // The code that checks proofs is that of libs/verifier.
    resolve: { alias: { 'node:crypto': path.join(root, 'apps', 'console', 'src', 'proof', 'node-crypto.ts') } },
    logLevel: 'error',
    build: {
      target: BROWSERS,
      outDir: path.join(root, dist, 'apps', 'console'),
      emptyOutDir: true,
      // All but the page itself, so that one route serves it (apps/api/src/platform/console-files.ts).
      assetsDir: 'console',
      // The policy of the pages takes no data: addresses, and nothing in line.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      watch: onChange ? {} : null,
    },
  });
  if (!onChange || !('on' in built)) return;
  let isFirst = true;
  await new Promise((resolve) => {
    built.on('event', (event) => {
      if (event.code === 'ERROR') console.error(`  the console does not build: ${event.error.message}`);
      if (event.code !== 'END' && event.code !== 'ERROR') return;
      if (!isFirst) onChange();
      isFirst = false;
      resolve(undefined);
    });
  });
}
