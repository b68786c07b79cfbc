import { type KeyObject } from 'node:crypto';
import { type Tx } from '@haldir/database';
import { associatedData, keyVersionOf, open, seal, SealBroken } from './blob.js';
import { type VersionedKey } from './key-ring.js';
import { type SealedColumn } from './sealed-column.js';
import { type SealedColumnRepository, type SealedColumnRow, type SealedValueRow } from './sealed-column.repository.js';

const BATCH = 250;

/** The rows of one batch that were sealed anew, and those whose value does not open. */
export interface ResealedBatch {
  resealed: number;
  broken: string[];
  /** Where the next batch goes on; null behind the last. */
  next: string[] | null;
}

/** The values of one column, to be taken out from under a key. */
export class Resealer {
  constructor(
    private readonly sealed: SealedColumn,
    private readonly values: SealedColumnRepository,
  ) {}

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
    const values = this.values.in(tx, this.sealed);
    const rows = await values.hold(tenantId, position, BATCH);
    const moved: { row: SealedValueRow; fresh: Buffer }[] = [];
    const broken: string[] = [];
    for (const row of rows) {
      if (!isUnder(row, from.version)) continue;
      const fresh = this.reseal(tenantId, row, from.key, to);
      if (fresh) moved.push({ row, fresh });
      else broken.push(this.nameOf(tenantId, row));
    }
    const resealed = await values.replace(tenantId, moved);
    const last = rows.at(-1);
    const next = last && rows.length === BATCH ? key.map(({ name }) => last[name] ?? '') : null;
    return { resealed, broken, next };
  }

  private reseal(tenantId: string, row: SealedValueRow, from: KeyObject, to: VersionedKey): Buffer | null {
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

  private nameOf(tenantId: string, row: SealedColumnRow): string {
    const { table, column, key } = this.sealed;
    return `${table}.${column} of ${tenantId}, ${key.map(({ name }) => `${name} ${row[name] ?? ''}`).join(', ')}`;
  }
}

/** The version alone, as `underKey` reads it: what is malformed otherwise does not open, and is named. */
function isUnder(row: SealedColumnRow, keyVersion: number): row is SealedValueRow {
  return row.sealed !== null && row.sealed.length >= 5 && row.sealed.readUInt32BE(1) === keyVersion;
}
