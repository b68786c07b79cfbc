import { queryOptions } from '@tanstack/react-query';
import { answered, api, askPage } from '../api/client.ts';
import { type components } from '../api/schema.ts';
import { listQuery } from '../parts/list.tsx';
import { type Role } from './roles.ts';

export type Person = components['schemas']['PersonDetail'];
export type Invited = components['schemas']['PersonInvited'];

/** Everything that is read of people. */
export const PEOPLE = 'people';

export const peopleQuery = listQuery([PEOPLE, 'list'], async (page, signal) => {
  const { people, next_cursor: next } = await answered(api.GET('/v1/people', { params: { query: page }, signal }));
  return { items: people, next };
});

export function invite(body: { email: string; role: Role; name: string }): Promise<Invited> {
  return answered(api.POST('/v1/people', { body }));
}

export function changeRole({ person_id, role }: { person_id: string; role: Role }): Promise<unknown> {
  return answered(api.PATCH('/v1/people/{person_id}', { params: { path: { person_id } }, body: { role } }));
}

export function removePerson({ person_id }: Person): Promise<unknown> {
  return answered(api.DELETE('/v1/people/{person_id}', { params: { path: { person_id } } }));
}

/** Where whoever asks is signed in, as `GET /v1/me/sign-ins` answers (docs/people.md). */
export interface OwnSignIn {
  sign_in_id: string;
  method: 'link' | 'passkey' | 'oidc';
  current: boolean;
  created_at: number;
  used_at: number;
  expires_at: number;
}

export interface OwnPasskey {
  passkey_id: string;
  name: string;
  rp_id: string;
  created_at: number;
  used_at: number | null;
}

export const OWN = 'own';

/** Where whoever is signed in is signed in. */
export const signInsQuery = listQuery([OWN, 'sign-ins'], async ({ limit, cursor }) => {
  const query = new URLSearchParams({ limit: String(limit), ...(cursor !== undefined && { cursor }) }).toString();
  const { sign_ins: items, next_cursor: next } = await askPage<{ sign_ins: OwnSignIn[]; next_cursor: string | null }>(
    'GET',
    `/v1/me/sign-ins?${query}`,
  );
  return { items, next };
});

/** A person has 20 at most. */
export const passkeysQuery = queryOptions({
  queryKey: [OWN, 'passkeys'],
  queryFn: async () => (await askPage<{ passkeys: OwnPasskey[] }>('GET', '/v1/me/passkeys')).passkeys,
});

export function endSignIn({ sign_in_id: id }: OwnSignIn): Promise<unknown> {
  return askPage('DELETE', `/v1/me/sign-ins/${encodeURIComponent(id)}`);
}

export function removePasskey({ passkey_id: id }: OwnPasskey): Promise<unknown> {
  return askPage('DELETE', `/v1/me/passkeys/${encodeURIComponent(id)}`);
}
