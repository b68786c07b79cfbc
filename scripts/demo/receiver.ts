// A webhook receiver as someone else would write it: the raw body, the headers, and a library that checks the signature.
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type AddressInfo } from 'node:net';

export type Delivery = { headers: Record<string, string>; body: string };

export interface Receiver {
  url: string;
  /** The first delivery of the event, once it is there */
  next: (event: string, signal: AbortSignal) => Promise<Delivery>;
  stop: () => Promise<void>;
}

const DEADLINE_MS = 30_000;

export async function startReceiver(): Promise<Receiver> {
  const deliveries: Delivery[] = [];
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
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}/haldir`,
    next: async (event, signal) => {
      const deadline = performance.now() + DEADLINE_MS;
      for (;;) {
        const found = deliveries.find(({ headers }) => headers['x-haldir-event'] === event);
        if (found) return found;
        if (performance.now() > deadline) throw new Error(`no delivery of ${event} after ${DEADLINE_MS / 1000} s`);
        await pause(50, undefined, { signal });
      }
    },
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
