import { bodyHash, contentHash, entryHash, GENESIS_HASH } from '@haldir/verifier';
import { type Client as Postgres } from 'pg';

/** How many entries a log has that is tampered with. */
export const ENTRIES = 30;

interface Tampered {
  tenantId: string;
}

const COLUMNS: [string, string][] = [
  ['entry_id', `entry_id || 'x'`],
  ['source', `'proxy'`],
  ['session_id', `session_id || 'x'`],
  ['agent_id', `'other'`],
  ['tool', `'other'`],
  ['action', `'other'`],
  ['cost_micros', 'cost_micros - 1'],
  ['at', `at - interval '1 microsecond'`],
  ['details', `'other'`],
  ['details', 'NULL, details_salt = NULL'],
  ['details_salt', `'\\x00'`],
  ['details_hash', `sha256('x')`],
  ['flag_reason', `'other'`],
  ['prev_hash', `sha256('x')`],
  ['entry_hash', `sha256('x')`],
  ['actor_id', `'other'`],
  ['context', `'{"label":"other"}'`],
  ['context', 'NULL, context_salt = NULL'],
  ['context_salt', `'\\x00'`],
  ['context_hash', `sha256('x')`],
];
type Tampering = [
  what: string,
  /** The index at which it is found out, or what its number looks like. */
  index: number | RegExp,
  tamper: (db: Postgres, log: Tampered, other: () => Promise<Tampered>) => Promise<unknown>,
];

/** What a superuser of the database may do to the log of a tenant. */
export const TAMPERING: Tampering[] = [
  ...COLUMNS.map(([column, value], i): Tampering => [
    `changed ${column}`,
    5 + i,
    (db, { tenantId }) =>
      db.query(`UPDATE audit_entry SET ${column} = ${value} WHERE tenant_id = $1 AND seq = $2`, [tenantId, 5 + i]),
  ]),
  ...([0, 14, ENTRIES - 1] as const).map((seq): Tampering => [
    `deleted entry ${seq}`,
    seq,
    (db, { tenantId }) => db.query('DELETE FROM audit_entry WHERE tenant_id = $1 AND seq = $2', [tenantId, seq]),
  ]),
  [
    'deleted an entry and closed the gap',
    14,
    async (db, { tenantId }) => {
      await db.query('DELETE FROM audit_entry WHERE tenant_id = $1 AND seq = 14', [tenantId]);
      for (let seq = 15; seq < ENTRIES; seq++) {
        await db.query('UPDATE audit_entry SET seq = seq - 1 WHERE tenant_id = $1 AND seq = $2', [tenantId, seq]);
      }
      await db.query('UPDATE audit_head SET size = size - 1 WHERE tenant_id = $1', [tenantId]);
    },
  ],
  [
    'inserted an entry at the end',
    ENTRIES,
    async (db, { tenantId }) => {
      await db.query(
        `INSERT INTO audit_entry SELECT tenant_id, seq + 1, entry_id || 'x', source, session_id, agent_id, tool, action, cost_micros, at,
                details, details_salt, details_hash, flag_reason, entry_hash, sha256(entry_hash),
                actor_id, context, context_salt, context_hash FROM audit_entry WHERE tenant_id = $1 AND seq = $2`,
        [tenantId, ENTRIES - 1],
      );
      await db.query('UPDATE audit_head SET size = size + 1 WHERE tenant_id = $1', [tenantId]);
    },
  ],
  [
    'swapped two entries',
    9,
    async (db, { tenantId }) => {
      for (const [from, to] of [
        [9, -1],
        [10, 9],
        [-1, 10],
      ]) {
        await db.query('UPDATE audit_entry SET seq = $3 WHERE tenant_id = $1 AND seq = $2', [tenantId, from, to]);
      }
    },
  ],
  [
    'put another tenant’s entry in its place',
    11,
    async (db, { tenantId }, makeOther) => {
      const other = await makeOther();
      await db.query('DELETE FROM audit_entry WHERE tenant_id = $1 AND seq = 11', [tenantId]);
      await db.query(`UPDATE audit_entry SET tenant_id = $1 WHERE tenant_id = $2 AND seq = 11`, [
        tenantId,
        other.tenantId,
      ]);
    },
  ],
  [
    'cut off the tail and everything that knew of it',
    20,
    async (db, { tenantId }) => {
      await db.query('DELETE FROM audit_entry WHERE tenant_id = $1 AND seq >= 20', [tenantId]);
      await forgetTree(db, tenantId);
      await db.query(
        `UPDATE audit_head SET size = 20, hash = (SELECT entry_hash FROM audit_entry WHERE tenant_id = $1 AND seq = 19) WHERE tenant_id = $1`,
        [tenantId],
      );
    },
  ],
  [
    'rewrote an entry and linked all that follow anew',
    12,
    async (db, { tenantId }) => {
      await db.query(`UPDATE audit_entry SET action = 'innocent' WHERE tenant_id = $1 AND seq = 15`, [tenantId]);
      await relink(db, tenantId);
    },
  ],
  [
    'rewrote an entry, linked all that follow anew, and had the result signed again',
    /^0$/,
    async (db, { tenantId }) => {
      await db.query(`UPDATE audit_entry SET action = 'innocent' WHERE tenant_id = $1 AND seq = 15`, [tenantId]);
      await relink(db, tenantId);
      await forgetTree(db, tenantId);
    },
  ],
  [
    'put the tree head of another log in the place of this one’s',
    /^0$/,
    async (db, { tenantId }, makeOther) =>
      db.query(
        `UPDATE audit_checkpoint c SET root_hash = o.root_hash, signature = o.signature,
                note = replace(o.note, $2, $1) FROM audit_checkpoint o
          WHERE c.tenant_id = $1 AND o.tenant_id = $2 AND c.tree_size = $3 AND o.tree_size = $3`,
        [tenantId, (await makeOther()).tenantId, ENTRIES],
      ),
  ],
];

/** As if nothing had ever been signed. */
async function forgetTree(db: Postgres, tenantId: string): Promise<void> {
  await db.query('DELETE FROM audit_checkpoint WHERE tenant_id = $1', [tenantId]);
  await db.query('DELETE FROM audit_tile WHERE tenant_id = $1', [tenantId]);
  await db.query(`UPDATE audit_tree SET size = 0, frontier = '', last_hash = $2 WHERE tenant_id = $1`, [
    tenantId,
    GENESIS_HASH,
  ]);
}

/** What `audit_append` would have written, had the entries always been what they are now. */
async function relink(db: Postgres, tenantId: string): Promise<void> {
  const { rows } = await db.query<
    Record<string, string> & Record<'flag_reason' | 'details_hash' | 'actor_id' | 'context_hash', string | null>
  >(
    `SELECT seq, entry_id, source, session_id, agent_id, tool, action, cost_micros, (extract(epoch FROM at) * 1000000)::bigint AS micros,
            encode(details_hash, 'hex') AS details_hash, flag_reason, actor_id,
            encode(context_hash, 'hex') AS context_hash FROM audit_entry WHERE tenant_id = $1 ORDER BY seq`,
    [tenantId],
  );
  let previous: Buffer = GENESIS_HASH;
  for (const row of rows) {
    const content = contentHash({
      tenantId,
      entryId: String(row['entry_id']),
      source: String(row['source']),
      sessionId: String(row['session_id']),
      agentId: String(row['agent_id']),
      tool: String(row['tool']),
      action: String(row['action']),
      costMicros: String(row['cost_micros']),
      detailsHash: row.details_hash,
      actorId: row.actor_id,
      contextHash: row.context_hash,
    });
    const hash = entryHash(previous, bodyHash(content, BigInt(String(row['micros'])), row.flag_reason));
    await db.query('UPDATE audit_entry SET prev_hash = $3, entry_hash = $4 WHERE tenant_id = $1 AND seq = $2', [
      tenantId,
      row['seq'],
      previous,
      hash,
    ]);
    previous = hash;
  }
  await db.query('UPDATE audit_head SET hash = $2 WHERE tenant_id = $1', [tenantId, previous]);
}
