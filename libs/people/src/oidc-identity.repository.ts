import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { OidcIdentity } from './oidc-identity.entity.js';

@Injectable()
export class OidcIdentityRepository {
  constructor(private readonly transactions: Transactions) {}

  /** The operator's tenant, if it was made yet. */
  async operatorsTenant(): Promise<string | null> {
    const [row] = await this.transactions.queryAll<{ id: string }>('SELECT id FROM operator_tenant()');
    return row?.id ?? null;
  }

  async hasTenant(id: string): Promise<boolean> {
    return (await this.transactions.query('SELECT FROM tenant WHERE id = $1', [id])).length === 1;
  }

  in(tx: Tx) {
    return {
      find: (tenantId: string, issuer: string, subject: string): Promise<OidcIdentity | null> =>
        tx.manager.findOneBy(OidcIdentity, { tenantId, issuer, subject }),
      /** Whether the person is bound to somebody at the issuer. */
      has: (tenantId: string, issuer: string, personId: string): Promise<boolean> =>
        tx.manager.existsBy(OidcIdentity, { tenantId, issuer, personId }),
      insert: (identity: OidcIdentity): Promise<unknown> => tx.manager.insert(OidcIdentity, identity),
      update: ({ tenantId, issuer, subject, claimedRole, mac }: OidcIdentity): Promise<unknown> =>
        tx.manager.update(OidcIdentity, { tenantId, issuer, subject }, { claimedRole, mac }),
      removeAll: (tenantId: string, personId: string): Promise<unknown> =>
        tx.manager.delete(OidcIdentity, { tenantId, personId }),
    };
  }
}
