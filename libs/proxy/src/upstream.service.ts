import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Clock, canonicalJson, type JsonValue, newId } from '@haldir/kernel';
import { isDestructive } from '@haldir/approvals';
import { AuditLog } from '@haldir/audit-log';
import { Transactions, type Tx } from '@haldir/database';
import { Egress } from '@haldir/egress';
import { mirroredArguments } from '@haldir/mcp';
import { HaldirConfig, Log } from '@haldir/runtime';
import { TooManyUpstreams, UpstreamNotFound } from './proxy.errors.js';
import { type UpstreamAddress, UpstreamClients } from './upstream-clients.js';
import { UpstreamTraffic } from './upstream-traffic.js';
import {
  type DueUpstream,
  type ListedTool,
  UpstreamRepository,
  type UpstreamState,
  type UpstreamStats,
} from './upstream.repository.js';
import { type UnreachableReason, UpstreamRpcError, type UpstreamTool, UpstreamUnreachable } from './upstream/index.js';

/** What an upstream answered when it was asked for its tools. */
export type Discovery =
  { healthy: true; tools: UpstreamTool[] } | { healthy: false; error: string; status: number | null };

/** A registration that is not written down yet. */
export interface Candidate {
  address: UpstreamAddress;
  discovery: Discovery;
}

const MAX_UPSTREAMS = 200;
const HEALTHY_EVERY_MS = 20_000;
/** After a failure, doubled with each further one. */
const RETRY_FIRST_MS = 5_000;
const RETRY_LAST_MS = 30_000;
const DISCOVERY_DEADLINE_MS = 10_000;
const RECOVERY_DEADLINE_MS = 3_000;
const HEALTH_LEASE_MS = 60_000;
/** Checks under way at once in a process. */
const MAX_CHECKS = 64;
/** How long a free place waits at most for an upstream that becomes due. */
const LOOK_AGAIN_MS = 1_000;

/** Failures that tell of the upstream itself rather than of one call. */
const GONE: readonly UnreachableReason[] = ['refused', 'dns', 'connect', 'tls', 'unauthorized'];

/** The upstreams of tenants, their catalogues, and whether they are there. */
@Injectable()
export class UpstreamService {
  private readonly notes = new Map<string, Promise<void>>();
  private readonly recoveries = new Map<string, { at: number; done: Promise<boolean> }>();

  constructor(
    @Inject(UpstreamRepository) private readonly upstreams: UpstreamRepository,
    @Inject(UpstreamClients) private readonly clients: UpstreamClients,
    @Inject(UpstreamTraffic) private readonly traffic: UpstreamTraffic,
    @Inject(Egress) private readonly egress: Egress,
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(AuditLog) private readonly auditLog: AuditLog,
    @Inject(HaldirConfig) private readonly config: HaldirConfig,
    @Inject(Log) private readonly log: Log,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Asks an upstream for its tools, before it is registered. One that does not answer is a finding, not an error.
   *
   * @throws EgressRefused when the address is not one that may be connected to
   */
  async examine(tenantId: string, name: string, url: string): Promise<Candidate> {
    await this.egress.vet(url);
    const address = { tenantId, name, url, revision: newId('upr') };
    const options = this.optionsWithin(DISCOVERY_DEADLINE_MS);
    const discovery = await this.understand(name, () =>
      this.clients.apart(address, (client) => client.listTools(options)),
    );
    return { address, discovery };
  }

  /**
   * Registers what was examined, in place of what had the name before.
   *
   * @param prefixed whether agents are shown its tools as `upstream.tool`
   * @throws TooManyUpstreams
   */
  async register(tx: Tx, { address, discovery }: Candidate, prefixed: boolean, by: string): Promise<void> {
    const upstreams = this.upstreams.in(tx);
    if (!(await upstreams.put(address, prefixed, this.stateAfter(discovery, 0), MAX_UPSTREAMS)))
      throw new TooManyUpstreams(MAX_UPSTREAMS);
    await this.keepCatalogue(tx, address, discovery);
    this.record(tx, address, 'upstream_registered', {
      url: withoutSecrets(address.url),
      prefix: prefixed,
      healthy: discovery.healthy,
      tools: discovery.healthy ? discovery.tools.length : 0,
      by,
    });
  }

  /**
   * Asks a registered upstream for its tools again. What it knew stays known while it does not answer.
   *
   * @throws UpstreamNotFound
   */
  async refresh(tenantId: string, name: string): Promise<Candidate> {
    const upstream = await this.upstreams.find(tenantId, name);
    if (!upstream) throw new UpstreamNotFound();
    return { address: upstream, discovery: await this.check(upstream, DISCOVERY_DEADLINE_MS) };
  }

  /** @throws UpstreamNotFound */
  async remove(tx: Tx, tenantId: string, name: string, by: string): Promise<void> {
    if (!(await this.upstreams.in(tx).remove(tenantId, name))) throw new UpstreamNotFound();
    this.record(tx, { tenantId, name }, 'upstream_removed', { by });
  }

  /** With the sums over calls: exact for this process, up to a second old for others. */
  async stats(tenantId: string, limit: number, after: string | null): Promise<UpstreamStats[]> {
    await this.traffic.flush();
    return this.upstreams.stats(tenantId, limit, after);
  }

  totalTools(tenantId: string): Promise<number> {
    return this.upstreams.totalTools(tenantId);
  }

  tools(tenantId: string, limit: number, after: readonly [string, string] | null): Promise<ListedTool[]> {
    return this.upstreams.tools(tenantId, limit, after);
  }

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
   * What a call found out about an upstream counts at once where it contradicts what is known: it was there although it seemed
   * dead, or the other way round. The next check, soon after, tells the rest.
   *
   * @param error null when the upstream answered, whatever it said
   */
  async noteCall(upstream: UpstreamAddress & { healthy: boolean }, error: UpstreamUnreachable | null): Promise<void> {
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
    const found = { healthy: error === null, error: error?.message ?? null, failures: error === null ? 0 : 1 };
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

  /** Asks and writes down the answer, unless the upstream was registered anew meanwhile. */
  private async check(upstream: DueUpstream, deadlineMs: number): Promise<Discovery> {
    const discovery = await this.discover(upstream, deadlineMs);
    const state = this.stateAfter(discovery, upstream.failures);
    await this.transactions.run(upstream.tenantId, async (tx) => {
      const known = await this.upstreams.in(tx).noteCheck(upstream, state);
      if (!known || !discovery.healthy) return;
      if (known.digest?.equals(digestOf(discovery.tools))) return;
      const before = await this.keepCatalogue(tx, upstream, discovery);
      const names = discovery.tools.map(({ name }) => name);
      this.record(tx, upstream, 'upstream_tools_changed', {
        tools: names.length,
        added: names.filter((name) => !before.includes(name)).length,
        removed: before.filter((name) => !names.includes(name)).length,
      });
    });
    return discovery;
  }

  /** A check whose outcome nobody waits for: that it could not be written down is the operator's to know. */
  private async checkAlone(upstream: DueUpstream): Promise<void> {
    try {
      await this.check(upstream, DISCOVERY_DEADLINE_MS);
    } catch (error) {
      this.log.error({ event: 'proxy.check_failed', upstream: upstream.name }, error);
    }
  }

  private discover(address: UpstreamAddress, deadlineMs: number): Promise<Discovery> {
    const options = this.optionsWithin(deadlineMs);
    return this.understand(address.name, () => this.clients.for(address).listTools(options));
  }

  private optionsWithin(deadlineMs: number): { deadlineMs: number } {
    return { deadlineMs: Math.min(deadlineMs, this.config.upstreams.timeoutMs) };
  }

  /** Whatever goes wrong with a question to an upstream is a finding about it. */
  private async understand(name: string, question: () => Promise<UpstreamTool[]>): Promise<Discovery> {
    try {
      return { healthy: true, tools: await question() };
    } catch (error) {
      if (error instanceof UpstreamUnreachable) return { healthy: false, error: error.message, status: error.status };
      if (error instanceof UpstreamRpcError) {
        return { healthy: false, error: `The upstream answered with error ${error.rpcCode}`, status: error.status };
      }
      // A peer can be wrong in ways nobody thought of; that is its trouble, and ours to read about.
      this.log.error({ event: 'proxy.discovery_failed', upstream: name }, error);
      return { healthy: false, error: 'The upstream could not be understood', status: null };
    }
  }

  private stateAfter(discovery: Discovery, failuresBefore: number): UpstreamState {
    const checkedAt = this.clock.now();
    const failures = discovery.healthy ? 0 : failuresBefore + 1;
    const pauseMs = discovery.healthy
      ? HEALTHY_EVERY_MS
      : Math.min(RETRY_FIRST_MS * 2 ** (failures - 1), RETRY_LAST_MS);
    return {
      healthy: discovery.healthy,
      error: discovery.healthy ? null : discovery.error,
      checkedAt,
      nextCheckAt: new Date(checkedAt.getTime() + pauseMs),
      failures,
    };
  }

  private keepCatalogue(tx: Tx, { tenantId, name }: UpstreamAddress, discovery: Discovery): Promise<string[]> {
    const tools = discovery.healthy ? discovery.tools : [];
    return this.upstreams.in(tx).replaceTools(
      tenantId,
      name,
      tools.map((tool) => ({
        tool,
        destructive: isDestructive(tool.name, tool.annotations),
        mirrored: mirroredArguments(tool.inputSchema),
      })),
      discovery.healthy ? digestOf(tools) : null,
    );
  }

  private record(
    tx: Tx,
    { tenantId, name }: { tenantId: string; name: string },
    action: string,
    details: object,
  ): void {
    this.auditLog.record(tx, tenantId, {
      source: 'haldir',
      tool: 'haldir.proxy',
      action,
      details: { upstream: name, ...details },
    });
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

function digestOf(tools: readonly UpstreamTool[]): Buffer {
  return hash('sha256', canonicalJson(tools as unknown as JsonValue), 'buffer');
}

/** An address as the log may have it: a path or query can hold a token, the origin cannot. */
function withoutSecrets(url: string): string {
  return new URL(url).origin;
}
