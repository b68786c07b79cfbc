// Another program as a process of the benchmark's: starts it, waits until its port is listened on, where it has one, and ends it when it is ended itself.
import { spawn } from 'node:child_process';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { serve } from './child.js';

export interface Program {
  args: string[];
  env: Record<string, string>;
  /** That it listens on */
  port?: number;
}

const START_MS = 30_000;
const STEP_MS = 50;

serve({}, async ({ args, env, port }: Program) => {
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: 'ignore' });
  for (const ending of ['disconnect', 'SIGTERM'] as const)
    process.once(ending, () => {
      child.kill('SIGKILL');
      process.exit(0);
    });
  for (let waited = 0; port !== undefined && !(await isOpen(port)); waited += STEP_MS) {
    if (child.exitCode !== null || waited > START_MS) throw new Error(`${args[0]} did not start`);
    await pause(STEP_MS);
  }
  return { pid: child.pid };
});

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
