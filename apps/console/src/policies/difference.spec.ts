import { differenceOf } from './difference.ts';
import { type Simulated } from './policies.ts';

type Call = Simulated['changed'][number];
const call = (id: string, was: Call['was'], wouldBe: Call['would_be'], more: Partial<Call> = {}): Call => ({
  ...{ entry_id: id, at: 1, agent_id: 'agent', tool: 'up.pay', was, would_be: wouldBe, ...more },
});
const simulated = (...changed: Call[]): Simulated => ({
  ...{ calls: 9, changes: changed.length, changed, truncated: false },
  by_policy: { proposed_1: { type: 'block_tool', mode: 'enforce', blocked: 1, held: 0 } },
  verdicts: { allowed: 0, blocked: 0, held: 0, undecidable: 0 },
});

it('is what the proposal alone changes', () => {
  const explanation = [
    { policy_id: 'proposed_1', policy: 'block_tool', reason: 'The tool is blocked', remedy: {} },
  ] as unknown as Call['explanation'];
  const without = simulated(call('a', 'blocked', 'allowed'), call('b', 'blocked', 'allowed'), call('c', 'held', 'allowed')); // prettier-ignore
  const withIt = simulated(
    call('b', 'blocked', 'allowed'),
    call('c', 'held', 'blocked', { explanation }),
    call('d', 'allowed', 'held'),
  );
  expect(
    differenceOf({ without, with: withIt }).map(({ entryId, was, wouldBe, reason }) => [entryId, was, wouldBe, reason]),
  ).toEqual([
    // The standing policies would let it through, and the proposal does not.
    ['c', 'allowed', 'blocked', 'The tool is blocked'],
    ['d', 'allowed', 'held', ''],
    ['a', 'allowed', 'blocked', ''],
  ]);
});
