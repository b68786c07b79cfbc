import { queryOptions } from '@tanstack/react-query';
import { answered, api } from '../api/client.ts';
import { type components, type operations } from '../api/schema.ts';
import { listQuery } from '../parts/list.tsx';
import { type UpstreamsSearch } from './search.ts';

export type Upstream = components['schemas']['Upstream'];
export type ChangeUpstream = operations['changeUpstream']['requestBody']['content']['application/json'];
export type RegisterUpstream = operations['registerUpstream']['requestBody']['content']['application/json'];

/** First of the keys of what is read here. */
export const UPSTREAMS = 'upstreams';
const MOST = 1000;

export const upstreamsQuery = ({ name_contains: name, unhealthy }: UpstreamsSearch) =>
  listQuery([UPSTREAMS, 'list', name, unhealthy], async (page, signal) => {
    const filter = { ...(name && { name_contains: name }), ...(unhealthy && { healthy: 'false' as const }) };
    const query = { ...filter, ...page };
    const answer = await answered(api.GET('/v1/proxy/upstreams', { params: { query }, signal }));
    return { items: Object.entries(answer.upstreams), next: answer.next_cursor };
  });

/** One of them; null where there is none of that name. */
export const upstreamQuery = (name: string) =>
  queryOptions({
    queryKey: [UPSTREAMS, 'one', name],
    queryFn: async ({ signal }) => {
      const query = { name_contains: name, limit: MOST };
      const { upstreams } = await answered(api.GET('/v1/proxy/upstreams', { params: { query }, signal }));
      return Object.hasOwn(upstreams, name) ? (upstreams[name] ?? null) : null;
    },
  });

export const refresh = (name: string) =>
  answered(api.POST('/v1/proxy/upstreams/{name}/refresh', { params: { path: { name } } }));

export const change = (name: string, body: ChangeUpstream) =>
  answered(api.PATCH('/v1/proxy/upstreams/{name}', { params: { path: { name } }, body }));

export const remove = (name: string) =>
  answered(api.DELETE('/v1/proxy/upstreams/{name}', { params: { path: { name } } }));

export const register = (body: RegisterUpstream) => answered(api.POST('/v1/proxy/upstreams', { body }));
