#!/usr/bin/env node
import { type Command, EXIT_CONFIG, EXIT_USAGE, UsageError } from './command.js';

/** Commands are loaded when they are asked for: checking an export needs no database driver. */
const COMMANDS: readonly { name: string; summary: string; load: () => Promise<Command> }[] = [
  {
    name: 'migrate',
    summary: 'Bring the database schema up to date',
    load: async () => (await import('./commands/migrate.js')).migrateCommand,
  },
  {
    name: 'mcp',
    summary: 'Be an MCP server on standard input and output, for programs that start their servers themselves',
    load: async () => (await import('./commands/mcp.js')).mcpCommand,
  },
  {
    name: 'keys status',
    summary: 'Which keys are in use, and what a rotation has left to do',
    load: async () => (await import('./commands/keys.js')).keysStatusCommand,
  },
  {
    name: 'keys rotate-root',
    summary: 'Wrap every key under the active root key',
    load: async () => (await import('./commands/keys.js')).keysRotateRootCommand,
  },
  {
    name: 'keys rotate-tenant',
    summary: 'Give tenants new keys, and seal everything anew',
    load: async () => (await import('./commands/keys.js')).keysRotateTenantCommand,
  },
  {
    name: 'audit verify',
    summary: 'Check an export of the audit log, or a proof, offline',
    load: async () => (await import('./commands/audit-verify.js')).auditVerifyCommand,
  },
];

const width = Math.max(...COMMANDS.map(({ name }) => name.length)) + 2;
const HELP = `Usage: haldir <command>

Commands
${COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}\n`).join('')}
haldir <command> --help says more about one.
`;

async function main(args: string[]): Promise<number> {
  const found = COMMANDS.find(({ name }) => name.split(' ').every((word, i) => args[i] === word));
  if (!found) {
    const asksForHelp = args.length === 0 || ['help', '--help', '-h'].includes(args[0] ?? '');
    if (asksForHelp) process.stdout.write(HELP);
    else process.stderr.write('haldir: unknown command; see haldir help\n');
    return asksForHelp ? 0 : EXIT_USAGE;
  }
  const command = await found.load();
  const rest = args.slice(found.name.split(' ').length);
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(command.help);
    return 0;
  }
  try {
    return await command.run(rest, process.env);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`haldir ${found.name}: ${error.message}; see haldir ${found.name} --help\n`);
      return EXIT_USAGE;
    }
    process.stderr.write(`haldir: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof Error && error.constructor.name === 'ConfigError' ? EXIT_CONFIG : 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
