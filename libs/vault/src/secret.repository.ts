import { Inject, Injectable } from '@nestjs/common';
import { Batcher } from '@haldir/kernel';
import { Transactions, type Tx } from '@haldir/database';
import { type SealedSecret, type SecretPlace } from './secret-seal.js';
import { Secret } from './secret.entity.js';

/** The newest version of a secret, as it lies in the database. */
export interface StoredSecret {
  place: SecretPlace;
  sealed: SealedSecret;
}

interface SecretKey {
  tenantId: string;
  name: string;
}

interface StoredRow {
  tenant_id: string;
  name: string;
  id: string;
  version: number;
  scope_required: string;
  wrapped_key: Buffer;
  value: Buffer;
}

const newestByNames = {
  name: 'secret.newest_by_names.v1',
  text: `SELECT s.tenant_id, s.name, s.id, v.version, v.scope_required, v.wrapped_key, v.value
           FROM unnest($1::text[], $2::text[]) AS w(tenant_id, name)
           JOIN secret s         ON s.tenant_id = w.tenant_id AND s.name = w.name
           JOIN secret_version v ON v.tenant_id = s.tenant_id AND v.secret_id = s.id AND v.version = s.version`,
};
const nextVersion = {
  name: 'secret.next_version.v1',
  text: `INSERT INTO secret (tenant_id, name, id, version, created_at, updated_at) VALUES ($1, $2, $3, 1, $4, $4)
         ON CONFLICT (tenant_id, name) DO UPDATE SET version = secret.version + 1, updated_at = excluded.updated_at
         RETURNING id, version`,
};
const insertVersion = {
  name: 'secret_version.insert.v1',
  text: `INSERT INTO secret_version (tenant_id, secret_id, version, scope_required, tenant_key_version, wrapped_key, value, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
};

@Injectable()
export class SecretRepository {
  private readonly loader = new Batcher<SecretKey, StoredSecret | null>({
    maxBatch: 256,
    maxInFlight: 2,
    maxQueued: 8192,
    run: (keys) => this.load(keys),
  });

  constructor(@Inject(Transactions) private readonly transactions: Transactions) {}

  /**
   * The newest version, or null. Look-ups that arrive together share one query, sent after the last of them arrived;
   * nothing is kept, so what is deleted or replaced is so for every process at once.
   */
  findNewest(tenantId: string, name: string): Promise<StoredSecret | null> {
    return this.loader.submit({ tenantId, name });
  }

  /** Up to `limit` of the tenant's names, in the order of their bytes, behind `after`. */
  async listNames(tenantId: string, limit: number, after: string | null): Promise<string[]> {
    return this.transactions.read(tenantId, async (manager) => {
      const query = manager
        .createQueryBuilder(Secret, 's')
        .select('s.name', 'name')
        .where('s.tenantId = :tenantId', { tenantId })
        .orderBy('s.name', 'ASC')
        .limit(limit);
      if (after !== null) query.andWhere('s.name > :after', { after });
      return (await query.getRawMany<{ name: string }>()).map(({ name }) => name);
    });
  }

  /** Secrets of the tenant. */
  count(tenantId: string): Promise<number> {
    return this.transactions.read(tenantId, (manager) => manager.countBy(Secret, { tenantId }));
  }

  in(tx: Tx) {
    return {
      /** Counts up the version of the name, which is new as `freshId` if need be; the row stays locked. */
      nextVersion: async (
        tenantId: string,
        name: string,
        freshId: string,
        now: Date,
      ): Promise<{ id: string; version: number }> => {
        const [row] = await tx.query<{ id: string; version: number }>(nextVersion, [tenantId, name, freshId, now]);
        if (!row) throw new Error('an upsert answered no row');
        return row;
      },
      /** Does not wait for the answer. */
      insertVersion: (place: SecretPlace, sealed: SealedSecret, tenantKeyVersion: number, now: Date): void => {
        const { tenantId, secretId, version, scopeRequired } = place;
        tx.send(insertVersion, [
          tenantId,
          secretId,
          version,
          scopeRequired,
          tenantKeyVersion,
          sealed.wrappedKey,
          sealed.value,
          now,
        ]);
      },
      /** Removes the name and all its versions; answers how many there were, null when the tenant has no such secret. */
      delete: async (tenantId: string, name: string): Promise<{ versions: number } | null> => {
        const [row] = await tx.query<{ version: number }>(
          'DELETE FROM secret WHERE tenant_id = $1 AND name = $2 RETURNING version',
          [tenantId, name],
        );
        return row ? { versions: row.version } : null;
      },
    };
  }

  private async load(keys: SecretKey[]): Promise<(StoredSecret | null)[]> {
    const distinct = [...new Map(keys.map((key) => [keyOf(key.tenantId, key.name), key])).values()];
    const rows = await this.transactions.query<StoredRow>(newestByNames, [
      distinct.map(({ tenantId }) => tenantId),
      distinct.map(({ name }) => name),
    ]);
    const found = new Map(rows.map((row) => [keyOf(row.tenant_id, row.name), toStoredSecret(row)]));
    return keys.map(({ tenantId, name }) => found.get(keyOf(tenantId, name)) ?? null);
  }
}

/** Tenant ids hold no spaces, so no two keys share a text. */
function keyOf(tenantId: string, name: string): string {
  return `${tenantId} ${name}`;
}

function toStoredSecret(row: StoredRow): StoredSecret {
  return {
    place: {
      tenantId: row.tenant_id,
      secretId: row.id,
      name: row.name,
      version: row.version,
      scopeRequired: row.scope_required,
    },
    sealed: { wrappedKey: row.wrapped_key, value: row.value },
  };
}
