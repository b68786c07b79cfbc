// @ts-check
// `npm run browsers`: the console in a real browser (Debian's chromium), and pictures of its views.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HELP = `Usage: npm run browsers

Builds when needed, runs test/console in Chromium (apt-get install chromium) over a real API, and keeps a picture of each view, wide
and narrow, light and dark, in coverage/console. npm test runs the same tests, where Chromium is installed, and keeps none.`;

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
if (process.argv.includes('--help') || process.argv.includes('-h')) console.log(HELP);
else {
  const { status } = spawnSync(process.execPath, [path.join(root, 'scripts', 'test.mjs'), 'e2e', 'test/console'], {
    cwd: root,
    env: {
      ...process.env,
      HALDIR_TEST_REQUIRE_CHROMIUM: 'true',
      HALDIR_SCREENSHOTS: path.join(root, 'coverage', 'console'),
    },
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}
