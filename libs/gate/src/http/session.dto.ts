import { type Actor, CATALOGUE_KINDS, InvalidInput, microUsd, toDollars, toUnixSeconds } from '@haldir/kernel';
import { decimal, nextCursor, pageQuery } from '@haldir/http';
import { z } from 'zod';
import { type Session } from '../session.entity.js';
import { type NewSession } from '../session.service.js';

const DEFAULT_SCOPES = ['read', 'browse'];
const DEFAULT_TTL_SECONDS = 3_600;
const MAX_TTL_SECONDS = 2_592_000;

export const agentId = z
  .string('expected a text of 1 to 128 characters')
  .min(1, 'expected a text of 1 to 128 characters')
  .max(128, 'expected a text of 1 to 128 characters');
export const scope = z
  .string('expected a text of 1 to 128 characters')
  .min(1, 'expected a text of 1 to 128 characters')
  .max(128, 'expected a text of 1 to 128 characters');

export const ttl = z
  .int(`expected a whole number of seconds from 1 to ${MAX_TTL_SECONDS}`)
  .min(1, `expected a whole number of seconds from 1 to ${MAX_TTL_SECONDS}`)
  .max(MAX_TTL_SECONDS, `expected a whole number of seconds from 1 to ${MAX_TTL_SECONDS}`);
export const spendLimit = decimal({ decimals: 2, min: 0, max: 1_000_000_000 });

export const catalogueKind = z.enum(CATALOGUE_KINDS, `expected one of ${CATALOGUE_KINDS.join(', ')}`);

export const CreateSession = z.object({
  agent_id: agentId.describe('Unique agent identifier'),
  scopes: z
    .array(scope, 'expected a list of at most 100 scopes')
    .max(100, 'expected a list of at most 100 scopes')
    .optional()
    .meta({ default: DEFAULT_SCOPES })
    .describe(
      'Permission scopes to grant; by default, to an agent key all that it may grant. One that is opened from another says its own',
    ),
  ttl: ttl
    .optional()
    .meta({ default: DEFAULT_TTL_SECONDS })
    .describe(
      'Session time-to-live in seconds; by default, of one that is opened from another until that ends at most',
    ),
  spend_limit: spendLimit
    .nullish()
    .describe('Maximum USD spend for this session; asked for where the parent session has one, of which it is held'),
  catalogue: catalogueKind
    .optional()
    .meta({ default: 'full' })
    .describe(
      'How /mcp shows it the tools of upstreams: full for all of them in a list, search for searchTools, describeTool and callTool in their place; by default, for an agent key what the key says',
    ),
  parent_session_id: z
    .string('expected the id of a session')
    .min(1, 'expected the id of a session')
    .max(128, 'expected the id of a session')
    .optional()
    .meta({ example: 'ses_01m8a0n4yy042z44fpt3fcp8g3k9q2x7v5' })
    .describe(
      'A session of the same agent that this one is opened from: it is no wider, ends no later, spends of what the parent may, and ends with it',
    ),
});
export type CreateSession = z.infer<typeof CreateSession>;

/**
 * What is not asked for is as much as the ceiling of an agent key has of it, if there is one.
 *
 * @throws InvalidInput for one that is opened from another and does not say its scopes: what it is to be less in
 */
export function toNewSession({ agent }: Actor, body: CreateSession): NewSession {
  const { parent_session_id: parentId } = body;
  if (parentId !== undefined && body.scopes === undefined)
    throw new InvalidInput('scopes: expected a list of those that the session is to have of its parent’s');
  return {
    agentId: body.agent_id,
    scopes: body.scopes ?? agent?.scopes ?? DEFAULT_SCOPES,
    ttlSeconds: body.ttl ?? Math.min(DEFAULT_TTL_SECONDS, agent?.ttlSeconds ?? DEFAULT_TTL_SECONDS),
    spendLimit: typeof body.spend_limit === 'number' ? microUsd(body.spend_limit) : null,
    catalogue: body.catalogue ?? agent?.catalogue ?? 'full',
    parent: parentId === undefined ? null : { id: parentId, mayEndSooner: body.ttl === undefined },
  };
}

export const SessionCreated = z
  .object({
    session_id: z.string(),
    agent_id: z.string(),
    scopes: z.array(z.string()),
    spend_limit: z.number().nullable(),
    expires_at: z.number().describe('Unix timestamp'),
    ttl: z.int(),
  })
  .meta({ id: 'SessionCreated' });
export type SessionCreated = z.infer<typeof SessionCreated>;

export function toSessionCreated(session: Session): SessionCreated {
  return {
    session_id: session.id,
    agent_id: session.agentId,
    scopes: session.scopes,
    spend_limit: session.spendLimit === null ? null : toDollars(session.spendLimit),
    expires_at: toUnixSeconds(session.expiresAt),
    ttl: Math.round((session.expiresAt.getTime() - session.createdAt.getTime()) / 1000),
  };
}

export const SessionDetail = z
  .object({
    session_id: z.string(),
    agent_id: z.string(),
    scopes: z.array(z.string()),
    spend_limit: z.number().nullable(),
    spent: z.number(),
    held: z.number().describe('Set aside for payments that may still be captured'),
    delegated: z
      .number()
      .describe(
        'Held for the sessions that were opened from it: what those may spend that are not over, and what the others have used up',
      ),
    remaining_budget: z.number().nullable().describe('What of the limit is neither spent nor held nor delegated'),
    catalogue: z.enum(CATALOGUE_KINDS).describe('How /mcp shows it the tools of upstreams'),
    parent_session_id: z
      .string()
      .nullable()
      .describe(
        'The session that it was opened from; null for one that was opened from none, and always for an agent key',
      ),
    depth: z.int().describe('How many sessions it descends from: its parent, the parent of that, and so on'),
    descendants: z.int().describe('How many sessions descend from it that are not over; noted within seconds'),
    is_valid: z.boolean(),
    created_at: z.number().describe('Unix timestamp'),
    expires_at: z.number().describe('Unix timestamp'),
  })
  .meta({ id: 'SessionDetail' });
export type SessionDetail = z.infer<typeof SessionDetail>;

/** @param actor who is told: an agent is not told the id of the parent, by which it could act as more than it was handed */
export function toSessionDetail({ agent }: Actor, session: Session, now: Date): SessionDetail {
  const remaining = session.remainingBudget();
  return {
    session_id: session.id,
    agent_id: session.agentId,
    scopes: session.scopes,
    spend_limit: session.spendLimit === null ? null : toDollars(session.spendLimit),
    spent: toDollars(session.spent),
    held: toDollars(session.held),
    delegated: toDollars(session.delegated),
    remaining_budget: remaining === null ? null : toDollars(remaining),
    catalogue: session.catalogue,
    parent_session_id: agent ? null : session.parentId,
    depth: session.lineage.length,
    descendants: session.descendants,
    is_valid: session.isValidAt(now),
    created_at: toUnixSeconds(session.createdAt),
    expires_at: toUnixSeconds(session.expiresAt),
  };
}

const status = z.enum(['active', 'expired', 'revoked']);

export const ListSessions = z.object({
  agent_id: z.string('expected one agent id').max(128).optional().describe('Filter by agent'),
  status: status.optional().describe('Filter by status'),
  opened_by: z
    .string('expected one prefix of a key')
    .max(64, 'expected one prefix of a key')
    .optional()
    .meta({ example: 'hld_AbCdEf0123' })
    .describe('Filter by who opened it: the principal, as listApiKeys shows it of each key'),
  ...pageQuery,
});
export type ListSessions = z.infer<typeof ListSessions>;

export const SessionList = z.object({
  count: z.int(),
  sessions: z.array(SessionDetail.extend({ status }).meta({ id: 'SessionListItem' })),
  next_cursor: nextCursor,
});
export type SessionList = z.infer<typeof SessionList>;

export const SessionRevoked = z.object({ revoked: z.literal(true), session_id: z.string() });
export type SessionRevoked = z.infer<typeof SessionRevoked>;

export const CheckPermission = z.object({
  scope: scope.describe('The scope to check (e.g. read, write, admin)'),
});
export type CheckPermission = z.infer<typeof CheckPermission>;

export const PermissionResult = z.object({ allowed: z.boolean(), session_id: z.string(), scope: z.string() });
export type PermissionResult = z.infer<typeof PermissionResult>;
