import { type KeyObject } from 'node:crypto';
import { type Statement, type Tx } from '@haldir/database';
import { associatedData, keyVersionOf, open, seal, SealBroken } from './blob.js';
import { type VersionedKey } from './key-ring.js';

/** A column whose values are sealed under tenant keys, as a rotation has to know it. */
export interface SealedColumn {
  table: string;
  column: string;
  /** What finds a row within its tenant, in the order of an index. */
  key: readonly { name: string; type: 'text' | 'integer' | 'bigint' }[];
  /** What a value is bound to under a key of that version; `row` holds the columns of `key` as text. */
  placeOf(tenantId: string, row: Readonly<Record<string, string>>, keyVersion: number): readonly (string | number)[];
}

/** The rows of one batch that were sealed anew, and those whose value does not open. */
export interface ResealedBatch {
  resealed: number;
  broken: string[];
  /** Where the next batch goes on; null behind the last. */
  next: string[] | null;
}

type Row = Record<string, string> & { sealed: Buffer | null };
type SealedRow = Row & { sealed: Buffer };

/** Matches the version in front of a sealed value against a `tenant_key` row `k`. */
export function underKey({ table, column }: SealedColumn): string {
  return `${table}.tenant_id = k.tenant_id AND substr(${table}.${column}, 2, 4) = int4send(k.version)`;
}

/** The values of one column, to be taken out from under a key. */
export class Resealer {
  private readonly select: Statement;
  private readonly update: Statement;

  constructor(private readonly sealed: SealedColumn) {
    const { table, column, key } = sealed;
    const names = key.map(({ name }) => name).join(', ');
    const position = key.map(({ type }, i) => `$${i + 2}::${type}`).join(', ');
    // In the order of an index, a page at a time, whatever it is sealed under: each row is looked at once. What others hold is
    // skipped, so that nobody waits for a rotation that waits for somebody else.
    this.select = {
      name: `${table}.${column}.to_reseal.v2`,
      text: `SELECT ${key.map(({ name }) => `${name}::text AS ${name}`).join(', ')}, ${column} AS sealed FROM ${table}
              WHERE tenant_id = $1 AND (${names}) > (${position})
              ORDER BY ${key.map(({ name }) => `${table}.${name}`).join(', ')} LIMIT ${BATCH} FOR NO KEY UPDATE SKIP LOCKED`,
    };
    const columns = key.map(({ type }, i) => `$${i + 4}::${type}[]`).join(', ');
    this.update = {
      name: `${table}.${column}.reseal.v1`,
      text: `UPDATE ${table} AS t SET ${column} = w.fresh
               FROM unnest($2::bytea[], $3::bytea[], ${columns}) AS w(sealed, fresh, ${names})
              WHERE t.tenant_id = $1 AND t.${column} = w.sealed AND ${key.map(({ name }) => `t.${name} = w.${name}`).join(' AND ')}
             RETURNING 1 AS done`,
    };
  }

  /** The next few values under `from`, behind row `after`, sealed under `to`. */
  async batch(
    tx: Tx,
    tenantId: string,
    from: VersionedKey,
    to: VersionedKey,
    after: string[] | null,
  ): Promise<ResealedBatch> {
    const { key } = this.sealed;
    // Below every id: none is empty, and numbers begin at 1.
    const position = after ?? key.map(({ type }) => (type === 'text' ? '' : '0'));
    const rows = await tx.query<Row>(this.select, [tenantId, ...position]);
    const moved: { row: SealedRow; fresh: Buffer }[] = [];
    const broken: string[] = [];
    for (const row of rows) {
      if (!isUnder(row, from.version)) continue;
      const fresh = this.reseal(tenantId, row, from.key, to);
      if (fresh) moved.push({ row, fresh });
      else broken.push(this.nameOf(tenantId, row));
    }
    const updated = await tx.query(this.update, [
      tenantId,
      moved.map(({ row }) => row.sealed),
      moved.map(({ fresh }) => fresh),
      ...key.map(({ name }) => moved.map(({ row }) => row[name])),
    ]);
    const last = rows.at(-1);
    const next = last && rows.length === BATCH ? key.map(({ name }) => last[name] ?? '') : null;
    return { resealed: updated.length, broken, next };
  }

  private reseal(tenantId: string, row: SealedRow, from: KeyObject, to: VersionedKey): Buffer | null {
    try {
      const { sealed } = row;
      const place = this.sealed.placeOf(tenantId, row, keyVersionOf(sealed));
      const plaintext = open(from, sealed, associatedData(place));
      const fresh = seal(to.key, to.version, plaintext, associatedData(this.sealed.placeOf(tenantId, row, to.version)));
      plaintext.fill(0);
      return fresh;
    } catch (error) {
      if (error instanceof SealBroken) return null;
      throw error;
    }
  }

  private nameOf(tenantId: string, row: Row): string {
    const { table, column, key } = this.sealed;
    return `${table}.${column} of ${tenantId}, ${key.map(({ name }) => `${name} ${row[name] ?? ''}`).join(', ')}`;
  }
}

const BATCH = 250;

/** The version alone, as `underKey` reads it: what is malformed otherwise does not open, and is named. */
function isUnder(row: Row, keyVersion: number): row is SealedRow {
  return row.sealed !== null && row.sealed.length >= 5 && row.sealed.readUInt32BE(1) === keyVersion;
}
