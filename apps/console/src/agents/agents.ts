import { queryOptions } from '@tanstack/react-query';
import { answered, api } from '../api/client.ts';
import { Problem } from '../api/problem.ts';
import { type components } from '../api/schema.ts';
import { listQuery } from '../parts/list.tsx';

export type Agent = components['schemas']['Agent'];
export type Freeze = components['schemas']['Freeze'];

/** Everything that is read of agents. */
export const AGENTS = 'agents';

export const agentsQuery = listQuery([AGENTS, 'list'], async (page, signal) => {
  const { agents, next_cursor: next } = await answered(api.GET('/v1/agents', { params: { query: page }, signal }));
  return { items: agents, next };
});

/** One agent, null where the log has nothing of it; and whether every agent is frozen. */
export const agentQuery = (id: string) =>
  queryOptions({
    queryKey: [AGENTS, 'one', id],
    queryFn: async ({ signal }): Promise<{ agent: Agent | null; allFrozen: Freeze | null }> => {
      const query = { agent_id: id, limit: 1 };
      const { agents, tenant_frozen: allFrozen } = await answered(api.GET('/v1/agents', { params: { query }, signal }));
      return { agent: agents[0] ?? null, allFrozen };
    },
  });

/** Null unless every agent is frozen. */
export const allFrozenQuery = queryOptions({
  queryKey: [AGENTS, 'all-frozen'],
  queryFn: async ({ signal }): Promise<Freeze | null> =>
    (await answered(api.GET('/v1/agents', { params: { query: { limit: 1 } }, signal }))).tenant_frozen,
});

export function freeze({ id, reason }: { id: string; reason: string }): Promise<unknown> {
  const asked = { params: { path: { agent_id: inPath(id) } }, body: { reason } };
  return answered(api.POST('/v1/agents/{agent_id}/freeze', asked));
}

/** @param id null for every agent */
export function unfreeze(id: string | null): Promise<unknown> {
  if (id === null) return answered(api.POST('/v1/unfreeze', {}));
  return answered(api.POST('/v1/agents/{agent_id}/unfreeze', { params: { path: { agent_id: inPath(id) } } }));
}

/**
 * An agent as a part of an address. A browser leaves out `.` and `..` however they are written, so that the address would be of something
 * else: of `..`, that of all agents.
 *
 * @throws Problem for these two
 */
export function inPath(id: string): string {
  if (id === '.' || id === '..')
    throw new Problem('A browser cannot name this agent in an address. Use the API with another client.', 0, 'browser');
  return id;
}
