import { type ReactNode } from 'react';

/** The head of a column: a text, of numbers, or of what is pressed, which is read out and not shown. */
export type Head = string | { number: string } | { actions: string };

/**
 * A table; where there is no room for one, each row is a card, with the heads beside what stands under them.
 *
 * @param label what it is a table of
 * @param rows the first cell of each is what the row is about
 * @param foot what the columns come to
 */
export function Table({
  label,
  heads,
  rows,
  foot,
}: {
  label: string;
  heads: readonly Head[];
  rows: readonly { key: string; cells: readonly ReactNode[] }[];
  foot?: readonly ReactNode[];
}): ReactNode {
  // Roles are said although they are those of the elements: shown as cards, browsers would forget them.
  return (
    <table className="table" role="table" aria-label={label}>
      <thead role="rowgroup">
        <tr role="row">
          {heads.map((head) => (
            <th key={textOf(head)} role="columnheader" scope="col" className={kindOf(head)}>
              <span className={kindOf(head) === 'cell-actions' ? 'sr' : ''}>{textOf(head)}</span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map(({ key, cells }) => (
          <Row key={key} heads={heads} cells={cells} />
        ))}
      </tbody>
      {foot && (
        <tfoot role="rowgroup">
          <Row heads={heads} cells={foot} />
        </tfoot>
      )}
    </table>
  );
}

function Row({ heads, cells }: { heads: readonly Head[]; cells: readonly ReactNode[] }): ReactNode {
  return (
    <tr role="row">
      {heads.map((head, i) =>
        i === 0 ? (
          <th key={textOf(head)} role="rowheader" scope="row">
            {cells[i]}
          </th>
        ) : (
          <td key={textOf(head)} role="cell" data-head={textOf(head)} className={kindOf(head)}>
            {cells[i]}
          </td>
        ),
      )}
    </tr>
  );
}

const textOf = (head: Head): string =>
  typeof head === 'string' ? head : 'number' in head ? head.number : head.actions;

const kindOf = (head: Head): string => (typeof head === 'string' ? '' : 'number' in head ? 'number' : 'cell-actions');
