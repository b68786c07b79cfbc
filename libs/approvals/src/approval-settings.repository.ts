import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { type EntityManager } from 'typeorm';
import { ApprovalSettings } from './approval-settings.entity.js';

/** What is not named stays as it is. */
export type ChangedSettings = Pick<ApprovalSettings, 'tenantId' | 'forbidSelfApproval'> & Partial<ApprovalSettings>;

@Injectable()
export class ApprovalSettingsRepository {
  constructor(private readonly transactions: Transactions) {}

  /** What holds for a tenant that never said otherwise: the key that asks may decide, nothing has to be signed, and no grant is of destructive tools. */
  find(tenantId: string): Promise<ApprovalSettings> {
    return this.transactions.read(tenantId, (manager) => findIn(manager, tenantId));
  }

  in(tx: Tx) {
    return {
      find: (tenantId: string): Promise<ApprovalSettings> => findIn(tx.manager, tenantId),
      put: (settings: ChangedSettings): Promise<unknown> => tx.manager.upsert(ApprovalSettings, settings, ['tenantId']),
    };
  }
}

async function findIn(manager: EntityManager, tenantId: string): Promise<ApprovalSettings> {
  const said = await manager.findOneBy(ApprovalSettings, { tenantId });
  return (
    said ?? { tenantId, forbidSelfApproval: false, signatureFrom: null, signatureRules: [], destructiveGrants: false }
  );
}
