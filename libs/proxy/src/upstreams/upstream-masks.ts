import { Injectable } from '@nestjs/common';
import { LONGEST_CALL_MS } from '@haldir/kernel';
import { Log } from '@haldir/runtime';
import { type ToldValue, ToldValues } from '@haldir/vault';
import { LRUCache } from 'lru-cache';
import { type UpstreamAddress } from './upstream-address.js';
import { type Mask, UpstreamUnreachable } from '../mcp-client/index.js';
import { Masker } from '../masking/masker.js';
import { partsOfHeader } from './upstream-credentials.js';

type ToldUpstream = Pick<UpstreamAddress, 'tenantId' | 'name' | 'told'>;

/** What an upstream was told, as this process knows it. */
interface Known {
  version: number;
  digests: ReadonlySet<string>;
  /** Null when there is nothing to mask. */
  masker: Masker | null;
  /** What was masked before the upstream was removed, for calls that are still under way; null when there is none. */
  former: { masker: Masker; until: number } | null;
}

/** Of all upstreams together, in units of `Masker.size`, about bytes. */
const MAX_SIZE = 64 * 1024 * 1024;
const MAX_UPSTREAMS = 10_000;
const ENTRY_SIZE = 256;
const DIGEST_SIZE = 96;
/** What was found out so long ago is still taken for what is known: another process can hardly have told the upstream more. */
const FRESH_MS = 10;

/**
 * What is taken out of everything that upstreams say: what they were told, by whichever process and call. A call learns with its
 * upstream up to where that is known; where its answer takes longer, whether there is more is asked again.
 */
@Injectable()
export class UpstreamMasks {
  private readonly known = new LRUCache<string, Known>({
    max: MAX_UPSTREAMS,
    maxSize: MAX_SIZE,
    sizeCalculation: ({ masker, digests }) => ENTRY_SIZE + digests.size * DIGEST_SIZE + (masker?.size ?? 0),
  });
  private readonly loading = new Map<string, Promise<Known>>();

  constructor(
    private readonly told: ToldValues,
    private readonly log: Log,
  ) {}

  /**
   * Notes what the upstream is about to be sent. Costs nothing where it was told so before.
   *
   * @returns false, and nothing must be sent, when it would be more than can be masked
   * @throws UpstreamUnreachable when what it was told does not open
   */
  async note(place: ToldUpstream, values: readonly ToldValue[]): Promise<boolean> {
    if (values.length === 0) return true;
    const { tenantId, name } = place;
    const { digests } = await this.upTo(place, await this.versionOf(place));
    const fresh = values.filter((value) => !digests.has(this.told.digestOf(tenantId, value)));
    if (fresh.length === 0) return true;
    if (!(await this.told.note({ tenantId, upstream: name }, fresh))) return false;
    // Calls under way in this process mask it from now on.
    await this.load(place);
    return true;
  }

  /** To be made before a request leaves; it masks what is known by the time that a message comes. */
  async maskFor(place: ToldUpstream): Promise<Mask> {
    let lookedAt = place.told?.at ?? performance.now();
    let known = await this.upTo(place, await this.versionOf(place));
    return {
      mask: async (message) => {
        if (performance.now() - lookedAt > FRESH_MS) {
          const at = performance.now();
          known = await this.now(place, known);
          lookedAt = at;
        } else known = this.known.get(keyOf(place)) ?? known;
        const { masker, former } = known;
        const masked = masker ? await masker.mask(message) : message;
        return former && performance.now() < former.until ? former.masker.mask(masked) : masked;
      },
    };
  }

  /** What is known by now; while the database is away nobody notes anything, so that is what was known before. */
  private async now(place: ToldUpstream, before: Known): Promise<Known> {
    const version = await this.look(place).catch((error: unknown) => {
      this.log.debug({ event: 'proxy.told_unknown', upstream: place.name, reason: (error as Error).message });
      return before.version;
    });
    return this.upTo(place, version);
  }

  private versionOf(place: ToldUpstream): Promise<number | null> | number | null {
    return place.told ? place.told.version : this.look(place);
  }

  private look({ tenantId, name }: ToldUpstream): Promise<number | null> {
    return this.told.version({ tenantId, upstream: name });
  }

  /** What the upstream was told up to a version, and perhaps more. */
  private async upTo(place: ToldUpstream, version: number | null): Promise<Known> {
    const known = this.known.get(keyOf(place));
    if (known && version !== null && known.version >= version) return known;
    // One that was begun before may have read too early.
    const begun = await this.loading.get(keyOf(place));
    if (begun && version !== null && begun.version >= version) return begun;
    return this.load(place);
  }

  private load(place: ToldUpstream): Promise<Known> {
    const key = keyOf(place);
    const loading = this.read(place).finally(() => {
      if (this.loading.get(key) === loading) this.loading.delete(key);
    });
    this.loading.set(key, loading);
    return loading;
  }

  private async read(place: ToldUpstream): Promise<Known> {
    const { tenantId, name } = place;
    const key = keyOf(place);
    const { version, digests, values } = await this.told.load({ tenantId, upstream: name }).catch((error: unknown) => {
      throw new UpstreamUnreachable('masking', { sent: false, cause: error });
    });
    const hidden = values.flatMap(({ name: called, text, kind }) =>
      (kind === 'header' ? partsOfHeader(text) : [text]).map((part) => ({ name: called, text: part })),
    );
    const masker = hidden.length === 0 ? null : await Masker.of(hidden);
    const before = this.known.get(key);
    if (before && before.version > version) return before;
    const isLess = before !== undefined && [...before.digests].some((digest) => !digests.has(digest));
    const former =
      isLess && before.masker
        ? { masker: before.masker, until: performance.now() + LONGEST_CALL_MS }
        : (before?.former ?? null);
    const known: Known = { version, digests, masker, former };
    this.known.set(key, known);
    return known;
  }
}

function keyOf({ tenantId, name }: ToldUpstream): string {
  return `${tenantId}/${name}`;
}
