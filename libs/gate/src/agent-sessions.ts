import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { Transactions, type Tx } from '@haldir/database';
import { type Caller } from '@haldir/http';
import { Session } from './session.entity.js';
import { SessionService } from './session.service.js';

/** One that ends sooner is as good as ended: what is begun in it has to be able to go on. */
const RENEWED_BEFORE_MS = 2_000;

const ensure = {
  name: 'agent_session.ensure.v1',
  text: 'INSERT INTO agent_session (tenant_id, key_id) VALUES ($1, $2) ON CONFLICT DO NOTHING',
};
const lock = {
  name: 'agent_session.lock.v1',
  text: 'SELECT session_id FROM agent_session WHERE tenant_id = $1 AND key_id = $2 FOR UPDATE',
};
const put = {
  name: 'agent_session.put.v1',
  text: 'UPDATE agent_session SET session_id = $3 WHERE tenant_id = $1 AND key_id = $2',
};

/** The session that an agent key goes on with when it names none: one for each key, whatever process is asked. */
@Injectable()
export class AgentSessions {
  constructor(
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
      tx.send(ensure, [tenantId, keyId]);
      const [row] = await tx.query<{ session_id: string | null }>(lock, [tenantId, keyId]);
      const found = row?.session_id ? await tx.manager.findOneBy(Session, { tenantId, id: row.session_id }) : null;
      // Somebody else was faster.
      if (found && found.revokedAt === null && isGoing(found.expiresAt)) return found.id;
      const { agentId, scopes, ttlSeconds } = agent;
      const opened = await this.sessions.openIn(tx, actor, { agentId, scopes, ttlSeconds, spendLimit: null });
      tx.send(put, [tenantId, keyId, opened.id]);
      return opened.id;
    });
  }
}
