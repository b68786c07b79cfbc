import { LRUCache } from 'lru-cache';
import { InFlight } from './in-flight.js';

/** What an upstream offers, as it stood with the digest. */
interface Definitions {
  digest: string;
  /** In characters. */
  size: number;
}

/** Which definitions of an upstream stand: hex, null while they are not known. */
interface StandingDigest {
  name: string;
  digest: string | null;
}

/**
 * What upstreams offer, kept up to a size by what it holds; what was read longest ago goes first. Whoever asks for the same while it
 * is read waits for that reading, so that a change costs one, however many ask.
 */
export class KeptDefinitions<Kept extends Definitions> {
  private readonly kept: LRUCache<string, Kept>;
  private readonly reads = new InFlight<Kept | null>();

  /**
   * @param maxSize in characters
   * @param read by upstream, with the digests that they have by then; those that are gone may be left out
   */
  constructor(
    maxSize: number,
    private readonly read: (tenantId: string, upstreams: string[]) => Promise<ReadonlyMap<string, Kept>>,
  ) {
    this.kept = new LRUCache({ maxSize, sizeCalculation: ({ size }, key) => size + key.length });
  }

  /** What is known of the upstreams, and whether it is what was asked for: it can change before it is read. */
  async of(
    tenantId: string,
    states: readonly StandingDigest[],
  ): Promise<{ known: Map<string, Kept>; isCurrent: boolean }> {
    const known = new Map<string, Kept>();
    const stale: { name: string; readAs: string }[] = [];
    for (const { name, digest } of states) {
      if (digest === null) continue;
      const kept = this.kept.get(keyOf(tenantId, name));
      if (kept?.digest === digest) known.set(name, kept);
      else stale.push({ name, readAs: `${keyOf(tenantId, name)}/${digest}` });
    }
    if (stale.length > 0) await this.add(known, tenantId, stale);
    const isCurrent = states.every(({ name, digest }) => digest === null || known.get(name)?.digest === digest);
    return { known, isCurrent };
  }

  /** All that nobody reads yet are read together. */
  private async add(
    known: Map<string, Kept>,
    tenantId: string,
    stale: readonly { name: string; readAs: string }[],
  ): Promise<void> {
    const begun = stale.filter(({ readAs }) => !this.reads.has(readAs)).map(({ name }) => name);
    const reading = begun.length === 0 ? null : this.readAndKeep(tenantId, begun);
    const read = await Promise.all(
      stale.map(({ name, readAs }) => this.reads.one(readAs, async () => (await reading)?.get(name) ?? null)),
    );
    stale.forEach(({ name }, at) => {
      const found = read[at];
      if (found) known.set(name, found);
    });
  }

  private async readAndKeep(tenantId: string, names: string[]): Promise<ReadonlyMap<string, Kept>> {
    const read = await this.read(tenantId, names);
    for (const [name, kept] of read) this.kept.set(keyOf(tenantId, name), kept);
    return read;
  }
}

function keyOf(tenantId: string, upstream: string): string {
  return `${tenantId}/${upstream}`;
}
