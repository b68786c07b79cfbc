import { queryOptions } from '@tanstack/react-query';
import { answered, api } from '../api/client.ts';
import { type components } from '../api/schema.ts';
import { type Approval, APPROVALS } from './requests.ts';

/** What is allowed beside the call that waits, as the API takes it. */
export type Terms = components['schemas']['GrantTerms'];

/** For how long, in seconds, with words for it. */
export const TIMES = [
  [3600, 'an hour'],
  [28_800, '8 hours'],
  [86_400, 'a day'],
  [604_800, 'a week'],
] as const;

export const firstTerms = ({ amount }: Approval): Terms => ({
  uses: 5,
  ttl: TIMES[0][0],
  free_arguments: [],
  ...(amount > 0 && { total_amount: amount * 5 }),
});

/** What it would have done lately. */
export const previewQuery = (requestId: string, terms: Terms) =>
  queryOptions({
    queryKey: [...APPROVALS, 'grant-preview', requestId, terms],
    queryFn: ({ signal }) =>
      answered(
        api.POST('/v1/approvals/{request_id}/grant-preview', {
          params: { path: { request_id: requestId } },
          body: { grant: terms },
          signal,
        }),
      ),
    retry: false,
  });
