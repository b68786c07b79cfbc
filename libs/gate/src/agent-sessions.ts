import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { Transactions, type Tx } from '@haldir/database';
import { type Caller } from '@haldir/http';
import { AgentSessionRepository } from './agent-session.repository.js';
import { SessionService } from './session.service.js';

/** One that ends sooner is as good as ended: what is begun in it has to be able to go on. */
const RENEWED_BEFORE_MS = 2_000;

/** The session that an agent key goes on with when it names none: one for each key, whatever process is asked. */
@Injectable()
export class AgentSessions {
  constructor(
    private readonly current: AgentSessionRepository,
    private readonly sessions: SessionService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /**
   * The id of the key's current session, which is opened, with all that the ceiling allows, when there is none or the last one
   * has ended. Null for a key that is no agent's. The current one came with the key, so that nothing is asked for it.
   *
   * @throws AgentFrozen
   */
  async currentOf({ actor, session }: Caller): Promise<string | null> {
    const { agent, tenantId, id: keyId } = actor;
    if (!agent) return null;
    // One that lives for a moment only is used until the half of it.
    const margin = Math.min(RENEWED_BEFORE_MS, (agent.ttlSeconds * 1000) / 2);
    const isGoing = (expiresAt: Date): boolean => expiresAt.getTime() - this.clock.now().getTime() > margin;
    if (session && isGoing(session.expiresAt)) return session.id;
    return this.transactions.run(tenantId, async (tx: Tx) => {
      const current = this.current.in(tx);
      const found = await current.hold(tenantId, keyId);
      // Somebody else was faster.
      if (found && found.revokedAt === null && isGoing(found.expiresAt)) return found.id;
      const { agentId, scopes, ttlSeconds, catalogue } = agent;
      const wanted = { agentId, scopes, ttlSeconds, spendLimit: null, catalogue, parent: null };
      const opened = await this.sessions.openIn(tx, actor, wanted);
      await current.put({ tenantId, keyId, sessionId: opened.id });
      return opened.id;
    });
  }

  /** The id of the current session of the key while that lives, else null. Opens none: for what clients do though no agent asks. */
  livingOf({ session }: Caller): string | null {
    return session && session.expiresAt > this.clock.now() ? session.id : null;
  }
}
