import { toUnixSeconds } from '@haldir/kernel';
import { longPageQuery, nextCursor, nullableTime, pageQuery } from '@haldir/http';
import { z } from 'zod';
import { type DeletedSecret } from '../deleted-secret.repository.js';
import { EVERY_TOOL, fromBindings, toBindings } from '../secret-binding.js';
import { isSecretName } from '../secret-name.js';
import { SecretValue } from '../secret-value.js';
import { type ListedSecret, type ListedVersion } from '../secret.repository.js';
import { type MadeVersion, type NewSecret, type OpenedSecret } from '../secret.service.js';

const NAME_EXPECTED = 'expected 1 to 255 printable characters other than . and ..';
const UPSTREAM_EXPECTED = 'expected the name of an upstream: 1 to 64 letters, digits, - or _';
const TOOL_EXPECTED = "expected a tool's own name of 1 to 256 characters, or *";
const MAX_BINDINGS = 100;
const BINDINGS_EXPECTED = `expected a list of at most ${MAX_BINDINGS} bindings`;
const SCOPE_EXPECTED = 'expected a text of 1 to 128 characters';

const Binding = z
  .object(
    {
      upstream: z
        .string(UPSTREAM_EXPECTED)
        .regex(/^[A-Za-z0-9_-]{1,64}$/, UPSTREAM_EXPECTED)
        .describe('Upstream, registered already or not yet'),
      tool: z
        .string(TOOL_EXPECTED)
        // As `\P{Cc}`, which not every reader of the document knows.
        .regex(/^[^\u0000-\u001f\u007f-\u009f]{1,256}$/, TOOL_EXPECTED)
        .default(EVERY_TOOL)
        .describe('A tool of it by its own name; * or left out for all that goes to the upstream'),
    },
    'expected an object with upstream and tool',
  )
  .meta({ id: 'SecretBinding' });

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
  bindings: z
    .array(Binding, BINDINGS_EXPECTED)
    .max(MAX_BINDINGS, BINDINGS_EXPECTED)
    .nullish()
    .describe(
      'Tools that agents may use the secret with, as {{vault:name}} in an argument, without seeing it. Left out or null: those of the version before, and none for a new name',
    ),
});
export type StoreSecret = z.infer<typeof StoreSecret>;

export function toNewSecret(body: StoreSecret): NewSecret {
  return {
    name: body.name,
    value: SecretValue.of(body.value),
    scopeRequired: body.scope_required,
    expiresAt: body.expires_at,
    bindings: body.bindings ? toBindings(body.bindings) : null,
  };
}

const bindings = z
  .array(z.object({ upstream: z.string(), tool: z.string().describe('* for all that goes to the upstream') }))
  .describe('Tools that the version may be used with by {{vault:name}}');

const expiresAt = z.number().nullable().describe('When the value expires (Unix timestamp); null for never');

export const SecretStored = z.object({
  stored: z.literal(true),
  name: z.string(),
  version: z.int().describe('1 for a new name, one more each time it is stored again'),
  expires_at: expiresAt,
  bindings,
});
export type SecretStored = z.infer<typeof SecretStored>;

export function toSecretStored(name: string, made: MadeVersion): SecretStored {
  const { version, expiresAt: at } = made;
  return { stored: true, name, version, expires_at: toSeconds(at), bindings: fromBindings(made.bindings) };
}

export const ListSecrets = z.object(longPageQuery);
export type ListSecrets = z.infer<typeof ListSecrets>;

const SecretItem = z
  .object({
    name: z.string(),
    version: z.int().describe('The newest'),
    scope_required: z.string(),
    created_at: z.number().describe('When that version was stored (Unix timestamp)'),
    expires_at: expiresAt,
    expired: z.boolean(),
    bindings,
  })
  .meta({ id: 'SecretItem' });

export const SecretList = z.object({
  secrets: z.array(z.string()),
  details: z.array(SecretItem).describe('What there is to say of each, in the same order'),
  count: z.int(),
  next_cursor: nextCursor,
});
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
  bindings,
});

export const SecretVersionList = z.object({
  name: z.string(),
  versions: z.array(SecretVersionItem),
  count: z.int(),
  next_cursor: nextCursor,
});
export type SecretVersionList = z.infer<typeof SecretVersionList>;

export function toSecretItem(secret: ListedSecret, now: Date): z.infer<typeof SecretItem> {
  const { newest: _, ...item } = toSecretVersionItem(secret, now);
  return { name: secret.name, ...item };
}

export function toSecretVersionItem(version: ListedVersion, now: Date): z.infer<typeof SecretVersionItem> {
  return {
    version: version.version,
    scope_required: version.scopeRequired,
    created_at: toUnixSeconds(version.createdAt),
    expires_at: toSeconds(version.expiresAt),
    expired: version.expiresAt !== null && version.expiresAt <= now,
    newest: version.isNewest,
    bindings: fromBindings(version.bindings),
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
  bindings: bindings.describe('Those that both versions have'),
});
export type SecretRolledBack = z.infer<typeof SecretRolledBack>;

export function toSecretRolledBack(name: string, from: number, made: MadeVersion): SecretRolledBack {
  return {
    rolled_back: true,
    name,
    version: made.version,
    from_version: from,
    expires_at: toSeconds(made.expiresAt),
    bindings: fromBindings(made.bindings),
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
