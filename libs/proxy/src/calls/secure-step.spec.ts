import { type MicroUsd, keyActor } from '@haldir/kernel';
import { type RuleMatch } from '@haldir/approvals';
import { type Tx } from '@haldir/database';
import { type Policy } from '../policies/policy.js';
import { type RateAnswer } from '../policies/rate-window.js';
import { CallDecision } from './call-decision.js';
import { digestOfArguments, digestOfCall } from './call-digest.js';
import { type Candidate } from './call-kind.js';
import { type Needs, SecureStep } from './secure-step.js';
import { policyVersion } from '../policies/policy-version.js';

const AT = new Date('2026-03-01T12:30:00Z');
const NONE = new Map<string, Date | null>();
const OPEN: RateAnswer = { full: NONE, logOnly: NONE, at: AT };
const FULL: RateAnswer = { full: new Map([['rate', null]]), logOnly: NONE, at: AT };
const MATCH: RuleMatch = { ruleId: 'rule', otherRuleIds: [], type: 'all', reason: 'because' };
const PRICE = 250_000n as MicroUsd;
const TX = {} as Tx;
const rate: Policy = {
  ...{ id: 'rate', mode: 'enforce', priority: 0, rule: { type: 'rate_limit', maxPerMinute: 1 } },
  scope: { upstreams: [], agents: [], tools: [] },
};

/** What was done, in order, with what. */
let done: unknown[][];
let rates: RateAnswer;
let answer: object;
let charge: object | null;
let covering: object | null;

beforeEach(() => {
  done = [];
  rates = OPEN;
  answer = { kind: 'approved', request: { id: 'apr_1' } };
  charge = { paymentId: 'pay_1' };
  covering = null;
});

function step(): SecureStep {
  const note =
    <T>(name: string, result: () => T) =>
    async (...args: unknown[]): Promise<T> => {
      done.push([name, ...args]);
      return result();
    };
  const locked = {
    answer: () => rates,
    count: (request: unknown) => done.push(['count', request]),
    save: () => done.push(['save']),
  };
  const parts = [
    { take: note('take', () => rates), lock: note('lock', () => locked) },
    { ask: note('ask', () => answer), consume: note('consume', () => undefined) },
    { cover: note('cover', () => covering), use: note('use', () => undefined) },
    { hold: note('hold', () => charge) },
    { holdLease: note('lease', () => undefined), beginIn: note('begin', () => ({ entryId: 'aud_1' })) },
    { run: async (tenantId: string, work: (tx: Tx) => Promise<unknown>) => (done.push(['transaction', tenantId]), work(TX)) },
  ]; // prettier-ignore
  return new SecureStep(...(parts as unknown as ConstructorParameters<typeof SecureStep>));
}

function candidate(price: MicroUsd | null = null, request: object = {}): Candidate {
  const subject = {
    ...{ upstream: 'up', toolNames: ['pay', 'up.pay'], allowedNames: ['pay', 'up.pay'] },
    ...{ agentId: 'agent', amount: { units: 75n, scale: 1 }, at: AT },
  };
  return {
    request: { actor: keyActor('ten_1', 'hld_x'), sessionId: 'ses_1', arguments: { amount: 7.5 }, ...request },
    session: { id: 'ses_1', agentId: 'agent', parentId: null },
    target: 'pay',
    traits: {
      upstream: { name: 'up', url: 'http://up.test', revision: '3' },
      ...{ name: 'up.pay', destructive: true, price, approvable: true },
    },
    ...{ policies: [rate], rules: [] },
    decision: new CallDecision('ten_1', [rate], subject),
  } as unknown as Candidate;
}

const needs = (match: RuleMatch | null): Needs => ({
  match,
  terms: () => ({ action: 'call', tool: 'up pay', fingerprint: 'f'.repeat(64), shown: { title: 'Pays' } }),
  start: () => (done.push(['start']), { started: true } as never),
});
const names = (): unknown[] => done.map(([name]) => name);

describe('a call that needs neither approval nor price', () => {
  it('takes its place under the rate limits, and nothing else', async () => {
    const call = candidate();
    expect(await step().secure(call, needs(null))).toBeNull();
    expect(done).toEqual([['take', call.decision.rateRequest]]);
    expect(call.decision.notes).toMatchObject({ ratedAt: AT, approvalId: null, charge: null, started: null });
  });

  it('is refused where a limit is full', async () => {
    rates = FULL;
    expect(await step().secure(candidate(), needs(null))).toMatchObject({
      ...{ kind: 'blocked', refusals: [{ policyId: 'rate' }] },
    });
  });
});

describe('a call that needs an approval and has a price', () => {
  it('uses all of it in one transaction, with the record that it is made', async () => {
    const call = candidate(PRICE, { heedsDenials: true });
    expect(await step().secure(call, needs(MATCH))).toBeNull();
    expect(names()).toEqual(['lease', 'transaction', 'lock', 'cover', 'ask', 'hold', 'consume', 'count', 'save', 'start', 'begin']); // prettier-ignore
    const { actor } = call.request;
    const [, transaction, lock, cover, ask, hold, consume, count, , , begin] = done;
    expect(transaction).toEqual(['transaction', 'ten_1']);
    expect([lock, count]).toEqual([['lock', TX, [call.decision.rateRequest]], ['count', call.decision.rateRequest]]); // prettier-ignore
    expect(cover).toMatchObject(['cover', TX, {}, MATCH]);
    expect(ask).toMatchObject(['ask', TX, {}, MATCH, { heedsDenials: true }]);
    expect(hold).toEqual(['hold', TX, { actor, sessionId: 'ses_1', price: PRICE, tool: 'up.pay', holdMs: 86_400_000 }]); // prettier-ignore
    expect([consume, begin]).toEqual([['consume', TX, actor, { id: 'apr_1' }], ['begin', TX, { started: true }]]); // prettier-ignore
    expect(call.decision.notes).toMatchObject({
      ...{ approvalId: 'apr_1', charge: { paymentId: 'pay_1' }, started: { entryId: 'aud_1' } },
    });
  });

  it('uses a grant that covers it, and asks nobody', async () => {
    covering = { grant: { id: 'grt_1' } };
    const call = candidate(PRICE);
    expect(await step().secure(call, needs(MATCH))).toBeNull();
    expect(names()).toEqual(['lease', 'transaction', 'lock', 'cover', 'hold', 'use', 'count', 'save', 'start', 'begin']); // prettier-ignore
    const [subject, used] = ['cover', 'use'].map((name) => done.find(([each]) => each === name)?.[2]);
    expect(used).toBe(subject);
    expect(done.find(([name]) => name === 'use')?.slice(3)).toEqual([covering]);
    expect(call.decision.notes).toMatchObject({ approvalId: 'grt_1', started: { entryId: 'aud_1' } });
  });

  it('leaves a grant unused where there is no money', async () => {
    covering = { grant: { id: 'grt_1' } };
    charge = { reason: 'none' };
    expect(await step().secure(candidate(PRICE), needs(MATCH))).toMatchObject({ kind: 'unaffordable' });
    expect(names()).toEqual(['lease', 'transaction', 'lock', 'cover', 'hold']);
  });

  it('has nothing in common with others in a session that was opened from another', async () => {
    const call = Object.assign(candidate(PRICE), { session: { id: 'ses_1', agentId: 'agent', parentId: 'ses_0' } });
    await step().secure(call, needs(MATCH));
    expect(done.find(([name]) => name === 'cover')?.[2]).toMatchObject({ grantable: null });
  });

  it('has in common with others all but arguments, amount and session', async () => {
    const commonOf = async (call: Candidate): Promise<unknown> => {
      done = [];
      await step().secure(call, needs(MATCH));
      return (done.find(([name]) => name === 'cover')?.[2] as { grantable: unknown }).grantable;
    };
    const one = await commonOf(candidate(PRICE));
    expect(one).toEqual({
      ...{ basis: expect.stringMatching(/^[0-9a-f]{64}$/) as string, destructive: true },
      arguments: [['amount', digestOfArguments(7.5)]],
    });
    expect(await commonOf(candidate(PRICE, { sessionId: 'ses_2', arguments: { amount: 8, to: 'b' } }))).toEqual({
      ...{ ...(one as object), arguments: [['amount', digestOfArguments(8)], ['to', digestOfArguments('b')]] },
    }); // prettier-ignore
    expect(await commonOf(candidate(PRICE, { arguments: { to: ['{{vault:token}}'] } }))).toMatchObject({
      arguments: [['to', `vault:${digestOfArguments(['{{vault:token}}'])}`]],
    });
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`a${i}`, 1]));
    expect(await commonOf(candidate(PRICE, { arguments: many }))).toBeNull();
  });

  it('is asked about with all that makes it this call, and shown with its arguments and answers', async () => {
    const dialogue = { capabilities: {}, responses: { q: { action: 'accept' } }, state: 's' };
    const call = candidate(PRICE, { dialogue });
    await step().secure(call, needs(MATCH));
    const [, , subject, , options] = done.find(([name]) => name === 'ask') as [string, Tx, Record<string, unknown>, RuleMatch, object]; // prettier-ignore
    const { details, digest, ...rest } = subject;
    expect(options).toEqual({ heedsDenials: false });
    expect(rest).toEqual({
      ...{ actor: call.request.actor, sessionId: 'ses_1', agentId: 'agent', tool: 'up.pay', action: 'call', reason: '' },
      ...{ toolNames: ['pay', 'up.pay'], amount: 7_500_000n, destructive: true, grantable: null },
    }); // prettier-ignore
    expect(JSON.parse(String(details))).toMatchObject({
      title: 'Pays',
      arguments: { amount: 7.5 },
      answers: { responses: { q: { action: 'accept' } }, state: 's' },
    });
    const exact = {
      ...{ tenantId: 'ten_1', holder: 'ses_1', upstream: call.traits.upstream, tool: 'up pay' },
      ...{ fingerprint: 'f'.repeat(64), arguments: { amount: 7.5 } },
      ...{ answers: { responses: { q: { action: 'accept' as const } }, state: 's' } },
      ...{ amount: 7_500_000n as MicroUsd, price: PRICE, policyVersion: policyVersion([rate], []) },
    };
    expect(digest).toEqual(digestOfCall(exact as Parameters<typeof digestOfCall>[0]));
  });

  it.each<[string, () => void, unknown, string[]]>([
    ['a rate limit is full', () => (rates = FULL), 'blocked', ['lease', 'transaction', 'lock']],
    [
      'nobody has approved it yet',
      () => (answer = { kind: 'held', request: {} }),
      'held',
      ['lease', 'transaction', 'lock', 'cover', 'ask'],
    ],
    [
      'it was denied',
      () => (answer = { kind: 'denied', requestId: 'apr_1' }),
      'denied',
      ['lease', 'transaction', 'lock', 'cover', 'ask'],
    ],
    [
      'its session is over',
      () => (charge = null),
      'no_session',
      ['lease', 'transaction', 'lock', 'cover', 'ask', 'hold'],
    ],
    [
      'its budget has not as much',
      () => (charge = { reason: 'too little' }),
      'unaffordable',
      ['lease', 'transaction', 'lock', 'cover', 'ask', 'hold'],
    ],
  ])('is not made, and no approval is used up, where %s', async (_, arrange, kind, steps) => {
    arrange();
    const call = candidate(PRICE);
    expect(await step().secure(call, needs(MATCH))).toMatchObject({ kind });
    expect(names()).toEqual(steps);
    expect(call.decision.notes).toMatchObject({ approvalId: null, charge: null, started: null });
  }); // prettier-ignore

  it('says what its budget lacks', async () => {
    charge = { reason: 'too little' };
    expect(await step().secure(candidate(PRICE), needs(null))).toEqual({ kind: 'unaffordable', denial: charge });
  });

  it('is not asked about where it is too long to be shown, and nothing is taken for it', async () => {
    const call = candidate(null, { arguments: { text: 'x'.repeat(2 * 1024 * 1024) } });
    expect(await step().secure(call, needs(MATCH))).toMatchObject({ kind: 'unshowable', error: { name: 'DetailsTooLong' } }); // prettier-ignore
    expect(done).toEqual([]);
  });
});

it('holds the price of a call that nobody has to approve, and asks nobody', async () => {
  const call = candidate(PRICE);
  expect(await step().secure(call, needs(null))).toBeNull();
  expect(names()).toEqual(['lease', 'transaction', 'lock', 'hold', 'count', 'save', 'start', 'begin']);
  expect(call.decision.notes).toMatchObject({ approvalId: null, charge: { paymentId: 'pay_1' } });
});

it('asks about a call without a price, and holds none', async () => {
  const call = candidate();
  expect(await step().secure(call, needs(MATCH))).toBeNull();
  expect(names()).toEqual([
    'lease',
    'transaction',
    'lock',
    'cover',
    'ask',
    'consume',
    'count',
    'save',
    'start',
    'begin',
  ]);
  expect(call.decision.notes).toMatchObject({ approvalId: 'apr_1', charge: null });
});
