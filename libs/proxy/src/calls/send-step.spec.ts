import { setTimeout as sleep } from 'node:timers/promises';
import { Unavailable } from '@haldir/kernel';
import { type NotedCall } from '../registry/upstream-circuits.js';
import { UpstreamUnreachable } from '../mcp-client/index.js';
import { type CallTraits } from './call-kind.js';
import { type CallOutcome } from './call-outcome.js';
import { SendStep, type Within } from './send-step.js';

const LIMITS = { timeoutMs: 1_000, longestMs: 5_000, detectionMs: undefined, maxAnswerBytes: 2048 };
const traits = { upstream: { tenantId: 'ten_1', name: 'up' } } as CallTraits;

/** What its parts do, and what they were told. */
let take: () => Promise<() => void>;
let admit: () => Promise<'usual'>;
let left: number;
let noted: NotedCall[];
let within: Within | null;
beforeEach(() => {
  [left, noted, within] = [0, [], null];
  take = async () => () => void left++;
  admit = async () => 'usual';
});

const send = (): Promise<CallOutcome<string>> => {
  const parts = {
    statistics: { count: () => undefined },
    health: { noteCall: async (_: unknown, call: NotedCall) => void noted.push(call) },
    limits: { of: () => LIMITS, explain: (error: unknown) => error },
    places: { take: () => take() },
    circuits: { admit: () => admit() },
    log: { error: () => undefined },
  };
  const step = new SendStep(...(Object.values(parts) as unknown as ConstructorParameters<typeof SendStep>));
  return step.send(
    traits,
    { failureEvent: 'failed', signal: undefined },
    async (given) => ((within = given), { kind: 'answered', result: 'said' }),
    () => 'ok' as never,
  );
};

describe('a call that waited for its place', () => {
  it('has all of its time from then on, and its upstream is none the slower for that', async () => {
    take = async () => (await sleep(300), () => void left++);
    expect(await send()).toEqual({ kind: 'answered', result: 'said' });
    expect(within).toEqual({ deadlineMs: 1_000, longestMs: 5_000, detectionMs: undefined, maxBytes: 2048 });
    expect(noted).toMatchObject([{ admission: 'usual', error: null }]);
    expect(noted[0]?.tookMs).toBeLessThan(250);
    expect(left).toBe(1);
  });

  it('in vain is not sent, and tells nothing of its upstream', async () => {
    const error = new UpstreamUnreachable('busy', { sent: false });
    take = () => Promise.reject(error);
    expect(await send()).toEqual({ kind: 'unreachable', error });
    expect([within, noted, left]).toEqual([null, [], 0]);
  });
});

it('a call of which nobody knows whether its upstream is left alone is not sent, and gives its place back', async () => {
  admit = () => Promise.reject(new Unavailable());
  await expect(send()).rejects.toBeInstanceOf(Unavailable);
  expect([within, noted, left]).toEqual([null, [], 1]);
});
