export const RANGES = [1, 7, 30] as const;

export interface FlagsSearch {
  agent_id?: string;
  /** One of the reasons. */
  reason?: string;
  /** The last days; 7 where none is said. */
  days?: (typeof RANGES)[number];
}

/** As much of an address as is one. */
export function readFlagsSearch({ agent_id: agentId, reason, days }: Record<string, unknown>): FlagsSearch {
  return {
    ...(typeof agentId === 'string' || typeof agentId === 'number' ? { agent_id: String(agentId) } : {}),
    ...(typeof reason === 'string' && /^\w{1,64}$/.test(reason) ? { reason } : {}),
    ...(days === 1 || days === 30 ? { days } : {}),
  };
}
