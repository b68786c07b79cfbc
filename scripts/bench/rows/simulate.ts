import { clusterCpuMicros } from '../children.js';
import { sample } from '../sample.js';
import { type Doing, fillLog } from '../log-filler.js';
import { type Row } from '../row.js';

const CALLS = 100_000;
const TARGET_SECONDS = 5;

const PROPOSED = [
  { type: 'rate_limit', max_per_minute: 3 },
  { type: 'rate_limit', max_per_minute: 1000, mode: 'log_only' },
  { type: 'spend_limit', max: 90 },
  { type: 'time_window', start_hour: 6, end_hour: 22 },
  { type: 'deny_list', tools: ['tool-3', 'up.tool-5'] },
  { type: 'require_approval', scope: { agents: ['agent-1*'], tools: ['up.tool-1*'] } },
];

/** @returns a call as the proxy records it */
const call = (n: number, at: Date): Doing => ({
  source: 'proxy',
  tool: `up.tool-${(n * 7) % 20}`,
  action: 'tool_call',
  details: JSON.stringify({
    decision: 'allowed',
    result: 'ok',
    upstream: 'up',
    amount: n % 100,
    decided_at: at.getTime() / 1000,
    latency_ms: 1.5,
    arguments_sha256: 'ab'.repeat(32),
  }),
  cost: 0,
});

export const simulate: Row = {
  name: 'simulate',
  title: `simulation of ${CALLS.toLocaleString('en-US')} calls under six policies, calls`,
  target: null,
  prepare: async (world) => {
    const { cluster } = world.instance;
    const { tenant, entries } = await fillLog(world, CALLS, call);
    let slowest = 0;
    let counted = 0;
    let undecidable = 0;

    const measure = () =>
      sample({ postgres: () => clusterCpuMicros(cluster) }, async () => {
        const started = performance.now();
        const { calls, verdicts } = await tenant.send('POST', '/v1/proxy/simulate', { policies: PROPOSED });
        const seconds = (performance.now() - started) / 1000;
        ({ undecidable } = verdicts);
        counted = calls;
        slowest = Math.max(slowest, seconds);
        return { rate: calls / seconds, count: calls };
      });

    return {
      measure,
      limits: [],
      finish: async () => ({
        gates: [
          {
            claim: `100,000 calls take less than ${TARGET_SECONDS} s`,
            holds: slowest < TARGET_SECONDS,
            detail: `${slowest.toFixed(1)} s`,
          },
          // Opening the sessions is in the log, too.
          {
            claim: 'every call was decided',
            holds: counted > entries - 2_000 && undecidable === 0,
            detail: `${counted}`,
          },
        ],
      }),
    };
  },
};
