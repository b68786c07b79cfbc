import { Injectable } from '@nestjs/common';
import { Batcher } from '@haldir/kernel';
import { Transactions, type Tx } from '@haldir/database';
import { IsNull } from 'typeorm';
import { type Bindings } from './secret-binding.js';
import { type SealedSecret, type SecretPlace } from './secret-seal.js';
import { Secret } from './secret.entity.js';

/** A version of a secret, as it lies in the database. */
export interface StoredSecret {
  place: SecretPlace;
  sealed: SealedSecret;
  /** What a session must hold to read it: its own scope, and for an earlier version the newest one's too. */
  scopes: readonly string[];
}

/** A version as a list shows it, without its value. */
export interface SecretVersion {
  version: number;
  scopeRequired: string;
  createdAt: Date;
  expiresAt: Date | null;
  bindings: Bindings;
  isNewest: boolean;
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
  expires_at: Date | null;
  bindings: string[];
  wrapped_key: Buffer;
  value: Buffer;
}

/** On the path of every read. */
export const newestByNames = {
  name: 'secret.newest_by_names.v4',
  // LIMIT 1 keeps each look-up a step in an index, whatever statistics say, or do not say yet.
  text: `SELECT w.tenant_id, w.name, s.id, v.version, v.scope_required, v.expires_at, v.bindings, v.wrapped_key, v.value
           FROM unnest($1::text[], $2::text[]) AS w(tenant_id, name)
           CROSS JOIN LATERAL (SELECT id, version FROM secret WHERE tenant_id = w.tenant_id AND name = w.name LIMIT 1) AS s
           CROSS JOIN LATERAL (SELECT version, scope_required, expires_at, bindings, wrapped_key, value FROM secret_version
                                WHERE tenant_id = w.tenant_id AND secret_id = s.id AND version = s.version LIMIT 1) AS v`,
};
const byVersion = {
  name: 'secret.by_version.v2',
  text: `SELECT s.tenant_id, s.name, s.id, v.version, v.scope_required, v.expires_at, v.bindings, v.wrapped_key, v.value,
                n.scope_required AS newest_scope
           FROM secret s
           JOIN secret_version v ON v.tenant_id = s.tenant_id AND v.secret_id = s.id AND v.version = $3
           JOIN secret_version n ON n.tenant_id = s.tenant_id AND n.secret_id = s.id AND n.version = s.version
          WHERE s.tenant_id = $1 AND s.name = $2`,
};
const versions = {
  name: 'secret_version.list.v2',
  text: `SELECT v.version, v.scope_required, v.created_at, v.expires_at, v.bindings, v.version = s.version AS is_newest
           FROM secret s JOIN secret_version v ON v.tenant_id = s.tenant_id AND v.secret_id = s.id AND v.version < $3
          WHERE s.tenant_id = $1 AND s.name = $2
          ORDER BY v.version DESC LIMIT $4`,
};
const nextVersion = {
  name: 'secret.next_version.v2',
  text: `INSERT INTO secret (tenant_id, name, id, version, created_at, updated_at) VALUES ($1, $2, $3, 1, $4, $4)
         ON CONFLICT (tenant_id, name)
         DO UPDATE SET version = secret.version + 1, updated_at = excluded.updated_at
         RETURNING id, version`,
};
const nextVersionIfThere = {
  name: 'secret.next_version_if_there.v1',
  text: `UPDATE secret SET version = version + 1, updated_at = $3
          WHERE tenant_id = $1 AND name = $2 RETURNING id, version`,
};
/** Holds the row, so that it is not sealed anew before it was opened. */
const holdVersion = {
  name: 'secret_version.hold.v2',
  text: `SELECT scope_required, expires_at, bindings, wrapped_key, value FROM secret_version
          WHERE tenant_id = $1 AND secret_id = $2 AND version = $3 FOR SHARE`,
};
const insertVersion = {
  name: 'secret_version.insert.v3',
  text: `INSERT INTO secret_version (tenant_id, secret_id, version, scope_required, expires_at, wrapped_key, value, created_at, bindings)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
};

/** The newest versions that are bound to something of an upstream. */
const boundTo = {
  name: 'secret.bound_to.v1',
  text: `SELECT s.tenant_id, s.name, s.id, v.version, v.scope_required, v.expires_at, v.bindings, v.wrapped_key, v.value
           FROM secret s JOIN secret_version v ON v.tenant_id = s.tenant_id AND v.secret_id = s.id AND v.version = s.version
          WHERE s.tenant_id = $1 AND s.name IS NOT NULL AND v.value <> ''
            AND EXISTS (SELECT FROM unnest(v.bindings) AS b WHERE split_part(b, '.', 1) = $2)
          ORDER BY s.name LIMIT $3`,
};

const MAX_INTEGER = 2_147_483_647;

@Injectable()
export class SecretRepository {
  private readonly loader = new Batcher<SecretKey, StoredSecret | null>({
    maxBatch: 256,
    maxInFlight: 2,
    maxQueued: 8192,
    run: (keys) => this.load(keys),
  });

  constructor(private readonly transactions: Transactions) {}

  /**
   * The newest version, or null. Look-ups that arrive together share one query, sent after the last of them arrived;
   * nothing is kept, so what is deleted or replaced is so for every process at once.
   */
  findNewest(tenantId: string, name: string): Promise<StoredSecret | null> {
    return this.loader.submit({ tenantId, name });
  }

  /** That version, or null. */
  async findVersion(tenantId: string, name: string, version: number): Promise<StoredSecret | null> {
    const [row] = await this.transactions.query<StoredRow & { newest_scope: string }>(byVersion, [
      tenantId,
      name,
      version,
    ]);
    return row ? toStoredSecret(row, [row.scope_required, row.newest_scope]) : null;
  }

  /** Up to `limit` versions, newest first, behind version `before`. None when the tenant has no such secret. */
  async listVersions(tenantId: string, name: string, limit: number, before: number | null): Promise<SecretVersion[]> {
    const rows = await this.transactions.query<{
      version: number;
      scope_required: string;
      created_at: Date;
      expires_at: Date | null;
      bindings: string[];
      is_newest: boolean;
    }>(versions, [tenantId, name, before ?? MAX_INTEGER, limit]);
    return rows.map((row) => ({
      version: row.version,
      scopeRequired: row.scope_required,
      createdAt: row.created_at,
      expiresAt: row.expires_at,
      bindings: row.bindings,
      isNewest: row.is_newest,
    }));
  }

  /** Up to `limit` of the tenant's names, in the order of their bytes, behind `after`. */
  async listNames(tenantId: string, limit: number, after: string | null): Promise<string[]> {
    return this.transactions.read(tenantId, async (manager) => {
      const query = manager
        .createQueryBuilder(Secret, 's')
        .select('s.name', 'name')
        .where('s.tenantId = :tenantId AND s.name IS NOT NULL', { tenantId })
        .orderBy('s.name', 'ASC')
        .limit(limit);
      if (after !== null) query.andWhere('s.name > :after', { after });
      return (await query.getRawMany<{ name: string }>()).map(({ name }) => name);
    });
  }

  /** Secrets of the tenant. */
  count(tenantId: string): Promise<number> {
    return this.transactions.read(tenantId, (manager) => manager.countBy(Secret, { tenantId, deletedAt: IsNull() }));
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
      /** The same for a name that has to be there; null when it is not. */
      nextVersionIfThere: async (
        tenantId: string,
        name: string,
        now: Date,
      ): Promise<{ id: string; version: number } | null> => {
        const [row] = await tx.query<{ id: string; version: number }>(nextVersionIfThere, [tenantId, name, now]);
        return row ?? null;
      },
      /** A version, whose sealed value stays as it is until the transaction ends; null when there is none. */
      holdVersion: async (
        tenantId: string,
        name: string,
        secretId: string,
        version: number,
      ): Promise<StoredSecret | null> => {
        const [row] = await tx.query<StoredRow>(holdVersion, [tenantId, secretId, version]);
        if (!row) return null;
        return toStoredSecret({ ...row, tenant_id: tenantId, name, id: secretId, version }, [row.scope_required]);
      },
      /** The newest versions that are bound to something of an upstream, by name. */
      boundTo: async (tenantId: string, upstream: string, limit: number): Promise<StoredSecret[]> =>
        (await tx.query<StoredRow>(boundTo, [tenantId, upstream, limit])).map((row) =>
          toStoredSecret(row, [row.scope_required]),
        ),
      /** Does not wait for the answer. */
      insertVersion: (place: SecretPlace, sealed: SealedSecret, now: Date): void => {
        const { tenantId, secretId, version, scopeRequired, expiresAt, bindings } = place;
        const { wrappedKey, value } = sealed;
        tx.send(insertVersion, [
          ...[tenantId, secretId, version, scopeRequired, expiresAt, wrappedKey, value, now],
          bindings,
        ]);
      },
    };
  }

  private async load(keys: SecretKey[]): Promise<(StoredSecret | null)[]> {
    const distinct = [...new Map(keys.map((key) => [keyOf(key.tenantId, key.name), key])).values()];
    const rows = await this.transactions.query<StoredRow>(newestByNames, [
      distinct.map(({ tenantId }) => tenantId),
      distinct.map(({ name }) => name),
    ]);
    const found = new Map(
      rows.map((row) => [keyOf(row.tenant_id, row.name), toStoredSecret(row, [row.scope_required])]),
    );
    return keys.map(({ tenantId, name }) => found.get(keyOf(tenantId, name)) ?? null);
  }
}

/** Tenant ids hold no spaces, so no two keys share a text. */
function keyOf(tenantId: string, name: string): string {
  return `${tenantId} ${name}`;
}

function toStoredSecret(row: StoredRow, scopes: string[]): StoredSecret {
  return {
    place: {
      tenantId: row.tenant_id,
      secretId: row.id,
      name: row.name,
      version: row.version,
      scopeRequired: row.scope_required,
      expiresAt: row.expires_at,
      bindings: row.bindings,
    },
    sealed: { wrappedKey: row.wrapped_key, value: row.value },
    scopes,
  };
}
