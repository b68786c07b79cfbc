import { setTimeout as pause } from 'node:timers/promises';
import { type Session, type SessionService } from '@haldir/gate';
import { type Caller, type Callers, type HaldirRequest } from '@haldir/http';
import { type Notices } from '@haldir/database';
import { type Log } from '@haldir/runtime';
import { type ChangeListener, ChangeStreams, TooManyStreams } from './change-streams.js';
import { type ListDigests, type ShownLists } from './list-digests.js';

const CALLER = { actor: { tenantId: 'tnt_1', id: 'hld_1' } } as Caller;
const SESSION = { id: 'ses_1' } as Session;
const EVERYTHING = new Set(['tools', 'prompts', 'resources'] as const);

/** Streams of which the test says what they are shown, and who stands. */
function world() {
  const state = { shown: { tools: 'a', prompts: 'a', resources: 'a' } as ShownLists, live: true, fails: false };
  let say: (tenantId: string) => void = () => undefined;
  let listenAgain: () => void = () => undefined;
  const warn = vi.fn();
  const of = vi.fn(() => (state.fails ? Promise.reject(new Error('no database')) : Promise.resolve(state.shown)));
  const streams = new ChangeStreams(
    { of, together: () => of } as unknown as ListDigests,
    { findLive: () => Promise.resolve(state.live ? SESSION : null) } as unknown as SessionService,
    { standing: () => Promise.resolve(CALLER) } as unknown as Callers,
    {
      listen: (_: string, hear: typeof say, again: () => void) =>
        Promise.resolve(void ([say, listenAgain] = [hear, again])),
    } as unknown as Notices,
    { warn } as unknown as Log,
  );
  const open = (known: ShownLists | null = null, by = CALLER) => {
    const gone = new AbortController();
    const told: string[] = [];
    const listener: ChangeListener = {
      ...{ request: {} as HaldirRequest, sessionId: 'ses_1', wants: EVERYTHING, known, signal: gone.signal },
      tell: (list) => void told.push(list),
    };
    let isOver = false;
    const begun = vi.fn();
    const over = streams.tell(by, SESSION, listener, begun).finally(() => (isOver = true));
    over.catch(() => undefined);
    return { gone, told, over, begun, isOver: () => isOver };
  };
  return { state, streams, open, of, warn, say: (tenantId: string) => say(tenantId), listenAgain: () => listenAgain() };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

/** In the time of the machine, which is also that between looks at a tenant. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(5);
}

describe('a stream of changes', () => {
  it('is told at once of what has changed since the client knew, or while it was opened', async () => {
    const { open, streams } = world();
    await streams.onApplicationBootstrap();
    const stream = open({ tools: 'older', prompts: 'a', resources: 'a' });
    await settle();
    expect(stream.told).toEqual(['tools']);
    streams.beforeApplicationShutdown();
  });

  it('finds by itself what no notice has told, after a while, also when a look has failed', async () => {
    const { open, streams, state } = world();
    await streams.onApplicationBootstrap();
    const stream = open();
    await settle();
    state.shown = { ...state.shown, prompts: 'b' };
    state.fails = true;
    await vi.advanceTimersByTimeAsync(31_000);
    expect(stream.told).toEqual([]);
    state.fails = false;
    await vi.advanceTimersByTimeAsync(31_000);
    expect(stream.told).toEqual(['prompts']);
    streams.beforeApplicationShutdown();
  });

  it('ends with its session, when its client goes, and with the process', async () => {
    const { open, streams, state } = world();
    await streams.onApplicationBootstrap();
    const [left, ended] = [open(), open()];
    await settle();
    left.gone.abort();
    await settle();
    expect([left.isOver(), ended.isOver()]).toEqual([true, false]);
    state.live = false;
    await vi.advanceTimersByTimeAsync(2_500);
    expect(ended.isOver()).toBe(true);
    state.live = true;
    const last = open();
    await settle();
    streams.beforeApplicationShutdown();
    await settle();
    expect(last.isOver()).toBe(true);
    await expect(open().over).rejects.toThrow(TooManyStreams);
  });

  it('is one of 32 of a key and of 1,000 of a tenant, which leave room for others', async () => {
    const { open, streams, of } = world();
    await streams.onApplicationBootstrap();
    const by = (tenantId: string, id: string): Caller => ({ actor: { tenantId, id } }) as Caller;
    for (let i = 0; i < 1_000; i++) open(null, by('tnt_1', `hld_${Math.floor(i / 32)}`));
    await settle();
    of.mockClear();
    await expect(open(null, by('tnt_1', 'hld_0')).over).rejects.toThrow(TooManyStreams);
    expect(of).not.toHaveBeenCalled();
    await expect(open(null, by('tnt_1', 'hld_new')).over).rejects.toThrow(TooManyStreams);
    const other = open(null, by('tnt_2', 'hld_0'));
    await settle();
    expect(other.begun).toHaveBeenCalled();
    streams.beforeApplicationShutdown();
  });

  it('is told of what has changed while it was found out what it is shown first', async () => {
    const { open, streams, state, say, of } = world();
    await streams.onApplicationBootstrap();
    let answer = (): void => undefined;
    const { shown } = state;
    of.mockImplementationOnce(() => new Promise((resolve) => (answer = () => resolve(shown))));
    const stream = open();
    state.shown = { ...shown, tools: 'b' };
    say('tnt_1');
    await vi.waitFor(() => expect(of).toHaveBeenCalledTimes(2));
    await settle();
    answer();
    await vi.waitFor(() => expect(stream.told).toEqual(['tools']));
    streams.beforeApplicationShutdown();
  });

  it('is looked at as soon as notices are heard again, for those that got lost', async () => {
    const { open, streams, state, listenAgain } = world();
    await streams.onApplicationBootstrap();
    const stream = open();
    await settle();
    state.shown = { ...state.shown, tools: 'b' };
    listenAgain();
    await vi.waitFor(() => expect(stream.told).toEqual(['tools']));
    streams.beforeApplicationShutdown();
  });

  it('is told of what a failed look has not seen by the next, and not by the sweep', async () => {
    const { open, streams, state, listenAgain, of, warn } = world();
    await streams.onApplicationBootstrap();
    const stream = open();
    await settle();
    state.shown = { ...state.shown, tools: 'b' };
    of.mockRejectedValueOnce(new Error('no database'));
    listenAgain();
    await until(() => warn.mock.calls.length === 1);
    await vi.advanceTimersByTimeAsync(2_000);
    await until(() => stream.told.length > 0);
    of.mockClear();
    await vi.advanceTimersByTimeAsync(4_000);
    expect([stream.told, of.mock.calls.length]).toEqual([['tools'], 0]);
    streams.beforeApplicationShutdown();
  });

  it('is told of it where a notice had it looked at, or a change while it was opened', async () => {
    const { open, streams, state, say, of, warn } = world();
    await streams.onApplicationBootstrap();
    let answer = (): void => undefined;
    const { shown } = state;
    of.mockImplementationOnce(() => new Promise((resolve) => (answer = () => resolve(shown))));
    const stream = open();
    state.shown = { ...shown, tools: 'b' };
    say('tnt_1');
    await until(() => of.mock.calls.length === 2);
    await settle();
    of.mockRejectedValueOnce(new Error('no database')).mockRejectedValueOnce(new Error('no database'));
    answer();
    // The clock of the sweep stands still.
    await until(() => stream.told.length > 0);
    expect([stream.told, warn.mock.calls.length]).toEqual([['tools'], 2]);
    streams.beforeApplicationShutdown();
  });

  it('is one of those that a line of the log counts when they cannot be looked at', async () => {
    const { open, streams, state, listenAgain, warn } = world();
    await streams.onApplicationBootstrap();
    for (let i = 0; i < 20; i++) open();
    await settle();
    state.fails = true;
    listenAgain();
    await vi.waitFor(() => expect(warn).toHaveBeenCalled());
    expect(warn.mock.calls).toEqual([[{ event: 'mcp.streams_not_looked_at', count: 20, reason: 'no database' }]]);
    streams.beforeApplicationShutdown();
  });

  it('is not waited for by notices of tenants without one', async () => {
    const { open, streams, state, say } = world();
    await streams.onApplicationBootstrap();
    const stream = open();
    await settle();
    state.shown = { ...state.shown, tools: 'b' };
    say('tnt_2');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(stream.told).toEqual([]);
    streams.beforeApplicationShutdown();
  });
});
