import { keyActor } from '@haldir/kernel';
import { type Policy } from '../policies/policy.js';
import { type CallKind, type CallTraits, type Found } from './call-kind.js';
import { type CallOutcome } from './call-outcome.js';
import { CallPipeline } from './call-pipeline.js';
import { type CallRequest } from './call-request.js';
import { UpstreamUnreachable } from '../mcp-client/index.js';

/** What happened, in order. */
let steps: string[];
let secured: CallOutcome<never> | null;
let holdsScope: boolean;
let isLive: boolean;
let found: Found<string>;
let stale: Found<string> | UpstreamUnreachable | null;
let recovered: Found<string> | null;
let unable: CallOutcome<string> | null;
let fill: () => Promise<{ filled: string }>;
let later: unknown[];

const call: CallRequest = { actor: keyActor('ten_1', 'hld_x'), sessionId: 'ses_1', arguments: {} };
const block: Policy = {
  ...{ id: 'pol', mode: 'enforce', priority: 0, rule: { type: 'block_tool', tool: 'pay' } },
  scope: { upstreams: [], agents: [], tools: [] },
};
const upstream = { name: 'up' } as CallTraits['upstream'];

const kind: CallKind<CallRequest, string, string, string> = {
  failureEvent: 'failed',
  find: async () => (steps.push('resolve'), found),
  contradiction: () => null,
  subjectOf: (_, target) => ({
    ...{ upstream: 'up', toolNames: [target ?? 'pay'], allowedNames: [target ?? 'pay'], amount: null },
  }),
  traitsOf: (_, target) => ({ upstream, name: target, destructive: false, price: null, approvable: true }),
  upstreamOf: (target) => target,
  recover: async () => (steps.push('recover'), recovered),
  confirm: async () => (steps.push('confirm'), stale),
  approvalTerms: () => ({ action: 'call', tool: 'pay', fingerprint: '', shown: {} }),
  check: async () => (steps.push('check'), unable),
  answerHere: () => null,
  fill: () => (steps.push('fill'), fill()),
  send: async (_, filled) => (steps.push('send'), { kind: 'answered', result: filled }),
  words: {
    ...{ unknown: 'unknown', ambiguous: 'several', actionOf: () => 'call', nameOf: (_, target) => target ?? 'pay' },
    ...{ resultOf: () => 'ok', factsOf: () => ({}), digestsOf: () => ({}) },
  },
};

function pipeline(): CallPipeline {
  const nothing = async (): Promise<never[]> => [];
  const parts = {
    sessions: { findLive: async () => (isLive ? { id: 'ses_1', agentId: 'agent', grants: () => holdsScope } : null) },
    rules: { allOf: nothing },
    limiter: { look: async () => ({ full: new Map(), logOnly: new Map(), at: null }) },
    securing: { secure: async () => (steps.push('secure'), secured) },
    started: { begin: async () => (steps.push('begin'), { entryId: 'aud_1' }) },
    sending: { send: async (_: unknown, __: string, work: () => Promise<unknown>) => work() },
    conclusions: { concludeLater: (performed: unknown) => later.push(performed) },
    config: { upstreams: { timeoutMs: 1000 } },
    clock: { now: () => new Date(0) },
  };
  const { sessions, rules, limiter, securing, started, sending, conclusions, config, clock } = parts;
  return new CallPipeline(
    ...([
      sessions,
      rules,
      limiter,
      securing,
      started,
      sending,
      conclusions,
      config,
      clock,
    ] as unknown as ConstructorParameters<typeof CallPipeline>),
  );
}
const outcomeOf = async (request: CallRequest = call): Promise<CallOutcome<string>> =>
  (await pipeline().perform(kind, request)).outcome;

beforeEach(() => {
  steps = [];
  later = [];
  [isLive, holdsScope, secured, unable, stale, recovered] = [true, true, null, null, null, null];
  found = { targets: ['pay'], policies: [] };
  fill = async () => ({ filled: 'sent' });
});

describe('the way of a call', () => {
  it('is resolve, decide, secure, fill, send; the record that it leaves is there before it does', async () => {
    expect(await outcomeOf()).toEqual({ kind: 'answered', result: 'sent' });
    expect(steps).toEqual(['resolve', 'confirm', 'check', 'secure', 'fill', 'begin', 'send']);
  });

  it.each<[string, () => void, CallOutcome<string>['kind'], string[]]>([
    ['without a session', () => (isLive = false), 'no_session', ['resolve']],
    ['without a scope', () => (holdsScope = false), 'no_scope', ['resolve']],
    ['that a policy refuses', () => (found = { ...found, policies: [block] }), 'blocked', ['resolve']],
    ['of what nobody has', () => (found = { ...found, targets: [] }), 'unknown', ['resolve', 'recover']],
    ['of what two have', () => (found = { ...found, targets: ['pay', 'pay'] }), 'unknown', ['resolve']],
    ['that cannot be made', () => (unable = { kind: 'mismatched' }), 'mismatched', ['resolve', 'confirm', 'check']],
    [
      'that is not secured',
      () => (secured = { kind: 'denied', requestId: 'apr_1' }),
      'denied',
      ['resolve', 'confirm', 'check', 'secure'],
    ],
    [
      'whose upstream cannot be asked whether the tool is as it was',
      () => (stale = new UpstreamUnreachable('timeout', { sent: false })),
      'unreachable',
      ['resolve', 'confirm'],
    ],
  ])('ends for one %s, and nothing further is done', async (_, arrange, expected, done) => {
    arrange();
    expect([(await outcomeOf()).kind, steps]).toEqual([expected, done]);
  });

  it('is decided anew by what the upstream says now', async () => {
    stale = { targets: ['pay'], policies: [block] };
    expect((await outcomeOf()).kind).toBe('blocked');
    expect(steps).toEqual(['resolve', 'confirm']);
  });

  it('goes on with what came back when it was looked for once more', async () => {
    recovered = { targets: ['pay'], policies: [] };
    found = { targets: [], policies: [] };
    expect((await outcomeOf()).kind).toBe('answered');
  });

  it('is not gone by a key that was revoked while it waited', async () => {
    const error = new UpstreamUnreachable('aborted', { sent: false });
    expect(await outcomeOf({ ...call, recheck: async () => error })).toEqual({ kind: 'no_key', error });
    expect(steps).toEqual(['resolve']);
  });

  it('gives back what was secured when secrets cannot be opened', async () => {
    fill = () => Promise.reject(new Error('the key is away'));
    const original = kind.check;
    kind.check = async (candidate) => ((candidate.decision.notes.started = { entryId: 'aud_1' } as never), null);
    await expect(outcomeOf()).rejects.toThrow('the key is away');
    kind.check = original;
    expect(later).toMatchObject([{ outcome: { kind: 'unreachable', error: { sent: false } } }]);
    expect(steps).not.toContain('send');
  });
});
