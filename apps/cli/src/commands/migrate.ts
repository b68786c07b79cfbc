import 'reflect-metadata';
import { migrate } from '@haldir/database';
import { migrateQueues } from '@haldir/queue';
import { type Command, EXIT_CONFIG } from '../command.js';

export const migrateCommand: Command = {
  help: `Usage: haldir migrate

Brings the schema of the database in DATABASE_URL up to date. Harmless when there is nothing to do; safe to run from several
places at once.

Example
  DATABASE_URL=postgresql://haldir:password@127.0.0.1:5432/haldir haldir migrate
`,
  async run(_args, env) {
    const url = env['DATABASE_URL'] ?? '';
    if (!/^postgres(ql)?:\/\//.test(url)) {
      process.stderr.write(
        'haldir: DATABASE_URL should be a PostgreSQL URL, for example DATABASE_URL=postgresql://haldir:password@127.0.0.1:5432/haldir\n',
      );
      return EXIT_CONFIG;
    }
    const ran = await migrate(url);
    await migrateQueues(url);
    process.stdout.write(ran.length === 0 ? 'The schema is up to date.\n' : `Ran ${ran.join(', ')}.\n`);
    return 0;
  },
};
