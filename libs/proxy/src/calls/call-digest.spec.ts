import { microUsd } from '@haldir/kernel';
import { basisOfCall, digestOfArguments, digestOfCall, type ExactCall } from './call-digest.js';

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

describe('what calls that are approved together have in common', () => {
  const basis = (change: Partial<ExactCall> = {}, who: Partial<Parameters<typeof basisOfCall>[1]> = {}): string =>
    basisOfCall({ ...call, ...change }, { agentId: 'agent', asker: 'hld_x', ...who });

  it('is the SHA-256 of its canonical JSON', () => {
    // printf '%s' '{"agent":"agent","asker":"hld_x","definition":"abab…","policies":"cdcd…","price":null,"registration":"upr_1","tenant":"ten_1","tool":"pay","upstream":"up","url":"https://example.com/mcp","v":"grant.1"}' | sha256sum
    expect(basis()).toBe('b951b61ea4b04a714b88c51eeeaac82fcae3df173168212fa244e13f75c7a123');
  });

  it('is the same whatever they are called with, in which session, and spend', () => {
    expect(basis({ arguments: {}, holder: 'ses_2', amount: null })).toBe(basis());
  });

  const others: Partial<ExactCall>[] = [
    ...[{ tenantId: 'ten_2' }, { tool: 'pay2' }, { price: microUsd(50) }, { price: microUsd(0) }],
    { upstream: { name: 'up2', url: 'https://example.com/mcp', revision: 'upr_1' } },
    { upstream: { name: 'up', url: 'https://example.org/mcp', revision: 'upr_1' } },
    { upstream: { name: 'up', url: 'https://example.com/mcp', revision: 'upr_2' } },
    ...[{ fingerprint: 'ab'.repeat(31) + 'ac' }, { policyVersion: 'cd'.repeat(31) + 'ce' }],
  ];
  it.each(others.map((change) => [Object.keys(change).join(), change] as const))(
    'is another with another %s (%#)',
    (_, change) => {
      expect(basis(change)).not.toBe(basis());
    },
  );

  it('is another for another agent, and for whoever else asks', () => {
    expect(basis({}, { agentId: 'other' })).not.toBe(basis());
    expect(basis({}, { asker: 'hld_y' })).not.toBe(basis());
  });
});
