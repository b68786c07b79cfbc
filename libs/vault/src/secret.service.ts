import { Injectable } from '@nestjs/common';
import { type Actor, Clock, HaldirError, InvalidInput, newId, Unavailable } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { KeyRing } from '@haldir/crypto';
import { type Tx } from '@haldir/database';
import { type Session, SessionInvalid, SessionService } from '@haldir/gate';
import { Metrics } from '@haldir/runtime';
import { type Bindings, fromBindings, inBoth } from './secret-binding.js';
import { SecretOpener } from './secret-opener.js';
import { sealSecret, type SecretPlace } from './secret-seal.js';
import { type SecretValue } from './secret-value.js';
import { type ListedSecret, type ListedVersion, SecretRepository, type StoredSecret } from './secret.repository.js';
import { isUsable, TOLD_TOO_MUCH, ToldValues } from './told-values.js';
import {
  SecretExpired,
  SecretNotFound,
  SecretScopeMissing,
  SecretVersionNotFound,
  SessionRequired,
} from './vault.errors.js';

export interface NewSecret {
  name: string;
  value: SecretValue;
  /** What a session must hold to read it. */
  scopeRequired: string;
  /** From then on nobody is given it; null for never. */
  expiresAt: Date | null;
  /** Tools that it may be sent to; null for those of the version it takes the place of, and none for a new name. */
  bindings: Bindings | null;
}

/** A value on its way into the one answer it was asked for, and which one it is. */
export interface OpenedSecret {
  value: SecretValue;
  version: number;
  expiresAt: Date | null;
}

/** A version that was made. */
export interface MadeVersion {
  version: number;
  expiresAt: Date | null;
  bindings: Bindings;
}

export const VAULT_TOOL = 'haldir.vault';

type Refusal = 'invalid_session' | 'missing_scope' | 'expired' | 'does_not_open';

@Injectable()
export class SecretService {
  constructor(
    private readonly secrets: SecretRepository,
    private readonly opener: SecretOpener,
    private readonly sessions: SessionService,
    private readonly keys: KeyRing,
    private readonly told: ToldValues,
    private readonly auditLog: AuditLog,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes the value the newest version of the name; earlier versions are kept. Racing stores each get a version. From then on it
   * is masked in what the upstreams say that it is bound to.
   *
   * @throws InvalidInput when it would have expired already, or is bound to an upstream that can be told no more
   */
  async store(tx: Tx, actor: Actor, wanted: NewSecret): Promise<MadeVersion> {
    const { tenantId, id: by } = actor;
    const now = this.clock.now();
    const { name, value, scopeRequired, expiresAt } = wanted;
    if (expiresAt !== null && expiresAt <= now) throw new InvalidInput('expires_at: expected a time in the future');
    const secrets = this.secrets.in(tx);
    const [tenantKey, { id: secretId, version }] = await Promise.all([
      this.keys.sealingKey(tx, tenantId),
      secrets.nextVersion(tenantId, name, newId('sec'), now),
    ]);
    const bindings =
      wanted.bindings ??
      (version === 1
        ? []
        : await this.bindingsOf(await secrets.holdVersion(tenantId, name, secretId, version - 1), tx));
    const place: SecretPlace = { tenantId, secretId, name, version, scopeRequired, expiresAt, bindings };
    await secrets.insertVersion(place, sealSecret(tenantKey, place, value), now);
    await this.noteIn(tx, place, value, 'bindings');
    this.auditLog.record(tx, actor, {
      source: 'haldir',
      tool: VAULT_TOOL,
      action: 'secret_stored',
      details: { name, version, scope_required: scopeRequired, ...expiry(expiresAt), ...bound(bindings), by },
    });
    return { version, expiresAt, bindings };
  }

  /**
   * Makes an earlier value the newest version. It keeps its expiry; the scope is that of the version it takes the place of, so
   * that nothing opens to more sessions than before. It is bound to what both versions are bound to: a value goes to no tool that
   * it was not meant for.
   *
   * @throws SecretNotFound, SecretVersionNotFound, SecretExpired
   * @throws InvalidInput when it is bound to an upstream that can be told no more
   */
  async rollBack(tx: Tx, actor: Actor, name: string, from: number): Promise<MadeVersion> {
    const { tenantId, id: by } = actor;
    const now = this.clock.now();
    const secrets = this.secrets.in(tx);
    const [tenantKey, next] = await Promise.all([
      this.keys.sealingKey(tx, tenantId),
      secrets.nextVersionIfThere(tenantId, name, now),
    ]);
    if (!next) throw new SecretNotFound();
    const { id: secretId, version } = next;
    const [earlier, newest] = await Promise.all([
      secrets.holdVersion(tenantId, name, secretId, from),
      secrets.holdVersion(tenantId, name, secretId, version - 1),
    ]);
    if (!earlier || !newest) throw new SecretVersionNotFound();
    const { expiresAt } = earlier.place;
    if (expiresAt !== null && expiresAt <= now) throw new SecretExpired(expiresAt);
    const value = await this.opener.open(earlier, tx);
    if (!value) throw new SecretVersionNotFound();
    const { scopeRequired } = newest.place;
    const bindings = inBoth(earlier.place.bindings, await this.bindingsOf(newest, tx));
    try {
      const place: SecretPlace = { ...earlier.place, version, scopeRequired, bindings };
      await secrets.insertVersion(place, sealSecret(tenantKey, place, value), now);
      await this.noteIn(tx, place, value, 'version');
    } finally {
      value.wipe();
    }
    this.auditLog.record(tx, actor, {
      source: 'haldir',
      tool: VAULT_TOOL,
      action: 'secret_rolled_back',
      details: { name, version, from_version: from, ...expiry(expiresAt), ...bound(bindings), by },
    });
    return { version, expiresAt, bindings };
  }

  /**
   * The value of the name: the newest, or that of one version. Without a session (null) it is the tenant's own read; a session
   * must be live and hold the scope the secret requires. The read, or its refusal, is durable in the audit log before this
   * returns.
   *
   * @throws SessionRequired of an agent; SessionInvalid, SecretScopeMissing, SecretExpired
   * @throws SecretNotFound, SecretVersionNotFound also for a sealed value that does not open where it stands, which is logged
   * @throws Unavailable when the read cannot be recorded, or the key of the secret is not there
   */
  async read(
    actor: Actor,
    name: string,
    sessionId: string | null,
    version: number | null = null,
  ): Promise<OpenedSecret> {
    const { tenantId } = actor;
    if (actor.agent && sessionId === null) throw new SessionRequired();
    const [session, secret] = await Promise.all([
      sessionId === null ? null : this.sessions.findLive(actor, sessionId),
      version === null ? this.secrets.findNewest(tenantId, name) : this.secrets.findVersion(tenantId, name, version),
    ]);
    if (sessionId !== null && session === null) {
      await this.refuse(actor, name, null, 'invalid_session');
      throw new SessionInvalid();
    }
    if (!secret) throw notFound(version);
    const { place, scopes } = secret;
    const missing = session === null ? undefined : scopes.find((scope) => !session.grants(scope));
    if (missing !== undefined) {
      await this.refuse(actor, name, session, 'missing_scope', { scope_required: missing });
      throw new SecretScopeMissing(missing);
    }
    const { expiresAt } = place;
    if (expiresAt !== null && expiresAt <= this.clock.now()) {
      await this.refuse(actor, name, session, 'expired', { version: place.version });
      throw new SecretExpired(expiresAt);
    }
    const value = await this.opener.open(secret);
    if (!value) {
      await this.refuse(actor, name, session, 'does_not_open', { version: place.version });
      throw notFound(version);
    }
    try {
      await this.record(actor, session, 'secret_read', { name, version: place.version });
    } catch (error) {
      value.wipe();
      throw error;
    }
    this.metrics.countDecision('secret', 'allowed');
    return { value, version: place.version, expiresAt };
  }

  /** Secrets of the tenant, each name once. */
  count(tenantId: string): Promise<number> {
    return this.secrets.count(tenantId);
  }

  /** Up to `limit` secrets in the order of the bytes of their names, behind the name `after`; no values. */
  list(tenantId: string, limit: number, after: string | null): Promise<ListedSecret[]> {
    return this.secrets.listNewest(tenantId, limit, after);
  }

  /**
   * Up to `limit` versions of a secret, newest first, behind version `before`; no values.
   *
   * @throws SecretNotFound when the tenant has no such secret
   */
  async listVersions(tenantId: string, name: string, limit: number, before: number | null): Promise<ListedVersion[]> {
    const found = await this.secrets.listVersions(tenantId, name, limit, before);
    if (found.length === 0 && before === null) throw new SecretNotFound();
    return found;
  }

  /** Whoever may be sent the value is taken to know it. @param member of the request that binds it */
  private async noteIn(
    tx: Tx,
    { tenantId, name, bindings }: SecretPlace,
    value: SecretValue,
    member: 'bindings' | 'version',
  ): Promise<void> {
    if (bindings.length === 0) return;
    const text = value.expose((bytes) => bytes.toString());
    if (!isUsable(text)) return;
    const upstreams = new Set(fromBindings(bindings).map(({ upstream }) => upstream));
    for (const upstream of [...upstreams].sort()) {
      const told = [{ name, text, kind: 'secret', expiresAt: null }] as const;
      if (!(await this.told.noteIn(tx, { tenantId, upstream }, told)))
        throw new InvalidInput(`${member}: the upstream ${JSON.stringify(upstream)} ${TOLD_TOO_MUCH}`);
    }
  }

  /** What a version is bound to; nothing when that cannot be relied on, because its value does not open (any more). */
  private async bindingsOf(newest: StoredSecret | null, tx: Tx): Promise<Bindings> {
    if (newest === null || newest.place.bindings.length === 0) return [];
    const value = newest.sealed.value.length === 0 ? null : await this.opener.open(newest, tx);
    value?.wipe();
    return value === null ? [] : newest.place.bindings;
  }

  private async refuse(
    actor: Actor,
    name: string,
    session: Session | null,
    reason: Refusal,
    facts: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    await this.record(actor, session, 'secret_read_denied', { name, reason, ...facts });
    this.metrics.countDecision('secret', 'denied');
  }

  /** @throws Unavailable whatever keeps the entry from being durable */
  private async record(
    actor: Actor,
    session: Session | null,
    action: 'secret_read' | 'secret_read_denied',
    details: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const where =
      session === null
        ? ({ source: 'haldir' } as const)
        : ({ source: 'session', sessionId: session.id, agentId: session.agentId } as const);
    try {
      await this.auditLog.append(actor, {
        ...where,
        tool: VAULT_TOOL,
        action,
        details: { ...details, by: actor.id },
      });
    } catch (error) {
      if (error instanceof HaldirError) throw error;
      throw new Unavailable('The read cannot be recorded right now, so nothing was read', { cause: error });
    }
  }
}

function notFound(version: number | null): SecretNotFound | SecretVersionNotFound {
  return version === null ? new SecretNotFound() : new SecretVersionNotFound();
}

function expiry(expiresAt: Date | null): { expires_at?: string } {
  return expiresAt === null ? {} : { expires_at: expiresAt.toISOString() };
}

function bound(bindings: Bindings): { bindings?: Bindings } {
  return bindings.length === 0 ? {} : { bindings };
}
