import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { Transactions } from '@haldir/database';
import { Log } from '@haldir/runtime';
import { ResourceCatalogue } from '../catalogue/resource-catalogue.js';
import { digestOfList } from '../catalogue/tool-definition.js';
import { ToolPinsService } from '../catalogue/tool-pins.service.js';
import { type CalledUpstream, type UpstreamAddress } from '../upstreams/upstream-address.js';
import { type DueUpstream, UpstreamRepository } from '../upstreams/upstream.repository.js';
import { type UnreachableReason, UpstreamUnreachable } from '../mcp-client/index.js';
import { type Discovered, Discovery } from './discovery.js';
import { type NotedCall, UpstreamCircuits } from './upstream-circuits.js';

const RECOVERY_DEADLINE_MS = 3_000;
/** Longer than any check takes of an upstream without a timeout of its own; the claim adds what another may take. */
const HEALTH_LEASE_MS = 60_000;
/** Checks under way at once in a process. */
const MAX_CHECKS = 64;
/** How long a free place waits at most for an upstream that becomes due. */
const LOOK_AGAIN_MS = 1_000;

/** Failures that tell of the upstream itself rather than of one call. */
const GONE: readonly UnreachableReason[] = ['refused', 'dns', 'connect', 'tls', 'unauthorized', 'credentials'];

/** Whether upstreams are there, and what they have by now: checked on schedule, and when a call has to know. */
@Injectable()
export class UpstreamHealthService {
  private readonly notes = new Map<string, Promise<void>>();
  private readonly recoveries = new Map<string, { at: number; done: Promise<boolean> }>();

  constructor(
    private readonly upstreams: UpstreamRepository,
    private readonly discovery: Discovery,
    private readonly pins: ToolPinsService,
    private readonly resources: ResourceCatalogue,
    private readonly circuits: UpstreamCircuits,
    private readonly transactions: Transactions,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  /**
   * Checks every upstream that is due, many at once, and answers when none is left: one that hangs takes one place and holds up
   * no other. Safe to run anywhere, any number of times: each is checked by one process at a time.
   */
  async checkDue(): Promise<void> {
    const underWay = new Set<Promise<void>>();
    do {
      const now = this.clock.now();
      const free = MAX_CHECKS - underWay.size;
      const leaseUntil = new Date(now.getTime() + HEALTH_LEASE_MS);
      const due = free === 0 ? [] : await this.upstreams.claimDue(now, leaseUntil, free);
      for (const upstream of due) {
        const check = this.checkAlone(upstream).finally(() => underWay.delete(check));
        underWay.add(check);
      }
      await settledOrAfter(underWay, LOOK_AGAIN_MS);
    } while (underWay.size > 0);
  }

  /**
   * Asks an upstream for its tools and writes down the answer, unless the upstream was registered anew meanwhile.
   *
   * @param atMostMs as `Discovery.ask` has it
   */
  async check(upstream: DueUpstream, atMostMs?: number): Promise<Discovered> {
    const discovered = await this.discovery.ask(upstream, upstream.sessions, atMostMs);
    const state = this.discovery.stateAfter(discovered, upstream.failures);
    const listed = discovered.healthy ? await digestOfList(discovered.list) : null;
    await this.transactions.run(upstream.tenantId, async (tx) => {
      const known = await this.upstreams.in(tx).noteCheck(upstream, state);
      if (!known?.isLatest || !discovered.healthy || !listed) return;
      if (!known.listed?.equals(listed)) await this.pins.update(tx, upstream, discovered.list, listed);
    });
    return discovered;
  }

  /**
   * Asks an upstream for its tools because a call has to know that they are still what they were; null when it answered.
   * Whatever it said is written down then.
   */
  async confirm(tenantId: string, name: string): Promise<UpstreamUnreachable | null> {
    const upstream = await this.upstreams.find(tenantId, name);
    const discovered = upstream && (await this.check(upstream, Infinity));
    return discovered && !discovered.healthy ? new UpstreamUnreachable(discovered.reason, { sent: false }) : null;
  }

  /**
   * What a call found out about an upstream counts at once where it contradicts what is known: it was there although it seemed
   * dead, or the other way round. The next check, soon after, tells the rest.
   *
   * @param call its `error` is null when the upstream answered, whatever it said
   */
  async noteCall(upstream: CalledUpstream, call: NotedCall): Promise<void> {
    await this.circuits.note(upstream, call);
    const { error } = call;
    const isThere = error === null;
    if (isThere === upstream.healthy || (error && !GONE.includes(error.reason))) return;
    // Calls that find it out together write it once.
    const key = `${upstream.tenantId}/${upstream.name}`;
    let note = this.notes.get(key);
    if (!note) {
      note = this.note(upstream, error).finally(() => this.notes.delete(key));
      this.notes.set(key, note);
    }
    await note;
  }

  /**
   * Looks once more for upstreams that were dead when they were registered, because a call asks for a tool that nobody has:
   * true when one came to life. Tried at most every two seconds per tenant.
   *
   * @param name of the upstream the call names; null when it names none
   */
  async recover(tenantId: string, name: string | null): Promise<boolean> {
    const key = `${tenantId}/${name ?? ''}`;
    const recent = this.recoveries.get(key);
    if (recent && performance.now() - recent.at < 2_000) return recent.done;
    if (this.recoveries.size >= 1_000) this.recoveries.clear();
    const done = this.tryRecover(tenantId, name);
    this.recoveries.set(key, { at: performance.now(), done });
    return done;
  }

  private async note(upstream: UpstreamAddress, error: UpstreamUnreachable | null): Promise<void> {
    const now = this.clock.now();
    const found = {
      healthy: error === null,
      error: error?.message ?? null,
      failures: error === null ? 0 : 1,
      confirmedAt: null,
    };
    try {
      await this.transactions.run(upstream.tenantId, (tx) =>
        this.upstreams.in(tx).noteCheck(upstream, { ...found, checkedAt: now, nextCheckAt: now }),
      );
    } catch (failure) {
      // The call itself is none the worse for it.
      this.log.warn({ event: 'proxy.note_failed', upstream: upstream.name, reason: (failure as Error).message });
    }
  }

  private async tryRecover(tenantId: string, name: string | null): Promise<boolean> {
    const silent = await this.upstreams.withoutTools(tenantId, name, 8);
    const found = await Promise.all(silent.map((upstream) => this.check(upstream, RECOVERY_DEADLINE_MS)));
    return found.some(({ healthy }) => healthy);
  }

  /** A check whose outcome nobody waits for: that it could not be written down is the operator's to know. */
  private async checkAlone(upstream: DueUpstream): Promise<void> {
    try {
      const { healthy } = await this.check(upstream);
      if (healthy) await this.resources.refresh(upstream);
    } catch (error) {
      this.log.error({ event: 'proxy.check_failed', upstream: upstream.name }, error);
    }
  }
}

/** Resolves when one of `work` has, and after `ms` at the latest; at once when there is none. */
async function settledOrAfter(work: ReadonlySet<Promise<void>>, ms: number): Promise<void> {
  if (work.size === 0) return;
  let timer: NodeJS.Timeout | undefined;
  const pause = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([...work, pause]);
  clearTimeout(timer);
}
