import { Inject, Injectable } from '@nestjs/common';
import { Clock, HaldirError, newId, Unavailable } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { KeyRing, keyVersionOf, SealBroken, type VersionedKey } from '@haldir/crypto';
import { type Tx } from '@haldir/database';
import { type Session, SessionInvalid, SessionService } from '@haldir/gate';
import { Log, Metrics } from '@haldir/runtime';
import { openSecret, sealSecret } from './secret-seal.js';
import { type SecretValue } from './secret-value.js';
import { SecretRepository, type StoredSecret } from './secret.repository.js';
import { SecretNotFound, SecretScopeMissing } from './vault.errors.js';

export interface NewSecret {
  name: string;
  value: SecretValue;
  /** What a session must hold to read it. */
  scopeRequired: string;
}

/** Who asks: a tenant, through the API key of that public prefix. */
export interface VaultCaller {
  tenantId: string;
  key: string;
}

const TOOL = 'haldir.vault';

type Refusal = 'invalid_session' | 'missing_scope' | 'does_not_open';

@Injectable()
export class SecretService {
  constructor(
    @Inject(SecretRepository) private readonly secrets: SecretRepository,
    @Inject(SessionService) private readonly sessions: SessionService,
    @Inject(KeyRing) private readonly keys: KeyRing,
    @Inject(AuditLog) private readonly auditLog: AuditLog,
    @Inject(Metrics) private readonly metrics: Metrics,
    @Inject(Clock) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  /** The key to store with. Fetched before the transaction, so that no transaction waits for a second connection. */
  sealingKey(tenantId: string): Promise<VersionedKey> {
    return this.keys.tenantKey(tenantId);
  }

  /** Makes the value the newest version of the name; earlier versions are kept. Racing stores each get a version. */
  async store(
    tx: Tx,
    { tenantId, key: by }: VaultCaller,
    wanted: NewSecret,
    tenantKey: VersionedKey,
  ): Promise<{ version: number }> {
    const now = this.clock.now();
    const { name, value, scopeRequired } = wanted;
    const secrets = this.secrets.in(tx);
    const { id: secretId, version } = await secrets.nextVersion(tenantId, name, newId('sec'), now);
    const place = { tenantId, secretId, name, version, scopeRequired };
    secrets.insertVersion(place, sealSecret(tenantKey, place, value), tenantKey.version, now);
    this.auditLog.record(tx, tenantId, {
      source: 'haldir',
      tool: TOOL,
      action: 'secret_stored',
      details: { name, version, scope_required: scopeRequired, by },
    });
    return { version };
  }

  /**
   * The newest value of the name. Without a session (null) it is the tenant's own read; a session must be live and hold
   * the scope the secret requires. The read, or its refusal, is durable in the audit log before this returns.
   *
   * @throws SessionInvalid, SecretScopeMissing
   * @throws SecretNotFound also for a sealed value that does not open where it stands, which is logged
   * @throws Unavailable when the read cannot be recorded, or the key of the secret is not there
   */
  async read(caller: VaultCaller, name: string, sessionId: string | null): Promise<SecretValue> {
    const { tenantId } = caller;
    const [session, secret] = await Promise.all([
      sessionId === null ? null : this.sessions.findLive(tenantId, sessionId),
      this.secrets.findNewest(tenantId, name),
    ]);
    if (sessionId !== null && session === null) {
      await this.refuse(caller, name, null, 'invalid_session');
      throw new SessionInvalid();
    }
    if (!secret) throw new SecretNotFound();
    const { scopeRequired, version } = secret.place;
    if (session !== null && !session.grants(scopeRequired)) {
      await this.refuse(caller, name, session, 'missing_scope', { scope_required: scopeRequired });
      throw new SecretScopeMissing(scopeRequired);
    }
    const value = await this.open(secret);
    if (!value) {
      await this.refuse(caller, name, session, 'does_not_open', { version });
      throw new SecretNotFound();
    }
    try {
      await this.record(caller, session, 'secret_read', { name, version });
    } catch (error) {
      value.wipe();
      throw error;
    }
    this.metrics.countDecision('secret', 'allowed');
    return value;
  }

  /** Secrets of the tenant, each name once. */
  count(tenantId: string): Promise<number> {
    return this.secrets.count(tenantId);
  }

  /** Up to `limit` names in the order of their bytes, behind `after`. */
  list(tenantId: string, limit: number, after: string | null): Promise<string[]> {
    return this.secrets.listNames(tenantId, limit, after);
  }

  /**
   * Removes the secret with all its versions: the next read anywhere finds nothing.
   *
   * @throws SecretNotFound when the tenant has no such secret
   */
  async delete(tx: Tx, { tenantId, key: by }: VaultCaller, name: string): Promise<void> {
    const deleted = await this.secrets.in(tx).delete(tenantId, name);
    if (!deleted) throw new SecretNotFound();
    this.auditLog.record(tx, tenantId, {
      source: 'haldir',
      tool: TOOL,
      action: 'secret_deleted',
      details: { name, versions: deleted.versions, by },
    });
  }

  /** Null, and a line in the log, when the value was altered or moved, or its scope changed, behind Haldir's back. */
  private async open({ place, sealed }: StoredSecret): Promise<SecretValue | null> {
    const { tenantId, secretId, version } = place;
    try {
      return openSecret(await this.keys.tenantKey(tenantId, keyVersionOf(sealed.wrappedKey)), place, sealed);
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      this.log.error({ event: 'vault.secret_does_not_open', tenant_id: tenantId, secret_id: secretId, version });
      return null;
    }
  }

  private async refuse(
    caller: VaultCaller,
    name: string,
    session: Session | null,
    reason: Refusal,
    facts: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    await this.record(caller, session, 'secret_read_denied', { name, reason, ...facts });
    this.metrics.countDecision('secret', 'denied');
  }

  /** @throws Unavailable whatever keeps the entry from being durable */
  private async record(
    { tenantId, key: by }: VaultCaller,
    session: Session | null,
    action: 'secret_read' | 'secret_read_denied',
    details: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const actor =
      session === null
        ? ({ source: 'haldir' } as const)
        : ({ source: 'session', sessionId: session.id, agentId: session.agentId } as const);
    try {
      await this.auditLog.append(tenantId, { ...actor, tool: TOOL, action, details: { ...details, by } });
    } catch (error) {
      if (error instanceof HaldirError) throw error;
      throw new Unavailable('The read cannot be recorded right now, so nothing was read', { cause: error });
    }
  }
}
