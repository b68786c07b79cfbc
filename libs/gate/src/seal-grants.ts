import { type GrantSeal, type KeyRing } from '@haldir/crypto';
import { type Tx } from '@haldir/database';
import { KEY_GRANT, keyGrant, SESSION_GRANT, sessionGrant } from './grants.js';
import { type KeyGrantRow, toKeyGrant } from './key-grant-row.js';
import { type SessionRow, toSession } from './session-row.js';

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
    rows += await sealAll(tx, 'api_key', 'public_id', (row: Row & KeyGrantRow) =>
      // There were no keys of agents in the version that made no MACs.
      seal.macOf(KEY_GRANT, keyGrant(toKeyGrant({ ...row, agent_id: null }))),
    );
    rows += await sealAll(tx, 'session', 'id', (row: Omit<SessionRow, 'frozen'>) =>
      seal.macOf(SESSION_GRANT, sessionGrant(toSession({ ...row, frozen: false }))),
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
