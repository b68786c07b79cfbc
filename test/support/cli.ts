import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Environment } from './processes.js';

const main = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'cli', 'src', 'main.js');

/** A command of the built `haldir` program that is running. */
export interface RunningCommand {
  child: ChildProcess;
  /** What became of it; the code is null when it was killed. */
  ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
  /** What it has said so far. */
  said(): string;
}

export function startCli(environment: Environment, ...args: string[]): RunningCommand {
  const child = spawn(process.execPath, ['--enable-source-maps', main, ...args], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, ended: ended.then((code) => ({ code, ...said })), said: () => said.stdout + said.stderr };
}

/** A command run to its end. */
export function cli(environment: Environment, ...args: string[]): RunningCommand['ended'] {
  return startCli(environment, ...args).ended;
}
