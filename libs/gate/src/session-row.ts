import { type MicroUsd } from '@haldir/kernel';
import { type StandingBudget } from './budget.js';
import { type KeyGrant } from './grants.js';
import { type KeyGrantRow, toKeyGrant } from './key-grant-row.js';
import { Session } from './session.entity.js';

/** A session, as hot statements read it. */
export interface SessionRow {
  tenant_id: string;
  id: string;
  agent_id: string;
  scopes: string[];
  spend_limit_micros: string | null;
  spent_micros: string;
  held_micros: string;
  opened_key: string | null;
  created_at: Date;
  expires_at: Date;
  revoked_at: Date | null;
  mac: Buffer | null;
  frozen: boolean;
}

/** A locked session with the key that opened it. */
export interface LockedRow extends SessionRow, OpeningKeyRow {
  budget_announced_at: Date | null;
  threshold: number;
}

/** The key that opened a session; without one, `public_id` is null as all of it is but the tenant's. */
interface OpeningKeyRow extends Omit<KeyGrantRow, 'tenant_id' | 'public_id' | 'scopes' | 'expires_at' | 'agent_id'> {
  public_id: string | null;
  key_scopes: string[];
  key_expires_at: Date | null;
  key_agent_id: string | null;
  key_mac: Buffer | null;
}

export function toSession(row: SessionRow): Session {
  return Object.assign(new Session(), {
    tenantId: row.tenant_id,
    id: row.id,
    agentId: row.agent_id,
    scopes: row.scopes,
    spendLimit: row.spend_limit_micros === null ? null : (BigInt(row.spend_limit_micros) as MicroUsd),
    spent: BigInt(row.spent_micros) as MicroUsd,
    held: BigInt(row.held_micros) as MicroUsd,
    openedKey: row.opened_key,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    isFrozen: row.frozen,
  });
}

/** Null when it is not there, which it always is unless somebody deleted it from the database. */
export function toOpeningKey(row: LockedRow): KeyGrant | null {
  const { public_id, key_scopes: scopes, key_expires_at: expires_at, key_agent_id: agent_id } = row;
  return public_id === null ? null : toKeyGrant({ ...row, public_id, scopes, expires_at, agent_id });
}

/** The standing budget of the agent key that opened it; null for a session that none did. */
export function standingOf(row: LockedRow): StandingBudget | null {
  const { opened_key: keyId, agent_spend_limit_micros: limit, agent_spend_period: period } = row;
  return keyId === null || limit === null || period === null
    ? null
    : { keyId, limit: BigInt(limit) as MicroUsd, period };
}
