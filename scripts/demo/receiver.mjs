// @ts-check
// A webhook receiver as someone else would write it: the raw body, the headers, and a library that checks the signature.
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** @typedef {{ headers: Record<string, string>, body: string }} Delivery */

/**
 * @typedef {object} Receiver
 * @property {string} url
 * @property {(event: string, signal: AbortSignal) => Promise<Delivery>} next the first delivery of the event, once it is there
 * @property {() => Promise<void>} stop
 */

const PATIENCE_MS = 30_000;

/** @returns {Promise<Receiver>} */
export async function startReceiver() {
  /** @type {Delivery[]} */
  const deliveries = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part) => (body += part));
    request.on('end', () => {
      const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
      deliveries.push({ headers: Object.fromEntries(headers), body });
      response.writeHead(204).end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${address.port}/haldir`,
    next: async (event, signal) => {
      const deadline = performance.now() + PATIENCE_MS;
      for (;;) {
        const found = deliveries.find(({ headers }) => headers['x-haldir-event'] === event);
        if (found) return found;
        if (performance.now() > deadline) throw new Error(`no delivery of ${event} after ${PATIENCE_MS / 1000} s`);
        await pause(50, undefined, { signal });
      }
    },
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
