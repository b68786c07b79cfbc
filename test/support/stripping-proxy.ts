import { createServer, request as ask } from 'node:http';
import { type AddressInfo } from 'node:net';

/** A reverse proxy that serves an application below a path. */
export interface StrippingProxy {
  readonly port: number;
  /** What was asked of it beside that path, which it does not know: method and path. */
  readonly outside: string[];
  stop(): Promise<void>;
}

/**
 * As `location /haldir/ { proxy_pass http://127.0.0.1:3000/; }` of nginx: takes the path away, passes the rest on as it comes, both ways,
 * and leads from the path itself to the one with a slash.
 *
 * @param basePath without a slash at its end
 * @param port to listen at
 * @param target without a slash at its end; asked for each request, since it may come later
 */
export async function startStrippingProxy(
  basePath: string,
  port: number,
  target: () => string,
): Promise<StrippingProxy> {
  const outside: string[] = [];
  const server = createServer((request, reply) => {
    const url = request.url ?? '/';
    if (url === basePath) {
      reply.writeHead(301, { location: `${basePath}/` }).end();
      return;
    }
    if (!url.startsWith(`${basePath}/`)) {
      // A browser asks for it by itself, of a host, where a page names no icon.
      if (url !== '/favicon.ico') outside.push(`${request.method} ${url}`);
      reply.writeHead(404).end();
      return;
    }
    const { method, headers } = request;
    const passed = ask(target() + url.slice(basePath.length), { method, headers }, (answer) => {
      reply.writeHead(answer.statusCode ?? 502, answer.headers);
      // A stream begins before there is anything in it.
      reply.flushHeaders();
      answer.pipe(reply);
    });
    passed.once('error', () => reply.destroy());
    reply.once('close', () => passed.destroy());
    request.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    outside,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
