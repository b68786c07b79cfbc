// @ts-check
// The load: autocannon, in a process of its own.
import autocannon from 'autocannon';
import { serve } from './child.mjs';

/**
 * @typedef {object} Request
 * @property {'GET' | 'POST'} method
 * @property {string} path
 * @property {Record<string, string>} [headers]
 * @property {string} [body]
 */

/**
 * @typedef {object} Load
 * @property {string} url the origin
 * @property {number} connections
 * @property {number} [seconds] how long to go on; or
 * @property {number} [amount] how many requests to make
 * @property {number} [rate] requests a second of all connections together; as many as there can be by default
 * @property {Request[]} requests dealt out to the connections, so that each works on its own share, over and over
 */

/**
 * @typedef {object} Outcome
 * @property {number} ok answers with a status of 2xx
 * @property {Record<string, number>} others how many answers of any other status
 * @property {number} errors requests without an answer
 * @property {number} seconds from the first request to the last answer
 * @property {number} p50 milliseconds, of the 2xx answers
 * @property {number} p99 milliseconds, of the 2xx answers
 */

serve({}, load);

/**
 * @param {Load} job
 * @returns {Promise<Outcome>}
 */
function load({ url, connections, seconds, amount, rate, requests }) {
  return new Promise((resolve, reject) => {
    /** @type {number[]} */
    const latencies = [];
    /** @type {Record<string, number>} */
    const others = {};
    let dealt = 0;
    const started = performance.now();
    let last = started;
    const instance = autocannon(
      {
        url,
        connections,
        sampleInt: 100,
        ...(rate === undefined ? {} : { overallRate: rate }),
        ...(amount === undefined ? { duration: seconds ?? 1 } : { amount }),
        setupClient: (client) => {
          const mine = requests.filter((_, n) => n % connections === dealt % connections);
          client.setRequests(mine.length > 0 ? mine : [requests[dealt % requests.length] ?? fail('no requests')]);
          dealt += 1;
        },
      },
      (error, result) => {
        if (error) return reject(error instanceof Error ? error : new Error(String(error)));
        latencies.sort((a, b) => a - b);
        resolve({
          ok: latencies.length,
          others,
          errors: result.errors,
          seconds: (last - started) / 1000,
          p50: latencies[Math.floor(latencies.length * 0.5)] ?? NaN,
          p99: latencies[Math.floor(latencies.length * 0.99)] ?? NaN,
        });
      },
    );
    instance.on('response', (_client, status, _bytes, milliseconds) => {
      last = performance.now();
      if (status >= 200 && status < 300) latencies.push(milliseconds);
      else others[status] = (others[status] ?? 0) + 1;
    });
  });
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  throw new Error(message);
}
