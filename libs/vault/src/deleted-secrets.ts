import { Injectable } from '@nestjs/common';
import { type Actor, Clock, haldirActor } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { EVERY_TENANT, Transactions, type Tx } from '@haldir/database';
import { HaldirConfig } from '@haldir/runtime';
import { type DeletedSecret, DeletedSecretRepository } from './deleted-secret.repository.js';
import { VAULT_TOOL } from './secret.service.js';
import { ToldValues } from './told-values.js';
import { DeletedSecretNotFound, SecretNameTaken, SecretNotFound } from './vault.errors.js';

const BATCH = 500;
/** So long after it expired a value is gone: longer than clocks of processes differ. */
const EXPIRED_KEPT_MS = 3_600_000;
const UNIQUE_VIOLATION = '23505';

/** Secrets on their way out. A deleted one can be brought back for a while; then it, and what expired, is gone. */
@Injectable()
export class DeletedSecrets {
  constructor(
    private readonly deleted: DeletedSecretRepository,
    private readonly told: ToldValues,
    private readonly transactions: Transactions,
    private readonly auditLog: AuditLog,
    private readonly config: HaldirConfig,
    private readonly clock: Clock,
  ) {}

  /**
   * Puts the secret with all its versions out of sight: the next read anywhere finds nothing, and its name is free.
   *
   * @throws SecretNotFound when the tenant has no such secret
   */
  async delete(tx: Tx, actor: Actor, name: string): Promise<void> {
    const now = this.clock.now();
    const purgeAt = new Date(now.getTime() + this.config.secrets.restoreMs);
    const deleted = await this.deleted.in(tx).delete(actor.tenantId, name, now, purgeAt);
    if (!deleted) throw new SecretNotFound();
    const { id, versions } = deleted;
    this.record(tx, actor, 'secret_deleted', {
      name,
      versions,
      secret_id: id,
      restorable_until: purgeAt.toISOString(),
      by: actor.id,
    });
  }

  /** Up to `limit` that can be brought back, the last deleted first, behind `after`. */
  list(
    tenantId: string,
    name: string | undefined,
    limit: number,
    after: { deletedAt: Date; id: string } | null,
  ): Promise<DeletedSecret[]> {
    return this.deleted.list(tenantId, { name, now: this.clock.now() }, limit, after);
  }

  /**
   * Brings a deleted secret back, with all its versions.
   *
   * @throws DeletedSecretNotFound; SecretNameTaken when another secret has its name
   */
  async restore(tx: Tx, actor: Actor, id: string): Promise<{ name: string; version: number }> {
    const restored = await this.deleted
      .in(tx)
      .restore(actor.tenantId, id, this.clock.now())
      .catch((error: unknown) => {
        throw (error as { code?: string }).code === UNIQUE_VIOLATION ? new SecretNameTaken() : error;
      });
    if (!restored) throw new DeletedSecretNotFound();
    this.told.lookAgain(tx, actor.tenantId);
    this.record(tx, actor, 'secret_restored', { ...restored, secret_id: id, by: actor.id });
    return restored;
  }

  /** Removes a deleted secret for good, before its time. @throws DeletedSecretNotFound */
  async purge(tx: Tx, actor: Actor, id: string): Promise<{ name: string }> {
    const purged = await this.deleted.in(tx).purge(actor.tenantId, id, this.clock.now());
    if (!purged) throw new DeletedSecretNotFound();
    this.record(tx, actor, 'secret_purged', {
      name: purged.name,
      versions: purged.version,
      secret_id: id,
      by: actor.id,
    });
    return { name: purged.name };
  }

  /**
   * Removes up to 500 deleted secrets whose time is over, and up to 500 values that expired an hour ago; answers how many.
   * Several processes may do it at once.
   */
  purgeDue(): Promise<number> {
    const now = this.clock.now();
    return this.transactions.run(EVERY_TENANT, async (tx) => {
      const deleted = this.deleted.in(tx);
      const secrets = await deleted.purgeDue(now, BATCH);
      const values = await deleted.emptyExpired(new Date(now.getTime() - EXPIRED_KEPT_MS), BATCH);
      for (const { tenantId, name, version } of secrets)
        this.record(tx, haldirActor(tenantId), 'secret_purged', { name, versions: version });
      for (const { tenantId, name, version } of values)
        this.record(tx, haldirActor(tenantId), 'secret_expired', { name, version });
      return secrets.length + values.length;
    });
  }

  private record(tx: Tx, actor: Actor, action: string, details: Readonly<Record<string, unknown>>): void {
    this.auditLog.record(tx, actor, { source: 'haldir', tool: VAULT_TOOL, action, details });
  }
}
