import { Injectable } from '@nestjs/common';
import { EVERY_TENANT, Transactions } from '@haldir/database';
import { type FindOptionsWhere, IsNull, LessThanOrEqual, MoreThan, Not } from 'typeorm';
import { type Circuit, type CircuitReason, CLOSED } from './circuit.js';
import { type UpstreamAddress } from './upstream-address.js';
import { Upstream } from './upstream.entity.js';

/** Circuits of upstreams, which all processes share. What is said of a registration that is over changes nothing. */
@Injectable()
export class CircuitRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Leaves the upstream alone until then; false where it is already, or where one call is to find out. */
  async open(address: UpstreamAddress, next: Circuit & { circuitReason: CircuitReason }): Promise<boolean> {
    return this.update({ ...only(address), circuitUntil: IsNull() }, address, next);
  }

  /** Of those who ask at once, one may find out whether the upstream is back; the others may again `until`. */
  async claim(address: UpstreamAddress, now: Date, until: Date): Promise<boolean> {
    return this.update({ ...only(address), circuitUntil: LessThanOrEqual(now) }, address, { circuitUntil: until });
  }

  /** What the one who found out says: it is back. */
  async close(address: UpstreamAddress): Promise<void> {
    await this.update(only(address), address, CLOSED);
  }

  /** It is not: it is left alone again, unless another has found that it is back. */
  async prolong(address: UpstreamAddress, next: Pick<Circuit, 'circuitUntil' | 'circuitOpenings'>): Promise<void> {
    await this.update({ ...only(address), circuitUntil: Not(IsNull()) }, address, next);
  }

  /** Of all tenants: those that are left alone, and those of which somebody is to find out. */
  async count(now: Date): Promise<Record<'open' | 'half_open', number>> {
    return this.transactions.read(EVERY_TENANT, async (manager) => ({
      open: await manager.countBy(Upstream, { circuitUntil: MoreThan(now) }),
      half_open: await manager.countBy(Upstream, { circuitUntil: LessThanOrEqual(now) }),
    }));
  }

  private async update(
    where: FindOptionsWhere<Upstream>,
    { tenantId }: UpstreamAddress,
    changes: Partial<Circuit>,
  ): Promise<boolean> {
    const { affected } = await this.transactions.run(tenantId, (tx) =>
      tx.manager.createQueryBuilder().update(Upstream).set(changes).where(where).execute(),
    );
    return affected === 1;
  }
}

function only({ tenantId, name, revision }: UpstreamAddress): Pick<Upstream, 'tenantId' | 'name' | 'revision'> {
  return { tenantId, name, revision };
}
