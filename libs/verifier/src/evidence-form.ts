import { InvalidCheckpoint, type LogIdentity, noteBodySignedBy } from './checkpoint.js';

/** Begins the note that signs a package of evidence; no checkpoint begins like that, because no origin has a space. */
const LABEL = 'haldir evidence v1';
/** Grows when a reader of the version before would misread a package. */
export const EVIDENCE_VERSION = 1;

/** The files of a package, in their order. Each list of digests is of all before it, and the signature over every byte before it. */
export const EVIDENCE_FILES = [
  'entries.jsonl',
  'checkpoints.jsonl',
  'policies.jsonl',
  'policy-history.jsonl',
  'approvals.jsonl',
  'people.jsonl',
  'keys.jsonl',
  'access-history.jsonl',
  'evidence.json',
  'INDEX.txt',
  'SHA256SUMS',
  'SIGNATURE',
] as const;
export type EvidenceFile = (typeof EVIDENCE_FILES)[number];

/** A line of `SHA256SUMS`, as `sha256sum -c` reads it. */
export function sumLine(name: string, sha256: string): string {
  return `${sha256}  ${name}\n`;
}

/**
 * The lines that are signed for a package: what they are, of which log, and the length and SHA-256 of all that stands before the
 * header of `SIGNATURE`.
 */
export function evidenceBody(origin: string, length: number, sha256: Buffer): string {
  return `${LABEL}\n${origin}\n${length}\n${sha256.toString('base64')}\n`;
}

/** What is wrong with the signature of a package, in words; null when the log itself signed exactly these bytes, and nobody else beside it. */
export function packageFault(note: string, log: LogIdentity, length: number, sha256: Buffer): string | null {
  const body = evidenceBody(log.origin, length, sha256);
  try {
    const signed = noteBodySignedBy(note, log, 'the package');
    if (signed !== body) return 'the package is not what the log signed';
    // One line of signature, which names the log and nothing else.
    const line = note.slice(body.length + 1);
    const isAlone = line.indexOf('\n') === line.length - 1 && line.startsWith(`— ${log.origin} `);
    return isAlone ? null : 'the package has a signature that is not the log’s';
  } catch (error) {
    if (!(error instanceof InvalidCheckpoint)) throw error;
    return error.message;
  }
}
