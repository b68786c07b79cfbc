// The README's walk, as a newcomer would paste it: its commands in their order, and the outputs it shows.
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type AppProcess, startApi, testEnvironment } from '@haldir/test-support';
import { freePort } from '../../scripts/embedded/ports.mjs';

const root = join(import.meta.dirname, '..', '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const walk = readme.slice(readme.indexOf('## Your first governed call'), readme.indexOf('## Use it'));
/** Blocks of commands, each with the block of output that follows it, if there is one. */
const steps = [...walk.matchAll(/```sh\n(.*?)```(?:\s*```(?:json|text)\n(.*?)```)?/gs)].map(([, commands, output]) => ({
  commands: String(commands),
  output: output ?? '',
}));

let api: AppProcess;
beforeAll(async () => {
  api = await startApi(await testEnvironment());
});
afterAll(async () => {
  await api.stop();
  for (const file of ['log.key', 'audit.jsonl']) rmSync(join(root, file), { force: true });
});

/** What differs from run to run. */
const same = (text: string): string =>
  text
    .trim()
    .replace(/\b([a-z]{3})_[0-9A-Za-z]{20,}/g, '$1_…')
    .replace(/\b[0-9a-f]{64}\b/g, '…');

it('takes a stranger from the first key to a log that was checked offline', async () => {
  expect(steps.length).toBeGreaterThanOrEqual(4);
  const upstreamPort = await freePort();
  const END = '--- end of step ---';
  const script = steps.map(({ commands }) => `${commands}echo '${END}'\n`).join('');
  const shell = spawn('bash', ['--noprofile', '--norc'], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    let printed = '';
    const ended = new Promise((resolve) => shell.once('exit', resolve));
    shell.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
    shell.stdin.end(script.replaceAll('http://127.0.0.1:3000', api.url).replaceAll('3002', String(upstreamPort)));
    await ended;
    const outputs = printed.split(`${END}\n`).slice(0, -1);
    expect(outputs.map(same)).toEqual(steps.map(({ output }) => same(output)));
  } finally {
    // The upstream that it left running.
    if (shell.pid !== undefined) process.kill(-shell.pid, 'SIGKILL');
  }
});
