// Checks a proof of the log in the browser, by the code by which strangers check it.
import './buffer.ts';
import { InvalidCheckpoint, parseVerifierKey } from '../../../../libs/verifier/src/checkpoint.js';
import { checkProof } from '../../../../libs/verifier/src/proof-check.js';
import { type Entry } from '../audit/entries.ts';

export type ProofVerdict =
  | { outcome: 'intact'; entries: number }
  | { outcome: 'broken'; reason: string }
  | { outcome: 'cannot_check'; reason: string };

/** What the proof has of an entry that the log does not show, or shows as something that follows from it. */
const NOT_SHOWN = ['tenant_id', 'cost_micros', 'details_salt', 'details_hash', 'context_salt', 'context_hash'];
/** What a proof leaves out, since it can be erased: details, and the context, which has the name of who acted. Its hashes are covered. */
const NOT_PROVEN = ['details', 'context', 'actor'];

/**
 * Whether an entry, as it is shown, is in a log: all of it but the details and the name of who acted, which an export has what proves.
 *
 * @param entry as the log shows it
 * @param proof what `inclusion-proof` answered for it, parsed
 * @param verifierKey of the log, as it was pinned
 */
export function checkEntry(entry: Entry, proof: unknown, verifierKey: string): ProofVerdict {
  let log;
  try {
    log = parseVerifierKey(verifierKey);
  } catch (error) {
    if (!(error instanceof InvalidCheckpoint)) throw error;
    return { outcome: 'cannot_check', reason: error.message };
  }
  const verdict = checkProof(proof, { log });
  if (verdict.outcome === 'broken') return { outcome: 'broken', reason: verdict.reason };
  if (verdict.outcome !== 'intact') return { outcome: 'cannot_check', reason: verdict.reason };
  const proven = (proof as { entry?: Record<string, unknown> }).entry;
  if (proven === undefined) return { outcome: 'cannot_check', reason: 'the proof does not hold the entry' };
  const shown = entry as Record<string, unknown>;
  // What is shown beside the members of an entry is in no log either.
  const names = [...Object.keys(proven).filter((name) => !NOT_SHOWN.includes(name)), ...Object.keys(shown)];
  const other = names.find((name) => !NOT_PROVEN.includes(name) && proven[name] !== shown[name]);
  if (other !== undefined) return { outcome: 'broken', reason: `${other} is shown otherwise than it is in the log` };
  return { outcome: 'intact', entries: verdict.checkpoint.size };
}
