// @ts-check
// A real MCP server of someone else's: the reference server `@modelcontextprotocol/server-everything`.
import { createRequire } from 'node:module';
import { freePort } from '../embedded/ports.mjs';
import { startMcpServer } from './mcp-server.mjs';

/**
 * Starts the server as a process of its own, on a free loopback port.
 *
 * @param {number} [preferredPort] taken when it is free
 * @param {string} [from] a file whose packages have it; default: Haldir's own
 * @param {'streamableHttp' | 'sse'} [transport]
 * @returns {Promise<import('./mcp-server.mjs').McpServer>}
 * @throws when it does not come up; it does not keep running then
 */
export async function startEverything(preferredPort, from = import.meta.url, transport = 'streamableHttp') {
  const port = await freePort(preferredPort);
  return startMcpServer({
    entry: entryOfEverything(from),
    args: [transport],
    port,
    env: { PATH: process.env.PATH, PORT: String(port) },
    address: transport === 'sse' ? '/sse' : '/mcp',
  });
}

/** The file that it is started with. @param {string} from a file whose packages have it */
export function entryOfEverything(from) {
  return createRequire(from).resolve('@modelcontextprotocol/server-everything/dist/index.js');
}
