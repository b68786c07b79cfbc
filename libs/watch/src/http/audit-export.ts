import { fromMinorUnits } from '@haldir/kernel';
import { type TreeHead } from '@haldir/audit-log';
import { actorOf, formatOf, type ManifestMember, writeEntry } from '@haldir/verifier';
import { z } from 'zod';
import { type AuditEntry, type AuditFilter } from '../audit-trail.repository.js';
import { type AuditTrailService } from '../audit-trail.service.js';
import { describeManifest, type ExportManifest } from '../export-manifest.js';
import { describeFilter } from './audit-filter.dto.js';

export const ManifestAnswer = z
  .object({
    type: z.literal('manifest'),
    format_version: z.int(),
    tenant_id: z.string(),
    generated_at: z.number().describe('Unix timestamp'),
    filters: z.record(z.string(), z.union([z.string(), z.boolean(), z.number()])),
    count: z.int(),
    first_timestamp: z.number().nullable(),
    last_timestamp: z.number().nullable(),
    last_chain_hash: z.string().nullable().describe('entry_hash of the last entry, hex'),
    sha256: z.string().describe('Over the entry ids in their order, each followed by a newline, hex'),
    tree_size: z.int().describe('Entries in the log when it was exported'),
    verifier_key: z.string().describe('C2SP verifier key of the log'),
    checkpoint: z.string().describe('C2SP checkpoint over the log as it was exported'),
    checkpoints: z.array(z.string()).describe('Older checkpoints, oldest first, evenly spread when there are many'),
    signature: z.string().describe('C2SP signed note of the log over the digest of all other members'),
  } satisfies Record<ManifestMember, z.ZodType>)
  .meta({ id: 'AuditExportManifest' });
export type ManifestAnswer = z.infer<typeof ManifestAnswer>;

export function toManifest(
  trail: AuditTrailService,
  manifest: ExportManifest,
  filter: AuditFilter,
): Promise<ManifestAnswer> {
  return trail.sign(manifest.tenantId, describeManifest(manifest, describeFilter(filter)));
}

/**
 * JSON Lines, oldest entry first, the manifest last: lines as the verifier defines them.
 */
export async function* jsonLines(
  trail: AuditTrailService,
  head: TreeHead,
  filter: AuditFilter,
): AsyncGenerator<string> {
  const batches = trail.export(head, filter);
  for (;;) {
    const { done, value } = await batches.next();
    if (done) {
      yield `${JSON.stringify(await toManifest(trail, value, filter))}\n`;
      return;
    }
    yield value.map((entry) => `${JSON.stringify(writeEntry(entry, entry.seq))}\n`).join('');
  }
}

const CSV_COLUMNS = [
  'entry_id',
  'timestamp',
  'timestamp_iso',
  'tenant_id',
  'session_id',
  'agent_id',
  'tool',
  'action',
  'cost_usd',
  'flagged',
  'flag_reason',
  'details_json',
  'prev_hash',
  'entry_hash',
  'source',
  'format',
  'actor',
  'actor_id',
  'context_json',
] as const;

/**
 * CSV (RFC 4180), oldest entry first. New columns come last. A field that a spreadsheet would take for a formula begins with an
 * apostrophe, which shows it as text; JSON Lines has every text as it is.
 */
export async function* csvLines(trail: AuditTrailService, head: TreeHead, filter: AuditFilter): AsyncGenerator<string> {
  yield `${CSV_COLUMNS.join(',')}\r\n`;
  for await (const entries of trail.export(head, filter)) {
    yield entries.map((entry) => `${toCsvRow(entry).map(quote).join(',')}\r\n`).join('');
  }
}

function toCsvRow(entry: AuditEntry): string[] {
  return [
    entry.entryId,
    decimalText(entry.atMicros),
    isoMicros(entry.atMicros),
    entry.tenantId,
    entry.sessionId,
    entry.agentId,
    entry.tool,
    entry.action,
    decimalText(entry.costMicros),
    String(entry.flagReason !== null),
    entry.flagReason ?? '',
    entry.details === null ? '' : jsonOf(entry.details),
    entry.prevHash.toString('hex'),
    entry.entryHash.toString('hex'),
    entry.source,
    String(formatOf(entry)),
    actorOf(entry) ?? '',
    entry.actorId ?? '',
    entry.context ?? '',
  ];
}

/** Details that are JSON already stay as they are; any other text becomes a JSON string. */
function jsonOf(details: string): string {
  try {
    const value: unknown = JSON.parse(details);
    if (typeof value === 'object' && value !== null) return details;
  } catch {
    // Not JSON.
  }
  return JSON.stringify(details);
}

function decimalText(micros: bigint): string {
  return String(fromMinorUnits(micros, 6));
}

/** RFC 3339 with as many decimals as it takes. */
function isoMicros(micros: bigint): string {
  const below = micros % 1000n;
  const iso = new Date(Number(micros / 1000n)).toISOString();
  return below === 0n ? iso : `${iso.slice(0, -1)}${below.toString().padStart(3, '0')}Z`;
}

/** What spreadsheets take for a formula, or for the beginning of one behind white space they drop (OWASP, CSV injection). */
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

function quote(text: string): string {
  const field = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
