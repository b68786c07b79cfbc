// @ts-check
// MCP servers of others, as they are in the registry, behind a Haldir of two API processes.
import { trySupergateway } from './server-supergateway.mjs';
import { tryEverything, tryEverythingConnected, tryEverythingOverSse } from './server-everything.mjs';
import { tryFilesystem } from './server-filesystem.mjs';
import { tryGit } from './server-git.mjs';
import { tryMemory } from './server-memory.mjs';
import { tryPlaywright, tryPlaywrightConnected } from './server-playwright.mjs';

/**
 * @typedef {object} Stage what a server is tried out with
 * @property {import('./operator.mjs').Operator} haldir
 * @property {import('../lib/balancer.mjs').Balancer} balancer before the processes of the API
 * @property {string} dir that has the packages of test/interop/servers
 * @property {string} python that of an environment with the packages of Python there; only for servers that need it
 * @property {(title: string, holds: boolean, found: unknown) => void} check `found` is shown when it does not hold
 * @property {(why: string) => void} skip
 * @property {(action: () => Promise<unknown> | void) => void} defer what to undo at the end
 */

/**
 * Servers that `npm run interop` tries out, by package of npm or Python, and after a blank the way in which it is run where there are several.
 *
 * @type {Map<string, (stage: Stage) => Promise<void>>}
 */
export const SERVERS = new Map([
  ['@modelcontextprotocol/server-everything', tryEverything],
  ['@modelcontextprotocol/server-everything sse', tryEverythingOverSse],
  ['@modelcontextprotocol/server-everything connected', tryEverythingConnected],
  ['@modelcontextprotocol/server-filesystem', tryFilesystem],
  ['@modelcontextprotocol/server-memory', tryMemory],
  ['mcp-server-git', tryGit],
  ['supergateway', trySupergateway],
  ['@playwright/mcp', tryPlaywright],
  ['@playwright/mcp connected', tryPlaywrightConnected],
]);

/** Of these, those that are packages of Python. */
export const IN_PYTHON = ['mcp-server-git'];
