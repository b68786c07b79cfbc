import { ceilMicroUsd, digestOfArguments, digestOfCall, type ExactCall } from './exact-call.js';

const call: ExactCall = {
  tenantId: 'ten_1',
  sessionId: 'ses_1',
  upstream: { name: 'up', url: 'https://example.com/mcp' },
  tool: 'pay',
  arguments: { amount: 5, to: 'dana', tags: ['a', 'b'] },
};
const digest = (change: Partial<ExactCall> = {}): string => digestOfCall({ ...call, ...change }).toString('hex');

describe('the digest of a call', () => {
  it('is the same whatever the order of members', () => {
    expect(digest({ arguments: { tags: ['a', 'b'], to: 'dana', amount: 5.0 } })).toBe(digest());
  });

  it.each<Partial<ExactCall>>([
    { tenantId: 'ten_2' },
    { sessionId: 'ses_2' },
    { upstream: { name: 'up2', url: 'https://example.com/mcp' } },
    { upstream: { name: 'up', url: 'https://example.org/mcp' } },
    { tool: 'pay2' },
    { arguments: { amount: '5', to: 'dana', tags: ['a', 'b'] } },
    { arguments: { amount: 5, to: 'dana', tags: ['b', 'a'] } },
    { arguments: { amount: 5, to: 'dana', tags: ['a', 'b'], more: null } },
    { arguments: { amount: 5, to: 'dana' } },
    { arguments: {} },
  ])('is another with %j', (change) => {
    expect(digest(change)).not.toBe(digest());
  });

  it('is 32 bytes, and of arguments 64 hex digits', () => {
    expect(digestOfCall(call)).toHaveLength(32);
    expect(digestOfArguments({})).toBe('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
  });
});

describe('an amount in micro-dollars', () => {
  it.each([
    [0, 0n],
    [-5, 0n],
    [NaN, 0n],
    [0.1, 100_000n],
    [100, 100_000_000n],
    [100.0000001, 100_000_001n],
    [0.1 + 0.2, 300_001n],
    [5e-324, 1n],
    [1e300, 9_000_000_000_000_000_000n],
    [Infinity, 9_000_000_000_000_000_000n],
  ])('of %d dollars is %d: never less than it was', (dollars, micros) => {
    expect(ceilMicroUsd(dollars)).toBe(micros);
  });
});
