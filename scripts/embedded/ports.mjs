// @ts-check
import crypto from 'node:crypto';
import net from 'node:net';

/** Below those that systems give to outgoing connections, one of which could take the port before it is listened on. */
const [FIRST_PORT, LAST_PORT] = [20_000, 32_000];
const TRIES = 20;

/**
 * A TCP port that was free on `host` a moment ago: `preferred` when that is free, else a random one, or one the system picks.
 *
 * @param {number} [preferred]
 * @param {string} [host]
 * @returns {Promise<number>}
 */
export async function freePort(preferred = 0, host = '127.0.0.1') {
  if (preferred !== 0 && (await isPortFree(preferred, host))) return preferred;
  for (let tries = 0; tries < TRIES; tries++) {
    const port = crypto.randomInt(FIRST_PORT, LAST_PORT);
    if (await isPortFree(port, host)) return port;
  }
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/**
 * True when something could listen on `host:port` now.
 *
 * @param {number} port
 * @param {string} [host]
 * @returns {Promise<boolean>}
 * @throws when the reason is not that the port is taken, for instance a port below 1024 or a host that is not ours
 */
export function isPortFree(port, host = '127.0.0.1') {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', (error) => ('code' in error && error.code === 'EADDRINUSE' ? resolve(false) : reject(error)));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/**
 * Resolves once something accepts connections on a loopback port.
 *
 * @param {number} port
 * @param {number} timeoutMs
 * @throws when nothing did in time
 */
export async function waitForPort(port, timeoutMs) {
  const deadline = performance.now() + timeoutMs;
  while (!(await accepts(port))) {
    if (performance.now() > deadline) throw new Error(`nothing listens on port ${port} after ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
