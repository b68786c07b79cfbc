import { toUnixSeconds } from '@haldir/kernel';
import { longPageQuery, nextCursor, nullableTime, pageQuery } from '@haldir/http';
import { z } from 'zod';
import {
  type DeletedSecret,
  isSecretName,
  type MadeVersion,
  type NewSecret,
  type OpenedSecret,
  type SecretVersion,
  SecretValue,
} from '../index.js';

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
  expires_at: nullableTime
    .default(null)
    .describe('From then on the value is refused, and soon after destroyed: Unix seconds or ISO 8601; null for never'),
});
export type StoreSecret = z.infer<typeof StoreSecret>;

export function toNewSecret(body: StoreSecret): NewSecret {
  return {
    name: body.name,
    value: SecretValue.of(body.value),
    scopeRequired: body.scope_required,
    expiresAt: body.expires_at,
  };
}

const expiresAt = z.number().nullable().describe('When the value expires (Unix timestamp); null for never');

export const SecretStored = z.object({
  stored: z.literal(true),
  name: z.string(),
  version: z.int().describe('1 for a new name, one more each time it is stored again'),
  expires_at: expiresAt,
});
export type SecretStored = z.infer<typeof SecretStored>;

export function toSecretStored(name: string, made: MadeVersion): SecretStored {
  return { stored: true, name, version: made.version, expires_at: toSeconds(made.expiresAt) };
}

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

export const ListSecretVersions = z.object(pageQuery);
export type ListSecretVersions = z.infer<typeof ListSecretVersions>;

const SecretVersionItem = z.object({
  version: z.int(),
  scope_required: z.string(),
  created_at: z.number().describe('Unix timestamp'),
  expires_at: expiresAt,
  expired: z.boolean(),
  newest: z.boolean().describe('Whether the name stands for it'),
});

export const SecretVersionList = z.object({
  name: z.string(),
  versions: z.array(SecretVersionItem),
  count: z.int(),
  next_cursor: nextCursor,
});
export type SecretVersionList = z.infer<typeof SecretVersionList>;

export function toSecretVersionItem(version: SecretVersion, now: Date): z.infer<typeof SecretVersionItem> {
  return {
    version: version.version,
    scope_required: version.scopeRequired,
    created_at: toUnixSeconds(version.createdAt),
    expires_at: toSeconds(version.expiresAt),
    expired: version.expiresAt !== null && version.expiresAt <= now,
    newest: version.isNewest,
  };
}

export const SecretVersionRevealed = z.object({
  name: z.string(),
  version: z.int(),
  value: z.string(),
  expires_at: expiresAt,
});
export type SecretVersionRevealed = z.infer<typeof SecretVersionRevealed>;

/** The value can be revealed once. */
export function toSecretVersionRevealed(name: string, opened: OpenedSecret): SecretVersionRevealed {
  const { value, version } = opened;
  return { name, version, value: value.reveal(), expires_at: toSeconds(opened.expiresAt) };
}

const VERSION_EXPECTED = 'expected a version from 1';

export const RollBackSecret = z.object({
  version: z
    .int(VERSION_EXPECTED)
    .min(1, VERSION_EXPECTED)
    .max(2_147_483_647, VERSION_EXPECTED)
    .describe('The version whose value is to be the newest again'),
});
export type RollBackSecret = z.infer<typeof RollBackSecret>;

export const SecretRolledBack = z.object({
  rolled_back: z.literal(true),
  name: z.string(),
  version: z.int().describe('The new version'),
  from_version: z.int(),
  expires_at: expiresAt,
});
export type SecretRolledBack = z.infer<typeof SecretRolledBack>;

export function toSecretRolledBack(name: string, from: number, made: MadeVersion): SecretRolledBack {
  return {
    rolled_back: true,
    name,
    version: made.version,
    from_version: from,
    expires_at: toSeconds(made.expiresAt),
  };
}

export const ListDeletedSecrets = z.object({
  name: z.string('expected one name').optional().describe('Filter by name'),
  ...pageQuery,
});
export type ListDeletedSecrets = z.infer<typeof ListDeletedSecrets>;

const DeletedSecretItem = z.object({
  secret_id: z.string(),
  name: z.string(),
  versions: z.int(),
  deleted_at: z.number().describe('Unix timestamp'),
  restorable_until: z.number().describe('From then on it is gone (Unix timestamp)'),
});

export const DeletedSecretList = z.object({
  deleted: z.array(DeletedSecretItem),
  count: z.int(),
  next_cursor: nextCursor,
});
export type DeletedSecretList = z.infer<typeof DeletedSecretList>;

export function toDeletedSecretItem(secret: DeletedSecret): z.infer<typeof DeletedSecretItem> {
  return {
    secret_id: secret.id,
    name: secret.name,
    versions: secret.versions,
    deleted_at: toUnixSeconds(secret.deletedAt),
    restorable_until: toUnixSeconds(secret.purgeAt),
  };
}

export const SecretRestored = z.object({
  restored: z.literal(true),
  secret_id: z.string(),
  name: z.string(),
  version: z.int().describe('The version the name stands for again'),
});
export type SecretRestored = z.infer<typeof SecretRestored>;

export const SecretPurged = z.object({ purged: z.literal(true), secret_id: z.string(), name: z.string() });
export type SecretPurged = z.infer<typeof SecretPurged>;

function toSeconds(time: Date | null): number | null {
  return time && toUnixSeconds(time);
}
