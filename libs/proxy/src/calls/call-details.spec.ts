import { decimalOf, microUsd, stringifyJson } from '@haldir/kernel';
import {
  approvalIn,
  approvedOutcomeOf,
  type DecidedBy,
  type NotedBeside,
  readDetails,
  writeNoted,
} from './call-details.js';

const by: DecidedBy = {
  ...{ destructive: true, goesByOwnName: false, amount: decimalOf('7.25'), approvalId: 'apr_1' },
  ...{ decidedAt: new Date(1_700_000_000_123), ratedAt: new Date(1_700_000_000_150) },
};
const plain: DecidedBy = {
  ...{ destructive: false, goesByOwnName: true, amount: null, approvalId: null },
  ...{ decidedAt: new Date(1_700_000_000_000), ratedAt: null },
};
const nothing: NotedBeside = { charge: null, wouldBlock: [], wouldHold: [] };
const textOf = (details: object): string => stringifyJson({ decision: 'allowed', ...details });

describe('the details of a call', () => {
  it('are written in one order, and only as far as they apply', () => {
    const beside: NotedBeside = {
      charge: { price: microUsd(0.5), paymentId: 'pay_1' },
      wouldBlock: [{ policyId: 'pol_1', type: 'block_tool', reason: 'so' }],
      wouldHold: [{ id: 'pol_2' }],
    };
    expect(textOf(writeNoted('up', by, beside))).toBe(
      '{"decision":"allowed","upstream":"up","destructive":true,"own_name":false,"amount":7.25,"decided_at":1700000000.123,' +
        '"rated_at":1700000000.15,"price_usd":0.5,"authorization_id":"pay_1","approval":"apr_1",' +
        '"would_block":[{"policy_id":"pol_1","type":"block_tool","reason":"so"}],"would_hold":[{"policy_id":"pol_2"}]}',
    );
    expect(textOf(writeNoted(null, plain, nothing))).toBe('{"decision":"allowed","decided_at":1700000000}');
  });

  it.each([
    ['with all of it', 'up', by],
    ['with next to nothing', 'up', plain],
    ['of an amount that is no plain number', 'up', { ...plain, amount: 'unclear' } as const],
    ['of an amount that no number holds', 'up', { ...plain, amount: decimalOf('1e400') }],
    ['of what nobody has', null, plain],
  ])('%s are read as they were written', (_, upstream, decidedBy) => {
    const read = readDetails(textOf(writeNoted(upstream, decidedBy, nothing)));
    expect(read).toEqual({ decision: 'allowed', byPolicy: false, upstream, decidedBy });
  });

  it('of an entry from before they said when it was decided are read without that', () => {
    const text = '{"decision":"blocked","reason":"no","policy_id":"pol_1","upstream":"up"}';
    expect(readDetails(text)).toEqual({ decision: 'blocked', byPolicy: true, upstream: 'up', decidedBy: null });
  });

  it.each(['', 'null', '[]', '"allowed"', '{"decision":"maybe"}', '{"decision":'])('are not read from %j', (text) => {
    expect(readDetails(text)).toBeNull();
  });
});

it.each([
  ['performed', { result: 'ok' }],
  ['failed', { result: 'tool_error' }],
  ['failed', { result: 'refused' }],
  ['input_required', { result: 'input_required' }],
  ['failed', { result: 'unreachable', sent: false }],
  ['unknown', { result: 'unreachable', sent: true }],
  ['unknown', { outcome: 'unknown' }],
  ['failed', { decision: 'blocked' }],
  ['failed', undefined],
])('an approved call has %s where its entry says %j', (outcome, details) => {
  expect(approvedOutcomeOf(details)).toBe(outcome);
});

it('what let a call through is what its entry names', () => {
  expect(['text', null, {}, { approval: 1 }, { approval: 'apr_1' }].map(approvalIn)).toEqual([
    ...[null, null, null, null, 'apr_1'],
  ]);
});
