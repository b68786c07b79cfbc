import { Injectable } from '@nestjs/common';
import { Transactions } from '@haldir/database';

const purgeIdempotency = `
  DELETE FROM idempotency WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED))
  RETURNING 1 AS purged`;
// What is out of the window says nothing of a person's limit any more.
const purgeQuotasOfPeople = `
  DELETE FROM quota WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM quota WHERE principal_id LIKE 'prs\\_%'
       AND coalesce(times[cardinality(times)], 0) < extract(epoch FROM $1::timestamptz) LIMIT $2 FOR UPDATE SKIP LOCKED))
  RETURNING 1 AS purged`;
const purgeQuotas = `
  DELETE FROM quota WHERE ctid = ANY (ARRAY(
    SELECT q.ctid FROM quota q JOIN api_key k ON 'hld_' || k.public_id = q.principal_id
     WHERE k.tenant_id = q.tenant_id AND k.revoked_at < $1
       AND coalesce(q.times[cardinality(q.times)], 0) < extract(epoch FROM $1::timestamptz) LIMIT $2 FOR UPDATE OF q SKIP LOCKED))
  RETURNING 1 AS purged`;

const purgeExpired = (table: string): string => `
  DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ${table} WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))
  RETURNING 1 AS purged`;
const purgeTasks = purgeExpired('mcp_task');
const purgesOfPeople = ['sign_in', 'invitation', 'taken_challenge', 'decision_challenge'].map(purgeExpired);

/** Records that are kept for a while only. What others are at is left for the next time. */
@Injectable()
export class KeptRecordRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Removes up to `limit` idempotency records of any tenant from before then; answers how many. */
  purgeIdempotency(before: Date, limit: number): Promise<number> {
    return this.purge(purgeIdempotency, before, limit);
  }

  /** Removes up to `limit` quotas of keys that were revoked, and last used, before then; answers how many. */
  purgeQuotas(before: Date, limit: number): Promise<number> {
    return this.purge(purgeQuotas, before, limit);
  }

  /** Removes up to `limit` calls of any tenant that waited as tasks and expired before then; answers how many. */
  purgeTasks(before: Date, limit: number): Promise<number> {
    return this.purge(purgeTasks, before, limit);
  }

  /** Removes up to `limit` each of sign-ins, links that sign in and challenges, which were over before then; answers how many. */
  async purgeSignIns(before: Date, limit: number): Promise<number> {
    let purged = 0;
    for (const text of purgesOfPeople) purged += await this.purge(text, before, limit);
    return purged;
  }

  /** Removes up to `limit` quotas of people who asked for nothing since then; answers how many. */
  purgeQuotasOfPeople(before: Date, limit: number): Promise<number> {
    return this.purge(purgeQuotasOfPeople, before, limit);
  }

  private async purge(text: string, before: Date, limit: number): Promise<number> {
    return (await this.transactions.queryAll(text, [before, limit])).length;
  }
}
