import { createServer, request } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type AppProcess } from './processes.js';

/** A load balancer without stickiness: each request goes to the next process. */
export interface Balancer {
  readonly url: string;
  stop(): Promise<void>;
}

/** @param headers set on every request, in place of what was sent */
export async function startBalancer(
  apps: readonly AppProcess[],
  headers: Record<string, string> = {},
): Promise<Balancer> {
  let turn = 0;
  const server = createServer((incoming, outgoing) => {
    const target = new URL(apps[turn++ % apps.length]?.url ?? '');
    const forwarded = request(
      {
        host: target.hostname,
        port: target.port,
        // None that the process may be closing just now.
        agent: false,
        method: incoming.method,
        path: incoming.url,
        headers: { ...incoming.headers, ...headers },
      },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    forwarded.on('error', () => outgoing.destroy());
    // Whoever hangs up here hangs up there.
    outgoing.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
