import { Injectable } from '@nestjs/common';
import { Batcher } from '@haldir/kernel';
import { type SealedColumn } from '@haldir/crypto';
import { columnsOf, Transactions, type Tx } from '@haldir/database';
import { In, LessThanOrEqual } from 'typeorm';
import { UpstreamToldHead } from './upstream-told-head.entity.js';
import { UpstreamTold } from './upstream-told.entity.js';

/** Of which upstream something is kept. */
export interface Upstream {
  tenantId: string;
  upstream: string;
}

/** A value as it is kept. */
export type KeptValue = Pick<UpstreamTold, 'digest' | 'sealed' | 'bytes' | 'expiresAt'>;

/** How much is kept of an upstream. */
export type ToldHead = Pick<UpstreamToldHead, 'version' | 'told' | 'bytes' | 'bound'>;

/** All that is kept of an upstream at one moment. */
export interface KeptValues {
  version: number;
  values: { digest: string; sealed: Buffer }[];
}

/** Null while what was bound to the upstream earlier is not noted yet. */
const VERSION = 'CASE WHEN h.bound THEN h.version END';
const versions = {
  name: 'upstream_told.versions.v1',
  text: `SELECT h.tenant_id AS "tenantId", h.upstream, ${VERSION} AS version
           FROM unnest($1::text[], $2::text[]) AS w(tenant_id, upstream)
           JOIN upstream_told_head h ON h.tenant_id = w.tenant_id AND h.upstream = w.upstream`,
};
const values = {
  name: 'upstream_told.values.v1',
  text: `SELECT h.version, t.digest, t.sealed
           FROM upstream_told_head h LEFT JOIN upstream_told t ON t.tenant_id = h.tenant_id AND t.upstream = h.upstream
          WHERE h.tenant_id = $1 AND h.upstream = $2 AND h.bound`,
};
const HEAD = columnsOf(UpstreamToldHead).only('version', 'told', 'bytes', 'bound');
const lock = `
  INSERT INTO upstream_told_head (tenant_id, upstream) VALUES ($1, $2)
  ON CONFLICT (tenant_id, upstream) DO UPDATE SET version = upstream_told_head.version
  RETURNING ${HEAD.list}`;
const forget = `
  WITH gone AS (DELETE FROM upstream_told WHERE tenant_id = $1 AND upstream = $2)
  UPDATE upstream_told_head SET version = version + 1, told = 0, bytes = 0, bound = false WHERE tenant_id = $1 AND upstream = $2`;
const lookAgain = `
  UPDATE upstream_told_head SET bound = false
   WHERE (tenant_id, upstream) IN (SELECT tenant_id, upstream FROM upstream_told_head WHERE tenant_id = $1 ORDER BY upstream FOR UPDATE)`;

/** What is kept of what upstreams were told. */
@Injectable()
export class ToldValueRepository {
  private readonly looks = new Batcher<Upstream, number | null>({
    maxBatch: 256,
    maxInFlight: 2,
    maxQueued: 8192,
    run: (wanted) => this.look(wanted),
  });

  constructor(private readonly transactions: Transactions) {}

  /** Counts up with every change, and never back; null while nobody has looked what is bound to it. */
  version(upstream: Upstream): Promise<number | null> {
    return this.looks.submit(upstream);
  }

  /** Null where `version` is. */
  async values({ tenantId, upstream }: Upstream): Promise<KeptValues | null> {
    interface Row {
      version: number;
      digest: string | null;
      sealed: Buffer | null;
    }
    const rows = await this.transactions.query<Row>(values, [tenantId, upstream]);
    const [first] = rows;
    if (!first) return null;
    return {
      version: first.version,
      values: rows.flatMap(({ digest, sealed }) => (digest === null || sealed === null ? [] : [{ digest, sealed }])),
    };
  }

  in(tx: Tx) {
    return {
      /** How much is kept of it; stays so until the transaction ends. */
      lock: async ({ tenantId, upstream }: Upstream): Promise<ToldHead> => {
        const [row] = await tx.query(lock, [tenantId, upstream]);
        if (!row) throw new Error('an upsert answered no row');
        return HEAD.toEntity(row);
      },
      save: ({ tenantId, upstream }: Upstream, { version, told, bytes, bound }: ToldHead): Promise<unknown> =>
        tx.manager.update(UpstreamToldHead, { tenantId, upstream }, { version, told, bytes, bound }),
      /** Which of these are kept. */
      known: async ({ tenantId, upstream }: Upstream, digests: readonly string[]): Promise<Set<string>> => {
        const kept = await tx.manager.find(UpstreamTold, {
          select: { digest: true },
          where: { tenantId, upstream, digest: In(digests) },
        });
        return new Set(kept.map(({ digest }) => digest));
      },
      /** Those that open nothing any more, the first of them first. */
      expired: async (
        { tenantId, upstream }: Upstream,
        now: Date,
      ): Promise<{ digest: string; bytes: number; expiresAt: Date }[]> => {
        const expired = await tx.manager.find(UpstreamTold, {
          select: { digest: true, bytes: true, expiresAt: true },
          where: { tenantId, upstream, expiresAt: LessThanOrEqual(now) },
          order: { expiresAt: 'ASC' },
        });
        return expired as (UpstreamTold & { expiresAt: Date })[];
      },
      insert: ({ tenantId, upstream }: Upstream, kept: readonly KeptValue[]): Promise<unknown> =>
        tx.manager.insert(
          UpstreamTold,
          kept.map((value) => ({ tenantId, upstream, ...value })),
        ),
      remove: ({ tenantId, upstream }: Upstream, digests: readonly string[]): Promise<unknown> =>
        tx.manager.delete(UpstreamTold, { tenantId, upstream, digest: In(digests) }),
      forget: ({ tenantId, upstream }: Upstream): void => tx.send(forget, [tenantId, upstream]),
      lookAgain: (tenantId: string): void => tx.send(lookAgain, [tenantId]),
    };
  }

  private async look(wanted: Upstream[]): Promise<(number | null)[]> {
    const distinct = [...new Map(wanted.map((each) => [keyOf(each), each])).values()];
    const rows = await this.transactions.query<Upstream & { version: number | null }>(versions, [
      distinct.map(({ tenantId }) => tenantId),
      distinct.map(({ upstream }) => upstream),
    ]);
    const found = new Map(rows.map((row) => [keyOf(row), row.version]));
    return wanted.map((each) => found.get(keyOf(each)) ?? null);
  }
}

/** Ids and names hold no spaces. */
function keyOf({ tenantId, upstream }: Upstream): string {
  return `${tenantId} ${upstream}`;
}

export function toldPlace(tenantId: string, upstream: string, digest: string): string[] {
  return ['haldir.vault.told-value.v1', tenantId, upstream, digest];
}

/** As a rotation of keys finds them. */
export const SEALED_TOLD_VALUES: SealedColumn = {
  table: 'upstream_told',
  column: 'sealed',
  key: [
    { name: 'upstream', type: 'text' },
    { name: 'digest', type: 'text' },
  ],
  placeOf: (tenantId, { upstream = '', digest = '' }) => toldPlace(tenantId, upstream, digest),
};
