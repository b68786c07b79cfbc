import { InvalidInput, toUnixSeconds } from '@haldir/kernel';
import { ACTIONS, nextCursor, pageQuery, RESOURCES } from '@haldir/http';
import { z } from 'zod';
import { keyPrefix, type MintedKey } from '../index.js';
import { type ApiKey } from '../api-key.entity.js';

const KEY_SCOPE = new RegExp(`^(\\*|(${RESOURCES.join('|')}|\\*):(${ACTIONS.join('|')}|\\*))$`);
const tier = z.enum(['free', 'pro', 'enterprise']);

export const CreateApiKey = z.object({
  name: z
    .string('expected a text of 1 to 128 characters')
    .min(1, 'expected a text of 1 to 128 characters')
    .max(128, 'expected a text of 1 to 128 characters')
    .default('default')
    .describe('Human-readable name for this key'),
  tier: tier.default('free').describe('Pricing tier (affects rate limits)'),
  scopes: z
    .array(z.string('expected a list of scopes such as audit:read'), 'expected a list of scopes such as audit:read')
    .min(1, 'expected at least one scope')
    .max(100, 'expected at most 100 scopes')
    .default(['*'])
    .describe('What the key may do: resource:action, with * for either'),
  bootstrap_token: z
    .string()
    .max(1024)
    .optional()
    .describe('HALDIR_BOOTSTRAP_TOKEN value, required when creating additional keys without an existing API key'),
});
export type CreateApiKey = z.infer<typeof CreateApiKey>;

/** An absent body is an empty one. */
export const CreateApiKeyBody = z.preprocess((body) => body ?? {}, CreateApiKey);

/** @throws InvalidInput with the code `invalid_scope` for one that is not `resource:action` */
export function checkedKeyScopes(scopes: string[]): string[] {
  if (!scopes.every((scope) => KEY_SCOPE.test(scope))) {
    throw new InvalidInput(
      `scopes: expected resource:action with a resource of ${RESOURCES.join(', ')} or *, and an action of read, write or *`,
      'invalid_scope',
    );
  }
  return [...new Set(scopes)];
}

export const ApiKeyCreated = z.object({
  key: z.string().describe('Full API key (shown only once)'),
  prefix: z.string().describe('Key prefix for identification'),
  name: z.string(),
  tier: z.string(),
  message: z.string(),
  scopes: z.array(z.string()),
});
export type ApiKeyCreated = z.infer<typeof ApiKeyCreated>;

export function toApiKeyCreated({ key, prefix, name, tier, scopes }: MintedKey): ApiKeyCreated {
  return { key, prefix, name, tier, scopes, message: 'Store this key now: it is not shown again.' };
}

export const ListApiKeys = z.object(pageQuery);
export type ListApiKeys = z.infer<typeof ListApiKeys>;

export const ApiKeyList = z.object({
  keys: z.array(
    z
      .object({
        prefix: z.string(),
        name: z.string(),
        tier: z.string(),
        scopes: z.array(z.string()),
        created_at: z.number().describe('Unix timestamp'),
        last_used: z.number().nullable().describe('Unix timestamp, to the minute; null until first used'),
        revoked: z.boolean(),
      })
      .meta({ id: 'ApiKeyListItem' }),
  ),
  count: z.int(),
  next_cursor: nextCursor,
});
export type ApiKeyList = z.infer<typeof ApiKeyList>;

export function toApiKeyListItem(key: ApiKey): ApiKeyList['keys'][number] {
  return {
    prefix: keyPrefix(key.publicId),
    name: key.name,
    tier: key.tier,
    scopes: key.scopes,
    created_at: toUnixSeconds(key.createdAt),
    last_used: key.lastUsedAt === null ? null : toUnixSeconds(key.lastUsedAt),
    revoked: key.revokedAt !== null,
  };
}

export const ApiKeyRevoked = z.object({ revoked: z.literal(true), prefix: z.string() });
export type ApiKeyRevoked = z.infer<typeof ApiKeyRevoked>;
