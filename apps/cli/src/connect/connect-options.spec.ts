import { UsageError } from '../command.js';
import { readOptions } from './connect-options.js';

const words = (line: string): string[] => line.split(' ').filter((word) => word !== '');

it('a command is what follows --, its own options too', () => {
  expect(readOptions(words('fs --env A=b=c --env EMPTY= --per-session -- node server.js --url x -- --help'))).toEqual({
    name: 'fs',
    server: {
      program: 'node',
      args: ['server.js', '--url', 'x', '--', '--help'],
      perSession: true,
      maxSessions: 64,
      env: { A: 'b=c', EMPTY: '' },
      sandbox: null,
    },
  });
});

it('an address has headers', () => {
  const args = ['fs', '--url', 'http://127.0.0.1:9/mcp', '--header', 'Authorization: Bearer {{vault:a}}'];
  expect(readOptions(args)).toEqual({
    name: 'fs',
    server: { url: new URL('http://127.0.0.1:9/mcp'), headers: { Authorization: 'Bearer {{vault:a}}' } },
  });
});

it('a sandbox allows what is named', () => {
  expect(readOptions(words('fs --sandbox --write a --write b --network -- x')).server).toMatchObject({
    sandbox: { write: ['a', 'b'], network: true },
  });
  expect(readOptions(words('fs --sandbox -- x')).server).toMatchObject({ sandbox: { write: [], network: false } });
});

it.each([
  ['', 'the name of the upstream is missing'],
  ['-- node', 'the name of the upstream is missing'],
  ['fs', 'give the command'],
  ['fs --', 'give the command'],
  ['fs node server.js', 'one argument too many'],
  ['fs --bogus -- node', '--bogus'],
  ['fs --url http://a --per-session', '--per-session does not go with --url'],
  ['fs --url http://a -- node', 'a command does not go with --url'],
  ['fs --url nothing', '--url should be'],
  ['fs --url file:///a', '--url should be'],
  ['fs --header A:b -- node', '--header goes with --url'],
  ['fs --network -- node', '--sandbox'],
  ['fs --max-sessions 3 -- node', '--per-session'],
  ['fs --per-session --max-sessions 0 -- node', '--max-sessions'],
  ['fs --env secret -- node', '--env should be'],
  ['fs --env =secret -- node', '--env should be'],
  ['fs --url http://a --header secret', '--header should be'],
])('%j is a mistake', (line, said) => {
  const read = (): unknown => readOptions(words(line));
  expect(read).toThrow(UsageError);
  expect(read).toThrow(said);
  expect(read).not.toThrow(/secret/);
});
