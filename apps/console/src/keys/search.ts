export const KINDS = ['key', 'agent', 'connector'] as const;

export interface KeysSearch {
  kind?: (typeof KINDS)[number];
  agent_id?: string;
  /** Those that are revoked or expired, too. */
  all?: true;
}

/** As much of an address as is one. */
export function readKeysSearch({ kind, agent_id: agentId, all }: Record<string, unknown>): KeysSearch {
  return {
    ...(KINDS.includes(kind as (typeof KINDS)[number]) ? { kind: kind as (typeof KINDS)[number] } : {}),
    ...(typeof agentId === 'string' || typeof agentId === 'number' ? { agent_id: String(agentId) } : {}),
    ...(all === true ? { all } : {}),
  };
}
