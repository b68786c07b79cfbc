import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answered, api } from '../api/client.ts';
import { type components } from '../api/schema.ts';

export type Approval = components['schemas']['ApprovalDetail'];
export type Pending = components['schemas']['PendingApproval'];
export const STATUSES = ['pending', 'approved', 'denied', 'expired'] as const;
export type Status = (typeof STATUSES)[number];

/** Everything that is read of requests; it is read anew when the log has something of them. */
export const APPROVALS = ['approvals'] as const;

/** As many wait at most that all of them are read, and put in order. */
const PENDING_PAGE = 200;
const PAGE = 50;

/** What waits, the one whose time is up first before the others; `more` where there are more than are read. */
export const pendingQuery = queryOptions({
  queryKey: [...APPROVALS, 'pending'],
  queryFn: async ({ signal }): Promise<{ requests: Pending[]; more: boolean }> => {
    const { requests, next_cursor: next } = await answered(
      api.GET('/v1/approvals/pending', { params: { query: { limit: PENDING_PAGE } }, signal }),
    );
    return { requests: requests.sort((one, other) => one.expires_at - other.expires_at), more: next !== null };
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
