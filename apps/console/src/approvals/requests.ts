import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answered, api } from '../api/client.ts';
import { type components } from '../api/schema.ts';

export type Approval = components['schemas']['ApprovalDetail'];
export type Pending = components['schemas']['PendingApproval'];
export const STATUSES = ['pending', 'approved', 'denied', 'expired'] as const;
export type Status = (typeof STATUSES)[number];

/** Everything that is read of requests; it is read anew when the log has something of them. */
export const APPROVALS = ['approvals'] as const;

const PENDING_PAGE = 200;
/** As many are read at most of what waits, and put in order. */
export const PENDING_MAX = 1000;
const PAGE = 50;

/** What waits, the one whose time is up first before the others; `more` where there are more than are read. */
export const pendingQuery = queryOptions({
  queryKey: [...APPROVALS, 'pending'],
  queryFn: async ({ signal }): Promise<{ requests: Pending[]; more: boolean }> => {
    const read: Pending[] = [];
    let next: string | null = null;
    do {
      const query: { limit: number; cursor?: string } = { limit: PENDING_PAGE, ...(next !== null && { cursor: next }) };
      const page = await answered(api.GET('/v1/approvals/pending', { params: { query }, signal }));
      read.push(...page.requests);
      next = page.next_cursor;
    } while (next !== null && read.length < PENDING_MAX);
    return { requests: read.sort((one, other) => one.expires_at - other.expires_at), more: next !== null };
  },
});

/** Those that are over, newest first. */
export const overQuery = (status: Exclude<Status, 'pending'>) =>
  infiniteQueryOptions({
    queryKey: [...APPROVALS, 'over', status],
    queryFn: ({ pageParam, signal }) =>
      answered(
        api.GET('/v1/approvals', {
          params: { query: { status, limit: PAGE, ...(pageParam === '' ? {} : { cursor: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor: next }) => next,
  });

export const requestQuery = (id: string) =>
  queryOptions({
    queryKey: [...APPROVALS, 'one', id],
    queryFn: ({ signal }): Promise<Approval> =>
      answered(api.GET('/v1/approvals/{request_id}', { params: { path: { request_id: id } }, signal })),
  });
