import 'reflect-metadata';
import { migrate } from '@haldir/database';
import { migrateQueues } from '@haldir/queue';

const HELP = `Usage: haldir <command>

Commands
  migrate   Bring the database schema up to date (DATABASE_URL)
  help      Show this text

Example
  DATABASE_URL=postgresql://haldir:password@127.0.0.1:5432/haldir node dist/apps/cli/src/main.js migrate
`;

const [command = 'help', ...rest] = process.argv.slice(2);

async function main(): Promise<number> {
  if (command === 'help' || command === '--help' || command === '-h' || rest.includes('--help')) {
    process.stdout.write(HELP);
    return 0;
  }
  if (command !== 'migrate') {
    process.stderr.write(`haldir: unknown command; see haldir help\n`);
    return 2;
  }
  const url = process.env['DATABASE_URL'] ?? '';
  if (!/^postgres(ql)?:\/\//.test(url)) {
    process.stderr.write(
      'haldir: DATABASE_URL should be a PostgreSQL URL, for example DATABASE_URL=postgresql://haldir:password@127.0.0.1:5432/haldir\n',
    );
    return 78;
  }
  const ran = await migrate(url);
  await migrateQueues(url);
  process.stdout.write(ran.length === 0 ? 'The schema is up to date.\n' : `Ran ${ran.join(', ')}.\n`);
  return 0;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`haldir: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
