import { decimalOf } from '@haldir/kernel';
import { type ApprovalRule } from '@haldir/approvals';
import { type Policy, type PolicyRule, type PolicySubject } from '../policies/policy.js';
import { CallDecision } from './call-decision.js';

const AT = new Date('2026-03-01T12:30:00Z');
const NONE = new Map<string, Date | null>();
const policy = (id: string, rule: PolicyRule, terms: Partial<Policy> = {}): Policy => ({
  ...{ id, mode: 'enforce', scope: { upstreams: [], agents: [], tools: [] }, priority: 0, rule },
  ...terms,
});
const subject: PolicySubject = {
  ...{ upstream: 'up', toolNames: ['pay', 'up.pay'], allowedNames: ['pay', 'up.pay'] },
  ...{ agentId: 'agent', amount: decimalOf(7), at: AT },
};
const decide = (...policies: Policy[]): CallDecision => new CallDecision('ten_1', policies, subject);
const ids = (items: readonly { policyId: string }[] | null): string[] | null =>
  items && items.map((item) => item.policyId);

describe('a call before the policies of its tenant', () => {
  it('is refused by each that refuses it alone, before any rate is known', () => {
    const decision = decide(
      policy('a', { type: 'spend_limit', max: 5 }),
      policy('b', { type: 'block_tool', tool: 'pay' }),
    );
    expect(decision.isRefused).toBe(true);
    expect(ids(decision.refusedBy({ full: NONE, logOnly: NONE, at: null }))).toEqual(['a', 'b']);
  });

  it('is refused by a rate limit once that is known to be full, and not before', () => {
    const decision = decide(policy('a', { type: 'rate_limit', maxPerMinute: 1 }));
    expect(decision.isRefused).toBe(false);
    expect(decision.refusedBy({ full: NONE, logOnly: NONE, at: AT })).toBeNull();
    expect(ids(decision.refusedBy({ full: new Map([['a', null]]), logOnly: NONE, at: AT }))).toEqual(['a']);
  });

  it('is not touched by policies of other upstreams, agents or tools', () => {
    const rule: PolicyRule = { type: 'block_tool', tool: 'pay' };
    const decision = decide(
      policy('a', rule, { scope: { upstreams: ['other'], agents: [], tools: [] } }),
      policy('b', rule, { scope: { upstreams: [], agents: ['other*'], tools: [] } }),
      policy('c', rule, { scope: { upstreams: [], agents: [], tools: ['up.get*'] } }),
    );
    expect(decision.isRefused).toBe(false);
    expect(decision.notes).toMatchObject({ wouldBlock: [], wouldHold: [] });
  });

  it('notes what policies that only log would have done, and is let through by them', () => {
    const log = { mode: 'log_only' } as const;
    const decision = decide(
      policy('a', { type: 'spend_limit', max: 5 }, log),
      policy('b', { type: 'rate_limit', maxPerMinute: 1 }, log),
      policy('c', { type: 'require_approval' }, log),
    );
    expect([decision.isRefused, decision.approvalRule([], false)]).toEqual([false, null]);
    expect(ids(decision.notes.wouldBlock)).toEqual(['a']);
    expect(decision.notes.wouldHold.map(({ id }) => id)).toEqual(['c']);
    const ratedAt = new Date(AT.getTime() + 5);
    expect(decision.refusedBy({ full: NONE, logOnly: new Map([['b', null]]), at: ratedAt })).toBeNull();
    expect(ids(decision.notes.wouldBlock)).toEqual(['a', 'b']);
    expect(decision.notes).toMatchObject({ decidedAt: AT, ratedAt });
  });

  it('waits for the first policy that asks for an approval', () => {
    const decision = decide(policy('a', { type: 'require_approval' }), policy('b', { type: 'require_approval' }));
    expect(decision.isRefused).toBe(false);
    expect(decision.approvalRule([], false)).toEqual({
      ...{ ruleId: 'a', type: 'require_approval', reason: 'the policy a asks for approval of the call' },
      otherRuleIds: ['b'],
    });
  });

  it('waits for the first approval rule, and names all that would hold it, too', () => {
    const rule = (id: string, type: 'all' | 'destructive'): ApprovalRule =>
      ({
        id,
        type,
        holdsBack: ({ destructive }: { destructive: boolean }) => (destructive || type === 'all' ? 'so' : null),
      }) as unknown as ApprovalRule;
    const rules = [rule('r', 'destructive'), rule('s', 'all'), rule('t', 'all')];
    const decision = decide(policy('a', { type: 'require_approval' }), policy('b', { type: 'require_approval' }));
    expect(decision.approvalRule(rules, true)).toMatchObject({
      ...{ ruleId: 'r', type: 'destructive', otherRuleIds: ['s', 't', 'a', 'b'] },
    });
    expect(decision.approvalRule(rules, false)).toMatchObject({ ruleId: 's', otherRuleIds: ['t', 'a', 'b'] });
  });
});
