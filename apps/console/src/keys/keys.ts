import { answered, api } from '../api/client.ts';
import { type components, type operations } from '../api/schema.ts';
import { listQuery } from '../parts/list.tsx';
import { type KeysSearch } from './search.ts';

export type Key = components['schemas']['ApiKeyListItem'];
export type NewKey = NonNullable<operations['createApiKey']['requestBody']>['content']['application/json'];
export type MadeKey = operations['createApiKey']['responses'][201]['content']['application/json'];

/** Everything that is read of keys. */
export const KEYS = 'keys';

/** Oldest first. */
export const keysQuery = ({ kind, agent_id: agentId, all }: KeysSearch) =>
  listQuery([KEYS, kind, agentId, all], async (page, signal) => {
    const query = {
      ...page,
      ...(kind !== undefined && { kind }),
      ...(agentId !== undefined && { agent_id: agentId }),
      ...(all === undefined && { status: 'active' as const }),
    };
    const { keys, next_cursor: next } = await answered(api.GET('/v1/keys', { params: { query }, signal }));
    return { items: keys, next };
  });

export function makeKey(body: NewKey): Promise<MadeKey> {
  return answered(api.POST('/v1/keys', { body }));
}

export function rotateKey({ prefix, overlap_seconds }: { prefix: string; overlap_seconds: number }): Promise<MadeKey> {
  return answered(api.POST('/v1/keys/{prefix}/rotate', { params: { path: { prefix } }, body: { overlap_seconds } }));
}

export function revokeKey({ prefix }: Key): Promise<unknown> {
  return answered(api.DELETE('/v1/keys/{prefix}', { params: { path: { prefix } } }));
}
