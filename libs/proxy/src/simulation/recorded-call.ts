import { type LoggedCall } from '@haldir/audit-log';
import { type LoggedDecision, readDetails } from '../calls/call-details.js';
import { type PolicySubject } from '../policies/policy.js';
import { namesOf } from '../policies/subject-names.js';

/** What may become of a call. */
export type Verdict = 'allowed' | 'blocked' | 'held';

/** A call of the log, with what it takes to decide it again. */
export interface RecordedCall {
  entryId: string;
  seq: number;
  agentId: string;
  tool: string;
  at: Date;
  /** What was decided then. */
  was: Verdict;
  /** Null for a call that something else than a policy refused, which would refuse it again: nothing is asked about it. */
  facts: CallFacts | null;
}

interface CallFacts {
  subject: PolicySubject;
  destructive: boolean;
  /** Of its rates, which is when it counts. */
  ratedAt: Date;
  /** Whether a human approved it. */
  isApproved: boolean;
}

const VERDICTS: Readonly<Record<LoggedDecision, Verdict>> = {
  allowed: 'allowed',
  blocked: 'blocked',
  approval_required: 'held',
  approval_denied: 'held',
};

/** Null for an entry that does not say enough: its details were erased, or it was written before they said this. */
export function toRecordedCall({ details, ...entry }: LoggedCall): RecordedCall | null {
  const said = details === null ? null : readDetails(details);
  if (!said) return null;
  const was = VERDICTS[said.decision];
  const { upstream, byPolicy, decidedBy } = said;
  // Nobody has the tool, or it was refused before a policy was asked: no policy changes that.
  if (was === 'blocked' && (!byPolicy || upstream === null)) return { ...entry, was, facts: null };
  if (upstream === null || !decidedBy || !entry.tool.startsWith(`${upstream}.`)) return null;
  const { amount, decidedAt: at, ratedAt, destructive, goesByOwnName, approvalId } = decidedBy;
  const names = namesOf(upstream, entry.tool.slice(upstream.length + 1), goesByOwnName);
  return {
    ...entry,
    was,
    facts: {
      subject: { upstream, ...names, agentId: entry.agentId, amount, at },
      destructive,
      ratedAt: ratedAt ?? at,
      isApproved: approvalId !== null,
    },
  };
}
