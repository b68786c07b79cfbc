import { queryOptions } from '@tanstack/react-query';
import { answered, api } from '../api/client.ts';
import { type operations } from '../api/schema.ts';
import { listQuery } from '../parts/list.tsx';
import { type ToolsSearch } from './search.ts';

type ToolList = operations['listProxyTools']['responses'][200]['content']['application/json'];
export type Tool = ToolList['tools'][number];
export type Drift = NonNullable<Tool['drift']>;

/** First of the keys of what is read here. */
export const TOOLS = 'tools';
const MOST = 1000;

export const toolsQuery = ({ name_contains: name, upstream, drifted }: ToolsSearch) =>
  listQuery([TOOLS, 'list', name, upstream, drifted], async (page, signal) => {
    const filter = {
      ...(name && { name_contains: name }),
      ...(upstream && { upstream }),
      ...(drifted && { drifted: 'true' as const }),
    };
    const query = { ...filter, ...page };
    const answer = await answered(api.GET('/v1/proxy/tools', { params: { query }, signal }));
    return { items: answer.tools, next: answer.next_cursor };
  });

/** @param qualified `upstream.tool`: no name of an upstream has a dot. Null where there is no such tool */
export const toolQuery = (qualified: string) =>
  queryOptions({
    queryKey: [TOOLS, 'one', qualified],
    queryFn: async ({ signal }): Promise<Tool | null> => {
      const dot = qualified.indexOf('.');
      const name = qualified.slice(dot + 1);
      if (dot < 1 || name === '') return null;
      const query = { upstream: qualified.slice(0, dot), limit: MOST };
      // A filter takes 256 characters at most.
      const filter = name.length > 256 ? query : { ...query, name_contains: name };
      const { tools } = await answered(api.GET('/v1/proxy/tools', { params: { query: filter }, signal }));
      return tools.find(({ qualified_name: each }) => each === qualified) ?? null;
    },
  });

export const accept = ({ upstream: name, name: tool, drift }: Tool) =>
  answered(
    api.POST('/v1/proxy/upstreams/{name}/tools/{tool}/accept', {
      params: { path: { name, tool } },
      // What was looked at, and nothing that it was changed to meanwhile.
      body: { fingerprint: drift?.fingerprint ?? '' },
    }),
  );

export const price = ({ upstream: name, name: tool }: Tool, usd: number) =>
  answered(
    api.PUT('/v1/proxy/upstreams/{name}/tools/{tool}/price', {
      params: { path: { name, tool } },
      body: { price_usd: usd },
    }),
  );

export const removePrice = ({ upstream: name, name: tool }: Tool) =>
  answered(api.DELETE('/v1/proxy/upstreams/{name}/tools/{tool}/price', { params: { path: { name, tool } } }));
