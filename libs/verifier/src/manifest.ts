import { hash } from 'node:crypto';
import { InvalidCheckpoint, type LogIdentity, noteBodySignedBy } from './checkpoint.js';

/** Begins the note that signs a manifest; no checkpoint begins like that, because no origin has a space. */
const LABEL = 'haldir export manifest v1';

/** Of manifest and lines, together: grows when a reader of the version before would misread them. */
export const FORMAT_VERSION = 2;
/** In version 1 entries are of format 1 and the manifest is not signed. */
export const UNSIGNED_VERSION = 1;
const UNSIGNED_MEMBERS = [
  ...(['type', 'format_version', 'tenant_id', 'generated_at', 'filters', 'count', 'first_timestamp'] as const),
  ...(['last_timestamp', 'last_chain_hash', 'sha256', 'tree_size', 'verifier_key', 'checkpoint'] as const),
  'checkpoints',
] as const;

/** What a manifest holds, in its order. */
const MANIFEST_MEMBERS = [...UNSIGNED_MEMBERS, 'signature'] as const;
export type ManifestMember = (typeof MANIFEST_MEMBERS)[number];

/** The first member that no manifest of the version has; null when all are known. */
export function foreignMember(manifest: Readonly<Record<string, unknown>>, isSigned: boolean): string | null {
  const known: readonly string[] = isSigned ? MANIFEST_MEMBERS : UNSIGNED_MEMBERS;
  return Object.keys(manifest).find((name) => !known.includes(name)) ?? null;
}

/** The lines that are signed for a manifest: what they are, of which log, and the digest of all its members but `signature`. */
export function manifestBody(origin: string, manifest: Readonly<Record<string, unknown>>): string {
  const { signature: _, ...signed } = manifest;
  return `${LABEL}\n${origin}\n${hash('sha256', canonical(signed), 'base64')}\n`;
}

/** What is wrong with the signature of a manifest, in words; null when the log itself signed exactly these members. */
export function manifestFault(manifest: Readonly<Record<string, unknown>>, log: LogIdentity): string | null {
  try {
    const body = noteBodySignedBy(String(manifest['signature']), log, 'the signature of the manifest');
    return body === manifestBody(log.origin, manifest) ? null : 'the manifest is not what the log signed';
  } catch (error) {
    if (!(error instanceof InvalidCheckpoint)) throw error;
    return error.message;
  }
}

/** RFC 8785: sorted members, no white space, numbers and texts as ECMAScript writes them. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}
