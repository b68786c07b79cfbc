import { type AuditRecord } from '@haldir/audit-log';
import { type Session } from '@haldir/gate';
import { type CallNotes } from './call-decision.js';
import { digestOfArguments } from './call-digest.js';
import { type CallDetails, type DigestDetails } from './call-details.js';
import { type EntryWords } from './call-kind.js';
import { type CallOutcome } from './call-outcome.js';
import { loggedOf } from './outcome-table.js';

/** Why the entry of a call is flagged in whose answer a secret was masked that it had not used: perhaps one was guessed. */
const MASKED = 'secret_masked: the upstream said a secret that this call did not use, and it was masked';

/** A call that is over. */
interface EndedCall<Target, Result> {
  session: Session | null;
  target: Target | null;
  outcome: CallOutcome<Result>;
  /** Null when it came before no policy. */
  notes: CallNotes | null;
  latencyMs: number;
}

/**
 * What the log says of a call: the decision, how long it took, and digests in place of arguments
 * and of what was answered to the tool, which may hold secrets.
 */
export function toEntry<Request extends object, Target, Result>(
  words: EntryWords<Request, Target, Result>,
  request: Request,
  { session, target, outcome, notes, latencyMs }: EndedCall<Target, Result>,
): AuditRecord {
  const { suffix, facts } = loggedOf(outcome, words);
  return {
    source: 'proxy',
    // An unknown session id may be a mistyped credential, so it is not kept.
    ...(session ? { sessionId: session.id, agentId: session.agentId } : {}),
    tool: words.nameOf(request, target),
    action: `${words.actionOf(request)}${suffix}`,
    ...(notes?.masked ? { flag: MASKED } : {}),
    details: {
      ...facts,
      ...(notes ? words.factsOf(notes, target) : {}),
      latency_ms: Math.round(latencyMs * 100) / 100,
      ...keptDigests(words, request),
      ...(notes?.answers.length ? { answers_sha256: digestOfArguments({ answers: notes.answers }) } : {}),
    } satisfies CallDetails,
  };
}

/** What the log says of a call that left, when nobody learns what became of it. */
export function toUnknownEntry<Request extends object, Target, Result>(
  words: EntryWords<Request, Target, Result>,
  request: Request,
  { session, target, notes }: { session: Session; target: Target; notes: CallNotes },
): AuditRecord {
  return {
    source: 'proxy',
    sessionId: session.id,
    agentId: session.agentId,
    tool: words.nameOf(request, target),
    action: words.actionOf(request),
    details: {
      ...({ decision: 'allowed', outcome: 'unknown' } as const),
      ...words.factsOf(notes, target),
      ...keptDigests(words, request),
    } satisfies CallDetails,
  };
}

/** Written twice, computed once. */
const digests = new WeakMap<object, Partial<DigestDetails>>();

function keptDigests<Request extends object>(
  words: Pick<EntryWords<Request, never, never>, 'digestsOf'>,
  request: Request,
): Partial<DigestDetails> {
  const known = digests.get(request);
  if (known) return known;
  const found = words.digestsOf(request);
  digests.set(request, found);
  return found;
}
