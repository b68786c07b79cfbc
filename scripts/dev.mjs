// @ts-check
// `npm run dev`: a whole Haldir with something in it, that starts again whenever a source is saved.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { develop } from './dev/develop.mjs';
import { supervise } from './launcher/supervise.mjs';

const HELP = `Usage: npm run dev

Starts database, API and worker with a tenant that has a session, an upstream, a call that waits for approval and a log, and
watches apps/ and libs/: what is saved is compiled, and API and worker start again. What does not compile is said, and the last
that did keeps running. Types are not checked; npm run check does that. Ctrl-C stops everything.

Settings are environment variables; .env.example lists them all. The ones that matter here:

  PORT=               where the API listens; default: the first free port from 3000
  HALDIR_HOME=        database, keys and logs; default: .haldir/dev, apart from those of npm start. Remove it to start anew
  DATABASE_URL=, REDIS_URL=   servers of your own`;

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
if (process.argv.includes('--help') || process.argv.includes('-h')) {
  console.log(HELP);
} else {
  process.chdir(root);
  // The compiler watches for as long as the process lives.
  process.exit(await supervise(root, (life) => develop(root, life)));
}
