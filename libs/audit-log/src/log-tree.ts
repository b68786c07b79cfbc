import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { Transactions, type Tx } from '@haldir/database';
import { Log } from '@haldir/runtime';
import { evidenceBody, manifestBody } from '@haldir/verifier';
import { type LogKey, signCheckpoint, signNote } from './log-key.js';
import { LogKeys } from './log-keys.js';
import { type Checkpoint } from './checkpoint.entity.js';
import { LogTreeRepository, type SignedTree } from './log-tree.repository.js';
import { TreeGrowth } from './tree-growth.js';

/** A signed statement of what a log holds. */
export interface TreeHead extends Checkpoint {
  origin: string;
  publicKey: Buffer;
}

/** The entries do not continue what was signed: nothing is signed on top of them. */
class LogDiverged extends Error {}

/** Leaves in one answer of the database at most, whatever the number of logs. */
const LEAVES_AT_ONCE = 4096;
/** Logs that are signed in one transaction at most. */
const LOGS_AT_ONCE = 64;

/**
 * The Merkle tree over each log (RFC 6962): grows with the committed entries and is signed as it grows. A checkpoint
 * continues the one before it by construction, because the tree is taken up where it was signed last and never built anew.
 */
@Injectable()
export class LogTree {
  constructor(
    private readonly keys: LogKeys,
    private readonly trees: LogTreeRepository,
    private readonly transactions: Transactions,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  /**
   * The newest tree head, if it holds at least `size` entries; else one signed now, over every entry committed before the
   * call. If the entries do not continue what was signed before, the last one that was signed.
   *
   * @param size null for all entries there are
   */
  async head(tenantId: string, size: number | null = null): Promise<TreeHead> {
    const key = await this.keys.of(tenantId);
    const newest = await this.trees.newest(tenantId);
    const enough = newest && newest.size >= (size ?? newest.logSize);
    const checkpoint = enough ? newest : (await this.grow([tenantId], 'wait')).get(tenantId);
    if (!checkpoint) throw new Error('a lock that was waited for was not given');
    return toHead(key, checkpoint);
  }

  /** The earliest tree head that was signed with at least `size` entries; the newest, over all there are, where there is none. */
  async firstHolding(tenantId: string, size: number): Promise<TreeHead> {
    const first = await this.trees.firstHolding(tenantId, size);
    return first ? toHead(await this.keys.of(tenantId), first) : this.head(tenantId);
  }

  /** Up to `limit` checkpoints, newest first, of trees smaller than `before`. */
  async history(tenantId: string, limit: number, before: number | null): Promise<TreeHead[]> {
    const key = await this.keys.of(tenantId);
    const checkpoints = await this.trees.checkpoints(tenantId, limit, before);
    return checkpoints.map((checkpoint) => toHead(key, checkpoint));
  }

  /** Notes of trees smaller than `size`, oldest first; at most `most` of them, evenly spread. */
  notesBefore(tenantId: string, size: number, most: number): Promise<string[]> {
    return this.trees.notesBefore(tenantId, size, most);
  }

  /** The manifest of an export with the log's own signature over all its members: a C2SP signed note in `signature`. */
  async signManifest<Manifest extends Readonly<Record<string, unknown>>>(
    tenantId: string,
    manifest: Manifest,
  ): Promise<Manifest & { signature: string }> {
    const key = await this.keys.of(tenantId);
    return { ...manifest, signature: signNote(key, manifestBody(key.origin, manifest)).note };
  }

  /** The log's own signature over a package of evidence: a C2SP signed note over the length and SHA-256 of what it is over. */
  async signEvidence(tenantId: string, length: number, sha256: Buffer): Promise<string> {
    const key = await this.keys.of(tenantId);
    return signNote(key, evidenceBody(key.origin, length, sha256)).note;
  }

  /** Signs every log that has grown since it was signed last, many in one commit, leaving those that someone else is at. */
  async signGrown(): Promise<void> {
    const tenants = await this.trees.grown();
    for (let i = 0; i < tenants.length; i += LOGS_AT_ONCE) await this.signEach(tenants.slice(i, i + LOGS_AT_ONCE));
  }

  /** Age in seconds of the oldest entry that no checkpoint holds yet; 0 when all are signed. */
  async lagSeconds(): Promise<number> {
    const oldest = await this.trees.oldestUnsigned();
    return oldest ? Math.max(0, this.clock.now().getTime() - oldest.getTime()) / 1000 : 0;
  }

  /** In one commit, or, when that fails, in one each: one tenant's trouble holds up no other. */
  private async signEach(tenants: readonly string[]): Promise<void> {
    try {
      await this.grow(tenants, 'skip');
    } catch (error) {
      if (tenants.length > 1) for (const tenantId of tenants) await this.signEach([tenantId]);
      else this.log.error({ event: 'audit.checkpoint_failed', tenant_id: tenants[0] }, error);
    }
  }

  /** The newest checkpoint of each log, by tenant, after it was made; none of a tree that is locked and skipped. */
  private async grow(tenants: readonly string[], ifLocked: 'wait' | 'skip'): Promise<Map<string, Checkpoint>> {
    const keys = new Map<string, LogKey>();
    for (const tenantId of tenants) keys.set(tenantId, await this.keys.of(tenantId));
    return this.transactions.run(tenants, async (tx) => {
      const rows = this.trees.in(tx);
      const [trees, sizes, signed] = await Promise.all([
        rows.lock(tenants, ifLocked),
        rows.sizes(tenants),
        rows.newest(tenants),
      ]);
      const growths = trees
        .map((tree) => new TreeGrowth(rows.tiles, tree, sizes.get(tree.tenantId) ?? 0))
        .filter(({ tenantId, isGrown }) => isGrown || !signed.has(tenantId));
      await this.readLeaves(tx, growths);
      const extended = [];
      for (const growth of growths) {
        const { tenantId, size, diverged } = growth;
        if (!diverged) {
          extended.push(growth);
          continue;
        }
        const error = new LogDiverged(diverged);
        if (!signed.has(tenantId)) throw error;
        this.log.error({ event: 'audit.log_diverged', tenant_id: tenantId, size, signed: growth.from }, error);
      }
      const made = await this.extend(tx, extended, keys);
      const locked = new Set(trees.map(({ tenantId }) => tenantId));
      return new Map([...signed, ...made].filter(([tenantId]) => locked.has(tenantId)));
    });
  }

  private async readLeaves(tx: Tx, growths: readonly TreeGrowth[]): Promise<void> {
    for (;;) {
      const hungry = growths.filter(({ wantsLeaves }) => wantsLeaves);
      if (hungry.length === 0) return;
      const each = Math.ceil(LEAVES_AT_ONCE / hungry.length);
      const untils = hungry.map(({ next, size }) => Math.min(size, next + each));
      const stretches = hungry.map(({ tenantId, next: from }, i) => ({ tenantId, from, to: untils[i] ?? 0 }));
      const byTenant = new Map(hungry.map((growth) => [growth.tenantId, growth]));
      for (const leaf of await this.trees.in(tx).leaves(stretches)) byTenant.get(leaf.tenantId)?.take(leaf);
      hungry.forEach((growth, i) => growth.expect(untils[i] ?? 0));
    }
  }

  private async extend(
    tx: Tx,
    growths: readonly TreeGrowth[],
    keys: ReadonlyMap<string, LogKey>,
  ): Promise<(readonly [string, Checkpoint])[]> {
    if (growths.length === 0) return [];
    const signedAt = this.clock.now();
    const trees: SignedTree[] = [];
    for (const growth of growths) {
      await growth.finishTiles();
      const { tenantId, size, last } = growth;
      const key = keys.get(tenantId);
      if (!key) throw new Error('a log is signed under a key');
      const root = growth.root();
      const checkpoint = { tenantId, size, root, signedAt, ...signCheckpoint(key, { size, root }) };
      trees.push({ last, frontier: growth.frontierBytes(), checkpoint });
    }
    this.trees.in(tx).extend(trees);
    return trees.map(({ checkpoint }) => [checkpoint.tenantId, checkpoint]);
  }
}

function toHead({ origin, publicKey }: Pick<LogKey, 'origin' | 'publicKey'>, checkpoint: Checkpoint): TreeHead {
  const { tenantId, size, root, signedAt, signature, note } = checkpoint;
  return { tenantId, origin, publicKey, size, root, signedAt, signature, note };
}
