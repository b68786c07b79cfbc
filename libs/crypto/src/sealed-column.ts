/** A column whose values are sealed under tenant keys, as a rotation has to know it. */
export interface SealedColumn {
  table: string;
  column: string;
  /** What finds a row within its tenant, in the order of an index. */
  key: readonly { name: string; type: 'text' | 'integer' | 'bigint' }[];
  /** What a value is bound to under a key of that version; `row` holds the columns of `key` as text. */
  placeOf(tenantId: string, row: Readonly<Record<string, string>>, keyVersion: number): readonly (string | number)[];
}
