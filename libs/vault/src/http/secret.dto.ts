import { longPageQuery, nextCursor } from '@haldir/http';
import { z } from 'zod';
import { isSecretName, type NewSecret, SecretValue } from '../index.js';

const NAME_EXPECTED = 'expected 1 to 255 printable characters other than . and ..';
const SCOPE_EXPECTED = 'expected a text of 1 to 128 characters';

export const StoreSecret = z.object({
  name: z.string(NAME_EXPECTED).refine(isSecretName, NAME_EXPECTED).describe('Unique secret name'),
  value: z.string('expected a text').describe('Secret value to encrypt'),
  scope_required: z
    .string(SCOPE_EXPECTED)
    .min(1, SCOPE_EXPECTED)
    .max(128, SCOPE_EXPECTED)
    .default('read')
    .describe('Minimum scope a session must hold to read this secret'),
});
export type StoreSecret = z.infer<typeof StoreSecret>;

export function toNewSecret(body: StoreSecret): NewSecret {
  return { name: body.name, value: SecretValue.of(body.value), scopeRequired: body.scope_required };
}

export const SecretStored = z.object({
  stored: z.literal(true),
  name: z.string(),
  version: z.int().describe('1 for a new name, one more each time it is stored again'),
});
export type SecretStored = z.infer<typeof SecretStored>;

export const ListSecrets = z.object(longPageQuery);
export type ListSecrets = z.infer<typeof ListSecrets>;

export const SecretList = z.object({ secrets: z.array(z.string()), count: z.int(), next_cursor: nextCursor });
export type SecretList = z.infer<typeof SecretList>;

export const ReadSecret = z.object({
  session_id: z.string('expected one session id').optional().describe('Session ID for scope enforcement'),
});
export type ReadSecret = z.infer<typeof ReadSecret>;

export const SecretRevealed = z.object({ name: z.string(), value: z.string() });
export type SecretRevealed = z.infer<typeof SecretRevealed>;

export const SecretDeleted = z.object({ deleted: z.literal(true), name: z.string() });
export type SecretDeleted = z.infer<typeof SecretDeleted>;
