// @ts-check
// Loaded into an app before anything else (NODE_OPTIONS=--import …), it takes the place of the network: names are what
// the file HALDIR_TEST_NAMES says, and every connection but those to the test's own database and Redis is written to
// HALDIR_TEST_ATTEMPTS. To loopback it is then made, where honeypots wait; to anywhere else it is refused unmade.
import dns from 'node:dns';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

const { HALDIR_TEST_NAMES: names = '', HALDIR_TEST_ATTEMPTS: attempts = '' } = process.env;
const infrastructure = new Set(
  [process.env.DATABASE_URL, process.env.WORKER_DATABASE_URL, process.env.REDIS_URL]
    .filter((url) => url !== undefined && url !== '')
    .map((url) => new URL(String(url)).port),
);

/** @type {Map<string, number>} how often a name was asked for, under the answers it had then */
const asked = new Map();

/**
 * The next answer of a name: its answers in turn, the last one for good.
 *
 * @param {string} hostname
 */
function answerOf(hostname) {
  /** @type {Record<string, string[][]>} */
  const table = JSON.parse(fs.readFileSync(names, 'utf8'));
  const answers = table[hostname];
  if (!answers) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' });
  const key = `${hostname} ${JSON.stringify(answers)}`;
  const turn = asked.get(key) ?? 0;
  asked.set(key, turn + 1);
  return (answers[Math.min(turn, answers.length - 1)] ?? []).map((address) => ({
    address,
    family: address.includes(':') ? 6 : 4,
  }));
}

/** @param {string} what */
const record = (what) => fs.appendFileSync(attempts, `${what}\n`);

Reflect.set(
  dns.promises,
  'lookup',
  async (/** @type {string} */ hostname, /** @type {{ all?: boolean }} */ options) => {
    const found = answerOf(hostname);
    return options.all ? found : found[0];
  },
);
// A library that resolves by itself has gone past the connector. An address is none to resolve: servers listen that way.
const lookup = /** @type {(...args: unknown[]) => void} */ (dns.lookup);
Reflect.set(dns, 'lookup', (/** @type {string} */ hostname, /** @type {unknown[]} */ ...rest) => {
  if (net.isIP(hostname) !== 0) return lookup(hostname, ...rest);
  record(`lookup ${hostname}`);
  /** @type {(error: Error) => void} */ (rest.at(-1))(new Error('no resolver here'));
});
syncBuiltinESMExports();

/** @type {(this: net.Socket, ...args: any[]) => net.Socket} */
const connect = net.Socket.prototype.connect;
/** @this {net.Socket} @param {any[]} args */
function recordedConnect(...args) {
  // net.connect() hands its own arguments on as one list.
  const [first, second] = Array.isArray(args[0]) ? args[0] : args;
  const options = typeof first === 'object' && first !== null ? first : { port: first, host: second };
  const { host = 'localhost', port, path } = options;
  const isLoopback = host === '127.0.0.1' || host === '::1';
  if (path === undefined && isLoopback && infrastructure.has(String(port))) return connect.apply(this, args);
  record(`connect ${path ?? `${host} ${port}`}`);
  if (isLoopback) return connect.apply(this, args);
  process.nextTick(() => this.destroy(Object.assign(new Error('recorded, not made'), { code: 'ECONNREFUSED' })));
  return this;
}
Reflect.set(net.Socket.prototype, 'connect', recordedConnect);
