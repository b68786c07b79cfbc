import { createHash } from 'node:crypto';
import { type Checkpoint, InvalidCheckpoint, type LogIdentity, parseCheckpoint } from './checkpoint.js';
import { faultOf, type LoggedEntry } from './entry-check.js';
import { GENESIS_HASH } from './entry-hash.js';
import { Erasures } from './erasures.js';
import { Frontier } from './merkle.js';
import { broken, cannot, nothing, type Verdict } from './verdict.js';

export interface ExportCheckOptions {
  log: LogIdentity;
  /** An older checkpoint of the log that was kept where its keeper cannot reach: the log must still begin like that. */
  pinned?: Checkpoint | undefined;
  /** Told the number of entries checked so far, now and then. */
  onProgress?: (entries: number) => void;
}

const PROGRESS_EVERY = 4096;
const FORMAT_VERSION = 1;
/** An entry is at most a request's body, escaped. */
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;

/**
 * Checks a JSON Lines export of a whole log against the signed checkpoint in its manifest, line by line: every member of
 * every entry, their order and links, the Merkle root, and that they continue what was pinned.
 *
 * @param chunks of the export's text, cut anywhere; its last line is the manifest
 */
export async function checkExport(chunks: AsyncIterable<string>, options: ExportCheckOptions): Promise<Verdict> {
  const check = new ExportCheck(options);
  let rest = '';
  for await (const chunk of chunks) {
    const text = rest + chunk;
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      const verdict = check.take(text.slice(start, end));
      if (verdict) return verdict;
      start = end + 1;
    }
    rest = text.slice(start);
    if (rest.length > MAX_LINE_CHARACTERS) return cannot('the file is not a JSON Lines export: a line is too long');
  }
  return check.take(rest) ?? check.end();
}

class ExportCheck {
  private readonly frontier = new Frontier();
  private readonly ids = createHash('sha256');
  private readonly erasures = new Erasures();
  private readonly hashes = new HashList();
  private pinnedRoot: Buffer | null = null;
  private previous: Buffer = GENESIS_HASH;
  private next = 0;
  private fault: { index: number; reason: string } | null = null;
  private manifest: Record<string, unknown> | null = null;

  constructor(private readonly options: ExportCheckOptions) {}

  /** A verdict as soon as there is one. */
  take(line: string): Verdict | null {
    if (line === '') return null;
    if (this.manifest) return broken(this.next, 'there are lines after the manifest');
    let record: Record<string, unknown>;
    try {
      record = JSON.parse(line) as Record<string, unknown>;
    } catch {
      return this.next === 0 && !line.startsWith('{')
        ? cannot('the file is not a JSON Lines export')
        : broken(this.next, 'the line is not valid JSON');
    }
    if (typeof record !== 'object' || record === null) return cannot('the file is not a JSON Lines export');
    if (record['type'] === 'manifest') {
      this.manifest = record;
      return null;
    }
    this.entry(record);
    return null;
  }

  end(): Verdict {
    const { manifest } = this;
    if (!manifest) {
      return this.next === 0
        ? nothing('the file is empty')
        : broken(this.next, 'the export was cut off: it has no manifest');
    }
    if (manifest['format_version'] !== FORMAT_VERSION)
      return cannot('the export is of a version this program does not know');
    const filters = manifest['filters'];
    if (typeof filters !== 'object' || filters === null || Object.keys(filters).length > 0) {
      return cannot('the export was filtered, so what is missing from it cannot be told; export without filters');
    }
    let checkpoint: Checkpoint;
    try {
      checkpoint = parseCheckpoint(String(manifest['checkpoint']), this.options.log);
    } catch (error) {
      if (!(error instanceof InvalidCheckpoint)) throw error;
      return /another log/.test(error.message) ? cannot(error.message) : broken(0, error.message);
    }
    return this.judge(manifest, checkpoint);
  }

  private judge(manifest: Record<string, unknown>, checkpoint: Checkpoint): Verdict {
    const { pinned } = this.options;
    if (this.fault) return { outcome: 'broken', ...this.fault };
    if (this.next < checkpoint.size) return broken(this.next, 'the entry is missing: the log was signed with more');
    if (this.next > checkpoint.size) return broken(checkpoint.size, 'the entry was never signed');
    const { count, sha256, last_chain_hash: lastHash } = manifest;
    const lastEntry = this.next === 0 ? null : this.previous.toString('hex');
    if (count !== this.next || sha256 !== this.ids.digest('hex') || lastHash !== lastEntry) {
      return broken(this.next, 'the manifest does not describe the entries before it');
    }
    if (pinned && pinned.size > this.next)
      return broken(this.next, 'the entry is missing: the log was longer when it was pinned');
    if (pinned && pinned.size > 0 && !this.pinnedRoot?.equals(pinned.root)) {
      return broken(this.signedUpTo(manifest), 'the log does not begin as it did when it was pinned');
    }
    if (!this.frontier.root().equals(checkpoint.root)) {
      return broken(this.signedUpTo(manifest), 'the entries are not those that were signed');
    }
    const erased = this.erasures.first();
    if (erased !== null) return broken(erased, 'the details of the entry were removed without a record of it');
    return checkpoint.size === 0 ? nothing('the log is empty') : { outcome: 'intact', entries: this.next, checkpoint };
  }

  /** How many entries are those of an older checkpoint: where a history that is sound in itself departs, at the earliest. */
  private signedUpTo(manifest: Record<string, unknown>): number {
    const notes = Array.isArray(manifest['checkpoints']) ? manifest['checkpoints'] : [];
    const { log, pinned } = this.options;
    const known = notes.flatMap((note): Checkpoint[] => {
      try {
        return [parseCheckpoint(String(note), log)];
      } catch {
        return [];
      }
    });
    if (pinned) known.push(pinned);
    known.sort((a, b) => a.size - b.size);
    const frontier = new Frontier();
    let good = 0;
    let size = 0;
    for (const checkpoint of known) {
      if (checkpoint.size > this.next) break;
      for (; size < checkpoint.size; size++) frontier.append(this.hashes.at(size));
      if (size > 0 && !checkpoint.root.equals(frontier.root())) break;
      good = size;
    }
    return good;
  }

  /** Reads and checks one entry. What is wrong with the first wrong one is kept; the rest is only counted. */
  private entry(record: Record<string, unknown>): void {
    const index = this.next++;
    if (this.fault) return;
    const entry = readEntry(record);
    const reason =
      entry === null
        ? 'the line is not an entry'
        : record['leaf_index'] !== index
          ? 'the entry is missing, or entries were moved'
          : faultOf(entry, this.previous);
    if (entry === null || reason !== null) {
      this.fault = { index, reason: reason ?? 'the line is not an entry' };
      return;
    }
    this.ids.update(`${entry.entryId}\n`);
    this.previous = entry.entryHash;
    this.frontier.append(entry.entryHash);
    this.hashes.push(entry.entryHash);
    this.erasures.see(entry, index);
    if (this.options.pinned?.size === this.next) this.pinnedRoot = this.frontier.root();
    if (this.next % PROGRESS_EVERY === 0) {
      this.options.onProgress?.(this.next);
    }
  }
}

/** Hashes in one block of memory, however many there are. */
class HashList {
  private bytes = Buffer.alloc(32 * 4096);
  private count = 0;

  push(hash: Buffer): void {
    if (this.count * 32 === this.bytes.length)
      this.bytes = Buffer.concat([this.bytes, Buffer.alloc(this.bytes.length)]);
    hash.copy(this.bytes, this.count++ * 32);
  }

  at(index: number): Buffer {
    return this.bytes.subarray(index * 32, (index + 1) * 32);
  }
}

const SHA256_HEX = /^[0-9a-f]{64}$/;

/** Null for a line that is no entry, or one whose members contradict each other. */
function readEntry(record: Record<string, unknown>): LoggedEntry | null {
  const texts = ['tenant_id', 'entry_id', 'source', 'session_id', 'agent_id', 'tool', 'action', 'cost_micros'] as const;
  for (const name of texts) if (typeof record[name] !== 'string') return null;
  const { details, details_salt: salt, details_hash: hash, flag_reason: flag, timestamp, cost_micros: cost } = record;
  for (const text of [details, salt, hash, flag]) if (text !== null && typeof text !== 'string') return null;
  if (typeof timestamp !== 'number' || !(timestamp >= 0 && timestamp < 1e11)) return null;
  if (!SHA256_HEX.test(String(record['prev_hash'])) || !SHA256_HEX.test(String(record['entry_hash']))) return null;
  if (!/^(0|[1-9]\d{0,18})$/.test(cost as string) || record['cost_usd'] !== Number(`${String(cost)}e-6`)) return null;
  if (record['flagged'] !== (flag !== null)) return null;
  return {
    tenantId: record['tenant_id'] as string,
    entryId: record['entry_id'] as string,
    source: record['source'] as string,
    sessionId: record['session_id'] as string,
    agentId: record['agent_id'] as string,
    tool: record['tool'] as string,
    action: record['action'] as string,
    costMicros: cost as string,
    details: details as string | null,
    detailsSalt: salt as string | null,
    detailsHash: hash as string | null,
    // A timestamp has microseconds; the number is as near to them as numbers get.
    atMicros: BigInt(Math.round(timestamp * 1e6)),
    flagReason: flag as string | null,
    prevHash: Buffer.from(record['prev_hash'] as string, 'hex'),
    entryHash: Buffer.from(record['entry_hash'] as string, 'hex'),
  };
}
