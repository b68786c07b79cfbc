import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';

/** How a tenant wants its approvals. */
export interface ApprovalSettings {
  /** Whether the key that asked, or opened the session, may not decide. */
  forbidSelfApproval: boolean;
}

const find = {
  name: 'approval_settings.find.v1',
  text: 'SELECT forbid_self_approval FROM approval_settings WHERE tenant_id = $1',
};

@Injectable()
export class ApprovalSettingsRepository {
  constructor(private readonly transactions: Transactions) {}

  /** What holds for a tenant that never said otherwise: the key that asks may decide. */
  async find(tenantId: string): Promise<ApprovalSettings> {
    const [row] = await this.transactions.query<{ forbid_self_approval: boolean }>(find, [tenantId]);
    return { forbidSelfApproval: row?.forbid_self_approval ?? false };
  }

  in(tx: Tx) {
    return {
      put: (tenantId: string, { forbidSelfApproval }: ApprovalSettings): void =>
        tx.send(
          `INSERT INTO approval_settings (tenant_id, forbid_self_approval) VALUES ($1, $2)
             ON CONFLICT (tenant_id) DO UPDATE SET forbid_self_approval = excluded.forbid_self_approval`,
          [tenantId, forbidSelfApproval],
        ),
    };
  }
}
