import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { Egress, EgressFailed, EgressPolicy } from '@haldir/egress';

/** Egress that may reach loopback, and servers there; `close` ends all of them. */
export class EgressWorld {
  private readonly cleanups: (() => Promise<unknown>)[] = [];

  egress(options: ConstructorParameters<typeof Egress>[1] = {}): Egress {
    const egress = new Egress(new EgressPolicy(['127.0.0.0/8', '::1']), options);
    this.cleanups.push(() => egress.close());
    return egress;
  }

  /** An HTTP server, which counts the connections that were made to it. */
  async serve(listener: RequestListener): Promise<{ url: string; connections: () => number }> {
    let connections = 0;
    const server = createServer(listener).on('connection', () => connections++);
    const url = await listen(server);
    this.cleanups.push(() => {
      server.closeAllConnections();
      return closed(server);
    });
    return { url, connections: () => connections };
  }

  /** A server that answers these bytes to whatever comes first, and hangs up. */
  async serveRaw(answer: string | Buffer): Promise<string> {
    const server = createTcpServer((socket) =>
      socket.on('error', () => undefined).once('data', () => socket.end(answer)),
    );
    this.cleanups.push(() => closed(server));
    return `${await listen(server)}/`;
  }

  async close(): Promise<void> {
    for (const cleanup of this.cleanups.splice(0).reverse()) await cleanup();
  }
}

/** How a request failed. */
export async function failureOf(promise: Promise<unknown>): Promise<EgressFailed> {
  const error = await promise.then(
    () => new Error('expected a failure'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof EgressFailed) return error;
  throw error;
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function closed(server: Server): Promise<unknown> {
  return new Promise((resolve) => server.close(resolve));
}
