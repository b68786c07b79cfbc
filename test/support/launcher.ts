import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../scripts/embedded/ports.mjs';
import { isRunning } from '../../scripts/embedded/processes.mjs';
import { eventually } from './eventually.js';

const root = join(import.meta.dirname, '..', '..');
const DEADLINE_MS = 80_000;

/** `npm start`, ready. */
export interface Launched {
  npm: ChildProcess;
  url: string;
  /** What it has printed. */
  said: string;
  /** Of the launcher, API, worker and database. */
  pids: number[];
  /** Those of them that live. */
  living(): number[];
  /** Asks npm to end, and waits until all have. */
  stop(): Promise<void>;
}

export async function npmStart(home: string, settings: Record<string, string> = {}): Promise<Launched> {
  const port = String(await freePort());
  const npm = spawn('npm', ['start'], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: port, HALDIR_HOME: home, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let said = '';
  for (const stream of [npm.stdout, npm.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  await eventually(() => expect(said).toContain('Ctrl-C stops everything'), DEADLINE_MS);
  const { pid, services } = JSON.parse(readFileSync(join(home, 'launcher.json'), 'utf8')) as {
    pid: number;
    services: number[];
  };
  const database = readFileSync(join(home, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0];
  const pids = [pid, ...services, Number(database)];
  const living = (): number[] => pids.filter((one) => isRunning(one));
  expect(living()).toEqual(pids);
  return {
    npm,
    url: `http://127.0.0.1:${port}`,
    said,
    pids,
    living,
    stop: async () => {
      npm.kill('SIGTERM');
      await eventually(() => expect(living()).toEqual([]), 30_000);
    },
  };
}
