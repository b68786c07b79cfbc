import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { IsNull } from 'typeorm';
import { Invitation } from './invitation.entity.js';

@Injectable()
export class InvitationRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Whose the link is; before that is known, a function that sees all of them answers about the one that was asked for. */
  async tenantOf(hash: Buffer): Promise<string | null> {
    const [row] = await this.transactions.queryAll<{ tenant_id: string }>(
      'SELECT tenant_id FROM invitation_tenant($1)',
      [hash],
    );
    return row?.tenant_id ?? null;
  }

  in(tx: Tx) {
    return {
      insert: (invitation: Invitation): Promise<unknown> => tx.manager.insert(Invitation, invitation),
      /** Takes the link away; of racing requests one gets it. Null when there is none any more. */
      take: async (tenantId: string, hash: Buffer): Promise<Invitation | null> => {
        const found = await tx.manager.findOne(Invitation, {
          where: { tenantId, hash },
          lock: { mode: 'pessimistic_write' },
        });
        if (found) await tx.manager.delete(Invitation, { tenantId, id: found.id });
        return found;
      },
      /** Those of a person; with null, those of whoever is to be the first owner. */
      removeOf: (tenantId: string, personId: string | null): Promise<unknown> =>
        tx.manager.delete(Invitation, { tenantId, personId: personId ?? IsNull() }),
    };
  }
}
