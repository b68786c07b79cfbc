// @ts-check
import { spawn } from 'node:child_process';
import { waitForPort } from '../embedded/ports.mjs';

const START_TIMEOUT_MS = 30_000;
const GRACE_MS = 3000;

/**
 * @typedef {object} McpServer
 * @property {string} url
 * @property {number} pid
 * @property {() => Promise<void>} stop
 */

/**
 * Starts an MCP server of someone else's as a process of its own, which ends with this one. By itself it listens on loopback only.
 *
 * @param {object} options
 * @param {string} options.entry
 * @param {string[]} options.args
 * @param {number} options.port that it is told to listen on
 * @param {NodeJS.ProcessEnv} options.env all that it has
 * @param {string} [options.cwd]
 * @param {string} [options.address] where on that port it speaks MCP
 * @returns {Promise<McpServer>}
 * @throws when it does not come up; it does not keep running then
 */
export async function startMcpServer({ entry, args, port, env, cwd, address = '/mcp' }) {
  const child = spawn(
    process.execPath,
    ['--import', new URL('./loopback.mjs', import.meta.url).href, entry, ...args],
    // In a group of its own: Ctrl-C is for the script, which ends the server when it is done with it.
    { env, stdio: ['ignore', 'ignore', 'ignore', 'ipc'], detached: true, ...(cwd === undefined ? {} : { cwd }) },
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
  return { url: `http://127.0.0.1:${port}${address}`, pid: child.pid ?? 0, stop };
}
