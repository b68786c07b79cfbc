import {
  type DecisionSignature,
  SIGNATURE_MEMBERS,
  signatureFault,
  type SignedTerms,
  type SigningKey,
} from './decision-signature.js';
import { type LoggedEntry } from './entry-check.js';
import { parseStrictObject } from './strict-json.js';

const DECISIONS: ReadonlyMap<string, 'approved' | 'denied'> = new Map([
  ['approval_approved', 'approved'],
  ['approval_denied', 'denied'],
]);

const GRANT_USED = 'approval_grant_used';

/** What ends all passkeys of somebody. */
const REMOVES_PASSKEYS = ['person_removed', 'person_claim_lost'];

interface Enrolled extends SigningKey {
  personId: string | null;
  credentialId: unknown;
  /** Whether it may have been removed since: what was removed was erased from the log. */
  isInDoubt: boolean;
}

interface Left {
  uses: number;
  micros: bigint;
}

/** An entry with what is wrong with it, or cannot be told of it. */
interface Found {
  index: number;
  reason: string;
}

/**
 * The signed decisions of a log, each held against the passkeys that the log has until then: of whoever decided, enrolled before, and
 * not removed. Entries are to be intact themselves.
 */
export class SignedDecisions {
  /** Whose signature is good. */
  checked = 0;
  /** Decisions of which the details were erased: whether they were signed cannot be told. */
  erased = 0;
  /** The first one whose signature is not good. */
  broken: Found | null = null;
  /** The first one whose signature cannot be checked any more. */
  unchecked: Found | null = null;
  private readonly passkeys = new Map<string, Enrolled>();
  /** Who enrolled passkeys that were erased from the log. */
  private readonly forgotten = new Set<string | null>();
  /** What is left of the grants that were signed, by their ids. */
  private readonly grants = new Map<string, Left>();
  /** Requests of which a signed decision was seen: each is decided once. */
  private readonly requestIds = new Set<string>();

  /** To be called for each entry in the log's order. */
  see(entry: LoggedEntry, index: number): void {
    if (entry.source !== 'haldir') return;
    if (entry.tool === 'haldir.people') this.passkeysOf(entry);
    if (entry.tool === 'haldir.approvals' && entry.action === GRANT_USED) this.used(entry, index);
    const decision = entry.tool === 'haldir.approvals' ? DECISIONS.get(entry.action) : undefined;
    if (decision === undefined) return;
    if (entry.details === null) {
      this.erased++;
      return;
    }
    const details = objectOf(entry.details);
    if (details === null) this.broken ??= { index, reason: 'the details of the decision are not a JSON object' };
    else if ('signature' in details) this.signed(entry, index, decision, details);
  }

  private signed(
    { tenantId, actorId }: LoggedEntry,
    index: number,
    decision: 'approved' | 'denied',
    { request_id: requestId, digest = null, signature, grant = null }: Record<string, unknown>,
  ): void {
    const isWhole =
      isSignature(signature) &&
      typeof requestId === 'string' &&
      (digest === null || typeof digest === 'string') &&
      (grant === null || isTerms(grant));
    if (!isWhole || actorId === null) {
      this.broken ??= { index, reason: 'the signature of the decision is not whole' };
      return;
    }
    if (this.requestIds.has(requestId)) {
      this.broken ??= { index, reason: 'the request was decided before, by a decision that was signed' };
      return;
    }
    this.requestIds.add(requestId);
    const passkey = this.passkeys.get(signature.passkey_id);
    if (!passkey && this.forgotten.has(actorId)) {
      this.unchecked ??= {
        index,
        reason:
          'the decision is signed, and the log does not have the key any more: details of who enrolled it were erased',
      };
      return;
    }
    const isTheirs = passkey?.personId === actorId && passkey.credentialId === signature.credential_id;
    const fault = isTheirs
      ? signatureFault({ tenantId, requestId, digest, decision, personId: actorId, terms: grant }, signature, passkey)
      : 'whoever decided had no such passkey then';
    if (fault === null && passkey?.isInDoubt)
      this.unchecked ??= {
        index,
        reason:
          'the decision is signed, by a passkey that may have been removed before: details of what was removed were erased',
      };
    else if (fault === null) {
      this.checked++;
      if (grant !== null && typeof grant.id === 'string') this.grants.set(grant.id, leftOf(grant));
    } else this.broken ??= { index, reason: `the signature of the decision is not good: ${fault}` };
  }

  /** A call that was let through by a grant; nothing is known of one that was not signed. */
  private used({ details }: LoggedEntry, index: number): void {
    const { grant_id: id, amount_micros: amount } = (details === null ? null : objectOf(details)) ?? {};
    const left = typeof id === 'string' ? this.grants.get(id) : undefined;
    if (!left) return;
    left.uses--;
    if (typeof amount === 'string' && /^[0-9]{1,19}$/.test(amount)) left.micros -= BigInt(amount);
    if (left.uses < 0 || left.micros < 0n)
      this.broken ??= { index, reason: 'more was let through by the grant than was signed' };
  }

  /** Which there are from that entry on. */
  private passkeysOf({ action, details, actorId }: LoggedEntry): void {
    const said = details === null ? null : objectOf(details);
    const id = said?.['passkey_id'];
    if (action === 'passkey_enrolled') {
      const { credential_id: credentialId, public_key: publicKey, rp_id: rpId } = said ?? {};
      if (typeof id !== 'string' || typeof publicKey !== 'string' || typeof rpId !== 'string') {
        this.forgotten.add(actorId);
        return;
      }
      const enrolled = {
        personId: actorId,
        credentialId,
        publicKey: Buffer.from(publicKey, 'base64url'),
        rpId,
        isInDoubt: false,
      };
      this.passkeys.set(id, enrolled);
    } else if (action === 'passkey_removed') {
      if (typeof id === 'string') this.passkeys.delete(id);
      else this.doubt((passkey) => passkey.personId === actorId);
    } else if (REMOVES_PASSKEYS.includes(action)) {
      const whose = said?.['person_id'];
      if (typeof whose !== 'string') this.doubt(() => true);
      for (const [key, { personId }] of this.passkeys) if (personId === whose) this.passkeys.delete(key);
    }
  }

  private doubt(isMeant: (passkey: Enrolled) => boolean): void {
    for (const passkey of this.passkeys.values()) passkey.isInDoubt ||= isMeant(passkey);
  }
}

function isSignature(value: unknown): value is DecisionSignature {
  if (typeof value !== 'object' || value === null) return false;
  return SIGNATURE_MEMBERS.every((member) => typeof (value as Record<string, unknown>)[member] === 'string');
}

/** Numbers are whole, and small enough to be what they read as. */
function isTerms(value: unknown): value is SignedTerms & { id?: unknown } {
  if (typeof value !== 'object' || value === null) return false;
  const { free_arguments: free, uses, total_micros: total, ttl_seconds: ttl } = value as Record<string, unknown>;
  return (
    Array.isArray(free) &&
    free.every((name) => typeof name === 'string') &&
    (total === null || (typeof total === 'string' && /^[0-9]{1,19}$/.test(total))) &&
    [uses, ttl].every(Number.isSafeInteger)
  );
}

function leftOf({ uses, total_micros: total }: SignedTerms): Left {
  return { uses, micros: BigInt(total ?? 0) };
}

function objectOf(text: string): Record<string, unknown> | null {
  try {
    return parseStrictObject(text);
  } catch {
    return null;
  }
}
