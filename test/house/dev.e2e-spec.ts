// npm run dev, in a copy of the tree whose files may change.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, copyTree, eventually } from '@haldir/test-support';
import { freePort } from '../../scripts/embedded/ports.mjs';
import { processesIn } from '../../scripts/embedded/processes.mjs';

const DEADLINE_MS = 40_000;
let tree: ReturnType<typeof copyTree>;
let npm: ChildProcess;
let url: string;
let said = '';
beforeAll(async () => {
  tree = copyTree();
  await start();
});

async function start(): Promise<void> {
  said = '';
  const port = String(await freePort());
  url = `http://127.0.0.1:${port}`;
  npm = spawn('npm', ['run', 'dev'], {
    cwd: tree.dir,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: port },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [npm.stdout, npm.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (said += text));
  await eventually(() => expect(said).toContain('Ctrl-C stops everything'), DEADLINE_MS);
}

afterAll(() => {
  for (const pid of processesIn(tree.dir)) process.kill(pid, 'SIGKILL');
  tree.remove();
});

const version = async (): Promise<unknown> =>
  ((await (await fetch(`${url}/healthz`)).json()) as { version?: unknown }).version;
const served = (expected: string): Promise<void> =>
  eventually(async () => expect(await version().catch(() => said)).toBe(expected), DEADLINE_MS);

it('npm run dev serves a tenant with a session, an upstream, a call that waits, and a log', async () => {
  const operator = new Client(url, /Key {8}(hld_\w+)/.exec(said)?.[1] ?? '');
  const found = async (path: string): Promise<string> => JSON.stringify((await operator.get(path)).body);
  expect(await found('/v1/sessions')).toContain('dev-agent');
  expect(await found('/v1/proxy/upstreams')).toContain('everything');
  expect(await found('/v1/approvals/pending')).toContain('everything.get-sum');
  for (const action of ['payment_authorized', 'approval_requested']) expect(await found('/v1/audit')).toContain(action);
});

it('npm run dev serves what is saved in a lib, outlives what does not compile, and leaves no process', async () => {
  const file = join(tree.dir, 'libs', 'kernel', 'src', 'version.ts');
  const source = readFileSync(file, 'utf8');
  const now = String(await version());
  writeFileSync(file, source.replace(now, '7.7.1'));
  await served('7.7.1');
  writeFileSync(file, source.replace(now, "7.7.2' + ;"));
  await eventually(() => expect(said).toContain('does not compile'), DEADLINE_MS);
  expect(await version()).toBe('7.7.1');
  writeFileSync(file, source.replace(now, '7.7.3'));
  await served('7.7.3');

  const pids = processesIn(tree.dir);
  expect(pids.length).toBeGreaterThan(3);
  npm.kill('SIGTERM');
  await eventually(() => expect(processesIn(tree.dir)).toEqual([]), DEADLINE_MS);
});

it('the next npm run dev finds the tenant of the one before, and a call that waits', async () => {
  const key = (): string => /Key {8}(hld_\w+)/.exec(said)?.[1] ?? '';
  const before = key();
  await start();
  expect(key()).toBe(before);
  const { body } = await new Client(url, before).get('/v1/approvals/pending');
  expect(JSON.stringify(body)).toContain('everything.get-sum');
  npm.kill('SIGTERM');
  await eventually(() => expect(processesIn(tree.dir)).toEqual([]), DEADLINE_MS);
});
