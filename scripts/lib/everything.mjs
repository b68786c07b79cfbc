// @ts-check
// A real MCP server of someone else's: the reference server `@modelcontextprotocol/server-everything`.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { freePort, waitForPort } from '../embedded/ports.mjs';

const START_TIMEOUT_MS = 30_000;
const GRACE_MS = 3000;

/**
 * Starts the server as a process of its own, on a free loopback port.
 *
 * @param {number} [preferredPort] taken when it is free
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 * @throws when it does not come up; it does not keep running then
 */
export async function startEverything(preferredPort) {
  const entry = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/dist/index.js');
  const port = await freePort(preferredPort);
  const child = spawn(
    process.execPath,
    ['--import', new URL('./loopback.mjs', import.meta.url).href, entry, 'streamableHttp'],
    // In a group of its own: Ctrl-C is for the script, which ends the server when it is done with it.
    {
      env: { PATH: process.env.PATH, PORT: String(port) },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      detached: true,
    },
  );
  const ended = new Promise((resolve) => {
    child.once('error', resolve);
    child.once('exit', resolve);
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
    await ended;
    clearTimeout(killer);
  };
  try {
    await waitForPort(port, START_TIMEOUT_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://127.0.0.1:${port}/mcp`, stop };
}
