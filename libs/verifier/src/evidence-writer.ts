import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createDeflateRaw } from 'node:zlib';
import { EVIDENCE_FILES, type EvidenceFile, sumLine } from './evidence-form.js';
import { descriptor, directory, localHeader, type ZipEntry } from './evidence-zip.js';

type Content = AsyncIterable<string> | Iterable<string>;

/**
 * Writes a package of evidence from its first byte to its last, in the memory of a few pieces, however long a file is.
 *
 * @param put takes the next bytes; the next ones come when it has
 */
export class EvidenceWriter {
  private readonly entries: ZipEntry[] = [];
  private readonly digest = createHash('sha256');
  private sums = '';
  private length = 0;

  constructor(private readonly put: (bytes: Buffer) => Promise<void>) {}

  /** The next file. @param content pieces of its text */
  async file(name: EvidenceFile, content: Content): Promise<void> {
    if (EVIDENCE_FILES[this.entries.length] !== name) throw new Error(`${name} is not the next file of a package`);
    const entry: ZipEntry = { name, method: 'deflated', crc: 0, packed: 0, size: 0, offset: this.length };
    const sha256 = createHash('sha256');
    await this.write(localHeader(entry));
    const measured = async function* (pieces: Content): AsyncGenerator<Buffer> {
      for await (const piece of pieces) {
        if (piece === '') continue;
        const bytes = Buffer.from(piece);
        entry.size += bytes.length;
        entry.crc = crc32(bytes, entry.crc);
        sha256.update(bytes);
        yield bytes;
      }
    };
    await pipeline(Readable.from(measured(content)), createDeflateRaw(), async (packed: AsyncIterable<Buffer>) => {
      for await (const bytes of packed) {
        entry.packed += bytes.length;
        await this.write(bytes);
      }
    });
    await this.write(descriptor(entry));
    this.entries.push(entry);
    this.sums += sumLine(name, sha256.digest('hex'));
  }

  /** The digests and the signature, and with them the end. @param sign makes the note over length and SHA-256 of all before it */
  async end(sign: (length: number, sha256: Buffer) => Promise<string>): Promise<void> {
    await this.file('SHA256SUMS', [this.sums]);
    const note = Buffer.from(await sign(this.length, this.digest.copy().digest()));
    const size = note.length;
    const signature: ZipEntry = {
      name: 'SIGNATURE',
      method: 'stored',
      crc: crc32(note),
      packed: size,
      size,
      offset: this.length,
    };
    this.entries.push(signature);
    await this.write(Buffer.concat([localHeader(signature), note]));
    await this.write(directory(this.entries, this.length));
  }

  private async write(bytes: Buffer): Promise<void> {
    this.digest.update(bytes);
    this.length += bytes.length;
    if (bytes.length > 0) await this.put(bytes);
  }
}
