interface Tenant {
  held: number;
  waiting: (() => void)[];
}

/**
 * The deliveries a process may have under way: no tenant holds more than its share, and tenants that wait are served in
 * turn, so that one with ten thousand deliveries delays nobody else's first.
 */
export class DeliverySlots {
  /** Insertion order is the turn: whoever was served goes to the end. */
  private readonly tenants = new Map<string, Tenant>();
  private free: number;

  /**
   * @param total deliveries under way at once
   * @param share of them one tenant may hold
   */
  constructor(
    total: number,
    private readonly share: number,
  ) {
    this.free = total;
  }

  /** Resolves once the tenant holds a slot; release it. */
  acquire(tenantId: string): Promise<void> | undefined {
    const tenant = this.tenants.get(tenantId) ?? { held: 0, waiting: [] };
    this.tenants.set(tenantId, tenant);
    if (this.free > 0 && tenant.held < this.share && tenant.waiting.length === 0) {
      this.free--;
      tenant.held++;
      return undefined;
    }
    return new Promise((resolve) => tenant.waiting.push(resolve));
  }

  release(tenantId: string): void {
    const tenant = this.tenants.get(tenantId);
    if (!tenant) throw new Error('a slot was released that nobody held');
    tenant.held--;
    this.free++;
    if (tenant.held === 0 && tenant.waiting.length === 0) this.tenants.delete(tenantId);
    this.serve();
  }

  private serve(): void {
    for (const [tenantId, tenant] of this.tenants) {
      if (this.free === 0) return;
      if (tenant.waiting.length === 0 || tenant.held >= this.share) continue;
      this.free--;
      tenant.held++;
      this.tenants.delete(tenantId);
      this.tenants.set(tenantId, tenant);
      tenant.waiting.shift()?.();
    }
  }
}
