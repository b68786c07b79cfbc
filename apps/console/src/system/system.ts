import { queryOptions } from '@tanstack/react-query';
import { answered, api } from '../api/client.ts';

/** First of the keys of what is read here. */
export const SYSTEM = 'system';
const FRESH_MS = 15_000;

export const statusQuery = queryOptions({
  queryKey: [SYSTEM, 'status'],
  queryFn: async ({ signal }) => {
    const [status, { version }] = await Promise.all([
      answered(api.GET('/v1/status', { signal })),
      answered(api.GET('/healthz', { signal })),
    ]);
    return { ...status, version };
  },
  refetchInterval: FRESH_MS,
});

/** Whether every agent is stopped; null while they are not. */
export const frozenQuery = queryOptions({
  queryKey: [SYSTEM, 'frozen'],
  queryFn: async ({ signal }) => {
    const query = { limit: 1 };
    return (await answered(api.GET('/v1/agents', { params: { query }, signal }))).tenant_frozen;
  },
});

export const freezeAll = (reason: string) => answered(api.POST('/v1/freeze', { body: { reason } }));
export const unfreezeAll = () => answered(api.POST('/v1/unfreeze'));
