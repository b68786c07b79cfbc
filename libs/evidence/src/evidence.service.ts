import { Injectable } from '@nestjs/common';
import { InjectQueue } from '@nestjs/bullmq';
import { type Queue } from 'bullmq';
import { type Actor, Clock, newId } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { type Tx } from '@haldir/database';
import { Nudge, queues } from '@haldir/queue';
import { Evidence } from './evidence.entity.js';
import { EvidenceNotFound, EvidenceNotReady, TooMuchEvidence } from './evidence.errors.js';
import { EvidenceRepository } from './evidence.repository.js';

/** Of a tenant. */
const MAX_UNDER_WAY = 2;
const MAX_KEPT = 5;
/** Of each row of a package's bytes but the last. */
export const CHUNK_BYTES = 1024 * 1024;

/** The first and the last byte of a part. */
export interface ByteRange {
  first: number;
  last: number;
}

/** Packages of evidence, as whoever asks for them sees them. The worker makes them. */
@Injectable()
export class EvidenceService {
  private readonly maker: Nudge;

  constructor(
    private readonly evidence: EvidenceRepository,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
    @InjectQueue(queues.evidence.name) queue: Queue,
  ) {
    this.maker = new Nudge(queue);
  }

  /**
   * Has a package made of a period; of one that is under way, that is the package.
   *
   * @throws TooMuchEvidence
   */
  async ask(tx: Tx, actor: Actor, from: Date, to: Date): Promise<Evidence> {
    const { tenantId } = actor;
    const rows = this.evidence.in(tx);
    await rows.hold(tenantId);
    const known = await rows.underWay(tenantId, from, to);
    if (known) return known;
    const { underWay, done } = await rows.counts(tenantId);
    if (underWay >= MAX_UNDER_WAY) throw new TooMuchEvidence(`${MAX_UNDER_WAY} packages are under way`);
    if (underWay + done >= MAX_KEPT) throw new TooMuchEvidence(`${MAX_KEPT} packages are kept, or under way`);
    const asked = Object.assign(new Evidence(), {
      tenantId,
      id: newId('evi'),
      from,
      to,
      state: 'queued' as const,
      done: 0,
      total: null,
      attempt: 0,
      size: null,
      sha256: null,
      reason: null,
      madeBy: actor.id,
      madeByLabel: actor.label,
      createdAt: this.clock.now(),
      finishedAt: null,
      expiresAt: null,
    });
    await rows.insert(asked);
    this.record(tx, actor, 'evidence_requested', asked, { from: from.toISOString(), to: to.toISOString() });
    tx.onCommit(() => this.maker.now());
    return asked;
  }

  list(tenantId: string, limit: number, after: string | null): Promise<Evidence[]> {
    return this.evidence.list(tenantId, limit, after);
  }

  /** @throws EvidenceNotFound */
  async get(tenantId: string, id: string): Promise<Evidence> {
    const evidence = await this.evidence.find(tenantId, id);
    if (!evidence) throw new EvidenceNotFound();
    return evidence;
  }

  /** Whoever makes it stops. @throws EvidenceNotFound */
  async remove(tx: Tx, actor: Actor, id: string): Promise<void> {
    if (!(await this.evidence.in(tx).remove(actor.tenantId, id))) throw new EvidenceNotFound();
    this.record(tx, actor, 'evidence_deleted', { id }, {});
  }

  /**
   * A package that is done. That it is read stands in the log before a byte of it leaves.
   *
   * @param rangeIn the part that is asked for, of a package of that size and digest (hex)
   * @throws EvidenceNotFound, EvidenceNotReady
   */
  async open(
    actor: Actor,
    id: string,
    rangeIn: (size: number, sha256: string) => ByteRange | null,
  ): Promise<{ size: number; sha256: string; range: ByteRange | null; bytes: AsyncGenerator<Buffer> }> {
    const { state, size, sha256 } = await this.get(actor.tenantId, id);
    const isReadable = state === 'done' && (await this.evidence.isReadable(actor.tenantId, id));
    if (!isReadable || size === null || sha256 === null) throw new EvidenceNotReady();
    const hex = sha256.toString('hex');
    const range = rangeIn(size, hex);
    const { first, last } = range ?? { first: 0, last: size - 1 };
    const details = { evidence_id: id, sha256: hex, first_byte: first, last_byte: last };
    await this.auditLog.append(actor, {
      source: 'haldir',
      tool: 'haldir.evidence',
      action: 'evidence_downloaded',
      details,
    });
    return { size, sha256: hex, range, bytes: this.bytes(actor.tenantId, id, first, last) };
  }

  private async *bytes(tenantId: string, id: string, first: number, last: number): AsyncGenerator<Buffer> {
    for (let position = Math.floor(first / CHUNK_BYTES); position * CHUNK_BYTES <= last; position++) {
      const chunk = await this.evidence.chunk(tenantId, id, position);
      // What was deleted meanwhile is cut off, and never complete.
      if (!chunk) throw new EvidenceNotFound();
      const start = position * CHUNK_BYTES;
      yield chunk.subarray(Math.max(0, first - start), last - start + 1);
    }
  }

  private record(
    tx: Tx,
    actor: Actor,
    action: string,
    { id }: Pick<Evidence, 'id'>,
    more: Readonly<Record<string, unknown>>,
  ): void {
    const details = { evidence_id: id, ...more };
    this.auditLog.record(tx, actor, { source: 'haldir', tool: 'haldir.evidence', action, details });
  }
}
