// @ts-check
// A load balancer without stickiness, for tests and scripts.
import http from 'node:http';

/**
 * @typedef {object} Balancer
 * @property {string} url
 * @property {number[]} asked requests so far that went to each place
 * @property {() => Promise<void>} stop
 */

/**
 * Passes each request on to the next place in turn.
 *
 * @param {readonly string[]} urls at least one
 * @param {Record<string, string>} [headers] set on every request, in place of what was sent
 * @returns {Promise<Balancer>} on a free loopback port
 */
export async function startBalancer(urls, headers = {}) {
  const asked = urls.map(() => 0);
  let turn = 0;
  const server = http.createServer((incoming, outgoing) => {
    const place = turn++ % urls.length;
    asked[place] = (asked[place] ?? 0) + 1;
    const target = new URL(urls[place] ?? '');
    const forwarded = http.request(
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
  // A connection that is closed just as a request comes on it looks like a failure of what is asked.
  server.keepAliveTimeout = 0;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
