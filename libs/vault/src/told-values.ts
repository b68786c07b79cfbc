import { createHmac, type KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { associatedData, KeyRing, seal, SealBroken, TenantKeyGone, type VersionedKey } from '@haldir/crypto';
import { Transactions, type Tx } from '@haldir/database';
import { Log } from '@haldir/runtime';
import { SecretOpener } from './secret-opener.js';
import { SecretRepository } from './secret.repository.js';
import { type ToldHead, toldPlace, ToldValueRepository, type Upstream } from './told-value.repository.js';

/** A value that an upstream was sent, or may be. */
export interface ToldValue {
  /** What its tenant calls it. */
  name: string;
  text: string;
  /** A header is hidden with its parts. */
  kind: 'secret' | 'header';
  /** When it ends to open anything; null for what does not. */
  expiresAt: Date | null;
}

/** All that an upstream was told. */
export interface Told {
  version: number;
  digests: ReadonlySet<string>;
  values: readonly ToldValue[];
}

/** What of an upstream can be masked in what it says. */
export const MAX_TOLD = 256;
const MAX_TOLD_BYTES = 1_024 * 1_024;
/** Said of an upstream that can be told no more. */
export const TOLD_TOO_MUCH =
  'has been told 256 values or 1 MiB, the most that is masked in what it says; remove the upstream and register it again to begin anew';

/** Shorter ones would be found where nobody meant them, and longer ones are documents; neither is sent by reference. */
export const [MIN_USABLE, MAX_USABLE] = [8, 8_192];

/** What has expired is masked for so long all the same, unless its place is needed. */
const EXPIRED_MS = 86_400_000;

/**
 * The values that upstreams were sent, or may be sent because they are bound to them: what is to be masked in all that they
 * say, to whomever. A value is noted before it is sent, and stays until the upstream is removed, whatever becomes of the secret.
 */
@Injectable()
export class ToldValues {
  private digestKey: KeyObject | undefined;

  constructor(
    private readonly told: ToldValueRepository,
    private readonly secrets: SecretRepository,
    private readonly opener: SecretOpener,
    private readonly keys: KeyRing,
    private readonly transactions: Transactions,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  /** Tells a value from others, to whoever has the key. */
  digestOf(tenantId: string, { kind, text }: Pick<ToldValue, 'kind' | 'text'>): string {
    this.digestKey ??= this.keys.derive('haldir.told-value-digest.v1');
    return createHmac('sha256', this.digestKey)
      .update(associatedData([tenantId, kind, text]))
      .digest('base64url');
  }

  /** Counts up with every change; null while nobody has looked what is bound to it. */
  version(upstream: Upstream): Promise<number | null> {
    return this.told.version(upstream);
  }

  /**
   * All that an upstream was told. The first look notes what was bound to it before.
   *
   * @throws SealBroken when a value was altered or moved: it could not be masked
   */
  async load(upstream: Upstream): Promise<Told> {
    let kept = await this.told.values(upstream);
    if (!kept) {
      await this.noteBound(upstream);
      kept = await this.told.values(upstream);
      if (!kept) throw new Error('what was bound to an upstream was noted and is not there');
    }
    try {
      return await this.opened(upstream, kept);
    } catch (error) {
      // Sealed anew since it was read.
      const now = error instanceof TenantKeyGone ? await this.told.values(upstream) : null;
      if (!now) throw error;
      return this.opened(upstream, now);
    }
  }

  /** Notes values, durably; false, and nothing noted, when they are more than can be masked. */
  note(upstream: Upstream, values: readonly ToldValue[]): Promise<boolean> {
    return this.transactions.run(upstream.tenantId, (tx) => this.noteIn(tx, upstream, values));
  }

  /** The same as part of `tx`. For several upstreams, in the order of their names. */
  async noteIn(tx: Tx, upstream: Upstream, values: readonly ToldValue[]): Promise<boolean> {
    const key = await this.keys.sealingKey(tx, upstream.tenantId);
    const head = await this.told.in(tx).lock(upstream);
    const after = await this.add(tx, key, upstream, head, values);
    if (after && after !== head) await this.told.in(tx).save(upstream, after);
    return after !== null;
  }

  /** An upstream is removed: who has its name later was told nothing. */
  forget(tx: Tx, upstream: Upstream): void {
    this.told.in(tx).forget(upstream);
  }

  /** Secrets are bound again that were not there for a while: the next look at each upstream notes what it lacks. */
  lookAgain(tx: Tx, tenantId: string): void {
    this.told.in(tx).lookAgain(tenantId);
  }

  /** How much is kept with these values; null when it would be too much. */
  private async add(
    tx: Tx,
    key: VersionedKey,
    upstream: Upstream,
    head: ToldHead,
    values: readonly ToldValue[],
  ): Promise<ToldHead | null> {
    const { tenantId } = upstream;
    const told = this.told.in(tx);
    const byDigest = new Map(values.map((value) => [this.digestOf(tenantId, value), value]));
    const known = await told.known(upstream, [...byDigest.keys()]);
    const fresh = [...byDigest]
      .filter(([digest]) => !known.has(digest))
      .map(([digest, { name, text, kind, expiresAt }]) => ({
        digest,
        bytes: Buffer.byteLength(text),
        expiresAt,
        sealed: seal(
          key.key,
          key.version,
          Buffer.from(JSON.stringify({ name, text, kind })),
          associatedData(toldPlace(tenantId, upstream.upstream, digest)),
        ),
      }));
    if (fresh.length === 0) return head;
    const after = {
      version: head.version + 1,
      told: head.told + fresh.length,
      bytes: fresh.reduce((sum, { bytes }) => sum + bytes, head.bytes),
      bound: head.bound,
    };
    const now = this.clock.now();
    const gone: string[] = [];
    for (const { digest, bytes, expiresAt } of await told.expired(upstream, now)) {
      if (known.has(digest)) continue;
      if (fits(after) && now.getTime() - expiresAt.getTime() < EXPIRED_MS) break;
      gone.push(digest);
      after.told--;
      after.bytes -= bytes;
    }
    if (!fits(after)) return null;
    if (gone.length > 0) await told.remove(upstream, gone);
    await told.insert(upstream, fresh);
    return after;
  }

  /** What was bound to the upstream before anything was noted of it, as far as there is room: what is not noted is not sent. */
  private async noteBound(upstream: Upstream): Promise<void> {
    const { tenantId } = upstream;
    await this.transactions.run(tenantId, async (tx) => {
      const key = await this.keys.sealingKey(tx, tenantId);
      let head = await this.told.in(tx).lock(upstream);
      if (head.bound) return;
      for (const secret of await this.secrets.in(tx).boundTo(tenantId, upstream.upstream, MAX_TOLD)) {
        const text = (await this.opener.open(secret, tx))?.reveal();
        if (text === undefined || !isUsable(text)) continue;
        const value = { name: secret.place.name, text, kind: 'secret', expiresAt: null } as const;
        head = (await this.add(tx, key, upstream, head, [value])) ?? head;
      }
      await this.told.in(tx).save(upstream, { ...head, bound: true });
    });
  }

  private async opened(
    { tenantId, upstream }: Upstream,
    { version, values }: { version: number; values: { digest: string; sealed: Buffer }[] },
  ): Promise<Told> {
    try {
      const opened = await Promise.all(
        values.map(async ({ digest, sealed }): Promise<ToldValue> => {
          const content = await this.keys.openFor(tenantId, sealed, toldPlace(tenantId, upstream, digest));
          return { ...(JSON.parse(content.toString()) as Omit<ToldValue, 'expiresAt'>), expiresAt: null };
        }),
      );
      return { version, digests: new Set(values.map(({ digest }) => digest)), values: opened };
    } catch (error) {
      if (error instanceof SealBroken && !(error instanceof TenantKeyGone))
        this.log.error({ event: 'vault.told_value_does_not_open', tenant_id: tenantId, upstream });
      throw error;
    }
  }
}

function fits({ told, bytes }: ToldHead): boolean {
  return told <= MAX_TOLD && bytes <= MAX_TOLD_BYTES;
}

/** Whether a value can be sent by reference. */
export function isUsable({ length }: string): boolean {
  return length >= MIN_USABLE && length <= MAX_USABLE;
}
