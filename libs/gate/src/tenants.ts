import { Injectable } from '@nestjs/common';
import { Clock, newId } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { KeyRing } from '@haldir/crypto';
import { type Tx } from '@haldir/database';
import { type Tier } from '@haldir/runtime';
import { type DoorKind, TenantRepository } from './tenant.repository.js';

/** What of its tenant a grant holds for. */
export interface TenantStanding {
  tenantId: string;
  tenantTier: Tier;
  isOperator: boolean;
}

/** Makes tenants. */
@Injectable()
export class Tenants {
  constructor(
    private readonly tenants: TenantRepository,
    private readonly keyRing: KeyRing,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** Serialises the making of tenants, and who comes first to the operator's, until the transaction ends. */
  async hold(tx: Tx): Promise<void> {
    await this.tenants.in(tx).hold();
  }

  /** The operator's, which is made when it is first needed; to be held. The rest of the transaction sees it. */
  async operators(tx: Tx): Promise<TenantStanding> {
    const found = await this.tenants.in(tx).operator();
    if (!found) return this.create(tx, 'enterprise', true);
    tx.enter(found.id);
    return { tenantId: found.id, tenantTier: found.tier, isOperator: true };
  }

  /** From now on, whatever becomes of keys and people, the tenant has had its first key, or its first person. */
  async shutDoor(tx: Tx, tenantId: string, kind: DoorKind): Promise<void> {
    await this.tenants.in(tx).shutDoor(tenantId, kind, this.clock.now());
  }

  /** Whether the tenant has ever had a key, or a person who signed in. */
  hasHad(tx: Tx, tenantId: string, kind: DoorKind): Promise<boolean> {
    return this.tenants.in(tx).isDoorShut(tenantId, kind);
  }

  async create(tx: Tx, tenantTier: Tier, isOperator = false): Promise<TenantStanding> {
    const tenantId = newId('tnt');
    tx.enter(tenantId);
    await this.tenants.in(tx).insert({ id: tenantId, tier: tenantTier, isOperator, createdAt: this.clock.now() });
    await this.keyRing.createTenantKey(tx, tenantId);
    await this.auditLog.create(tx, tenantId);
    return { tenantId, tenantTier, isOperator };
  }
}
