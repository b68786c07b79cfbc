import { cli } from '@haldir/test-support';
import { VERSION } from '@haldir/kernel';

const COMMANDS = [
  'migrate',
  'mcp',
  'mcp config',
  'connect',
  'keys status',
  'keys rotate-root',
  'keys rotate-tenant',
  'people invite',
  'people list',
  'people remove',
  'audit verify',
  'evidence create',
  'evidence verify',
];

it.each([[['--version']], [['-V']]])('%j says which Haldir it is', async (args) => {
  expect(await cli({}, ...args)).toEqual({ code: 0, stdout: `haldir ${VERSION}\n`, stderr: '' });
});

it.each(COMMANDS)('%s --help explains itself, and so does help before it', async (command) => {
  const asked = await cli({}, ...command.split(' '), '--help');
  expect(asked).toMatchObject({ code: 0, stderr: '' });
  expect(asked.stdout).toMatch(new RegExp(`^Usage: haldir ${command}\\b`));
  expect(await cli({}, 'help', ...command.split(' '))).toEqual(asked);
});

it.each([
  [[], COMMANDS],
  [['--help'], COMMANDS],
  [['-h'], COMMANDS],
  [['help'], COMMANDS],
  [['audit'], ['audit verify']],
  [['audit', '--help'], ['audit verify']],
  [['keys', '--help'], COMMANDS.filter((name) => name.startsWith('keys'))],
  [['help', 'keys'], COMMANDS.filter((name) => name.startsWith('keys'))],
])('%j lists the commands there are', async (args, commands) => {
  const { code, stdout, stderr } = await cli({}, ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const listed = [...stdout.matchAll(/^ {2}([a-z][a-z -]*?) {2,}/gm)].map(([, name]) => name);
  expect(listed).toEqual(commands);
});

it.each([
  [['bogus'], 'unknown command bogus', 'haldir <command>'],
  [['keys', 'bogus', '--help'], 'unknown command bogus', 'haldir keys <command>'],
  [['audit', '--bogus'], 'unknown option --bogus', 'haldir audit <command>'],
  [['--verbose'], 'unknown option --verbose', 'haldir <command>'],
])('%j ends with 2, says what is unknown and what there is', async (args, what, usage) => {
  const { code, stdout, stderr } = await cli({}, ...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(what);
  expect(stderr).toContain(`Usage: ${usage}`);
});

it('an argument that a command does not take stops it before it does anything', async () => {
  expect(await cli({}, 'migrate', '--dry-run')).toMatchObject({ code: 64, stdout: '' });
});
