import { answered, api } from '../api/client.ts';
import { type components } from '../api/schema.ts';
import { listQuery } from '../parts/list.tsx';
import { type SessionsSearch } from './search.ts';

export type Session = components['schemas']['SessionListItem'];

/** Everything that is read of sessions. */
export const SESSIONS = 'sessions';

/** Newest first. */
export const sessionsQuery = ({ agent_id: agentId, status = 'active' }: SessionsSearch) =>
  listQuery([SESSIONS, agentId, status], async (page, signal) => {
    const query = {
      ...page,
      ...(agentId !== undefined && { agent_id: agentId }),
      ...(status !== 'all' && { status }),
    };
    const { sessions, next_cursor: next } = await answered(api.GET('/v1/sessions', { params: { query }, signal }));
    return { items: sessions, next };
  });

export function revoke({ session_id }: Session): Promise<unknown> {
  return answered(api.DELETE('/v1/sessions/{session_id}', { params: { path: { session_id } } }));
}
