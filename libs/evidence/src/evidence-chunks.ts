import { createHash } from 'node:crypto';
import { EvidenceLeft, EvidenceTaken, EvidenceTooLong } from './evidence.errors.js';
import { type EvidenceRepository, type Held } from './evidence.repository.js';
import { CHUNK_BYTES } from './evidence.service.js';

/** Of a package: what a tenant may have kept at most is five times that. */
const MAX_BYTES = 4 * 1024 ** 3;
const SAY_EVERY_MS = 2_000;

/** The bytes of a package on their way into rows, and how far it is. Whoever holds it no more is told so. */
export class EvidenceChunks {
  private readonly digest = createHash('sha256');
  private waiting: Buffer[] = [];
  private waitingBytes = 0;
  private position = 0;
  private saidAt = performance.now();
  /** What it failed with: a pipeline that is broken off says less. */
  fault: Error | null = null;
  size = 0;
  done = 0;
  total = 0;

  constructor(
    private readonly evidence: EvidenceRepository,
    private readonly held: Held,
    private readonly stopping: AbortSignal,
  ) {}

  /** @throws EvidenceTaken, EvidenceLeft, EvidenceTooLong */
  async put(bytes: Buffer): Promise<void> {
    this.digest.update(bytes);
    this.size += bytes.length;
    if (this.size > MAX_BYTES) throw this.failed(new EvidenceTooLong(MAX_BYTES));
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    while (this.waitingBytes >= CHUNK_BYTES) await this.keep(CHUNK_BYTES);
  }

  /** Says how far it is, now and then. @throws EvidenceTaken, EvidenceLeft */
  async say(): Promise<void> {
    if (this.stopping.aborted) throw this.failed(new EvidenceLeft());
    if (performance.now() - this.saidAt >= SAY_EVERY_MS) await this.advance(null);
  }

  /** Keeps what is left; answers the digest of all. */
  async end(): Promise<Buffer> {
    if (this.waitingBytes > 0) await this.keep(this.waitingBytes);
    return this.digest.digest();
  }

  private async keep(length: number): Promise<void> {
    if (this.stopping.aborted) throw this.failed(new EvidenceLeft());
    const all = Buffer.concat(this.waiting);
    this.waiting = [all.subarray(length)];
    this.waitingBytes = all.length - length;
    await this.advance({ position: this.position++, bytes: all.subarray(0, length) });
  }

  private async advance(chunk: { position: number; bytes: Buffer } | null): Promise<void> {
    if (!(await this.evidence.advance(this.held, this.done, this.total, chunk))) throw this.failed(new EvidenceTaken());
    this.saidAt = performance.now();
  }

  private failed(fault: Error): Error {
    return (this.fault ??= fault);
  }
}
