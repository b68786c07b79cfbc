import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { crc32, createInflateRaw } from 'node:zlib';
import { type Checkpoint, InvalidCheckpoint, type LogIdentity, parseCheckpoint } from './checkpoint.js';
import { EVIDENCE_FILES, EVIDENCE_VERSION, packageFault, sumLine } from './evidence-form.js';
import { HISTORIES, historyOf } from './evidence-history.js';
import {
  descriptor,
  DIRECTORY_END_BYTES,
  directoryOffset,
  localHeader,
  readDirectory,
  type ZipEntry,
} from './evidence-zip.js';
import { checkExport } from './export-check.js';
import { provesConsistency } from './merkle.js';
import { parseStrictObject } from './strict-json.js';
import { type DecisionCount } from './verdict.js';

/** What a check of a package of evidence found out. Only `intact` is good news. */
export type EvidenceVerdict =
  | ({ outcome: 'intact'; checkpoints: number; period: Period } & FoundLog)
  /** Something of the package is not what the log signed; `file` is null for what is no file's. */
  | { outcome: 'broken'; file: string | null; reason: string }
  | { outcome: 'cannot_check'; reason: string };

interface FoundLog {
  entries: number;
  checkpoint: Checkpoint;
  decisions?: DecisionCount;
}

/** ISO 8601. */
interface Period {
  from: string;
  to: string;
}

/** A package, wherever it is. `read` answers fewer bytes at its end alone. */
export interface EvidenceSource {
  length: number;
  read(from: number, length: number): Promise<Buffer>;
}

export interface EvidenceCheckOptions {
  log: LogIdentity;
  /** An older checkpoint of the log that was kept where its keeper cannot reach. */
  pinned?: Checkpoint | undefined;
  /** Told the bytes read so far, now and then. */
  onProgress?: (bytes: number) => void;
}

const PIECE_BYTES = 256 * 1024;
/** Of a file that is read as a whole. */
const MAX_TEXT_BYTES = 8 * 1024 * 1024;
const ZIP_BEGINS = 'PK\u0003\u0004';

/** Says where a package is broken. */
class Broken extends Error {
  constructor(
    readonly file: string | null,
    reason: string,
  ) {
    super(reason);
  }
}
/** The package may be all right, but that cannot be told. */
class Unknown extends Error {}

/**
 * Checks a package of evidence with the key of its log alone: that every byte of it is what the log signed, in the one form that
 * packages have; that its entries are a whole log, as `checkExport` does; that the log only grew from each earlier checkpoint on; and that
 * the histories have the entries of the log that they are of, all of them, to the letter.
 */
export async function checkEvidence(source: EvidenceSource, options: EvidenceCheckOptions): Promise<EvidenceVerdict> {
  try {
    return await new EvidenceCheck(source, options).run();
  } catch (error) {
    if (error instanceof Broken) return { outcome: 'broken', file: error.file, reason: error.message };
    if (error instanceof Unknown) return { outcome: 'cannot_check', reason: error.message };
    throw error;
  }
}

class EvidenceCheck {
  private readonly digest = createHash('sha256');
  private sums = '';
  /** Of the file that was read last, hex. */
  private contentSha256 = '';
  /** What stands in each history, as the entries have it. */
  private readonly histories = new Map(HISTORIES.map((name) => [name as string, createHash('sha256')]));
  private at = 0;

  constructor(
    private readonly source: EvidenceSource,
    private readonly options: EvidenceCheckOptions,
  ) {}

  async run(): Promise<EvidenceVerdict> {
    const entries = await this.directory();
    const found = await this.entries(entries);
    const checkpoints = this.checkpoints(await this.text(entries), found.checkpoint);
    for (let entry = this.next(entries); entry.name !== 'evidence.json'; entry = this.next(entries)) {
      await this.pass(entry);
      const history = this.histories.get(entry.name);
      if (history && history.digest('hex') !== this.contentSha256)
        throw new Broken(entry.name, 'it does not have the entries of the log that it is of');
    }
    const period = this.facts(await this.text(entries), found.checkpoint);
    await this.pass(this.next(entries));
    const sums = this.sums;
    if ((await this.text(entries)) !== sums)
      throw new Broken('SHA256SUMS', 'it does not have the digests of the files');
    await this.signature(this.next(entries));
    return { outcome: 'intact', ...found, checkpoints, period };
  }

  private async directory(): Promise<ZipEntry[]> {
    const { length } = this.source;
    if ((await this.source.read(0, 4)).toString('latin1') !== ZIP_BEGINS)
      throw new Unknown('the file is not a package of evidence');
    const end = await this.source.read(Math.max(0, length - DIRECTORY_END_BYTES), DIRECTORY_END_BYTES);
    const offset = directoryOffset(end, length);
    const entries = offset === null ? null : readDirectory(await this.source.read(offset, length - offset), offset);
    if (!entries) throw new Broken(null, 'the end of the package is not as it was written');
    if (entries.map(({ name }) => name).join() !== EVIDENCE_FILES.join())
      throw new Broken(null, 'the package does not have the files that it was written with');
    if (entries.some(({ method, name }) => (method === 'stored') !== (name === 'SIGNATURE')))
      throw new Broken(null, 'the files of the package are not as they were written');
    return entries;
  }

  private async entries(entries: readonly ZipEntry[]): Promise<FoundLog> {
    const entry = this.next(entries);
    const { log, pinned } = this.options;
    const content = this.content(entry);
    const onEntry = (said: Record<string, unknown>, line: string): void => {
      const history = historyOf({ source: said['source'], action: said['action'] });
      if (history) this.histories.get(history)?.update(`${line}\n`);
    };
    const verdict = await checkExport(textOf(content), { log, pinned, onEntry });
    switch (verdict.outcome) {
      case 'intact': {
        const { entries: count, checkpoint, decisions } = verdict;
        return { entries: count, checkpoint, ...(decisions ? { decisions } : {}) };
      }
      case 'broken':
        throw new Broken(entry.name, `at index ${verdict.index}: ${verdict.reason}`);
      case 'nothing_to_check':
        throw new Broken(entry.name, verdict.reason);
      case 'cannot_check':
        throw new Unknown(`${entry.name}: ${verdict.reason}`);
    }
  }

  /** How many older checkpoints there are; the log only grew from each of them on. */
  private checkpoints(text: string, last: Checkpoint): number {
    const { log } = this.options;
    const lines = text.split('\n').slice(0, -1);
    for (const line of lines) {
      try {
        const { checkpoint: note, consistency_path: path } = parseStrictObject(line);
        const older = parseCheckpoint(String(note), log);
        const hashes = (path as unknown[]).map((hash) => Buffer.from(String(hash), 'hex'));
        if (provesConsistency(older.size, last.size, older.root, last.root, hashes)) continue;
        throw new Broken('checkpoints.jsonl', `the log was signed otherwise at size ${older.size}`);
      } catch (error) {
        if (error instanceof Broken) throw error;
        if (error instanceof InvalidCheckpoint) throw new Broken('checkpoints.jsonl', error.message);
        throw new Broken('checkpoints.jsonl', 'a line is not as it was written');
      }
    }
    return lines.length;
  }

  private facts(text: string, { origin, size }: Checkpoint): Period {
    try {
      const facts = parseStrictObject(text.trimEnd());
      if (facts['format_version'] !== EVIDENCE_VERSION)
        throw new Unknown('the package is of a version this program does not know');
      const { from, to } = facts['period'] as Record<keyof Period, unknown>;
      if (facts['origin'] === origin && facts['tree_size'] === size) return { from: String(from), to: String(to) };
    } catch (error) {
      if (error instanceof Unknown) throw error;
    }
    throw new Broken('evidence.json', 'it does not describe the package');
  }

  private async signature(entry: ZipEntry): Promise<void> {
    const [length, sha256] = [this.at, this.digest.copy().digest()];
    let note = '';
    for await (const piece of this.content(entry)) note += piece.toString();
    const fault = packageFault(note, this.options.log, length, sha256);
    if (fault !== null) throw new Broken('SIGNATURE', fault);
  }

  private next(entries: readonly ZipEntry[]): ZipEntry {
    const entry = entries.find(({ offset }) => offset === this.at);
    if (!entry) throw new Error('files follow each other');
    return entry;
  }

  /** The next file, as a whole. */
  private async text(entries: readonly ZipEntry[]): Promise<string> {
    const entry = this.next(entries);
    if (entry.size > MAX_TEXT_BYTES) throw new Broken(entry.name, 'it is longer than packages have it');
    const pieces: Buffer[] = [];
    for await (const piece of this.content(entry)) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  }

  private async pass(entry: ZipEntry): Promise<void> {
    const content = this.content(entry);
    while (!(await content.next()).done);
  }

  /** A file's content, held against its header, length and checksum, and added to the digests. */
  private async *content(entry: ZipEntry): AsyncGenerator<Buffer> {
    const sha256 = createHash('sha256');
    let [size, crc] = [0, 0];
    if (!(await this.read(localHeader(entry).length)).equals(localHeader(entry)))
      throw new Broken(entry.name, 'its header is not as it was written');
    const end = this.at + entry.packed;
    for await (const piece of unpacked(entry, this.packed(entry.packed))) {
      size += piece.length;
      if (size > entry.size) throw new Broken(entry.name, 'it is longer than the package says');
      crc = crc32(piece, crc);
      sha256.update(piece);
      yield piece;
    }
    const isWhole = this.at === end && size === entry.size && crc === entry.crc;
    if (!isWhole || !(await this.read(descriptor(entry).length)).equals(descriptor(entry)))
      throw new Broken(entry.name, 'it is not what its checksum says');
    this.contentSha256 = sha256.digest('hex');
    this.sums += sumLine(entry.name, this.contentSha256);
  }

  private async *packed(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0;) {
      const piece = await this.read(Math.min(left, PIECE_BYTES));
      left -= piece.length;
      yield piece;
    }
  }

  /** The next bytes of the package. */
  private async read(length: number): Promise<Buffer> {
    const bytes = await this.source.read(this.at, length);
    if (bytes.length !== length) throw new Broken(null, 'the package was cut off');
    this.digest.update(bytes);
    this.at += length;
    this.options.onProgress?.(this.at);
    return bytes;
  }
}

/** @throws Broken for what is not deflated, or goes on behind its end */
async function* unpacked({ name, method }: ZipEntry, packed: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (method === 'stored') {
    yield* packed;
    return;
  }
  const inflate = createInflateRaw();
  const source = Readable.from(packed);
  source.once('error', (error) => inflate.destroy(error));
  try {
    for await (const piece of source.pipe(inflate)) yield piece as Buffer;
  } catch (error) {
    if (error instanceof Broken) throw error;
    throw new Broken(name, 'it cannot be unpacked');
  } finally {
    source.destroy();
  }
}

/** UTF-8, cut anywhere. */
async function* textOf(pieces: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  for await (const piece of pieces) yield decoder.write(piece);
  yield decoder.end();
}
