import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode } from 'react';
import { lastActionsQuery } from '../approvals/context.ts';
import { Said } from '../parts/said.tsx';
import { Unread } from '../parts/states.tsx';
import { When } from '../parts/times.tsx';

/** What an agent did last, each with its entry of the log. */
export function LastActions({ agentId }: { agentId: string }): ReactNode {
  const { data, error, refetch } = useQuery(lastActionsQuery(agentId));
  if (data === undefined) return <Unread error={error} again={refetch} />;
  return (
    <table className="log">
      <tbody>
        {data.map(({ entry_id: entry, timestamp, tool, action, flagged }) => (
          <tr key={entry}>
            <td>
              <Link to="/audit" search={{ agent_id: agentId, entry }}>
                <When at={timestamp} />
              </Link>
            </td>
            <td>
              <Said text={action} /> {flagged && <span className="flag">flagged</span>}
            </td>
            <td>
              <Said text={tool} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
