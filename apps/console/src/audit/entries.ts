import { infiniteQueryOptions } from '@tanstack/react-query';
import { answered, api, send } from '../api/client.ts';
import { problemOf } from '../api/problem.ts';
import { type components, type operations } from '../api/schema.ts';
import { BASE } from '../base.ts';
import { saveFile } from '../parts/save.ts';

export type Entry = components['schemas']['AuditEntry'];
type Query = NonNullable<operations['getAuditTrail']['parameters']['query']>;

const PAGE = 50;

/** Newest first. @param filter as the API takes it */
export const entriesQuery = (filter: Record<string, string>) =>
  infiniteQueryOptions({
    queryKey: ['audit', filter],
    queryFn: ({ pageParam, signal }) => {
      const query = { ...filter, limit: PAGE, ...(pageParam === '' ? {} : { cursor: pageParam }) } as Query;
      return answered(api.GET('/v1/audit', { params: { query }, signal }));
    },
    initialPageParam: '',
    getNextPageParam: ({ next_cursor: next }) => next,
  });

/** Gives the browser the export of these entries as a file. A link could not send who asks. */
export async function download(filter: Record<string, string>, format: 'jsonl' | 'csv'): Promise<void> {
  const query = new URLSearchParams({ ...filter, format }).toString();
  const response = await send(new Request(`${BASE}/v1/audit/export?${query}`), new AbortController().signal);
  if (!response.ok) throw problemOf(response, await response.json().catch(() => null));
  const name = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1];
  saveFile(name ?? `haldir-audit.${format}`, await response.blob());
}
