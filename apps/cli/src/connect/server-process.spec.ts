import { ServerProcess } from './server-process.js';
import { eventually } from './stage.for-spec.js';

const said: string[] = [];
const listener = {
  heard: () => undefined,
  said: (line: string) => void said.push(line),
  room: () => null,
  drained: () => undefined,
};
const start = (...args: string[]): ServerProcess =>
  new ServerProcess({ program: process.execPath, args, env: {} }, listener);
beforeEach(() => void said.splice(0));

it('that the system refuses to start has exited, in words, as one that is not there', async () => {
  // More than it takes of one argument (E2BIG).
  const refused = start('-e', `0/*${'x'.repeat(3 * 1024 * 1024)}*/`);
  refused.send({ jsonrpc: '2.0', method: 'a' });
  await refused.end();
  expect([await refused.exited, refused.pid]).toEqual(['cannot be started (E2BIG)', undefined]);
  const missing = new ServerProcess({ program: '/no/such/program', args: [], env: {} }, listener);
  expect(await missing.exited).toBe('cannot be started (ENOENT)');
});

it('passes on whole lines that are no messages: who shows them looks for secrets before they are cut', async () => {
  const line = `${'x'.repeat(190)} ghp_0123456789abcdef`;
  await start('-e', `console.log('${line}')`).exited;
  await eventually(() => expect(said).toEqual([`(no message on its standard output) ${line}`]));
});
