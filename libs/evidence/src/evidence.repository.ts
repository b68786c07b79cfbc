import { Injectable } from '@nestjs/common';
import { columnsOf, EVERY_TENANT, Transactions, type Tx } from '@haldir/database';
import { LessThan } from 'typeorm';
import { Evidence } from './evidence.entity.js';

const EVIDENCE_LOCK = 7_247_454;
/** Whoever makes a package says so more often; a package whose maker does not is taken up by another. */
const LEASE = `interval '20 seconds'`;
const KEPT = `interval '7 days'`;
const ERASED_SINCE = 'Details of an entry were erased since it was begun; make it anew';

/** Whether something that it has was erased since it was begun. */
const ERASED = `EXISTS (
  SELECT FROM audit_entry AS a
   WHERE a.tenant_id = e.tenant_id AND a.seq >= e.log_size AND a.source = 'haldir'
     AND a.action_hash = hashtextextended('audit_details_erased', 0) AND a.action = 'audit_details_erased')`;
/** Whether it is given out. */
const READABLE = `e.state = 'done' AND e.expires_at > now()`;

const COLUMNS = columnsOf(Evidence);

/** Whose package, and in whose hands. */
export type Held = Pick<Evidence, 'tenantId' | 'id' | 'attempt'>;

/** Packages, and their bytes. */
@Injectable()
export class EvidenceRepository {
  constructor(private readonly transactions: Transactions) {}

  find(tenantId: string, id: string): Promise<Evidence | null> {
    return this.transactions.read(tenantId, (manager) => manager.findOneBy(Evidence, { tenantId, id }));
  }

  /** Up to `limit`, newest first, behind `after`. */
  list(tenantId: string, limit: number, after: string | null): Promise<Evidence[]> {
    return this.transactions.read(tenantId, (manager) =>
      manager.find(Evidence, {
        where: { tenantId, ...(after !== null && { id: LessThan(after) }) },
        order: { id: 'DESC' },
        take: limit,
      }),
    );
  }

  /** Whether it is done, and not over. */
  async isReadable(tenantId: string, id: string): Promise<boolean> {
    const text = `SELECT FROM evidence AS e WHERE e.tenant_id = $1 AND e.id = $2 AND ${READABLE}`;
    return (await this.transactions.query(text, [tenantId, id])).length > 0;
  }

  /** The bytes of a chunk; null when the package is gone, or is not to be read any more. */
  async chunk(tenantId: string, id: string, position: number): Promise<Buffer | null> {
    const [row] = await this.transactions.query<{ bytes: Buffer }>(
      `SELECT c.bytes FROM evidence_chunk AS c JOIN evidence AS e ON e.tenant_id = c.tenant_id AND e.id = c.evidence_id
        WHERE c.tenant_id = $1 AND c.evidence_id = $2 AND c.position = $3 AND ${READABLE}`,
      [tenantId, id, position],
    );
    return row?.bytes ?? null;
  }

  /**
   * Takes the package that has waited longest, or whose maker is gone, with what was made of it thrown away; null when none waits.
   * Of any number of processes that ask at once, each gets another.
   */
  claim(): Promise<Evidence | null> {
    return this.transactions.run(EVERY_TENANT, async (tx) => {
      const [row] = await tx.query(`
        WITH next AS (
          SELECT tenant_id, id FROM evidence
           WHERE state = 'queued' OR (state = 'running' AND lease_until < now())
           ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        UPDATE evidence AS e
           SET state = 'running', attempt = e.attempt + 1, lease_until = now() + ${LEASE}, entries_done = 0, entries_total = NULL,
               log_size = (SELECT size FROM audit_head AS h WHERE h.tenant_id = e.tenant_id)
          FROM next WHERE e.tenant_id = next.tenant_id AND e.id = next.id
        RETURNING ${COLUMNS.of('e')}`);
      if (!row) return null;
      const evidence = COLUMNS.toEntity(row);
      tx.send('DELETE FROM evidence_chunk WHERE tenant_id = $1 AND evidence_id = $2', [evidence.tenantId, evidence.id]);
      return evidence;
    });
  }

  /** Says how far it is, and keeps a chunk with that; false when it is in other hands, or deleted. */
  async advance(
    held: Held,
    done: number,
    total: number,
    chunk: { position: number; bytes: Buffer } | null,
  ): Promise<boolean> {
    const { tenantId, id } = held;
    return this.transactions.run(tenantId, async (tx) => {
      const isHeld = await this.set(tx, held, `entries_done = $4, entries_total = $5, lease_until = now() + ${LEASE}`, [
        done,
        total,
      ]);
      if (isHeld && chunk)
        tx.send('INSERT INTO evidence_chunk (tenant_id, evidence_id, position, bytes) VALUES ($1, $2, $3, $4)', [
          ...[tenantId, id, chunk.position],
          chunk.bytes,
        ]);
      return isHeld;
    });
  }

  /** Leaves it to whoever takes it next. */
  async release(held: Held): Promise<void> {
    await this.transactions.run(held.tenantId, (tx) => this.set(tx, held, `state = 'queued', lease_until = NULL`, []));
  }

  /**
   * Removes what was kept long enough, and what has details that were erased since; ends what was begun again and again.
   * Safe to run anywhere, any number of times.
   */
  async purge(maxAttempts: number): Promise<void> {
    await this.transactions.run(EVERY_TENANT, async (tx) => {
      await tx.query('DELETE FROM evidence WHERE expires_at < now()');
      await tx.query(
        `UPDATE evidence SET state = 'failed', reason = $2, lease_until = NULL, finished_at = now(), expires_at = now() + ${KEPT}
          WHERE state = 'running' AND lease_until < now() AND attempt >= $1`,
        [maxAttempts, 'It was interrupted too often'],
      );
      await tx.query(
        `UPDATE evidence AS e SET state = 'failed', reason = $1, size = NULL, sha256 = NULL
          WHERE e.state = 'done' AND ${ERASED}`,
        [ERASED_SINCE],
      );
      await tx.query(
        `DELETE FROM evidence_chunk AS c USING evidence AS e
          WHERE e.state = 'failed' AND c.tenant_id = e.tenant_id AND c.evidence_id = e.id`,
      );
    });
  }

  in(tx: Tx) {
    return {
      /** One change of the tenant's packages at a time, until the transaction ends. */
      hold: (tenantId: string): Promise<unknown> =>
        tx.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [EVIDENCE_LOCK, tenantId]),
      /** The one of the period that waits or is made. */
      underWay: (tenantId: string, from: Date, to: Date): Promise<Evidence | null> =>
        tx.manager
          .createQueryBuilder(Evidence, 'e')
          .where(`e.tenantId = :tenantId AND e.from = :from AND e.to = :to AND e.state IN ('queued', 'running')`, {
            tenantId,
            from,
            to,
          })
          .getOne(),
      counts: async (tenantId: string): Promise<{ underWay: number; done: number }> => {
        const [row] = await tx.query<{ under_way: string; done: string }>(
          `SELECT count(*) FILTER (WHERE state IN ('queued', 'running')) AS under_way, count(*) FILTER (WHERE state = 'done') AS done
             FROM evidence WHERE tenant_id = $1`,
          [tenantId],
        );
        return { underWay: Number(row?.under_way), done: Number(row?.done) };
      },
      insert: (evidence: Evidence): Promise<unknown> => tx.manager.insert(Evidence, evidence),
      remove: async (tenantId: string, id: string): Promise<boolean> =>
        (await tx.query('DELETE FROM evidence WHERE tenant_id = $1 AND id = $2 RETURNING id', [tenantId, id])).length >
        0,
      /** False when it is in other hands, or deleted. */
      finish: (held: Held, size: number, sha256: Buffer): Promise<boolean> =>
        this.set(
          ...([tx, held] as const),
          `state = 'done', lease_until = NULL, size = $4, sha256 = $5, finished_at = now(), expires_at = now() + ${KEPT}`,
          [size, sha256],
        ),
      fail: (held: Held, reason: string): Promise<boolean> =>
        this.set(
          ...([tx, held] as const),
          `state = 'failed', lease_until = NULL, reason = $4, finished_at = now(), expires_at = now() + ${KEPT}`,
          [reason],
        ),
    };
  }

  private async set(tx: Tx, { tenantId, id, attempt }: Held, values: string, given: unknown[]): Promise<boolean> {
    const rows = await tx.query(
      `UPDATE evidence SET ${values} WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND state = 'running' RETURNING id`,
      [tenantId, id, attempt, ...given],
    );
    return rows.length > 0;
  }
}
