import { type Simulated } from './policies.ts';

export type Verdict = 'allowed' | 'blocked' | 'held';

/** A call that a proposed policy would have had decided otherwise. */
export interface ChangedCall {
  entryId: string;
  at: number;
  agent: string;
  tool: string;
  was: Verdict;
  wouldBe: Verdict;
  /** Why the proposal would block it; empty for any other. */
  reason: string;
}

/**
 * What the proposal alone would have changed: the calls of which two simulations, without it and with it, say different things. What was
 * decided under policies of then that stand no more is not its doing.
 */
export function differenceOf({ without, with: withIt }: { without: Simulated; with: Simulated }): ChangedCall[] {
  const before = new Map(without.changed.map((call) => [call.entry_id, call]));
  const after = new Map(withIt.changed.map((call) => [call.entry_id, call]));
  // It was the last of those that were sent.
  const proposal = `proposed_${Object.keys(withIt.by_policy).length}`;
  const calls = [...withIt.changed, ...without.changed.filter(({ entry_id: id }) => !after.has(id))];
  return calls.flatMap((call) => {
    const { entry_id: entryId, at, agent_id: agent, tool } = call;
    const was = before.get(entryId)?.would_be ?? call.was;
    const wouldBe = after.get(entryId)?.would_be ?? call.was;
    const reason = after.get(entryId)?.explanation?.find((each) => each.policy_id === proposal)?.reason ?? '';
    return was === wouldBe ? [] : [{ entryId, at, agent, tool, was, wouldBe, reason }];
  });
}
