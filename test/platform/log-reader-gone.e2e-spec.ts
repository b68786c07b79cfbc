// Processes end when they are asked to, whoever reads their log.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { eventually, sharedWorld } from '@haldir/test-support';
import { freePort } from '../../scripts/embedded/ports.mjs';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** The process, and what it says until somebody closes that. */
async function start(name: string, port: string): Promise<{ child: ChildProcess; said: () => string }> {
  const environment = { ...(await sharedWorld()).environment, [port]: String(await freePort()) };
  const main = join(import.meta.dirname, '..', '..', 'dist', 'apps', name, 'src', 'main.js');
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await eventually(() => expect(said).toContain(`"event":"${name}.started"`), 60_000);
  return { child, said: () => said };
}

describe.each([
  ['api', 'PORT'],
  ['worker', 'WORKER_PORT'],
])('%s that is asked to end', (name, port) => {
  it('ends, with its last line written', async () => {
    const { child, said } = await start(name, port);
    child.kill('SIGTERM');
    await eventually(() => expect(child.exitCode).toBe(0), 60_000);
    await eventually(() => expect(said()).toContain(`"event":"${name}.stopped"`), 10_000);
  });

  it('ends where nobody reads its log any more', async () => {
    const { child } = await start(name, port);
    child.stdout?.destroy();
    child.kill('SIGTERM');
    await eventually(() => expect(child.exitCode).toBe(0), 60_000);
  });

  it('ends where whoever reads its log has stopped reading', async () => {
    const { child } = await start(name, port);
    child.stdout?.pause();
    child.kill('SIGTERM');
    await eventually(() => expect(child.exitCode).toBe(0), 60_000);
  });
});

/** Says that it is there, and one line more once it is told to end, which it does at once. */
const PROGRAM = `
  const { createLogger } = await import(process.argv[1]);
  const log = createLogger('info');
  log.info({ event: 'there' });
  process.stdin.once('data', () => {
    log.info({ event: 'last', text: 'x'.repeat(Number(process.argv[2])) });
    process.exit(0);
  });
`;

it.each([1, 100_000])(
  'a process that exits with %i characters to say has said them, or has nobody to tell',
  async (size) => {
    const runtime = join(import.meta.dirname, '..', '..', 'dist', 'libs', 'runtime', 'src', 'index.js');
    for (const isRead of [true, false]) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, runtime, String(size)]);
      children.push(child);
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
      await eventually(() => expect(said).toContain('"event":"there"'), 60_000);
      if (!isRead) child.stdout.destroy();
      child.stdin.end('go');
      await eventually(() => expect(child.exitCode).toBe(0), 60_000);
      if (isRead) await eventually(() => expect(said).toMatch(/"event":"last","text":"x+"\}\n$/), 10_000);
    }
  },
);
