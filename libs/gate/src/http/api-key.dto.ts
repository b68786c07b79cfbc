import { type AgentGrant, CATALOGUE_KINDS, InvalidInput, microUsd, SPEND_PERIODS, toUnixSeconds } from '@haldir/kernel';
import { AGENT_KEY_SCOPES, isKeyScope, KEY_SCOPES, nextCursor, nullableTime, pageQuery } from '@haldir/http';
import { z } from 'zod';
import { keyPrefix } from '../api-key-format.js';
import { API_KEY_KINDS, API_KEY_STATUSES } from '../api-key.repository.js';
import { type MintedKey, type NewKey, type RotatedKey } from '../api-key.service.js';
import { describeConnector, describeGrant } from '../key-kinds.js';
import { type ApiKey, connectorOf, grantOf } from '../api-key.entity.js';
import { ConnectorUse, GrantedConnector } from './connector-use.dto.js';
import { agentId, catalogueKind, scope, spendLimit, ttl } from './session.dto.js';

const SCOPES_EXPECTED = 'expected a list of scopes such as audit:read';
const SESSION_SCOPES_EXPECTED = 'expected a list of 1 to 100 scopes of sessions';
const UPSTREAMS_EXPECTED = 'expected a list of 1 to 100 names of upstreams';
const tier = z.enum(['free', 'pro', 'enterprise']);

const AgentCeiling = z
  .object({
    agent_id: agentId.describe('The agent that the key acts as'),
    scopes: z
      .array(scope, SESSION_SCOPES_EXPECTED)
      .min(1, SESSION_SCOPES_EXPECTED)
      .max(100, SESSION_SCOPES_EXPECTED)
      .describe('What its sessions may hold'),
    ttl: ttl.describe('Seconds that a session of its lives at most'),
    spend_limit: spendLimit.describe('USD that all its sessions together may spend in a period; 0 for nothing'),
    spend_period: z
      .enum(SPEND_PERIODS, `expected one of ${SPEND_PERIODS.join(', ')}`)
      .default('day')
      .describe('A UTC day, a UTC month, or the whole life of the key'),
    upstreams: z
      .array(z.string(UPSTREAMS_EXPECTED).min(1, UPSTREAMS_EXPECTED).max(64, UPSTREAMS_EXPECTED), UPSTREAMS_EXPECTED)
      .min(1, UPSTREAMS_EXPECTED)
      .max(100, UPSTREAMS_EXPECTED)
      .nullish()
      .describe('Upstreams that it may use; absent for every upstream'),
    catalogue: catalogueKind
      .default('full')
      .describe('How /mcp shows its sessions the tools of upstreams, where they do not say so themselves'),
  })
  .meta({ id: 'AgentCeiling' });

export const CreateApiKey = z.object({
  name: z
    .string('expected a text of 1 to 128 characters')
    .min(1, 'expected a text of 1 to 128 characters')
    .max(128, 'expected a text of 1 to 128 characters')
    .default('default')
    .describe('Human-readable name for this key'),
  tier: tier.default('free').describe('Pricing tier (affects rate limits)'),
  scopes: z
    .array(z.string(SCOPES_EXPECTED), SCOPES_EXPECTED)
    .min(1, 'expected at least one scope')
    .max(100, 'expected at most 100 scopes')
    .optional()
    .meta({ default: ['*'] })
    .describe(
      'What the key may do: resource:action, with * for either, or one of proxy:call, approvals:request and approvals:decide, which write includes. An agent key holds what acting takes, and no more can be asked for',
    ),
  agent: AgentCeiling.optional().describe(
    'Makes an agent key: it acts as that agent, through sessions of that agent, within this ceiling, and does nothing else',
  ),
  connector: ConnectorUse.optional().describe(
    'Makes a connector key: `haldir connect` stands for that upstream with it, and it does nothing else',
  ),
  expires_at: nullableTime
    .default(null)
    .describe('From then on the key is refused: Unix seconds or ISO 8601; null for never'),
  bootstrap_token: z
    .string()
    .max(1024)
    .optional()
    .describe('HALDIR_BOOTSTRAP_TOKEN value, required when creating additional keys without an existing API key'),
});
export type CreateApiKey = z.infer<typeof CreateApiKey>;

/** An absent body is an empty one. */
export const CreateApiKeyBody = z.preprocess((body) => body ?? {}, CreateApiKey);

/** @throws InvalidInput, with the code `invalid_scope` for a scope that there is not, or that no agent key has */
export function toNewKey({ name, tier, scopes, agent, connector, expires_at: expiresAt }: CreateApiKey): NewKey {
  if (connector !== undefined)
    return { name, tier, scopes: noScopes(scopes, agent), grant: null, connector, expiresAt };
  const grant = agent === undefined ? null : toGrant(agent);
  const wanted = scopes ?? (grant ? [...AGENT_KEY_SCOPES] : ['*']);
  if (!wanted.every(isKeyScope))
    throw new InvalidInput(`scopes: expected some of ${KEY_SCOPES.join(', ')}, or * for either part`, 'invalid_scope');
  if (grant && !wanted.every((scope) => AGENT_KEY_SCOPES.some((held) => held === scope)))
    throw new InvalidInput(`scopes: expected some of ${AGENT_KEY_SCOPES.join(', ')} for an agent key`, 'invalid_scope');
  return { name, tier, scopes: [...new Set(wanted)], grant, connector: null, expiresAt };
}

/** A connector key holds none: what it may do is not a matter of scopes. @throws InvalidInput */
function noScopes(scopes: unknown, agent: unknown): [] {
  if (agent !== undefined) throw new InvalidInput('agent: expected none beside connector');
  if (scopes !== undefined) throw new InvalidInput('scopes: expected none for a connector key');
  return [];
}

/** A limit over nothing is a grant to spend up to it, as of a session. */
function toGrant({
  agent_id,
  scopes,
  ttl,
  spend_limit,
  spend_period,
  upstreams,
  catalogue,
}: z.infer<typeof AgentCeiling>): AgentGrant {
  if (scopes.some((scope) => scope.startsWith('spend:')))
    throw new InvalidInput('agent.scopes: expected spend without an amount, which is what spend_limit is for');
  const granted = spend_limit > 0 ? [...scopes, 'spend'] : scopes;
  return {
    agentId: agent_id,
    scopes: [...new Set(granted)],
    ttlSeconds: ttl,
    spendLimit: microUsd(spend_limit),
    spendPeriod: spend_period,
    upstreams: upstreams ?? null,
    catalogue,
  };
}

const GrantedCeiling = z
  .object({
    agent_id: z.string(),
    scopes: z.array(z.string()),
    ttl: z.int(),
    spend_limit: z.number(),
    spend_period: z.enum(SPEND_PERIODS),
    upstreams: z.array(z.string()).nullable(),
    catalogue: z.enum(CATALOGUE_KINDS),
  })
  .meta({ id: 'GrantedCeiling' });
const expiresAt = z.number().nullable().describe('Unix timestamp; null for never');

export const ApiKeyCreated = z.object({
  key: z.string().describe('Full API key (shown only once)'),
  prefix: z.string().describe('Key prefix for identification'),
  name: z.string(),
  tier: z.string(),
  message: z.string(),
  scopes: z.array(z.string()),
  agent: GrantedCeiling.optional().describe('Of an agent key, its ceiling'),
  connector: GrantedConnector.optional().describe('Of a connector key, what it is good for'),
  expires_at: expiresAt,
});
export type ApiKeyCreated = z.infer<typeof ApiKeyCreated>;

export function toApiKeyCreated(minted: MintedKey): ApiKeyCreated {
  const { key, prefix, name, tier, scopes, grant, connector, expiresAt: at } = minted;
  const message = 'Store this key now: it is not shown again.';
  return {
    key,
    prefix,
    name,
    tier,
    scopes,
    expires_at: toSeconds(at),
    message,
    ...(grant ? { agent: describeGrant(grant) } : {}),
    ...(connector ? { connector: describeConnector(connector) } : {}),
  };
}

const MAX_OVERLAP_SECONDS = 604_800;
const OVERLAP_EXPECTED = `expected whole seconds from 0 to ${MAX_OVERLAP_SECONDS}`;

export const RotateApiKey = z.object({
  overlap_seconds: z
    .int(OVERLAP_EXPECTED)
    .min(0, OVERLAP_EXPECTED)
    .max(MAX_OVERLAP_SECONDS, OVERLAP_EXPECTED)
    .default(86_400)
    .describe('How long the old secret is good beside the new one; 0 ends it at once'),
  expires_at: nullableTime
    .optional()
    .describe(
      'When the new secret ends: Unix seconds or ISO 8601; null for never. Left out: when the old one would have',
    ),
});
export type RotateApiKey = z.infer<typeof RotateApiKey>;

/** An absent body is an empty one. */
export const RotateApiKeyBody = z.preprocess((body) => body ?? {}, RotateApiKey);

export const ApiKeyRotated = ApiKeyCreated.extend({
  principal: z.string().describe('Prefix of the first key of the same principal'),
  replaces: z.string().describe('Prefix of the old key'),
  replaced_until: z.number().describe('Until when the old key is good: Unix timestamp'),
});
export type ApiKeyRotated = z.infer<typeof ApiKeyRotated>;

export function toApiKeyRotated({ minted, replaces, replacedUntil }: RotatedKey): ApiKeyRotated {
  return {
    ...toApiKeyCreated(minted),
    principal: minted.principalId,
    replaces,
    replaced_until: toUnixSeconds(replacedUntil),
  };
}

export const ListApiKeys = z.object({
  kind: z
    .enum(API_KEY_KINDS, `expected one of ${API_KEY_KINDS.join(', ')}`)
    .optional()
    .describe('Only agent keys (agent), only connector keys (connector), or only those that are neither (key)'),
  agent_id: z.string('expected one agent id').max(128).optional().describe('Filter by the agent that a key acts as'),
  prefix: z
    .string('expected one prefix of a key')
    .max(64, 'expected one prefix of a key')
    .optional()
    .meta({ example: 'hld_AbCdEf0123' })
    .describe('The key of that prefix alone'),
  status: z
    .enum(API_KEY_STATUSES, `expected one of ${API_KEY_STATUSES.join(', ')}`)
    .optional()
    .describe('active: neither revoked nor past its end; a key that is both is revoked'),
  ...pageQuery,
});
export type ListApiKeys = z.infer<typeof ListApiKeys>;

export const ApiKeyList = z.object({
  keys: z.array(
    z
      .object({
        prefix: z.string(),
        name: z.string(),
        tier: z.string(),
        scopes: z.array(z.string()),
        agent: GrantedCeiling.nullable().describe('Of an agent key, its ceiling; null for every other'),
        connector: GrantedConnector.nullable().describe(
          'Of a connector key, what it is good for; null for every other',
        ),
        created_at: z.number().describe('Unix timestamp'),
        last_used: z.number().nullable().describe('Unix timestamp, to the minute; null until first used'),
        expires_at: expiresAt,
        principal: z
          .string()
          .describe('Prefix of the first key of the same principal: another where a key was rotated'),
        revoked: z.boolean(),
      })
      .meta({ id: 'ApiKeyListItem' }),
  ),
  count: z.int(),
  next_cursor: nextCursor,
});
export type ApiKeyList = z.infer<typeof ApiKeyList>;

export function toApiKeyListItem(key: ApiKey): ApiKeyList['keys'][number] {
  const [grant, connector] = [grantOf(key), connectorOf(key)];
  return {
    prefix: keyPrefix(key.publicId),
    name: key.name,
    tier: key.tier,
    scopes: key.scopes,
    agent: grant && describeGrant(grant),
    connector: connector && describeConnector(connector),
    created_at: toUnixSeconds(key.createdAt),
    last_used: key.lastUsedAt === null ? null : toUnixSeconds(key.lastUsedAt),
    expires_at: toSeconds(key.expiresAt),
    principal: key.principalId,
    revoked: key.revokedAt !== null,
  };
}

export const ApiKeyRevoked = z.object({ revoked: z.literal(true), prefix: z.string() });
export type ApiKeyRevoked = z.infer<typeof ApiKeyRevoked>;

function toSeconds(at: Date | null): number | null {
  return at === null ? null : toUnixSeconds(at);
}
