// @ts-check
import http from 'node:http';

/**
 * A small site on a free loopback port: every address has a page of its own, which keeps a connection to the site for as
 * long as a browser shows it.
 *
 * @returns {Promise<{ url: string, shown: () => string[], stop: () => Promise<void> }>} `shown`: pages that a browser shows now
 */
export async function startSite() {
  /** @type {Map<http.ServerResponse, string>} */
  const open = new Map();
  const server = http.createServer((request, response) => {
    const [, watched, page] = /^\/(watch\/)?([a-z]+)$/.exec(request.url ?? '') ?? [];
    if (page === undefined) return void response.writeHead(404).end();
    if (watched === undefined) {
      const script = `new EventSource('/watch/${page}')`;
      return void response
        .writeHead(200, { 'content-type': 'text/html' })
        .end(`<!doctype html><title>The page of ${page}</title><h1>Hello, ${page}</h1><script>${script}</script>`);
    }
    open.set(response, page);
    response.on('close', () => open.delete(response));
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    shown: () => [...open.values()].sort(),
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
