import { type Decimal, decimalOf, microUsd } from '@haldir/kernel';
import { type ApprovalRule } from '@haldir/approvals';
import { ceilMicroUsd, digestOfArguments, digestOfCall, type ExactCall, policyVersion } from './call-digest.js';
import { type Policy } from '../policies/policy.js';

const call: ExactCall = {
  tenantId: 'ten_1',
  holder: 'ses_1',
  upstream: { name: 'up', url: 'https://example.com/mcp', revision: 'upr_1' },
  tool: 'pay',
  fingerprint: 'ab'.repeat(32),
  arguments: { amount: 5, to: 'dana', tags: ['a', 'b'] },
  answers: null,
  amount: microUsd(5),
  price: null,
  policyVersion: 'cd'.repeat(32),
};
const digest = (change: Partial<ExactCall> = {}): string => digestOfCall({ ...call, ...change }).toString('hex');

const TERMS = { mode: 'enforce', scope: { upstreams: [], agents: [], tools: [] }, priority: 0 } as const;

describe('the digest of a call', () => {
  it('is the same whatever the order of members', () => {
    expect(digest({ arguments: { tags: ['a', 'b'], to: 'dana', amount: 5.0 } })).toBe(digest());
  });

  const others: Partial<ExactCall>[] = [
    { tenantId: 'ten_2' },
    { holder: 'ses_2' },
    { upstream: { name: 'up2', url: 'https://example.com/mcp', revision: 'upr_1' } },
    { upstream: { name: 'up', url: 'https://example.org/mcp', revision: 'upr_1' } },
    { upstream: { name: 'up', url: 'https://example.com/mcp', revision: 'upr_2' } },
    { price: microUsd(50) },
    { tool: 'pay2' },
    { fingerprint: 'ab'.repeat(31) + 'ac' },
    { amount: microUsd(5.000001) },
    { amount: null },
    { policyVersion: 'cd'.repeat(31) + 'ce' },
    { arguments: { amount: '5', to: 'dana', tags: ['a', 'b'] } },
    { arguments: { amount: 5, to: 'dana', tags: ['b', 'a'] } },
    { arguments: { amount: 5, to: 'dana', tags: ['a', 'b'], more: null } },
    { arguments: { amount: 5, to: 'dana' } },
    { arguments: {} },
    { answers: { responses: { ok: { action: 'accept' } } } },
    { answers: { state: 'round-1' } },
  ];
  it.each(others.map((change) => [Object.keys(change).join(), change] as const))(
    'is another with another %s (%#)',
    (_, change) => {
      expect(digest(change)).not.toBe(digest());
    },
  );

  it('is the SHA-256 of its canonical JSON, format 3', () => {
    // printf '%s' '{"amount":"5000000","arguments":{"amount":5,"tags":["a","b"],"to":"dana"},"definition":"abab…","policies":"cdcd…","price":null,"registration":"upr_1","session":"ses_1","tenant":"ten_1","tool":"pay","upstream":"up","url":"https://example.com/mcp","v":"3"}' | sha256sum
    expect(digest()).toBe('e67c6342844a114654d25c1ec568343be08e4fcac408b62b356adc268f0e6dc4');
    expect(digestOfArguments({})).toBe('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
  });
});

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

describe('an amount in micro-dollars', () => {
  it.each([
    [0, 0n],
    [-5, 0n],
    [0.1, 100_000n],
    [100, 100_000_000n],
    [100.0000001, 100_000_001n],
    [0.1 + 0.2, 300_001n],
    [5e-324, 1n],
    [-0.0000001, 0n],
    [1e300, 9_000_000_000_000_000_000n],
  ])('of %d dollars is %d: never less than it was', (dollars, micros) => {
    expect(ceilMicroUsd(decimalOf(dollars) as Decimal)).toBe(micros);
  });
});
