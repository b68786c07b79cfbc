import { answered, api } from '../api/client.ts';
import { type components } from '../api/schema.ts';
import { APPROVALS } from '../approvals/requests.ts';
import { listQuery } from '../parts/list.tsx';

export type Grant = components['schemas']['ApprovalGrant'];

/** Newest first. They are read anew with requests: what uses one, or ends it, is in the log beside these. */
export const grantsQuery = (state: 'live' | 'ended') =>
  listQuery([...APPROVALS, 'grants', state], async (page, signal) => {
    const query = { ...page, state };
    const { grants, next_cursor: next } = await answered(api.GET('/v1/approval-grants', { params: { query }, signal }));
    return { items: grants, next };
  });

export function revokeGrant({ grant_id }: Grant): Promise<unknown> {
  return answered(api.DELETE('/v1/approval-grants/{grant_id}', { params: { path: { grant_id } } }));
}
