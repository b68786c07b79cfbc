// The load, in a process of its own: autocannon for as many as there can be, and evenly spaced requests for a fixed rate, which
// autocannon would send in a burst at the beginning of each second.
import { setTimeout as pause } from 'node:timers/promises';
import autocannon from 'autocannon';
import { Pool } from 'undici';
import { serve } from './child.js';

export interface Request {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface Load {
  /** The origin */
  url: string;
  connections: number;
  /** How long to go on; or */
  seconds?: number;
  /** How many requests to make */
  amount?: number;
  /** Requests a second, evenly spaced, over as many connections as it takes; as many as there can be by default */
  rate?: number;
  /** Dealt out to the connections, so that each works on its own share, over and over */
  requests: Request[];
}

export interface Outcome {
  /** Answers with a status of 2xx */
  ok: number;
  /** How many answers of any other status */
  others: Record<string, number>;
  /** Requests without an answer */
  errors: number;
  /** From the first request to the last answer */
  seconds: number;
  /** Milliseconds, of the 2xx answers */
  p50: number;
  /** Milliseconds, of the 2xx answers */
  p99: number;
}

serve({}, (job: Load) => (job.rate === undefined ? load(job) : paced({ ...job, rate: job.rate })));

function load({ url, connections, seconds, amount, requests }: Load): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const latencies: number[] = [];
    const others: Record<string, number> = {};
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

/** Sends each request at its time, whether or not those before it were answered: a stall is felt by all that fall into it. */
async function paced({ url, connections, seconds = 1, rate, requests }: Load & { rate: number }): Promise<Outcome> {
  const pool = new Pool(url, { connections });
  const latencies: number[] = [];
  const others: Record<string, number> = {};
  let errors = 0;
  const started = performance.now();
  const sent: Promise<void>[] = [];
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
  const at = (part: number) => latencies[Math.floor(latencies.length * part)] ?? NaN;
  return { ok: latencies.length, others, errors, seconds: took, p50: at(0.5), p99: at(0.99) };
}

function fail(message: string): never {
  throw new Error(message);
}
