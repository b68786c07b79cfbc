import { Injectable } from '@nestjs/common';
import { Batcher } from '@haldir/kernel';
import { columnsOf, Transactions, type Tx } from '@haldir/database';
import { IsNull, LessThan } from 'typeorm';
import { type SealedSecret, type SecretPlace } from './secret-seal.js';
import { SecretVersion } from './secret-version.entity.js';
import { Secret } from './secret.entity.js';

/** A version of a secret, as it lies in the database. */
export interface StoredSecret {
  place: SecretPlace;
  sealed: SealedSecret;
  /** What a session must hold to read it: its own scope, and for an earlier version the newest one's too. */
  scopes: readonly string[];
}

/** A version as a list shows it, without its value. */
export type ListedVersion = Pick<
  SecretVersion,
  'version' | 'scopeRequired' | 'createdAt' | 'expiresAt' | 'bindings'
> & { isNewest: boolean };

/** A secret as a list shows it: its newest version. */
export type ListedSecret = ListedVersion & { name: string };

interface SecretKey {
  tenantId: string;
  name: string;
}

/** Where a value stands. */
interface PlaceRow {
  tenant_id: string;
  name: string;
  id: string;
}

type SealedVersion = Pick<
  SecretVersion,
  'version' | 'scopeRequired' | 'expiresAt' | 'bindings' | 'wrappedKey' | 'value'
>;

const SEALED = columnsOf(SecretVersion).only(
  'version',
  'scopeRequired',
  'expiresAt',
  'bindings',
  'wrappedKey',
  'value',
);

const LISTED = columnsOf(SecretVersion).only('version', 'scopeRequired', 'createdAt', 'expiresAt', 'bindings');

const newestOfEach = `
  SELECT s.name, ${LISTED.of('v')}
    FROM (SELECT id, name, version FROM secret
           WHERE tenant_id = $1 AND name IS NOT NULL AND ($3::text IS NULL OR name > $3) ORDER BY name LIMIT $2) AS s
   CROSS JOIN LATERAL (SELECT ${LISTED.list} FROM secret_version
                        WHERE tenant_id = $1 AND secret_id = s.id AND version = s.version LIMIT 1) AS v
   ORDER BY s.name`;

/** On the path of every read. */
export const newestByNames = {
  name: 'secret.newest_by_names.v5',
  // LIMIT 1 keeps each look-up a step in an index, whatever statistics say, or do not say yet.
  text: `SELECT w.tenant_id, w.name, s.id, ${SEALED.of('v')}
           FROM unnest($1::text[], $2::text[]) AS w(tenant_id, name)
           CROSS JOIN LATERAL (SELECT id, version FROM secret WHERE tenant_id = w.tenant_id AND name = w.name LIMIT 1) AS s
           CROSS JOIN LATERAL (SELECT ${SEALED.list} FROM secret_version
                                WHERE tenant_id = w.tenant_id AND secret_id = s.id AND version = s.version LIMIT 1) AS v`,
};
/** The same for reads of one version. */
const byVersion = {
  name: 'secret.by_version.v3',
  text: `SELECT s.tenant_id, s.name, s.id, ${SEALED.of('v')}, n.scope_required AS newest_scope
           FROM secret s
           JOIN secret_version v ON v.tenant_id = s.tenant_id AND v.secret_id = s.id AND v.version = $3
           JOIN secret_version n ON n.tenant_id = s.tenant_id AND n.secret_id = s.id AND n.version = s.version
          WHERE s.tenant_id = $1 AND s.name = $2`,
};
const nextVersion = `
  INSERT INTO secret (tenant_id, name, id, version, created_at, updated_at) VALUES ($1, $2, $3, 1, $4, $4)
  ON CONFLICT (tenant_id, name)
  DO UPDATE SET version = secret.version + 1, updated_at = excluded.updated_at
  RETURNING id, version`;

const boundTo = `
  SELECT s.tenant_id, s.name, s.id, ${SEALED.of('v')}
    FROM secret s JOIN secret_version v ON v.tenant_id = s.tenant_id AND v.secret_id = s.id AND v.version = s.version
   WHERE s.tenant_id = $1 AND s.name IS NOT NULL AND v.value <> ''
     AND EXISTS (SELECT FROM unnest(v.bindings) AS b WHERE split_part(b, '.', 1) = $2)
   ORDER BY s.name LIMIT $3`;

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
    const [row] = await this.transactions.query<PlaceRow & { newest_scope: string }>(byVersion, [
      tenantId,
      name,
      version,
    ]);
    if (!row) return null;
    const sealed = SEALED.toEntity(row);
    return toStored(row, sealed, [sealed.scopeRequired, row.newest_scope]);
  }

  /** Up to `limit` versions, newest first, behind version `before`. None when the tenant has no such secret. */
  listVersions(tenantId: string, name: string, limit: number, before: number | null): Promise<ListedVersion[]> {
    return this.transactions.read(tenantId, async (manager) => {
      const secret = await manager.findOneBy(Secret, { tenantId, name });
      if (!secret) return [];
      const { id: secretId, version: newest } = secret;
      const versions = await manager.find(SecretVersion, {
        select: { version: true, scopeRequired: true, createdAt: true, expiresAt: true, bindings: true },
        where: { tenantId, secretId, ...(before === null ? {} : { version: LessThan(before) }) },
        order: { version: 'DESC' },
        take: limit,
      });
      return versions.map(({ version, scopeRequired, createdAt, expiresAt, bindings }) => ({
        version,
        scopeRequired,
        createdAt,
        expiresAt,
        bindings,
        isNewest: version === newest,
      }));
    });
  }

  /** Up to `limit` of the tenant's secrets, in the order of the bytes of their names, behind the name `after`. */
  async listNewest(tenantId: string, limit: number, after: string | null): Promise<ListedSecret[]> {
    const rows = await this.transactions.query<{ name: string }>(newestOfEach, [tenantId, limit, after]);
    return rows.map((row) => ({ name: row.name, ...LISTED.toEntity(row), isNewest: true }));
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
        const { raw } = (await tx.manager
          .createQueryBuilder()
          .update(Secret)
          .set({ version: () => 'version + 1', updatedAt: now })
          .where({ tenantId, name })
          .returning('id, version')
          .execute()) as { raw: { id: string; version: number }[] };
        return raw[0] ?? null;
      },
      /** A version, which is not sealed anew until the transaction ends; null when there is none. */
      holdVersion: async (
        tenantId: string,
        name: string,
        secretId: string,
        version: number,
      ): Promise<StoredSecret | null> => {
        const held = await tx.manager.findOne(SecretVersion, {
          where: { tenantId, secretId, version },
          lock: { mode: 'pessimistic_read' },
        });
        return held && toStored({ tenant_id: tenantId, name, id: secretId }, held, [held.scopeRequired]);
      },
      /** The newest versions that are bound to something of an upstream, by name. */
      boundTo: async (tenantId: string, upstream: string, limit: number): Promise<StoredSecret[]> => {
        const rows = await tx.query<PlaceRow>(boundTo, [tenantId, upstream, limit]);
        return rows.map((row) => {
          const sealed = SEALED.toEntity(row);
          return toStored(row, sealed, [sealed.scopeRequired]);
        });
      },
      insertVersion: (place: SecretPlace, sealed: SealedSecret, now: Date): Promise<unknown> => {
        const { tenantId, secretId, version, scopeRequired, expiresAt, bindings } = place;
        const { wrappedKey, value } = sealed;
        return tx.manager.insert(SecretVersion, {
          tenantId,
          secretId,
          version,
          scopeRequired,
          expiresAt,
          bindings,
          wrappedKey,
          value,
          createdAt: now,
        });
      },
    };
  }

  private async load(keys: SecretKey[]): Promise<(StoredSecret | null)[]> {
    const distinct = [...new Map(keys.map((key) => [keyOf(key.tenantId, key.name), key])).values()];
    const rows = await this.transactions.query<PlaceRow>(newestByNames, [
      distinct.map(({ tenantId }) => tenantId),
      distinct.map(({ name }) => name),
    ]);
    const found = new Map(
      rows.map((row) => {
        const sealed = SEALED.toEntity(row);
        return [keyOf(row.tenant_id, row.name), toStored(row, sealed, [sealed.scopeRequired])];
      }),
    );
    return keys.map(({ tenantId, name }) => found.get(keyOf(tenantId, name)) ?? null);
  }
}

/** Tenant ids hold no spaces, so no two keys share a text. */
function keyOf(tenantId: string, name: string): string {
  return `${tenantId} ${name}`;
}

function toStored({ tenant_id: tenantId, name, id }: PlaceRow, sealed: SealedVersion, scopes: string[]): StoredSecret {
  const { version, scopeRequired, expiresAt, bindings, wrappedKey, value } = sealed;
  return {
    place: { tenantId, secretId: id, name, version, scopeRequired, expiresAt, bindings },
    sealed: { wrappedKey, value },
    scopes,
  };
}
