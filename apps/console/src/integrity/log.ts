import { queryOptions } from '@tanstack/react-query';
import { answered, api } from '../api/client.ts';
import { patiently } from '../api/patiently.ts';
import { type components } from '../api/schema.ts';
import { listQuery } from '../parts/list.tsx';

export type Checkpoint = components['schemas']['TreeHead'];

/** First of the keys of what is read here. */
export const INTEGRITY = 'integrity';

/** The log as it is signed now. */
export const headQuery = queryOptions({
  queryKey: [INTEGRITY, 'head'],
  queryFn: ({ signal }) => answered(api.GET('/v1/audit/tree-head', { signal })),
});

export const logKeyQuery = queryOptions({
  queryKey: [INTEGRITY, 'key'],
  queryFn: ({ signal }) => answered(api.GET('/v1/audit/log-key', { signal })),
  staleTime: Infinity,
});

export const checkpointsQuery = listQuery([INTEGRITY, 'checkpoints'], async (query, signal) => {
  const answer = await answered(api.GET('/v1/audit/checkpoints', { params: { query }, signal }));
  return { items: answer.checkpoints, next: answer.next_cursor };
});

/** What a check of the whole log came to. */
export type LogVerdict =
  | { outcome: 'intact'; entries: number }
  | { outcome: 'broken'; at: number; checked: number; reason: string }
  | { outcome: 'nothing_to_check' };

/** @throws Problem where it could not be checked */
export async function verifyLog(): Promise<LogVerdict> {
  const {
    verified,
    entries_checked: checked,
    ...rest
  } = await answered(api.GET('/v1/audit/verify', { fetch: patiently }));
  if (verified) return checked === 0 ? { outcome: 'nothing_to_check' } : { outcome: 'intact', entries: checked };
  return { outcome: 'broken', at: rest.broken_at ?? 0, checked, reason: rest.error ?? '' };
}

export const manifest = () => answered(api.GET('/v1/audit/export/manifest', { fetch: patiently }));
