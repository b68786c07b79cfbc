import { fromMinorUnits, toUnixSeconds } from '@haldir/kernel';
import { type TreeHead } from '@haldir/audit-log';
import { FORMAT_VERSION, verifierKey } from '@haldir/verifier';
import { type AuditEntry } from './audit-trail.repository.js';

/** What an export holds, so that whoever has it can tell whether something is missing. */
export interface ExportManifest {
  tenantId: string;
  generatedAt: Date;
  count: number;
  /** Null for an export without entries. */
  first: AuditEntry | null;
  last: AuditEntry | null;
  /** SHA-256, hex, over the entry ids in their order, each followed by a newline. */
  sha256: string;
  /** The signed tree head that holds every entry of the export. */
  head: TreeHead;
  /** Signed notes of smaller trees, oldest first: where a rewritten history departs from what was signed can be told by them. */
  olderCheckpoints: string[];
}

/** The manifest as it stands in an export, but for its signature. @param filters as they were asked for */
export function describeManifest<Filters>(manifest: ExportManifest, filters: Filters) {
  const { head, first, last } = manifest;
  return {
    type: 'manifest' as const,
    format_version: FORMAT_VERSION,
    tenant_id: manifest.tenantId,
    generated_at: toUnixSeconds(manifest.generatedAt),
    filters,
    count: manifest.count,
    first_timestamp: first && fromMinorUnits(first.atMicros, 6),
    last_timestamp: last && fromMinorUnits(last.atMicros, 6),
    last_chain_hash: last?.entryHash.toString('hex') ?? null,
    sha256: manifest.sha256,
    tree_size: head.size,
    verifier_key: verifierKey(head),
    checkpoint: head.note,
    checkpoints: manifest.olderCheckpoints,
  };
}
