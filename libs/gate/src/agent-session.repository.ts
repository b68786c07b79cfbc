import { Injectable } from '@nestjs/common';
import { type Tx } from '@haldir/database';
import { AgentSession } from './agent-session.entity.js';
import { Session } from './session.entity.js';

@Injectable()
export class AgentSessionRepository {
  in(tx: Tx) {
    return {
      /** The last session of the key, which nobody else replaces until the transaction ends; null when there was none. */
      hold: async (tenantId: string, keyId: string): Promise<Session | null> => {
        await tx.manager
          .createQueryBuilder()
          .insert()
          .into(AgentSession)
          .values({ tenantId, keyId })
          .orIgnore()
          .execute();
        const held = await tx.manager.findOneOrFail(AgentSession, {
          where: { tenantId, keyId },
          lock: { mode: 'pessimistic_write' },
        });
        return held.sessionId === null ? null : tx.manager.findOneBy(Session, { tenantId, id: held.sessionId });
      },
      put: (held: AgentSession): Promise<unknown> => {
        const { tenantId, keyId, sessionId } = held;
        return tx.manager.update(AgentSession, { tenantId, keyId }, { sessionId });
      },
    };
  }
}
