import { type Actor, keyActor, microUsd } from '@haldir/kernel';
import { type CallDeadline } from '../registry/catalogue-freshness.js';
import { type Policy } from '../policies/policy.js';
import { UpstreamUnreachable } from '../mcp-client/index.js';
import { type CallNotes } from './call-decision.js';
import { type CallKind, type CallTraits, type Candidate, type Found, type SendOptions } from './call-kind.js';
import { type CallOutcome, type PerformedCall } from './call-outcome.js';
import { CallPipeline } from './call-pipeline.js';
import { type CallRequest, type CallWatch } from './call-request.js';
import { type SecretRefusal } from './secret-refusal.js';
import { type SecureStep } from './secure-step.js';
import { type Sending, type Within } from './send-step.js';

type Needs = Parameters<SecureStep['secure']>[1];
interface Start {
  actor: Actor;
  entry: { tool: string; action: string };
  paymentId: string | null;
  claim: object | null;
}

/** What happened, in order. */
let steps: string[];
/** What each of the steps was given. */
let given: {
  find?: CallRequest;
  session?: [actor: Actor, id: string];
  rulesOf?: string;
  looked?: unknown;
  deadline?: CallDeadline;
  secure?: [candidate: Candidate, needs: Needs];
  start?: Start;
  sent?: [traits: CallTraits, failureEvent: string, options: SendOptions];
  ending?: unknown;
  later?: PerformedCall;
};
/** What each of them answers. */
let answers: {
  isLive: boolean;
  scopes: string[];
  found: Found<string>;
  rules: object[];
  recovered: Found<string> | null;
  stale: Found<string> | UpstreamUnreachable | null;
  contradiction: CallOutcome<string> | null;
  unable: CallOutcome<string> | null;
  alone: UpstreamUnreachable | null;
  away?: Error;
  secured: CallOutcome<never> | null;
  here: string | null;
  fill: () => Promise<{ filled: string } | { refused: SecretRefusal }>;
  traits: Partial<CallTraits>;
  masks: boolean;
  /** What is noted before it leaves. */
  noted: Partial<CallNotes>;
  full: Map<string, Date | null>;
};

const actor = keyActor('ten_1', 'hld_x');
const call: CallRequest = { actor, sessionId: 'ses_1', arguments: {} };
const policy = (terms: Partial<Policy>): Policy => ({
  ...{ id: 'pol', mode: 'enforce', priority: 0, rule: { type: 'block_tool', tool: 'pay' } },
  scope: { upstreams: [], agents: [], tools: [] },
  ...terms,
});
const block = policy({});
/** An approval rule about every call, or about those of which `trait` holds. */
const rule = (trait: '' | 'destructive'): object => ({
  ...{ id: 'rule', type: 'all' },
  holdsBack: (subject: { destructive: boolean }) => (trait === '' || subject[trait] ? 'because' : null),
});
const upstream = { name: 'up' } as CallTraits['upstream'];
const unsent = new UpstreamUnreachable('timeout', { sent: false });
const AT = new Date(5000);
const WITHIN = { deadlineMs: 900, longestMs: 5000, detectionMs: undefined, maxBytes: 2048 };

const kind: CallKind<CallRequest, string, string, string> = {
  failureEvent: 'failed',
  find: async (request) => {
    steps.push('resolve');
    given.find = request;
    return answers.found;
  },
  contradiction: () => answers.contradiction,
  subjectOf: (_, target) => ({
    ...{ upstream: 'up', toolNames: [target ?? 'pay'], allowedNames: [target ?? 'pay'], amount: null },
  }),
  traitsOf: (_, target) => ({
    ...{ upstream, name: target, destructive: false, price: null, approvable: true },
    ...answers.traits,
  }),
  upstreamOf: (target) => `up-${target}`,
  recover: async () => (steps.push('recover'), answers.recovered),
  confirm: async (_, __, deadline) => {
    steps.push('confirm');
    given.deadline = deadline;
    return answers.stale;
  },
  approvalTerms: (_, target) => ({ action: 'call', tool: target, fingerprint: '', shown: {} }),
  check: async ({ decision: { notes } }) => {
    steps.push('check');
    Object.assign(notes, answers.noted);
    return answers.unable;
  },
  answerHere: () => answers.here,
  fill: () => (steps.push('fill'), answers.fill()),
  send: async (_, filled, options) => {
    steps.push('send');
    if (answers.masks) options.onMasked?.();
    given.sent = [given.sent?.[0] as CallTraits, given.sent?.[1] ?? '', options];
    return { kind: 'answered', result: filled };
  },
  words: {
    ...{ unknown: 'unknown', ambiguous: 'several', actionOf: () => 'call', nameOf: (_, target) => target ?? 'nobody' },
    ...{ resultOf: () => 'ok', digestsOf: () => ({}) },
    factsOf: ({ wouldBlock }, target) => ({ upstream: target ?? 'none', unexplained: wouldBlock.length }),
  },
};

function pipeline(): CallPipeline {
  const parts = {
    sessions: {
      findLive: async (...asked: [Actor, string]) => {
        given.session = asked;
        const session = { id: 'ses_1', agentId: 'agent', grants: (scope: string) => answers.scopes.includes(scope) };
        return answers.isLive ? session : null;
      },
    },
    rules: { allOf: async (tenantId: string) => ((given.rulesOf = tenantId), answers.rules) },
    limiter: {
      look: async (asked: unknown) => ((given.looked = asked), { full: answers.full, logOnly: new Map(), at: AT }),
    },
    securing: {
      secure: async (...asked: [Candidate, Needs]) => {
        steps.push('secure');
        given.secure = asked;
        return answers.secured;
      },
    },
    started: {
      begin: async (start: Start) => (steps.push('begin'), (given.start = start), { entryId: 'aud_1' }),
    },
    sending: {
      send: async (traits: CallTraits, { failureEvent }: Sending, work: (within: Within) => Promise<unknown>, endingOf: (of: unknown) => unknown) => {
        given.sent = [traits, failureEvent, {}]; if (answers.away) throw answers.away;
        const outcome = await work(WITHIN);
        given.ending = endingOf(outcome);
        return outcome;
      },
    },
    conclusions: { concludeLater: (performed: PerformedCall) => void (given.later = performed) },
    limits: { of: () => ({ timeoutMs: 1000 }) },
    circuits: { refusal: () => answers.alone, noteUnconfirmed: async () => undefined },
    clock: { now: () => AT },
  }; // prettier-ignore
  return new CallPipeline(...(Object.values(parts) as unknown as ConstructorParameters<typeof CallPipeline>));
}
const perform = (request: Partial<CallRequest> = {}, watch?: CallWatch): Promise<PerformedCall<string>> =>
  pipeline().perform(kind, { ...call, ...request }, watch);
const outcomeOf = async (request: Partial<CallRequest> = {}): Promise<CallOutcome<string>> =>
  (await perform(request)).outcome;

beforeEach(() => {
  [steps, given] = [[], {}];
  answers = {
    ...{ isLive: true, scopes: ['read', 'execute'], found: { targets: ['pay'], policies: [] }, rules: [] },
    ...{ recovered: null, stale: null, contradiction: null, unable: null, secured: null, here: null, alone: null },
    ...{ fill: async () => ({ filled: 'sent' }), traits: {}, masks: false, noted: {}, full: new Map() },
  };
});

describe('the way of a call', () => {
  it('is resolve, decide, secure, fill, send; the record that it leaves is there before it does', async () => {
    expect(await outcomeOf()).toEqual({ kind: 'answered', result: 'sent' });
    expect(steps).toEqual(['resolve', 'confirm', 'check', 'secure', 'fill', 'begin', 'send']);
  });

  it.each<[string, () => void, CallOutcome<string>['kind'], string[]]>([
    ['without a session', () => (answers.isLive = false), 'no_session', ['resolve']],
    ['without a scope', () => (answers.scopes = ['write']), 'no_scope', ['resolve']],
    ['that a policy refuses', () => (answers.found = { targets: ['pay'], policies: [block] }), 'blocked', ['resolve']],
    ['of what nobody has', () => (answers.found = { targets: [], policies: [] }), 'unknown', ['resolve', 'recover']],
    ['of what two have', () => (answers.found = { targets: ['pay', 'pay'], policies: [] }), 'unknown', ['resolve']],
    ['that contradicts itself', () => (answers.contradiction = { kind: 'mismatched' }), 'mismatched', ['resolve']],
    ['whose upstream is left alone', () => (answers.alone = unsent), 'unreachable', ['resolve']],
    ['that cannot be made', () => (answers.unable = { kind: 'mismatched' }), 'mismatched', ['resolve', 'confirm', 'check']],
    [
      'that is not secured',
      () => (answers.secured = { kind: 'denied', requestId: 'apr_1' }),
      'denied',
      ['resolve', 'confirm', 'check', 'secure'],
    ],
    [
      'whose upstream cannot be asked whether the tool is as it was',
      () => (answers.stale = unsent),
      'unreachable',
      ['resolve', 'confirm'],
    ],
  ])('ends for one %s, and nothing further is done', async (_, arrange, expected, done) => {
    arrange();
    expect([(await outcomeOf()).kind, steps]).toEqual([expected, done]);
  }); // prettier-ignore

  it('takes either scope alone', async () => {
    for (answers.scopes of [['read'], ['execute']]) expect((await outcomeOf()).kind).toBe('answered');
  });

  it('begins with the session, what is called and the rules of whoever asks', async () => {
    await perform();
    expect([given.session, given.rulesOf, given.find]).toEqual([[actor, 'ses_1'], 'ten_1', call]);
  });

  it('is decided anew by what the upstream says now', async () => {
    answers.stale = { targets: ['pay'], policies: [block] };
    expect((await outcomeOf()).kind).toBe('blocked');
    expect(steps).toEqual(['resolve', 'confirm']);
  });

  it('asks the upstream in the time that the call has, from when it came', async () => {
    const [before, { signal }] = [performance.now(), new AbortController()];
    await perform({}, { signal });
    expect(given.deadline).toEqual({ arrivedAt: expect.any(Number), deadlineMs: 1000, signal });
    expect(given.deadline?.arrivedAt).toBeGreaterThanOrEqual(before);
  });

  it('goes on with what came back when it was looked for once more', async () => {
    answers.recovered = { targets: ['pay'], policies: [] };
    answers.found = { targets: [], policies: [] };
    expect((await outcomeOf()).kind).toBe('answered');
    answers.recovered = { targets: ['pay'], policies: [block] };
    expect((await outcomeOf()).kind).toBe('blocked');
  });

  it('looks for nothing once more that a policy refuses by its name', async () => {
    answers.found = { targets: [], policies: [block] };
    expect([(await outcomeOf()).kind, steps]).toEqual(['blocked', ['resolve']]);
  });

  it('is not gone by a key that was revoked while it waited', async () => {
    expect(await outcomeOf({ recheck: async () => unsent })).toEqual({ kind: 'no_key', error: unsent });
    expect(steps).toEqual(['resolve']);
    expect((await outcomeOf({ recheck: async () => null })).kind).toBe('answered');
  });

  it('ends here for what Haldir itself answers', async () => {
    answers.here = '';
    expect(await outcomeOf()).toEqual({ kind: 'answered', result: '' });
    expect(steps).toEqual(['resolve', 'confirm', 'check', 'secure']);
  });
});

describe('what decides a call', () => {
  it('is asked for its rates where something else refuses it, so that all that does is told', async () => {
    await perform();
    expect(given.looked).toBeUndefined();
    const limit = policy({ id: 'rate', rule: { type: 'rate_limit', maxPerMinute: 1 } });
    answers.found = { targets: ['pay'], policies: [block, limit] };
    answers.full = new Map([['rate', null]]);
    expect(await outcomeOf()).toMatchObject({ refusals: [{ policyId: 'pol' }, { policyId: 'rate' }] });
    expect(given.looked).toMatchObject({ tenantId: 'ten_1', agentId: 'agent', limits: [{ policyId: 'rate' }] });
  });

  it('names the upstreams of what several have, sorted', async () => {
    answers.found = { targets: ['b', 'a'], policies: [] };
    expect(await outcomeOf()).toEqual({ kind: 'unknown', upstreams: ['up-a', 'up-b'] });
  });
});

describe('a call that is secured', () => {
  it('says what an approval would be of, and by what its record would be known', async () => {
    const claim = { key: 'k' } as unknown as NonNullable<CallRequest['claim']>;
    answers.traits = { price: microUsd(1), name: 'up.pay' };
    await perform({ claim });
    const [candidate, needs] = given.secure ?? [];
    expect(candidate).toMatchObject({ session: { id: 'ses_1' }, target: 'pay', traits: { name: 'up.pay' } });
    expect(needs?.match).toBeNull();
    expect(needs?.terms()).toMatchObject({ tool: 'pay' });
    const entry = { source: 'proxy', sessionId: 'ses_1', agentId: 'agent', tool: 'pay', action: 'call' };
    const details = { decision: 'allowed', outcome: 'unknown', upstream: 'pay', unexplained: 0 };
    expect(needs?.start()).toEqual({ actor, entry: { ...entry, details }, paymentId: null, claim });
    expect(given.start).toEqual(needs?.start());
  });

  it.each(['allowed', 'refused'])('by a rule of the tenant, or by none: it is %s when nobody may be asked', async (end) => {
    answers.rules = [rule('')];
    answers.traits = { approvable: end === 'allowed' };
    const outcome = await outcomeOf();
    expect(outcome.kind).toBe(end === 'allowed' ? 'answered' : 'unapprovable');
    expect(given.secure?.[1].match?.ruleId).toBe(end === 'allowed' ? 'rule' : undefined);
  }); // prettier-ignore

  it('tells rules whether the tool destroys', async () => {
    answers.rules = [rule('destructive')];
    await perform();
    expect(given.secure?.[1].match).toBeNull();
    answers.traits = { destructive: true };
    await perform();
    expect(given.secure?.[1].match?.ruleId).toBe('rule');
  });

  it('has its record from then on where securing it wrote one, with what is held for it', async () => {
    answers.noted = { started: { entryId: 'aud_0' } as never };
    await perform();
    expect(steps).not.toContain('begin');
    answers.noted = { charge: { tenantId: 'ten_1', paymentId: 'pay_1', price: microUsd(1) } };
    await perform();
    expect(given.start?.paymentId).toBe('pay_1');
  });

  it('has a record also when it is refused for its secrets', async () => {
    const refused: SecretRefusal = { code: 'secret_not_usable', message: 'No', facts: {} } as never;
    answers.fill = async () => ({ refused });
    expect(await outcomeOf()).toEqual({ kind: 'no_secret', refusal: refused });
    expect(steps).toEqual(['resolve', 'confirm', 'check', 'secure', 'fill', 'begin']);
  });

  it.each([
    ['secrets cannot be opened', () => (answers.fill = () => Promise.reject(new Error('the key is away')))],
    ['nobody knows whether its upstream is left alone', () => (answers.away = new Error('the key is away'))],
  ])('gives back what was secured when %s', async (_, arrange) => {
    arrange();
    answers.noted = { started: { entryId: 'aud_1' } as never };
    await expect(outcomeOf()).rejects.toThrow('the key is away');
    expect(given.later).toMatchObject({
      ...{ actor, outcome: { kind: 'unreachable', error: { reason: 'aborted', sent: false } } },
      entry: { sessionId: 'ses_1', tool: 'pay', details: { latency_ms: 0, result: 'unreachable' } },
      notes: { started: { entryId: 'aud_1' } },
    });
    expect(steps).not.toContain('send');
  });

  it('has nothing to give back when nothing was', async () => {
    answers.fill = () => Promise.reject(new Error('the key is away'));
    await expect(outcomeOf()).rejects.toThrow('the key is away');
    expect(given.later).toBeUndefined();
  });
});

describe('a call that is sent', () => {
  it('goes with what whoever asked watches and may be asked, and counts by its kind', async () => {
    const { signal } = new AbortController();
    const dialogue = { ask: 'me' } as unknown as NonNullable<CallRequest['dialogue']>;
    await perform({ dialogue }, { signal });
    const [traits, event, options] = given.sent ?? [];
    expect([traits?.name, event, given.ending]).toEqual(['pay', 'failed', 'answered']);
    expect(options).toEqual({ ...WITHIN, signal, dialogue, onMasked: expect.any(Function) });
    await perform();
    expect(given.sent?.[2]).toEqual({ ...WITHIN, onMasked: expect.any(Function) });
  });

  it('is flagged when a secret was masked in its answer', async () => {
    expect((await perform()).entry).not.toHaveProperty('flag');
    answers.masks = true;
    expect((await perform()).entry.flag).toMatch(/^secret_masked: /);
  });
});

describe('the entry of a call', () => {
  const known = { sessionId: 'ses_1', agentId: 'agent', tool: 'pay' };

  it('says whose it was, what was called and what came of it', async () => {
    const before = performance.now();
    const { entry, actor: who, notes } = await perform();
    expect([who, notes]).toMatchObject([actor, { decidedAt: AT, charge: null, started: { entryId: 'aud_1' } }]);
    expect(entry).toEqual({
      ...{ source: 'proxy', ...known, action: 'call' },
      details: { decision: 'allowed', result: 'ok', upstream: 'pay', unexplained: 0, latency_ms: expect.any(Number) },
    });
    expect((entry.details as { latency_ms: number }).latency_ms).toBeLessThanOrEqual(performance.now() - before + 1);
  });

  it.each<[string, () => void, object | null, boolean]>([
    ['without a session', () => (answers.isLive = false), { tool: 'nobody' }, false],
    ['without a scope', () => (answers.scopes = []), known, false],
    ['that contradicts itself', () => (answers.contradiction = { kind: 'mismatched' }), known, false],
    ['whose upstream is not there', () => (answers.stale = unsent), known, false],
    ['that a policy refuses', () => (answers.found = { targets: ['pay'], policies: [block] }), known, true],
    ['that cannot be made', () => (answers.unable = { kind: 'mismatched' }), known, true],
  ])('of one %s has what was known of it, and notes where policies saw it', async (_, arrange, expected, isNoted) => {
    arrange();
    const { entry, notes } = await perform();
    expect(entry).toMatchObject({ ...expected, details: isNoted ? { upstream: 'pay' } : {} });
    if (expected !== known) expect(entry).not.toHaveProperty('sessionId');
    expect(notes !== null).toBe(isNoted);
  });

  it('of one whose key was revoked while it waited names the target', async () => {
    const { entry, notes } = await perform({ recheck: async () => unsent });
    expect([entry.tool, entry.sessionId, notes]).toEqual(['pay', 'ses_1', null]);
  });

  it('of one of what nobody has, or several, names what was asked for', async () => {
    for (const targets of [[], ['pay', 'pay']]) {
      answers.found = { targets, policies: [] };
      const { entry, notes } = await perform();
      expect(entry).toMatchObject({ tool: 'nobody', action: 'call_blocked', details: { upstream: 'none' } });
      expect(notes).not.toBeNull();
    }
  });
});
