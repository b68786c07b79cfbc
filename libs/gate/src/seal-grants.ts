import { type GrantSeal, type KeyRing } from '@haldir/crypto';
import { type MicroUsd } from '@haldir/kernel';
import { type Tx } from '@haldir/database';
import { type Tier } from '@haldir/runtime';
import { KEY_GRANT, type KeyGrant, keyGrant, SESSION_GRANT, sessionGrant } from './grants.js';
import { Session } from './session.entity.js';

const BATCH = 1000;

/**
 * Gives every key and session the MAC over what it grants now, and has the database ask for one from then on. As the owner of the
 * schema, once: see `KeyRing.sealGrantsOnce`.
 *
 * @returns how many rows it was, or null when it was done before
 */
export async function sealGrants(tx: Tx, keyRing: KeyRing, seal: GrantSeal): Promise<number | null> {
  let rows = 0;
  const isDone = await keyRing.sealGrantsOnce(tx, async () => {
    await tx.query('LOCK TABLE api_key, session, tenant IN EXCLUSIVE MODE');
    rows += await sealAll(tx, 'api_key', 'public_id', (row: KeyRow) =>
      seal.macOf(KEY_GRANT, keyGrant(toKeyGrant(row))),
    );
    rows += await sealAll(tx, 'session', 'id', (row: SessionRow) =>
      seal.macOf(SESSION_GRANT, sessionGrant(toSession(row))),
    );
    await tx.query('ALTER TABLE api_key ALTER COLUMN mac SET NOT NULL');
    await tx.query('ALTER TABLE session ALTER COLUMN mac SET NOT NULL');
  });
  return isDone ? rows : null;
}

interface Row {
  tenant_id: string;
  id: string;
}
interface KeyRow extends Row {
  public_id: string;
  principal_id: string;
  tier: Tier;
  scopes: string[];
  hash: Buffer;
  expires_at: Date | null;
  tenant_tier: Tier;
  is_operator: boolean;
}
interface SessionRow extends Row {
  agent_id: string;
  scopes: string[];
  spend_limit_micros: string | null;
  opened_key: string | null;
  expires_at: Date;
}

/** In pages by the primary key. */
async function sealAll<R extends Row>(tx: Tx, table: string, id: string, macOf: (row: R) => Buffer): Promise<number> {
  let after: R | undefined;
  let sealed = 0;
  do {
    const rows: R[] = await tx.query<R>(
      `SELECT r.*, r.${id} AS id, t.tier AS tenant_tier, t.is_operator FROM ${table} r JOIN tenant t ON t.id = r.tenant_id
        WHERE (r.tenant_id, r.${id}) > ($1, $2) ORDER BY r.tenant_id, r.${id} LIMIT ${BATCH}`,
      [after?.tenant_id ?? '', after?.id ?? ''],
    );
    await tx.query(
      `UPDATE ${table} r SET mac = w.mac FROM unnest($1::text[], $2::text[], $3::bytea[]) AS w(tenant_id, id, mac)
        WHERE r.tenant_id = w.tenant_id AND r.${id} = w.id`,
      [rows.map((row) => row.tenant_id), rows.map((row) => row.id), rows.map(macOf)],
    );
    sealed += rows.length;
    after = rows.length === BATCH ? rows.at(-1) : undefined;
  } while (after);
  return sealed;
}

function toKeyGrant(row: KeyRow): KeyGrant {
  return {
    ...{ tenantId: row.tenant_id, publicId: row.public_id, principalId: row.principal_id, tier: row.tier },
    ...{ scopes: row.scopes, hash: row.hash, expiresAt: row.expires_at },
    ...{ tenantTier: row.tenant_tier, isOperator: row.is_operator },
    // There were no others in the version that made no MACs.
    grant: null,
  };
}

function toSession({ spend_limit_micros: limit, ...row }: SessionRow): Session {
  return Object.assign(new Session(), {
    ...{ tenantId: row.tenant_id, id: row.id, agentId: row.agent_id, scopes: row.scopes },
    ...{ spendLimit: limit === null ? null : (BigInt(limit) as MicroUsd) },
    ...{ openedKey: row.opened_key, expiresAt: row.expires_at },
  });
}
