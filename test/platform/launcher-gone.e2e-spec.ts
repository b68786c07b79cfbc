// Processes that a launcher started end with it, whatever they are doing.
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { eventually, sharedWorld } from '@haldir/test-support';
import { freePort } from '../../scripts/embedded/ports.mjs';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

it.each([
  ['api', 'PORT', 0],
  ['worker', 'WORKER_PORT', 0],
  ['api', 'PORT', 500],
  ['api', 'PORT', 1_500],
])('%s ends when its launcher is gone while it starts', async (name, port, afterMs) => {
  const environment = { ...(await sharedWorld()).environment, [port]: String(await freePort()) };
  const main = join(import.meta.dirname, '..', '..', 'dist', 'apps', name, 'src', 'main.js');
  const child = fork(main, { env: { PATH: process.env.PATH, ...environment }, stdio: 'ignore' });
  children.push(child);
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.disconnect();
  await eventually(() => expect(child.exitCode).not.toBeNull(), 60_000);
});
