import { toUnixSeconds } from '@haldir/kernel';
import { nextCursor, pageQuery } from '@haldir/http';
import { z } from 'zod';
import { normalEmail } from '../email.js';
import { type Member } from '../people.repository.js';
import { type NewPerson, type SignInLink } from '../people.service.js';
import { ROLES } from '../roles.js';

const EMAIL_EXPECTED = 'expected an e-mail address, such as alice@example.com';
const NAME_EXPECTED = 'expected a text of at most 128 characters';

export const email = z
  .string(EMAIL_EXPECTED)
  .refine((text) => normalEmail(text) !== null, EMAIL_EXPECTED)
  .describe('E-mail address; until they have signed in, nothing is sent to it')
  .meta({ override: { type: 'string', maxLength: 254 } });
export const personName = z
  .string(NAME_EXPECTED)
  .max(128, NAME_EXPECTED)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u, NAME_EXPECTED)
  .describe('As they are to be called')
  .meta({ override: { type: 'string', maxLength: 128 } });
const role = z
  .enum(ROLES, `expected one of ${ROLES.join(', ')}`)
  .describe('What they may do: docs/people.md has the scopes of each');

export const InvitePerson = z.object({ email, role, name: personName.default('') });
export type InvitePerson = z.infer<typeof InvitePerson>;

export function toNewPerson({ email: address, name, role: wanted }: InvitePerson): NewPerson {
  return { email: normalEmail(address) ?? '', name, role: wanted };
}

export const ChangePerson = z.object({ role });
export type ChangePerson = z.infer<typeof ChangePerson>;

export const ListPeople = z.object(pageQuery);
export type ListPeople = z.infer<typeof ListPeople>;

export const PersonDetail = z
  .object({
    person_id: z.string(),
    email: z.string(),
    name: z.string(),
    role: z.enum(ROLES),
    status: z.enum(['invited', 'active']).describe('invited until they sign in for the first time'),
    created_at: z.number().describe('Unix timestamp'),
    signed_in_at: z.number().nullable().describe('When they signed in first: Unix timestamp'),
  })
  .meta({ id: 'PersonDetail' });
export type PersonDetail = z.infer<typeof PersonDetail>;

export function toPersonDetail({ person, membership }: Member): PersonDetail {
  const { role: held, createdAt, signedInAt } = membership;
  return {
    person_id: person.id,
    email: person.email,
    name: person.name,
    role: held,
    status: signedInAt === null ? 'invited' : 'active',
    created_at: toUnixSeconds(createdAt),
    signed_in_at: signedInAt && toUnixSeconds(signedInAt),
  };
}

export const PersonInvited = PersonDetail.extend({
  link: z.string().describe('Signs them in once; shown only once. Give it to them, and to nobody else'),
  link_expires_at: z.number().describe('Unix timestamp'),
}).meta({ id: 'PersonInvited' });
export type PersonInvited = z.infer<typeof PersonInvited>;

export function toPersonInvited(member: Member, { url, expiresAt }: SignInLink): PersonInvited {
  return { ...toPersonDetail(member), link: url, link_expires_at: toUnixSeconds(expiresAt) };
}

export const PersonList = z.object({ people: z.array(PersonDetail), count: z.int(), next_cursor: nextCursor });
export type PersonList = z.infer<typeof PersonList>;

export const PersonRemoved = z.object({ removed: z.literal(true), person_id: z.string() });
export type PersonRemoved = z.infer<typeof PersonRemoved>;
