import { microUsd } from '@haldir/kernel';
import { type ApprovalRule } from '@haldir/approvals';
import { type Policy } from './policy.js';
import { policyVersion } from './policy-version.js';

const TERMS = { mode: 'enforce', scope: { upstreams: [], agents: [], tools: [] }, priority: 0 } as const;

describe('the version of what decides', () => {
  const policies: Policy[] = [
    { ...TERMS, id: 'pol_2', rule: { type: 'spend_limit', max: 5 } },
    { ...TERMS, id: 'pol_1', rule: { type: 'block_tool', tool: 'drop' } },
  ];
  const rule = {
    ...{ tenantId: 'ten_1', id: 'apl_1', type: 'spend_over', threshold: microUsd(5), tools: null },
    createdAt: new Date('2026-01-01T00:00:00Z'),
  } as ApprovalRule;

  it('is the SHA-256 of the canonical JSON of policies and rules by id', () => {
    expect(policyVersion(policies, [rule])).toBe('d0ede755baf2608d0ef74068c4ca14c6f1eb0b9b429d07837d1cf382857e2ed5');
    expect(policyVersion([...policies].reverse(), [rule])).toBe(policyVersion(policies, [rule]));
  });

  it('is another with any policy or rule changed, added or removed', () => {
    const versions = [
      policyVersion(policies, [rule]),
      policyVersion(policies.slice(1), [rule]),
      policyVersion(policies, []),
      policyVersion([{ ...TERMS, id: 'pol_2', rule: { type: 'spend_limit', max: 6 } }, ...policies.slice(1)], [rule]),
      policyVersion([{ ...TERMS, id: 'pol_3', rule: { type: 'spend_limit', max: 5 } }, ...policies.slice(1)], [rule]),
      policyVersion(policies, [{ ...rule, threshold: microUsd(5.000001) } as ApprovalRule]),
      policyVersion(policies, [{ ...rule, type: 'all' } as ApprovalRule]),
      policyVersion(
        policies.map((policy) => ({ ...policy, mode: 'log_only' as const })),
        [rule],
      ),
      policyVersion(
        policies.map((policy) => ({ ...policy, priority: 1 })),
        [rule],
      ),
      policyVersion(
        policies.map((policy) => ({ ...policy, scope: { ...policy.scope, tools: ['a*'] } })),
        [rule],
      ),
    ];
    expect(new Set(versions).size).toBe(versions.length);
  });
});
