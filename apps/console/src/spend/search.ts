export interface SpendSearch {
  /** UTC days, both included; the last seven where neither is said. */
  from?: string;
  to?: string;
  /** What the chart is divided by; agents where it is not said. */
  by?: 'tool';
  agent_id?: string;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** As much of an address as is one. */
export function readSpendSearch({ from, to, by, agent_id: agentId }: Record<string, unknown>): SpendSearch {
  return {
    ...(typeof from === 'string' && DAY.test(from) ? { from } : {}),
    ...(typeof to === 'string' && DAY.test(to) ? { to } : {}),
    ...(by === 'tool' ? { by } : {}),
    ...(typeof agentId === 'string' || typeof agentId === 'number' ? { agent_id: String(agentId) } : {}),
  };
}
