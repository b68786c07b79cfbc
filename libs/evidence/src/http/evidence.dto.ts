import { InvalidInput, toUnixSeconds } from '@haldir/kernel';
import { bodyTime, nextCursor, pageQuery } from '@haldir/http';
import { z } from 'zod';
import { type Evidence, EVIDENCE_STATES } from '../evidence.entity.js';
import { type ByteRange } from '../evidence.service.js';

export const CreateEvidence = z.object({
  from: bodyTime.describe('The first moment of the period: Unix seconds or ISO 8601'),
  to: bodyTime.optional().describe('The last moment of the period, which has passed; absent for now'),
});
export type CreateEvidence = z.infer<typeof CreateEvidence>;

/** @throws InvalidInput for a period that is not over, or has no length */
export function toPeriod({ from, to = new Date(NaN) }: CreateEvidence, now: Date): { from: Date; to: Date } {
  const end = Number.isNaN(to.getTime()) ? now : to;
  if (end > now) throw new InvalidInput('to: expected a time that has passed');
  if (from >= end) throw new InvalidInput('from: expected a time before to');
  return { from, to: end };
}

export const ListEvidence = z.object({ ...pageQuery });
export type ListEvidence = z.infer<typeof ListEvidence>;

const seconds = z.number().describe('Unix timestamp');

export const EvidenceDetail = z
  .object({
    evidence_id: z.string(),
    state: z.enum(EVIDENCE_STATES).describe('queued, running, done or failed'),
    from: seconds,
    to: seconds,
    progress: z
      .object({
        done: z.int().describe('Entries of the log that are in it'),
        total: z.int().nullable().describe('Of how many; null until it is begun'),
      })
      .describe('What else is in it is made of few rows'),
    size: z.int().nullable().describe('Bytes; null until it is done'),
    sha256: z.string().nullable().describe('Of the package, hex; null until it is done'),
    reason: z.string().nullable().describe('Why it failed; null unless it did'),
    requested_by: z.string().describe('Who asked for it, as the log shows who acted'),
    created_at: seconds,
    finished_at: seconds.nullable(),
    expires_at: seconds.nullable().describe('When it is removed; null while it is made'),
    download_path: z.string().nullable().describe('Where it is downloaded; null until it is done'),
  })
  .meta({ id: 'EvidencePackage' });
export type EvidenceDetail = z.infer<typeof EvidenceDetail>;

export const EvidenceList = z.object({ count: z.int(), evidence: z.array(EvidenceDetail), next_cursor: nextCursor });
export type EvidenceList = z.infer<typeof EvidenceList>;

export const EvidenceDeleted = z.object({ deleted: z.literal(true), evidence_id: z.string() });
export type EvidenceDeleted = z.infer<typeof EvidenceDeleted>;

export function toEvidenceDetail(evidence: Evidence): EvidenceDetail {
  const { id, state, finishedAt, expiresAt } = evidence;
  return {
    evidence_id: id,
    state,
    from: toUnixSeconds(evidence.from),
    to: toUnixSeconds(evidence.to),
    progress: { done: evidence.done, total: evidence.total },
    size: evidence.size,
    sha256: evidence.sha256?.toString('hex') ?? null,
    reason: evidence.reason,
    requested_by: evidence.madeByLabel,
    created_at: toUnixSeconds(evidence.createdAt),
    finished_at: finishedAt && toUnixSeconds(finishedAt),
    expires_at: expiresAt && toUnixSeconds(expiresAt),
    download_path: state === 'done' ? `/v1/evidence/${id}/download` : null,
  };
}

/**
 * The part that `Range` asks for (RFC 9110, 14.2), of one range of bytes; null for the whole, which is also the answer to any range
 * that is not there.
 */
export function rangeIn(header: string | undefined, size: number): ByteRange | null {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return null;
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  return first <= last ? { first, last } : null;
}
