import { decimalOf, isNumber, parseJson } from '@haldir/kernel';
import { type LoggedCall } from '@haldir/audit-log';
import { namesOf } from '../policies/subject-names.js';
import { type PolicySubject } from '../policies/policy.js';

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

const VERDICTS: Readonly<Record<string, Verdict>> = {
  allowed: 'allowed',
  blocked: 'blocked',
  approval_required: 'held',
  approval_denied: 'held',
};

/** Null for an entry that does not say enough: its details were erased, or it was written before they said this. */
export function toRecordedCall({ details, ...entry }: LoggedCall): RecordedCall | null {
  const said = details === null ? null : parse(details);
  const was = VERDICTS[String(said?.['decision'])];
  if (!said || !was) return null;
  const { upstream, amount, decided_at: decidedAt, rated_at: ratedAt } = said;
  // Nobody has the tool, or it was refused before a policy was asked: no policy changes that.
  if (was === 'blocked' && (said['policy_id'] === undefined || upstream === undefined)) {
    return { ...entry, was, facts: null };
  }
  if (typeof upstream !== 'string' || typeof decidedAt !== 'number' || !entry.tool.startsWith(`${upstream}.`))
    return null;
  const at = toTime(decidedAt);
  return {
    ...entry,
    was,
    facts: {
      subject: {
        upstream,
        ...namesOf(upstream, entry.tool.slice(upstream.length + 1), said['own_name'] !== false),
        agentId: entry.agentId,
        amount: amount === 'unclear' ? amount : isNumber(amount) ? decimalOf(amount) : null,
        at,
      },
      destructive: said['destructive'] === true,
      ratedAt: typeof ratedAt === 'number' ? toTime(ratedAt) : at,
      isApproved: typeof said['approval'] === 'string',
    },
  };
}

/** Unix seconds with a fraction, which is not exact in binary. */
function toTime(seconds: number): Date {
  return new Date(Math.round(seconds * 1000));
}

function parse(details: string): Record<string, unknown> | null {
  try {
    const value = parseJson(details);
    return typeof value === 'object' ? (value as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}
