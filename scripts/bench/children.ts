// Processes of a benchmark, and what they cost.
import { fork, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { pause, processesIn } from '../embedded/processes.mjs';

export interface Helper {
  pid: number;
  /** What it said when it was ready */
  facts: any;
  ask: (job: object) => Promise<any>;
  stop: () => Promise<void>;
}

/** Starts a script of this folder as a process of its own. */
export async function startHelper(script: URL, cwd: string): Promise<Helper> {
  const file = fileURLToPath(script);
  // In a group of its own: Ctrl-C is for the benchmark, which ends its processes when it is done with them.
  const child = fork(file, [], {
    cwd,
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: ['--import', import.meta.resolve('tsx')],
  });
  const waiting: Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }> = new Map();
  let next = 0;
  let over = false;
  const ended = new Promise((resolve) => child.once('close', resolve));
  void ended.then(() => {
    over = true;
    for (const { reject } of waiting.values()) reject(new Error(`${path.basename(file)} ended`));
  });
  const facts = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => reject(new Error(`${path.basename(file)} did not start`)));
    child.on('message', ({ ready, id, result, error }: any) => {
      if (ready) return resolve(ready);
      const call = waiting.get(id);
      waiting.delete(id);
      if (error === undefined) call?.resolve(result);
      else call?.reject(new Error(`${path.basename(file)}: ${error}`));
    });
  });
  return {
    pid: child.pid ?? 0,
    facts,
    ask: (job) =>
      new Promise((resolve, reject) => {
        if (over) return reject(new Error(`${path.basename(file)} ended`));
        waiting.set(++next, { resolve, reject });
        child.send({ id: next, job });
      }),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/**
 * Starts one of the built apps and answers when it is ready. Its log goes straight to a file, as it would in production.
 *
 * @throws Error with the last line it wrote, when it does not become ready
 */
export async function startApp({
  name,
  entry,
  env,
  url,
  logs,
  cwd,
  nodeArgs,
}: {
  name: string;
  entry: string;
  env: NodeJS.ProcessEnv;
  url: string;
  logs: string;
  cwd: string;
  nodeArgs: string[];
}): Promise<{ pid: number; logFile: string; stop: () => Promise<void> }> {
  const logFile = path.join(logs, `${name}.log`);
  const log = fs.openSync(logFile, 'a', 0o600);
  const child = spawn(process.execPath, ['--enable-source-maps', ...nodeArgs, entry], {
    cwd,
    env,
    stdio: ['ignore', log, log, 'ipc'],
    detached: true,
  });
  fs.closeSync(log);
  const ended = new Promise((resolve) => {
    child.once('error', resolve);
    child.once('close', resolve);
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), 25_000);
    await ended;
    clearTimeout(killer);
  };
  const deadline = performance.now() + 60_000;
  while (!(await isReady(`${url}/readyz`))) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) {
      await stop();
      throw new Error(`the ${name} process did not start: ${lastLine(logFile)}`);
    }
    await pause(50);
  }
  return { pid: child.pid ?? 0, logFile, stop };
}

async function isReady(url: string) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

const lastLine = (file: string) => fs.readFileSync(file, 'utf8').trim().split('\n').at(-1) ?? '';

/** Microseconds of a clock tick of /proc/<pid>/stat: USER_HZ is 100 on every Linux that Node runs on. */
const TICK_MICROS = 10_000;

/** @returns microseconds of processor time it has used so far; null where the system does not tell */
export function cpuMicros(pid: number): number | null {
  const ticks = ticksOf(pid);
  return ticks === null ? null : ticks.own * TICK_MICROS;
}

/**
 * @param cluster the folder of a PostgreSQL server
 * @returns microseconds of processor time that its processes have used, those that have ended as well; null
 * where the system does not tell
 */
export function clusterCpuMicros(cluster: string): number | null {
  const pids = processesIn(cluster);
  if (pids.length === 0) return null;
  // The server waits for its processes, so it has the time of those that have ended.
  return pids.map(ticksOf).reduce((sum, ticks) => sum + (ticks ? ticks.own + ticks.ofEnded : 0), 0) * TICK_MICROS;
}

/** @returns null when it cannot be read */
function ticksOf(pid: number): { own: number; ofEnded: number } | null {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11);
    return { own: user + system, ofEnded: endedUser + endedSystem };
  } catch {
    return null;
  }
}
