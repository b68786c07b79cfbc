// The README's walk, as a newcomer would paste it: its commands in their order, and the outputs it shows.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Launched, npmStart } from '@haldir/test-support';
import { freePort } from '../../scripts/embedded/ports.mjs';

const root = join(import.meta.dirname, '..', '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const walk = readme.slice(readme.indexOf('## Your first governed call'), readme.indexOf('## Use it'));
/** Blocks of commands, each with the block of output that follows it, if there is one. */
const steps = [...walk.matchAll(/```sh\n(.*?)```(?:\s*```(?:json|text)\n(.*?)```)?/gs)].map(([, commands, output]) => ({
  commands: String(commands),
  output: output ?? '',
}));
const END = '--- end of step ---';

/** What differs from run to run. */
const same = (text: string): string =>
  text
    .trim()
    .replace(/\b([a-z]{3})_[0-9A-Za-z]{20,}/g, '$1_…')
    .replace(/\b[0-9a-f]{64}\b/g, '…');

/** A shell of a newcomer's, in the folder of the README; what it leaves running ends with it. */
async function shell(script: string, env: Record<string, string> = {}) {
  const child = spawn('bash', ['--noprofile', '--norc'], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  try {
    const said = { stdout: '', stderr: '' };
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
    child.stdin.end(script);
    return { code: await ended, ...said };
  } finally {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has left nothing running.
    }
  }
}

async function expectWalk(url: string): Promise<void> {
  expect(steps.length).toBeGreaterThanOrEqual(4);
  const upstreamPort = String(await freePort());
  const script = steps.map(({ commands }) => `${commands}echo '${END}'\n`).join('');
  const { stdout, stderr } = await shell(
    script.replaceAll('http://127.0.0.1:3000', url).replaceAll('3002', upstreamPort),
  );
  const outputs = stdout.split(`${END}\n`).slice(0, -1);
  expect({ outputs: outputs.map(same), stderr }).toEqual({
    outputs: steps.map(({ output }) => same(output)),
    stderr: '',
  });
}

let home: string;
let launched: Launched | undefined;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'haldir-readme-'));
});
afterEach(async () => {
  await launched?.stop();
  launched = undefined;
  rmSync(home, { recursive: true, force: true });
  for (const file of ['log.key', 'audit.jsonl']) rmSync(join(root, file), { force: true });
});
const start = async (): Promise<Launched> => (launched = await npmStart(home));
const demo = ({ url }: Launched) => shell('npm run demo', { PORT: new URL(url).port, HALDIR_HOME: home });

it('takes a stranger from the first key to a log that was checked offline, and leaves the demo to come after it', async () => {
  await start();
  await expectWalk(launched!.url);
  expect(await demo(launched!)).toMatchObject({ code: 0, stderr: '' });
});

it('goes the same way after the demo was played, twice', async () => {
  await start();
  for (const _ of [1, 2]) expect(await demo(launched!)).toMatchObject({ code: 0, stderr: '' });
  await expectWalk(launched!.url);
});

const field = /^field\(\) \{\n.*?^\}\n/ms.exec(readme)?.[0] ?? '';

it.each([
  ['{"error":"Missing or wrong API key","code":"unauthorized"}', 'key', 'Missing or wrong API key'],
  ['{"error":"no upstream of that name"}', 'explanation.map(JSON.stringify)[0]', 'no upstream of that name'],
  ['', 'key', 'no key in the answer'],
  ['<html>502 Bad Gateway</html>', 'session_id', '502 Bad Gateway'],
])('its helper shows what was answered instead, and ends with 1: %s', async (answer, what, shown) => {
  const { code, stdout, stderr } = await shell(`${field}printf '%s' '${answer}' | field '${what}'`);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(shown);
  expect(stderr).not.toContain('    at ');
});

it('its helper prints what is there', async () => {
  const { stdout, stderr } = await shell(`${field}printf '{"a":{"b":2.5}}' | field a.b`);
  expect({ stdout, stderr }).toEqual({ stdout: '2.5\n', stderr: '' });
});
