import { setTimeout as pause } from 'node:timers/promises';
import { clusterCpuMicros, cpuMicros } from '../children.js';
import { sample } from '../sample.js';
import { type Row } from '../row.js';

/** How many events wait for the worker when a measurement starts, for each of its seconds. */
const EVENTS_PER_SECOND = 1500;
const AGENTS = 200;
/** As many as a worker sends at once, unless told otherwise. */
const CONCURRENCY = 50;
const DEADLINE_MS = 120_000;

export const webhook: Row = {
  name: 'webhook',
  title: 'webhook deliveries, 1 worker',
  target: 0.4,
  prepare: async (world) => {
    const { worker, cluster } = world.instance;
    const [receiver, poster] = [
      await world.start(new URL('../receiver.ts', import.meta.url)),
      await world.start(new URL('../poster.ts', import.meta.url)),
    ];
    const url = `http://127.0.0.1:${receiver.facts.port}/`;
    const tenant = await world.tenant();
    await tenant.send('POST', '/v1/webhooks', { url, name: 'bench', events: ['anomaly'] });
    const sessions = await tenant.sessions(AGENTS);
    const flagged = sessions.map((id) =>
      tenant.post('/v1/audit', { session_id: id, tool: 'bench', action: 'expensive', cost_usd: 101 }),
    );
    let repeated = 0;

    /** Events pile up while no worker runs; the rate is that of the middle of what a new one delivers. */
    const measure = async () => {
      await worker.stop();
      await receiver.ask({ reset: true });
      const events = Math.round(EVENTS_PER_SECOND * world.seconds);
      const { ok } = await world.load({ amount: events, requests: flagged });
      if (ok !== events) throw new Error(`${events - ok} of ${events} events could not be made`);
      await worker.start();
      const costs = { worker: () => cpuMicros(worker.pid()), postgres: () => clusterCpuMicros(cluster) };
      return sample(costs, async () => {
        const before = await receiver.ask({});
        const deadline = performance.now() + DEADLINE_MS;
        let now = before;
        for (; now.unique < events; now = await receiver.ask({})) {
          if (performance.now() > deadline)
            throw new Error(`${events - now.unique} of ${events} events did not arrive`);
          await pause(50);
        }
        repeated += now.total - now.unique;
        return { rate: now.rate, count: events - before.unique };
      });
    };

    return {
      measure,
      limits: [
        {
          name: 'bare signed POST',
          measure: () =>
            sample({ client: () => cpuMicros(poster.pid) }, () =>
              poster.ask({ url, seconds: world.seconds, concurrency: CONCURRENCY }),
            ),
        },
      ],
      finish: async () => ({
        gates: [{ claim: 'every event was delivered', holds: true, detail: `${repeated} twice` }],
      }),
    };
  },
};
