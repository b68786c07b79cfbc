import { UpstreamRpcError, UpstreamUnreachable } from '../mcp-client/index.js';
import { type HaldirConfig } from '@haldir/runtime';
import { NO_LIMITS, UpstreamLimits } from '../upstreams/upstream-limits.js';
import { type UpstreamAddress } from '../upstreams/upstream-address.js';
import { type Discovered, Discovery } from './discovery.js';

const NOW = new Date('2026-11-30T12:00:00.000Z');
const ADDRESS = { ...NO_LIMITS, tenantId: 'ten_1', name: 'up' } as UpstreamAddress;

/** What asking the upstream comes to. */
let listTools: (options: { deadlineMs: number }) => Promise<unknown>;
let logged: object[];
let discovery: Discovery;
beforeEach(() => {
  logged = [];
  const connections = {
    use: (_: UpstreamAddress, work: (client: object) => unknown) => work({ listTools, session: null }),
  };
  const upstreams = { timeoutMs: 4_000, longestMs: 9_000, maxAnswerBytes: 4096, concurrency: 2 };
  const limits = new UpstreamLimits({ upstreams } as HaldirConfig);
  const log = { error: (entry: object) => logged.push(entry) };
  const parts = [{}, connections, {}, {}, {}, limits, log, { now: () => NOW }];
  discovery = new Discovery(...(parts as unknown as ConstructorParameters<typeof Discovery>));
});

const failed: Discovered = {
  askedAt: NOW,
  healthy: false,
  reason: 'connect',
  error: 'gone',
  status: null,
  betterUrl: null,
};
const inSeconds = ({ nextCheckAt }: { nextCheckAt: Date }): number => (nextCheckAt.getTime() - NOW.getTime()) / 1000;

describe('what is written down of an upstream', () => {
  it('that answered: when it was asked, no failures, and to look again in fifteen seconds', () => {
    const askedAt = new Date('2026-11-30T11:59:58.000Z');
    const state = discovery.stateAfter({ askedAt, healthy: true, list: { tools: [], refused: [] } }, 7);
    expect(state).toMatchObject({ healthy: true, error: null, failures: 0, confirmedAt: askedAt, checkedAt: NOW });
    expect(inSeconds(state)).toBe(15);
  });

  it.each([
    [0, 1, 5],
    [1, 2, 10],
    [2, 3, 20],
    [3, 4, 30],
    [40, 41, 30],
    [5_000, 5_001, 30],
  ])('that failed after %i failures: the %ith, to look again in %i seconds', (before, failures, seconds) => {
    const state = discovery.stateAfter(failed, before);
    expect(state).toMatchObject({ healthy: false, error: 'gone', failures, confirmedAt: null });
    expect(inSeconds(state)).toBe(seconds);
  });
});

describe('an upstream that is asked for its tools', () => {
  it.each([
    [1_000, 1_000],
    [60_000, 4_000],
  ])('within %i ms is given %i, no more than any request may take', async (deadlineMs, given) => {
    listTools = async (options) => options;
    expect(await discovery.ask(ADDRESS, 'none', deadlineMs)).toMatchObject({
      healthy: true,
      list: { deadlineMs: given },
    });
  });

  it.each([
    ['does not answer', new UpstreamUnreachable('timeout'), { reason: 'timeout', status: null }],
    ['refuses', new UpstreamUnreachable('unauthorized', { status: 401 }), { reason: 'unauthorized', status: 401 }],
    ['answers with an error', new UpstreamRpcError(-32000, 'sk_live_1', 500), { reason: 'protocol', status: 500 }],
    ['answers what nobody understands', new TypeError('sk_live_1'), { reason: 'protocol', status: null }],
  ])('and %s is found so, in words of ours', async (_, error, found) => {
    listTools = async () => {
      throw error;
    };
    const discovered = await discovery.ask(ADDRESS, 'none', 1_000);
    expect(discovered).toMatchObject({ askedAt: NOW, healthy: false, ...found });
    expect(JSON.stringify(discovered)).not.toContain('sk_live_1');
    // Only what is nobody's finding is for an operator to read.
    expect(logged).toHaveLength(error instanceof TypeError ? 1 : 0);
  });
});
