import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { ApprovalSettings } from './approval-settings.entity.js';

@Injectable()
export class ApprovalSettingsRepository {
  constructor(private readonly transactions: Transactions) {}

  /** What holds for a tenant that never said otherwise: the key that asks may decide. */
  async find(tenantId: string): Promise<ApprovalSettings> {
    const said = await this.transactions.read(tenantId, (manager) => manager.findOneBy(ApprovalSettings, { tenantId }));
    return said ?? { tenantId, forbidSelfApproval: false };
  }

  in(tx: Tx) {
    return {
      put: (settings: ApprovalSettings): Promise<unknown> =>
        tx.manager.upsert(ApprovalSettings, settings, ['tenantId']),
    };
  }
}
