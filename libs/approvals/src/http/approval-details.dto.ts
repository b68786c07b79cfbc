import { queryInt } from '@haldir/http';
import { z } from 'zod';
import { type DetailsPart } from '../approval-request.repository.js';

/** Of details, what one answer may hold. */
const MAX_PART_CHARS = 65_536;

export const ReadApprovalDetails = z.object({
  offset: queryInt(0, 2_147_483_647).default(0).describe('How many characters to leave out before'),
  limit: queryInt(1, MAX_PART_CHARS).default(MAX_PART_CHARS).describe('How many characters to answer at most'),
});
export type ReadApprovalDetails = z.infer<typeof ReadApprovalDetails>;

export const ApprovalDetailsPart = z
  .object({
    request_id: z.string(),
    text: z.string().describe('The part of the details; all of them, in their order, are what the approval is about'),
    offset: z.int().describe('Where the part begins, in characters (Unicode code points)'),
    total: z.int().describe('How many characters the details have'),
    next_offset: z.int().nullable().describe('Where the next part begins; null after the last'),
    sha256: z.string().describe('SHA-256 (hex) of all of the details, in UTF-8'),
    digest: z
      .string()
      .nullable()
      .describe(
        'SHA-256 (hex) of the exact call the approval lets through; null when an agent asked of its own accord',
      ),
  })
  .meta({ id: 'ApprovalDetailsPart' });
export type ApprovalDetailsPart = z.infer<typeof ApprovalDetailsPart>;

export function toApprovalDetailsPart(requestId: string, part: DetailsPart): ApprovalDetailsPart {
  const { text, offset, total, sha256, digest } = part;
  const end = offset + [...text].length;
  return {
    request_id: requestId,
    text,
    offset,
    total,
    next_offset: end < total ? end : null,
    sha256,
    digest: digest?.toString('hex') ?? null,
  };
}
