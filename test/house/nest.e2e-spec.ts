// What a Nest developer tries first, in a copy of the tree as a fresh clone has it after `npm ci`.
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyTree, type Environment, eventually, startApi, testEnvironment } from '@haldir/test-support';
import { freePort } from '../../scripts/embedded/ports.mjs';
import { isRunning } from '../../scripts/embedded/processes.mjs';
import { isAsset } from '../../scripts/lib/freshness.mjs';

let tree: ReturnType<typeof copyTree>;
let environment: Environment;
beforeAll(async () => {
  tree = copyTree();
  // As .env.example has it, with a database and a key.
  const example = readFileSync(join(tree.dir, '.env.example'), 'utf8');
  const settings = [...example.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]);
  expect(settings.length).toBeGreaterThan(10);
  environment = { ...(Object.fromEntries(settings) as Environment), ...(await testEnvironment()) };
});
afterAll(() => tree.remove());

function nest(...args: string[]): { child: ChildProcess; said: () => string; ended: Promise<number | null> } {
  const program = join(tree.dir, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
  const child = spawn(process.execPath, [program, ...args], {
    cwd: tree.dir,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, said: () => output, ended };
}

it('nest build makes an API that runs, with everything that is shipped beside the code', async () => {
  const { ended, said } = nest('build', 'api');
  expect(await ended, said()).toBe(0);
  const files = (of: string): string[] => readdirSync(join(tree.dir, of), { recursive: true, encoding: 'utf8' });
  // The console is built for browsers, by npm run build alone.
  const ours = (file: string): boolean => !file.startsWith('console/');
  for (const folder of ['apps', 'libs']) {
    const built = new Set(files(join('dist', folder)));
    const sources = files(folder)
      .filter(ours)
      .filter((file) => file.endsWith('.ts') && !file.endsWith('spec.ts'));
    const assets = files(folder)
      .filter(ours)
      .filter((file) => /\.\w+$/.test(file) && isAsset(file));
    expect(sources.map((file) => file.replace(/\.ts$/, '.js')).filter((file) => !built.has(file))).toEqual([]);
    expect(assets.length).toBeGreaterThan(1);
    expect(assets.filter((file) => !built.has(file))).toEqual([]);
    expect([...built].filter((file) => /spec\.js|tsconfig|\.md$/.test(file))).toEqual([]);
  }

  const api = await startApi(environment, tree.dir);
  const page = await fetch(`${api.url}/openapi.json`);
  expect([page.status, (await fetch(`${api.url}/healthz`)).status]).toEqual([200, 200]);
  expect(await api.stop()).toBe(0);
});

it('nest start --watch runs the worker, and again when a lib has changed', async () => {
  const port = String(await freePort());
  environment = { ...environment, WORKER_PORT: port };
  const { child, said, ended } = nest('start', 'worker', '--watch');
  const started = (): number[] =>
    [...said().matchAll(/"event":"worker.started".*?"pid":(\d+)/g)].map((m) => Number(m[1]));
  const ready = async (): Promise<boolean> => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  try {
    await eventually(async () => expect(await ready().catch(() => false), said()).toBe(true), 30_000);
    const file = join(tree.dir, 'libs', 'kernel', 'src', 'version.ts');
    writeFileSync(file, `${readFileSync(file, 'utf8')}// changed\n`);
    await eventually(() => expect(started().length, said()).toBeGreaterThan(1), 30_000);
    await eventually(async () => expect(await ready().catch(() => false), said()).toBe(true), 30_000);
  } finally {
    process.kill(-Number(child.pid), 'SIGINT'); // as Ctrl-C does: it reaches nest, its shell and the worker
    await ended;
  }
  await eventually(() => expect(started().filter((pid) => isRunning(pid, 'main'))).toEqual([]));
});
