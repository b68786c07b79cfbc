import { Injectable } from '@nestjs/common';
import { type Actor, Clock, haldirActor, HaldirError, Unavailable } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { type Session } from '@haldir/gate';
import { Metrics } from '@haldir/runtime';
import { bindsTo } from './secret-binding.js';
import { SecretOpener } from './secret-opener.js';
import { SecretRepository, type StoredSecret } from './secret.repository.js';
import { VAULT_TOOL } from './secret.service.js';
import { MAX_USABLE, MIN_USABLE } from './told-values.js';

/** A call of a tool that secrets are to be sent along with. */
export interface SecretUse {
  actor: Actor;
  session: Session;
  upstream: string;
  tool: string;
}

/** Why a secret is not sent. An agent is told less: that there is no such secret and that it is bound elsewhere look alike. */
export type UseReason =
  'unknown' | 'unbound' | 'missing_scope' | 'expired' | 'does_not_open' | 'too_short' | 'too_long';

export interface UseRefusal {
  name: string;
  reason: UseReason;
  /** What the session lacks. */
  scopeRequired?: string;
}

/** A value that is sent: its text cannot be wiped. */
export interface UsedSecret {
  name: string;
  version: number;
  text: string;
}

export type SecretsUsed = { used: UsedSecret[] } | { refused: UseRefusal };

/** Uses of headers' secrets that a process remembers to have recorded. */
const MAX_RECORDED = 10_000;

/** What decides whether a secret may be sent; without session and tool, the tenant sends it itself, with every request. */
interface UseContext {
  tenantId: string;
  session: Session | null;
  upstream: string;
  tool: string | null;
  /** Whether somebody who may read it was given it, whatever it is bound to. */
  isGiven?: boolean;
}

/** Secrets on their way to upstreams, where agents use them without seeing them. */
@Injectable()
export class SecretUses {
  private readonly recorded = new Set<string>();

  constructor(
    private readonly secrets: SecretRepository,
    private readonly opener: SecretOpener,
    private readonly auditLog: AuditLog,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
  ) {}

  /** Whether the call may be made with these secrets, as far as can be told without opening them; null when it may. */
  async check(use: SecretUse, names: readonly string[]): Promise<UseRefusal | null> {
    const found = await this.find({ ...use, tenantId: use.actor.tenantId }, names);
    return 'refused' in found ? found.refused : null;
  }

  /**
   * The values of the secrets, if the call may be made with all of them: each is bound to the tool, has not expired, and the
   * session holds the scope it requires, as for a read. Each use is durable in the audit log before this returns.
   *
   * @throws Unavailable when a use cannot be recorded, or the key of a secret is not there
   */
  async open(use: SecretUse, names: readonly string[]): Promise<SecretsUsed> {
    const { actor, session, upstream, tool } = use;
    const found = await this.find({ ...use, tenantId: actor.tenantId }, names);
    if ('refused' in found) return found;
    const opened = await this.reveal(found.secrets);
    if ('refused' in opened) return opened;
    const inSession = { source: 'session', sessionId: session.id, agentId: session.agentId } as const;
    await this.record(
      opened.used.map(({ name, version }) =>
        this.auditLog.append(actor, {
          ...inSession,
          tool: VAULT_TOOL,
          action: 'secret_used',
          details: { name, version, upstream, tool, by: actor.id },
        }),
      ),
    );
    return opened;
  }

  /**
   * The values of secrets that the tenant itself has sent to an upstream, with every request; each is bound to all that goes
   * there. The first use of a version for an upstream, by each process, is durable in the audit log before this returns.
   *
   * @throws Unavailable when a use cannot be recorded, or the key of a secret is not there
   */
  async openForUpstream(tenantId: string, upstream: string, names: readonly string[]): Promise<SecretsUsed> {
    if (names.length === 0) return { used: [] };
    const found = await this.find({ tenantId, session: null, upstream, tool: null }, names);
    const opened = 'refused' in found ? found : await this.reveal(found.secrets);
    if ('refused' in opened) return opened;
    const keyOf = ({ name, version }: UsedSecret): string => JSON.stringify([tenantId, upstream, name, version]);
    const fresh = opened.used.filter((used) => !this.recorded.has(keyOf(used)));
    await this.record(
      fresh.map(({ name, version }) =>
        this.auditLog.append(haldirActor(tenantId), {
          source: 'haldir',
          tool: VAULT_TOOL,
          action: 'secret_used',
          details: { name, version, upstream, by: 'upstream_headers' },
        }),
      ),
    );
    if (this.recorded.size >= MAX_RECORDED) this.recorded.clear();
    for (const used of fresh) this.recorded.add(keyOf(used));
    return opened;
  }

  /**
   * The values of secrets that the key of a connector was given. Each use is durable in the audit log before this returns.
   *
   * @throws Unavailable when a use cannot be recorded, or the key of a secret is not there
   */
  async openForConnector(actor: Actor, upstream: string, names: readonly string[]): Promise<SecretsUsed> {
    const { tenantId } = actor;
    const found = await this.find({ tenantId, session: null, upstream, tool: null, isGiven: true }, names);
    const opened = 'refused' in found ? found : await this.reveal(found.secrets);
    if ('refused' in opened) return opened;
    await this.record(
      opened.used.map(({ name, version }) =>
        this.auditLog.append(actor, {
          source: 'haldir',
          tool: VAULT_TOOL,
          action: 'secret_used',
          details: { name, version, upstream, by: actor.id },
        }),
      ),
    );
    return opened;
  }

  private async find(
    use: UseContext,
    names: readonly string[],
  ): Promise<{ secrets: StoredSecret[] } | { refused: UseRefusal }> {
    const secrets: StoredSecret[] = [];
    const found = await Promise.all(names.map((name) => this.secrets.findNewest(use.tenantId, name)));
    for (const [i, name] of names.entries()) {
      const secret = found[i] ?? null;
      const refused = this.refusalOf(name, secret, use);
      if (refused) return { refused };
      if (secret) secrets.push(secret);
    }
    return { secrets };
  }

  private refusalOf(
    name: string,
    secret: StoredSecret | null,
    { session, upstream, tool, isGiven = false }: UseContext,
  ): UseRefusal | null {
    if (!secret) return { name, reason: 'unknown' };
    const { bindings, expiresAt } = secret.place;
    if (!isGiven && !bindsTo(bindings, upstream, tool)) return { name, reason: 'unbound' };
    const scopeRequired = session === null ? undefined : secret.scopes.find((scope) => !session.grants(scope));
    if (scopeRequired !== undefined) return { name, reason: 'missing_scope', scopeRequired };
    return expiresAt !== null && expiresAt <= this.clock.now() ? { name, reason: 'expired' } : null;
  }

  private async reveal(secrets: readonly StoredSecret[]): Promise<SecretsUsed> {
    const opened = await Promise.all(secrets.map((secret) => this.opener.open(secret)));
    const used: UsedSecret[] = [];
    try {
      for (const [i, { place }] of secrets.entries()) {
        const { name, version } = place;
        const text = opened[i]?.reveal() ?? null;
        const reason = text === null ? 'does_not_open' : unusable(text);
        if (text === null || reason !== null) return { refused: { name, reason: reason ?? 'does_not_open' } };
        used.push({ name, version, text });
      }
      return { used };
    } finally {
      for (const value of opened) value?.wipe();
    }
  }

  /** @throws Unavailable whatever keeps an entry from being durable */
  private async record(entries: Promise<unknown>[]): Promise<void> {
    try {
      await Promise.all(entries);
    } catch (error) {
      if (error instanceof HaldirError) throw error;
      throw new Unavailable('The use of a secret cannot be recorded right now, so it was not used', { cause: error });
    }
    for (let i = 0; i < entries.length; i++) this.metrics.countDecision('secret', 'allowed');
  }
}

function unusable({ length }: string): UseReason | null {
  return length < MIN_USABLE ? 'too_short' : length > MAX_USABLE ? 'too_long' : null;
}
