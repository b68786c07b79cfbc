import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { Passkey } from './passkey.entity.js';
import { type TakenChallenge } from './taken-challenge.entity.js';

const SITES = 'SELECT rp_id FROM passkey_rp_ids()';
type SiteRow = { rp_id: string };

@Injectable()
export class PasskeyRepository {
  constructor(private readonly transactions: Transactions) {}

  /**
   * Whose passkey of that person it is; before that is known, a function that sees all of them answers about the one that was asked
   * for. Ids of credentials are chosen by authenticators, so another tenant may have the same.
   */
  async tenantOf(credentialId: Buffer, personId: string): Promise<string | null> {
    const [row] = await this.transactions.queryAll<{ tenant_id: string }>(
      'SELECT tenant_id FROM passkey_tenant($1, $2)',
      [credentialId, personId],
    );
    return row?.tenant_id ?? null;
  }

  /** The names of the sites that passkeys of the installation were made for. */
  async rpIds(): Promise<string[]> {
    return (await this.transactions.queryAll<SiteRow>(SITES)).map(({ rp_id: rpId }) => rpId);
  }

  /** Up to `limit` of the person's, newest first, behind the one with id `before`. */
  list(tenantId: string, personId: string, limit: number, before: string | null): Promise<Passkey[]> {
    return this.transactions.read(tenantId, (manager) => {
      const query = manager
        .createQueryBuilder(Passkey, 'p')
        .where({ tenantId, personId })
        .orderBy('p.id', 'DESC')
        .limit(limit);
      if (before !== null) query.andWhere('p.id < :before', { before });
      return query.getMany();
    });
  }

  in(tx: Tx) {
    return {
      insert: (passkey: Passkey): Promise<unknown> => tx.manager.insert(Passkey, passkey),
      /** As `rpIds`, on the connection of the transaction. */
      rpIds: async (): Promise<string[]> => (await tx.query<SiteRow>(SITES)).map(({ rp_id: rpId }) => rpId),
      findByCredential: (tenantId: string, credentialId: Buffer): Promise<Passkey | null> =>
        tx.manager.findOneBy(Passkey, { tenantId, credentialId }),
      count: (tenantId: string, personId: string): Promise<number> =>
        tx.manager.countBy(Passkey, { tenantId, personId }),
      /** False when it is gone, or has counted as far before; one that does not count stays at 0. */
      markUsed: async (tenantId: string, id: string, counter: number, usedAt: Date): Promise<boolean> => {
        const used = await tx.query(
          `UPDATE passkey SET counter = $3, used_at = $4
            WHERE tenant_id = $1 AND id = $2 AND (counter < $3 OR (counter = 0 AND $3 = 0)) RETURNING 1`,
          [tenantId, id, counter, usedAt],
        );
        return used.length === 1;
      },
      /** Takes it away; null when the person has none of that id. */
      remove: async (tenantId: string, personId: string, id: string): Promise<Passkey | null> => {
        const found = await tx.manager.findOneBy(Passkey, { tenantId, personId, id });
        if (found) await tx.manager.delete(Passkey, { tenantId, personId, id });
        return found;
      },
      removeAll: (tenantId: string, personId: string): Promise<unknown> =>
        tx.manager.delete(Passkey, { tenantId, personId }),
      /** False when it was taken before; of racing requests one gets it. */
      takeChallenge: async ({ tenantId, hash, expiresAt }: TakenChallenge): Promise<boolean> => {
        const taken = await tx.query(
          'INSERT INTO taken_challenge (tenant_id, hash, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1',
          [tenantId, hash, expiresAt],
        );
        return taken.length === 1;
      },
    };
  }
}
