// @ts-check
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client } from '@modelcontextprotocol/client';
import { pause } from '../embedded/processes.mjs';
import { compareLists } from './listing.mjs';

const CLI = fileURLToPath(new URL('../../dist/apps/cli/src/main.js', import.meta.url));
const READY_MS = 60_000;

/**
 * Puts a server that speaks on its standard streams behind Haldir, through `haldir connect`, and holds what an agent is shown of it
 * against what it says itself.
 *
 * @param {import('./servers.mjs').Stage} stage
 * @param {string} name of the upstream
 * @param {{ command?: string, args: string[], options?: string[], env?: Record<string, string> }} server by default a script for
 *   Node; what stands before it, and of its environment
 * @param {import('./agent.mjs').Agent} agent
 * @returns {Promise<{ direct: Client, pid: number }>} a client of another process of that server; and the connector
 */
export async function connectServer(stage, name, { command = process.execPath, args, options = [], env = {} }, agent) {
  const { haldir, check, defer, balancer } = stage;
  const direct = new Client({ name: 'interop', version: '1.0.0' });
  const PATH = process.env.PATH ?? '';
  await direct.connect(new StdioClientTransport({ command, args, env: { PATH, ...env }, stderr: 'ignore' }));
  defer(() => direct.close());

  const key = await haldir.connectorKey(name);
  const given = Object.entries(env).flatMap(([variable, value]) => ['--env', `${variable}=${value}`]);
  const child = spawn(process.execPath, [CLI, 'connect', name, ...options, ...given, '--', command, ...args], {
    env: { PATH, HALDIR_URL: balancer.url, HALDIR_API_KEY: key },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (said += text));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  defer(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const startedAt = performance.now();
  for (;;) {
    const { healthy, refused_tools: refused = [] } = (await haldir.upstream(name)) ?? {};
    if (healthy) {
      check('is there through haldir connect, which started it', true, said);
      await compareLists(stage, name, direct, refused, agent);
      return { direct, pid: child.pid ?? 0 };
    }
    if (child.exitCode !== null || performance.now() - startedAt > READY_MS)
      throw new Error(`haldir connect ${name} is not ready: ${said}`);
    await pause(200);
  }
}
