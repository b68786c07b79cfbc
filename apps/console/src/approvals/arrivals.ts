/** What is shown of a list that changes under the reader: rows stay where they are until they are asked to change. */
export interface Held<Row> {
  rows: readonly Row[];
  /** Of these, what the list does not have any more. */
  gone: ReadonlySet<string>;
  /** How many the list has that are not shown. */
  arrived: number;
}

/**
 * @param shown what stands there
 * @param fresh the list as it is
 */
export function hold<Row extends { request_id: string }>(shown: readonly Row[], fresh: readonly Row[]): Held<Row> {
  const [before, now] = [shown, fresh].map((rows) => new Set(rows.map(({ request_id: id }) => id))) as [Set<string>, Set<string>]; // prettier-ignore
  if (shown.length === 0) return { rows: fresh, gone: new Set(), arrived: 0 };
  return {
    rows: shown,
    gone: new Set([...before].filter((id) => !now.has(id))),
    arrived: [...now].filter((id) => !before.has(id)).length,
  };
}
