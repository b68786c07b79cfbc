import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { answered, api } from '../api/client.ts';
import { Said } from '../parts/said.tsx';
import { Failed } from '../parts/states.tsx';
import { type Approval } from './requests.ts';
import { readDetails, type ShownDetails } from './shown-details.ts';

/** What the request is about, all of it: a table where it is an object, else as it was written. */
export function Details({ request, onAllRead }: { request: Approval; onAllRead: () => void }): ReactNode {
  if (request.details_cut) return <LongDetails id={request.request_id} onAllRead={onAllRead} />;
  if (request.details === null || request.details === '') return <p className="muted">The agent says no more.</p>;
  const shown = readDetails(request.details, request.digest);
  if (shown === null) return <Said text={request.details} block />;
  return <DetailsTable shown={shown} />;
}

function DetailsTable({ shown }: { shown: ShownDetails }): ReactNode {
  return (
    <>
      {shown.rows.length === 0 ? (
        <p className="muted">{shown.isCall ? 'No arguments.' : 'The agent says no more.'}</p>
      ) : (
        <table className="arguments">
          <tbody>
            {shown.rows.map(({ name, value }) => (
              <tr key={name}>
                <th scope="row">
                  <Said text={name} />
                </th>
                <td>{value === '' ? <span className="muted">empty</span> : <Said text={value} block />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {shown.answers !== null && (
        <>
          <h3>What was answered to the tool’s questions</h3>
          <Said text={shown.answers} block />
        </>
      )}
    </>
  );
}

/** Of details that are too long for one answer, as many characters are read at a time. */
const PART_CHARS = 65_536;

/** Read part by part: what was not shown cannot be approved. */
function LongDetails({ id, onAllRead }: { id: string; onAllRead: () => void }): ReactNode {
  const [parts, setParts] = useState<string[]>([]);
  const [next, setNext] = useState<{ offset: number; total: number | null } | null>({ offset: 0, total: null });
  const reading = useMutation({
    mutationFn: async () => {
      if (next === null) return;
      const { offset } = next;
      const query = { offset, limit: PART_CHARS };
      const part = await answered(
        api.GET('/v1/approvals/{request_id}/details', { params: { path: { request_id: id }, query } }),
      );
      setParts([...parts, part.text]);
      setNext(part.next_offset === null ? null : { offset: part.next_offset, total: part.total });
      if (part.next_offset === null) onAllRead();
    },
  });
  return (
    <>
      {parts.map((text, index) => (
        <details key={index} open={index === parts.length - 1} className="part">
          <summary>Part {index + 1}</summary>
          <Said text={text} block />
        </details>
      ))}
      {reading.isError && <Failed error={reading.error} again={() => reading.mutate()} />}
      {next !== null && (
        <p className="notice">
          The details are long: you have been shown {next.offset.toLocaleString('en')} characters
          {next.total === null ? '' : ` of ${next.total.toLocaleString('en')}`}. You can approve once you have been
          shown all of them, and deny at any time.{' '}
          <button type="button" disabled={reading.isPending} onClick={() => reading.mutate()}>
            {parts.length === 0 ? 'Show the first part' : 'Show the next part'}
          </button>
        </p>
      )}
    </>
  );
}
