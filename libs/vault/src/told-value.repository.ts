import { Injectable } from '@nestjs/common';
import { Batcher } from '@haldir/kernel';
import { type SealedColumn } from '@haldir/crypto';
import { Transactions, type Tx } from '@haldir/database';

/** Of which upstream something is kept. */
export interface Upstream {
  tenantId: string;
  upstream: string;
}

/** A value as it is kept. */
export interface KeptValue {
  digest: string;
  sealed: Buffer;
  bytes: number;
  expiresAt: Date | null;
}

/** How much is kept of an upstream. */
export interface ToldHead {
  version: number;
  told: number;
  bytes: number;
  bound: boolean;
}

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
const lock = {
  name: 'upstream_told_head.lock.v1',
  text: `INSERT INTO upstream_told_head (tenant_id, upstream) VALUES ($1, $2)
         ON CONFLICT (tenant_id, upstream) DO UPDATE SET version = upstream_told_head.version
         RETURNING version, told, bytes, bound`,
};
const save = {
  name: 'upstream_told_head.save.v1',
  text: 'UPDATE upstream_told_head SET version = $3, told = $4, bytes = $5, bound = $6 WHERE tenant_id = $1 AND upstream = $2',
};
const known = {
  name: 'upstream_told.known.v1',
  text: 'SELECT digest FROM upstream_told WHERE tenant_id = $1 AND upstream = $2 AND digest = ANY ($3)',
};
const expired = {
  name: 'upstream_told.expired.v1',
  text: `SELECT digest, bytes, expires_at AS "expiresAt" FROM upstream_told
          WHERE tenant_id = $1 AND upstream = $2 AND expires_at <= $3 ORDER BY expires_at`,
};
const insert = {
  name: 'upstream_told.insert.v1',
  text: `INSERT INTO upstream_told (tenant_id, upstream, digest, sealed, bytes, expires_at)
           SELECT $1, $2, w.* FROM unnest($3::text[], $4::bytea[], $5::integer[], $6::timestamptz[]) AS w`,
};
const remove = {
  name: 'upstream_told.remove.v1',
  text: 'DELETE FROM upstream_told WHERE tenant_id = $1 AND upstream = $2 AND digest = ANY ($3)',
};
const forget = {
  name: 'upstream_told.forget.v1',
  text: `WITH gone AS (DELETE FROM upstream_told WHERE tenant_id = $1 AND upstream = $2)
         UPDATE upstream_told_head SET version = version + 1, told = 0, bytes = 0, bound = false WHERE tenant_id = $1 AND upstream = $2`,
};

const lookAgain = {
  name: 'upstream_told_head.look_again.v1',
  text: `UPDATE upstream_told_head SET bound = false
          WHERE (tenant_id, upstream) IN (SELECT tenant_id, upstream FROM upstream_told_head WHERE tenant_id = $1 ORDER BY upstream FOR UPDATE)`,
};

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
        const [row] = await tx.query<ToldHead & Record<string, unknown>>(lock, [tenantId, upstream]);
        if (!row) throw new Error('an upsert answered no row');
        return row;
      },
      save: ({ tenantId, upstream }: Upstream, { version, told, bytes, bound }: ToldHead): void =>
        tx.send(save, [tenantId, upstream, version, told, bytes, bound]),
      /** Which of these are kept. */
      known: async ({ tenantId, upstream }: Upstream, digests: readonly string[]): Promise<Set<string>> => {
        const rows = await tx.query<{ digest: string }>(known, [tenantId, upstream, digests]);
        return new Set(rows.map(({ digest }) => digest));
      },
      /** Those that open nothing any more, the first of them first. */
      expired: (
        { tenantId, upstream }: Upstream,
        now: Date,
      ): Promise<{ digest: string; bytes: number; expiresAt: Date }[]> => tx.query(expired, [tenantId, upstream, now]),
      insert: ({ tenantId, upstream }: Upstream, kept: readonly KeptValue[]): void =>
        tx.send(insert, [
          ...[tenantId, upstream],
          kept.map(({ digest }) => digest),
          kept.map(({ sealed }) => sealed),
          kept.map(({ bytes }) => bytes),
          kept.map(({ expiresAt }) => expiresAt),
        ]),
      remove: ({ tenantId, upstream }: Upstream, digests: readonly string[]): void =>
        tx.send(remove, [tenantId, upstream, digests]),
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
