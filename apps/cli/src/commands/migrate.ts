import 'reflect-metadata';
import { migrate } from '@haldir/database';
import { migrateQueues } from '@haldir/queue';
import { databaseUrl, isDatabaseUrl } from '@haldir/runtime';
import { sealGrantsThere } from '../keys-session.js';
import { type Command, EXIT_CONFIG, UsageError } from '../command.js';

export const migrateCommand: Command = {
  help: `Usage: haldir migrate

Brings the schema of the database up to date. Harmless when there is nothing to do; safe to run from several places at once.

  DATABASE_OWNER_URL   the role that owns the schema; default: DATABASE_URL
  DATABASE_URL         the role the API logs in as
  WORKER_DATABASE_URL  the role the worker logs in as; default: DATABASE_URL

A password may stand beside its URL, as it is: DATABASE_OWNER_PASSWORD, DATABASE_PASSWORD, WORKER_DATABASE_PASSWORD.

  HALDIR_ROOT_KEYS(_FILE)  as API and worker have them; asked for once, where keys and sessions have no MACs yet. Stop
                           API and worker of the earlier version first.

Roles other than the owner are made with the passwords in their URLs. They cannot change the log, and the database itself
shows a statement of theirs only the tenants it is about.

Example
  DATABASE_OWNER_URL=postgresql://haldir:secret@127.0.0.1:5432/haldir \\
  DATABASE_URL=postgresql://haldir_api:secret@127.0.0.1:5432/haldir \\
  WORKER_DATABASE_URL=postgresql://haldir_worker:secret@127.0.0.1:5432/haldir haldir migrate
`,
  async run(args, env) {
    if (args.length > 0) throw new UsageError(`it takes no arguments, and was given ${args.join(' ')}`);
    const api = databaseUrl(env, 'DATABASE_URL');
    const worker = databaseUrl(env, 'WORKER_DATABASE_URL') || api;
    const owner = databaseUrl(env, 'DATABASE_OWNER_URL') || api;
    const settings = { DATABASE_OWNER_URL: owner, DATABASE_URL: api || owner, WORKER_DATABASE_URL: worker || owner };
    const wrong = Object.entries(settings).find(([, url]) => !isDatabaseUrl(url));
    if (wrong) {
      process.stderr.write(
        `haldir: ${wrong[0]} should be a PostgreSQL URL, for example ${wrong[0]}=postgresql://haldir:password@127.0.0.1:5432/haldir\n`,
      );
      return EXIT_CONFIG;
    }
    const ran = await migrate(owner, [
      { url: settings.DATABASE_URL, seesAll: api === worker },
      ...(api === worker ? [] : [{ url: worker, seesAll: true }]),
    ]);
    await migrateQueues(owner);
    process.stdout.write(ran.length === 0 ? 'The schema is up to date.\n' : `Ran ${ran.join(', ')}.\n`);
    const sealed = await sealGrantsThere({ ...env, DATABASE_OWNER_URL: owner });
    if (sealed !== null) process.stdout.write(`Gave ${sealed} keys and sessions their MACs, once and for all.\n`);
    return 0;
  },
};
