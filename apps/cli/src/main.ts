#!/usr/bin/env node
import { VERSION } from '@haldir/kernel';
import { type Command, EXIT_CONFIG, EXIT_UNKNOWN, EXIT_USAGE, UsageError } from './command.js';

/** Commands are loaded when they are asked for: checking an export needs no database driver. A longer name stands after one that begins it. */
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
    name: 'mcp config',
    summary: 'Print the configuration with which a client connects to Haldir',
    load: async () => (await import('./commands/mcp-config.js')).mcpConfigCommand,
  },
  {
    name: 'connect',
    summary: 'Make an MCP server of this machine an upstream: a command, or an address only this machine reaches',
    load: async () => (await import('./commands/connect.js')).connectCommand,
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
    name: 'people invite',
    summary: 'Make somebody a person of the tenant, and a link that signs them in once',
    load: async () => (await import('./commands/people.js')).peopleInviteCommand,
  },
  {
    name: 'people list',
    summary: 'Who may sign in, and in which role',
    load: async () => (await import('./commands/people.js')).peopleListCommand,
  },
  {
    name: 'people remove',
    summary: 'End everything of somebody’s',
    load: async () => (await import('./commands/people.js')).peopleRemoveCommand,
  },
  {
    name: 'audit verify',
    summary: 'Check an export of the audit log, or a proof, offline',
    load: async () => (await import('./commands/audit-verify.js')).auditVerifyCommand,
  },
  {
    name: 'evidence create',
    summary: 'Have evidence of a period made for an auditor, and download it',
    load: async () => (await import('./commands/evidence-create.js')).evidenceCreateCommand,
  },
  {
    name: 'evidence verify',
    summary: 'Check a package of evidence, offline',
    load: async () => (await import('./commands/evidence-verify.js')).evidenceVerifyCommand,
  },
];

/** `words` of a command line that begin the name of a command, or all of it. */
const under = (words: readonly string[]) =>
  COMMANDS.filter(({ name }) => `${name} `.startsWith(words.map((word) => `${word} `).join('')));

function listing(commands: typeof COMMANDS): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  return commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}\n`).join('');
}

/** What there is below `group`; the whole program when that is empty. */
function helpOf(group: readonly string[]): string {
  const name = ['haldir', ...group].join(' ');
  const options =
    '\nOptions\n  --help     this text; after a command, more about it\n  --version  which Haldir this is\n';
  return `Usage: ${name} <command>

Commands
${listing(under(group))}${group.length === 0 ? options : ''}
${name} <command> --help says more about one. In a checkout, haldir is: npm run --silent haldir --
`;
}

const isHelp = (word: string | undefined): boolean => word === '--help' || word === '-h';

async function main(args: string[]): Promise<number> {
  // `help keys status` asks what `keys status --help` does.
  if (args[0] === 'help') return main([...args.slice(1), '--help']);
  if (args[0] === '--version' || args[0] === '-V') {
    process.stdout.write(`haldir ${VERSION}\n`);
    return 0;
  }
  const found = COMMANDS.filter(({ name }) => name.split(' ').every((word, i) => args[i] === word)).at(-1);
  if (found) return run(found, args.slice(found.name.split(' ').length));

  const depth = args.findIndex((_, i) => under(args.slice(0, i + 1)).length === 0);
  const group = depth < 0 ? args : args.slice(0, depth);
  const next = args[group.length];
  if (next === undefined || isHelp(next)) {
    process.stdout.write(helpOf(group));
    return 0;
  }
  process.stderr.write(`haldir: unknown ${next.startsWith('-') ? 'option' : 'command'} ${next}\n\n${helpOf(group)}`);
  return EXIT_UNKNOWN;
}

async function run(found: (typeof COMMANDS)[number], rest: string[]): Promise<number> {
  const command = await found.load();
  // What follows -- is another program's.
  const own = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest;
  if (own.some(isHelp)) {
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
