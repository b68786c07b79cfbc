import { TooManyClaims } from './connectors.errors.js';

/** Claims of an instance that wait at once. */
const MAX_OF_INSTANCE = 4;
/** The first claim of an instance always has its place; those beyond it share so many, of a tenant. */
const MAX_MORE_OF_TENANT = 256;
/** Claims of a tenant that may turn out to come from nobody who has a lease. */
const MAX_UNKNOWN_OF_TENANT = 64;

interface Owner {
  tenantId: string;
  upstream: string;
  instance: string;
}

interface Counts {
  more: number;
  unknown: number;
}

/** Of one claim that waits. */
export interface ClaimPlace {
  /** Its instance has a lease. */
  known(): void;
  /** It waits no more. */
  leave(): void;
}

/**
 * How many claims wait at this process. Each connector that has a lease may wait with one: how many those are is bounded by the
 * upstreams of a tenant, and the connectors of an upstream.
 */
export class ClaimPlaces {
  private readonly instances = new Map<string, number>();
  private readonly tenants = new Map<string, Counts>();
  private waiting = 0;

  get count(): number {
    return this.waiting;
  }

  /** @throws TooManyClaims */
  enter({ tenantId, upstream, instance }: Owner): ClaimPlace {
    const name = `${tenantId}/${upstream}/${instance}`;
    const own = this.instances.get(name) ?? 0;
    const counts = this.tenants.get(tenantId) ?? { more: 0, unknown: 0 };
    const kind = own === 0 ? 'unknown' : 'more';
    if (own >= MAX_OF_INSTANCE || counts[kind] >= (own === 0 ? MAX_UNKNOWN_OF_TENANT : MAX_MORE_OF_TENANT))
      throw new TooManyClaims();
    this.waiting++;
    this.instances.set(name, own + 1);
    this.tenants.set(tenantId, counts);
    counts[kind]++;
    let [isCounted, isOver] = [true, false];
    const uncount = (): void => {
      if (isCounted) counts[kind]--;
      isCounted = false;
    };
    return {
      known: () => {
        if (kind === 'unknown') uncount();
      },
      leave: () => {
        if (isOver) return;
        isOver = true;
        uncount();
        this.waiting--;
        const left = (this.instances.get(name) ?? 0) - 1;
        if (left > 0) this.instances.set(name, left);
        else this.instances.delete(name);
        if (counts.more === 0 && counts.unknown === 0 && this.tenants.get(tenantId) === counts)
          this.tenants.delete(tenantId);
      },
    };
  }
}
