import { type Policy, type PolicyRule } from '../policies/policy.js';
import { namesOf } from '../policies/subject-names.js';
import { type RecordedCall } from './recorded-call.js';
import { Simulation } from './simulation.js';

const AT = new Date('2026-03-01T12:30:00Z');
const policy = (id: string, rule: PolicyRule, mode: Policy['mode'] = 'enforce'): Policy => ({
  ...{ id, mode, scope: { upstreams: [], agents: [], tools: [] }, priority: 0, rule },
});
const call = (seq: number, goesByOwnName = true): RecordedCall => ({
  ...{ entryId: `aud_${seq}`, seq, agentId: 'agent', tool: 'up.pay', at: AT, was: 'allowed' },
  facts: {
    subject: { upstream: 'up', ...namesOf('up', 'pay', goesByOwnName), agentId: 'agent', amount: null, at: AT },
    ...{ destructive: false, ratedAt: new Date(AT.getTime() + seq), isApproved: false },
  },
});

describe('a simulation', () => {
  it('decides a call by the names that its tool had then', () => {
    const simulation = new Simulation([policy('pol_1', { type: 'allow_list', tools: ['pay'] })], []);
    expect(simulation.decide(call(1), true)).toBe('allowed');
    expect(simulation.decide(call(2, false), true)).toBe('blocked');
    expect(simulation.explain(call(2, false), 'blocked').refusals).toMatchObject([{ policyId: 'pol_1' }]);
    expect(simulation.decide(call(3), true)).toBe('allowed');
    expect(simulation.tallies.get('pol_1')).toMatchObject({ blocked: 1 });
  });

  it('counts calls that are let through, and what policies that only log would have done', () => {
    const limit = { type: 'rate_limit', maxPerMinute: 2 } as const;
    const policies = [policy('pol_1', limit), policy('pol_2', { type: 'block_tool', tool: 'up.pay' }, 'log_only')];
    const simulation = new Simulation(policies, []);
    expect([1, 2, 3].map((seq) => simulation.decide(call(seq), seq > 1))).toEqual(['allowed', 'allowed', 'blocked']);
    expect(simulation.explain(call(3), 'blocked').refusals).toMatchObject([
      { policyId: 'pol_1', remedy: { change: 'wait' } },
    ]);
    expect([...simulation.tallies.values()].map(({ blocked }) => blocked)).toEqual([1, 2]);
  });

  it('holds for the first policy that asks for an approval, and not what was approved', () => {
    const simulation = new Simulation([policy('pol_1', { type: 'require_approval' })], []);
    expect(simulation.decide(call(1), true)).toBe('held');
    expect(simulation.explain(call(1), 'held').heldBy).toBe('pol_1');
    const approved = call(2);
    if (approved.facts) approved.facts.isApproved = true;
    expect(simulation.decide(approved, true)).toBe('allowed');
  });
});
