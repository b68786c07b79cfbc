// @ts-check
// The load, in a process of its own: autocannon for as many as there can be, and evenly spaced requests for a fixed rate, which
// autocannon would send in a burst at the beginning of each second.
import { setTimeout as pause } from 'node:timers/promises';
import autocannon from 'autocannon';
import { Pool } from 'undici';
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
 * @property {number} [rate] requests a second, evenly spaced, over as many connections as it takes; as many as there can be by default
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

serve({}, (/** @type {Load} */ job) => (job.rate === undefined ? load(job) : paced({ ...job, rate: job.rate })));

/**
 * @param {Load} job
 * @returns {Promise<Outcome>}
 */
function load({ url, connections, seconds, amount, requests }) {
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
 * Sends each request at its time, whether or not those before it were answered: a stall is felt by all that fall into it.
 *
 * @param {Load & { rate: number }} job
 * @returns {Promise<Outcome>}
 */
async function paced({ url, connections, seconds = 1, rate, requests }) {
  const pool = new Pool(url, { connections });
  /** @type {number[]} */
  const latencies = [];
  /** @type {Record<string, number>} */
  const others = {};
  let errors = 0;
  const started = performance.now();
  /** @type {Promise<void>[]} */
  const sent = [];
  for (let n = 0; n < rate * seconds; n++) {
    const due = started + (n * 1000) / rate;
    const early = due - performance.now();
    if (early > 0) await pause(early);
    const { path, method, headers = {}, body } = requests[n % requests.length] ?? fail('no requests');
    const asked = performance.now();
    sent.push(
      pool
        .request({ path, method, headers, body: body ?? null })
        .then(async ({ statusCode: status, body: answer }) => {
          await answer.arrayBuffer();
          if (status >= 200 && status < 300) latencies.push(performance.now() - asked);
          else others[status] = (others[status] ?? 0) + 1;
        })
        .catch(() => {
          errors += 1;
        }),
    );
  }
  await Promise.all(sent);
  const took = (performance.now() - started) / 1000;
  await pool.close();
  latencies.sort((a, b) => a - b);
  const at = (/** @type {number} */ part) => latencies[Math.floor(latencies.length * part)] ?? NaN;
  return { ok: latencies.length, others, errors, seconds: took, p50: at(0.5), p99: at(0.99) };
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  throw new Error(message);
}
