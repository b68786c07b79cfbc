export const SESSION_STATES = ['active', 'expired', 'revoked'] as const;

export interface SessionsSearch {
  agent_id?: string;
  status?: (typeof SESSION_STATES)[number] | 'all';
}

/** As much of an address as is one. Ids of sessions are none of it: they let in whoever has them. */
export function readSessionsSearch({ agent_id: agentId, status }: Record<string, unknown>): SessionsSearch {
  return {
    ...(typeof agentId === 'string' || typeof agentId === 'number' ? { agent_id: String(agentId) } : {}),
    ...([...SESSION_STATES, 'all'].includes(String(status)) && status !== 'active'
      ? { status: status as NonNullable<SessionsSearch['status']> }
      : {}),
  };
}
