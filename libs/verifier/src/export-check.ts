import { createHash } from 'node:crypto';
import { type Checkpoint, InvalidCheckpoint, type LogIdentity, parseCheckpoint, verifierKey } from './checkpoint.js';
import { faultOf } from './entry-check.js';
import { formatOf, GENESIS_HASH } from './entry-hash.js';
import { Erasures } from './erasures.js';
import { readEntry } from './export-line.js';
import { foreignMember, FORMAT_VERSION, manifestFault, UNSIGNED_VERSION } from './manifest.js';
import { Frontier } from './merkle.js';
import { SignedDecisions } from './signed-decisions.js';
import { parseStrictObject } from './strict-json.js';
import { broken, cannot, nothing, type Verdict } from './verdict.js';

export interface ExportCheckOptions {
  log: LogIdentity;
  /** An older checkpoint of the log that was kept where its keeper cannot reach: the log must still begin like that. */
  pinned?: Checkpoint | undefined;
  /** Told the number of entries checked so far, now and then. */
  onProgress?: (entries: number) => void;
  /** Told each entry, before it is checked, with the line that it stands in. */
  onEntry?: (entry: Record<string, unknown>, line: string) => void;
}

const PROGRESS_EVERY = 4096;
/** Said of an export that was made before manifests were signed. */
export const UNSIGNED_MANIFEST =
  'the manifest is not signed (exports of version 1): only what the entries and the checkpoint bear out of it was checked';
/** An entry is at most a request's body, escaped. */
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;

/**
 * Checks a JSON Lines export of a whole log against the signed checkpoint in its manifest, line by line: every member of
 * every entry, their order and links, the Merkle root, the manifest, that they continue what was pinned, and what people signed of
 * decisions.
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
  private readonly decisions = new SignedDecisions();
  private readonly hashes = new HashList();
  private pinnedRoot: Buffer | null = null;
  private previous: Buffer = GENESIS_HASH;
  private next = 0;
  private fault: { index: number; reason: string } | null = null;
  private manifest: Record<string, unknown> | null = null;
  private tenantId: unknown = null;
  private readonly times: { first: unknown; last: unknown } = { first: null, last: null };
  private newestFormat = 1;

  constructor(private readonly options: ExportCheckOptions) {}

  /** A verdict as soon as there is one. */
  take(line: string): Verdict | null {
    if (line === '') return null;
    if (this.manifest) return broken(this.next, 'there are lines after the manifest');
    let record: Record<string, unknown>;
    try {
      record = parseStrictObject(line);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return this.next === 0 && !line.startsWith('{')
        ? cannot('the file is not a JSON Lines export')
        : broken(this.next, `the line is not valid JSON: ${error.message}`);
    }
    if (record['type'] === 'manifest') {
      this.manifest = record;
      return null;
    }
    this.options.onEntry?.(record, line);
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
    const version = manifest['format_version'];
    if (version !== FORMAT_VERSION && version !== UNSIGNED_VERSION)
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
    return this.verdictOf(manifest, checkpoint, version === FORMAT_VERSION);
  }

  private verdictOf(manifest: Record<string, unknown>, checkpoint: Checkpoint, isSigned: boolean): Verdict {
    const { pinned } = this.options;
    if (this.fault) return { outcome: 'broken', ...this.fault };
    if (this.next < checkpoint.size) return broken(this.next, 'the entry is missing: the log was signed with more');
    if (this.next > checkpoint.size) return broken(checkpoint.size, 'the entry was never signed');
    const wrong = this.manifestFault(manifest, checkpoint, isSigned);
    if (wrong !== null) return broken(this.next, wrong);
    if (pinned && pinned.size > this.next)
      return broken(this.next, 'the entry is missing: the log was longer when it was pinned');
    if (pinned && pinned.size > 0 && !this.pinnedRoot?.equals(pinned.root)) {
      return broken(this.signedUpTo(manifest), 'the log does not begin as it did when it was pinned');
    }
    if (!this.frontier.root().equals(checkpoint.root)) {
      return broken(this.signedUpTo(manifest), 'the entries are not those that were signed');
    }
    const erased = this.erasures.first();
    if (erased !== null) return broken(erased, 'details or context of the entry were removed without a record of it');
    if (checkpoint.size === 0) return nothing('the log is empty');
    const { broken: forged, unchecked, checked: signed, erased: unknown } = this.decisions;
    if (forged) return { outcome: 'broken', ...forged };
    if (unchecked) return cannot(`the entries are intact, but at index ${unchecked.index} ${unchecked.reason}`);
    const notice = isSigned ? {} : { notice: UNSIGNED_MANIFEST };
    return { outcome: 'intact', entries: this.next, checkpoint, ...notice, decisions: { signed, erased: unknown } };
  }

  /** What is wrong with the manifest, once its checkpoint is known to be the log's; null when nothing is. */
  private manifestFault(manifest: Record<string, unknown>, checkpoint: Checkpoint, isSigned: boolean): string | null {
    const { log } = this.options;
    const foreign = foreignMember(manifest, isSigned);
    if (foreign !== null) return `the manifest has a member that nothing covers: ${JSON.stringify(foreign)}`;
    if (!isSigned && this.newestFormat > 1) return 'the manifest is of an older version than its entries';
    const { tenant_id: tenantId, first_timestamp: first, last_timestamp: last, last_chain_hash: lastHash } = manifest;
    const lastEntry = this.next === 0 ? null : this.previous.toString('hex');
    const describes =
      manifest['count'] === this.next &&
      manifest['sha256'] === this.ids.digest('hex') &&
      lastHash === lastEntry &&
      (this.next === 0 || tenantId === this.tenantId) &&
      (first ?? null) === this.times.first &&
      (last ?? null) === this.times.last &&
      (manifest['tree_size'] ?? checkpoint.size) === checkpoint.size &&
      (manifest['verifier_key'] ?? verifierKey(log)) === verifierKey(log);
    if (!describes) return 'the manifest does not describe the entries before it';
    return isSigned ? manifestFault(manifest, log) : null;
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
    if (typeof entry === 'string') {
      this.fault = { index, reason: entry };
      return;
    }
    this.tenantId ??= entry.tenantId;
    const reason =
      record['leaf_index'] !== index
        ? 'the entry is missing, or entries were moved'
        : entry.tenantId !== this.tenantId
          ? 'the entry is of another tenant'
          : faultOf(entry, this.previous);
    if (reason !== null) {
      this.fault = { index, reason };
      return;
    }
    this.times.first ??= record['timestamp'];
    this.times.last = record['timestamp'];
    this.newestFormat = Math.max(this.newestFormat, formatOf(entry));
    this.ids.update(`${entry.entryId}\n`);
    this.previous = entry.entryHash;
    this.frontier.append(entry.entryHash);
    this.hashes.push(entry.entryHash);
    this.erasures.see(entry, index);
    this.decisions.see(entry, index);
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
