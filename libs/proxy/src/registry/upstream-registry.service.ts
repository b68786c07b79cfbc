import { Injectable } from '@nestjs/common';
import { type Actor, Clock, InvalidInput, newId } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { Transactions, type Tx } from '@haldir/database';
import { Egress, EgressRefused } from '@haldir/egress';
import { HaldirConfig, Log } from '@haldir/runtime';
import { TOLD_TOO_MUCH, ToldValues } from '@haldir/vault';
import { OfferDirectory } from '../catalogue/resource-catalogue.js';
import { TooManyUpstreams, UpstreamNotFound } from '../proxy.errors.js';
import { refusals, ToolPins } from '../catalogue/tool-pins.service.js';
import { digestOfList } from '../catalogue/tool-definition.js';
import { type RefusedTool, type ScreenedTools, screenTools } from '../catalogue/tool-screening.js';
import {
  type KeptHeaders,
  literalsOf,
  type ShownAuth,
  shownAuth,
  shownHeaders,
  type UpstreamCredentials,
  UpstreamHeaderVault,
} from '../upstreams/upstream-credentials.js';
import { UpstreamMasks } from '../upstreams/upstream-masks.js';
import { type UpstreamAddress } from '../upstreams/upstream-address.js';
import { UpstreamClients } from '../upstreams/upstream-connections.js';
import { UpstreamTraffic } from '../upstreams/upstream-statistics.js';
import {
  type DueUpstream,
  type UpstreamFilter,
  UpstreamRepository,
  type UpstreamState,
  type UpstreamStats,
  type UpstreamTerms,
} from '../upstreams/upstream.repository.js';
import {
  type Offers,
  type UnreachableReason,
  UpstreamRpcError,
  type UpstreamTool,
  UpstreamUnreachable,
} from '../mcp-client/index.js';

/** What an upstream answered when it was asked for its tools. */
export type Discovery = { askedAt: Date } & (
  | { healthy: true; tools: UpstreamTool[] }
  | { healthy: false; reason: UnreachableReason; error: string; status: number | null }
);

/** A registration that is not written down yet. */
export interface Candidate {
  address: UpstreamAddress;
  discovery: Discovery;
  /** What it has besides tools; null when that is not known. */
  offers: Offers | null;
}

/** What a question for its tools found out about an upstream. */
export interface Examined {
  address: UpstreamAddress;
  /** Names of the tools that it has from now on. */
  names: string[];
  /** Tools that mislead, and why. */
  refused: RefusedTool[];
  /** Names of those that are held back. */
  drifted: string[];
  /** Null when it is healthy. */
  trouble: { error: string; status: number | null } | null;
}

const MAX_UPSTREAMS = 200;
/** Often enough that calls seldom have to ask for themselves (`tools_max_age`, 20 s unless registered otherwise). */
const HEALTHY_EVERY_MS = 15_000;
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
const GONE: readonly UnreachableReason[] = ['refused', 'dns', 'connect', 'tls', 'unauthorized', 'credentials'];

/** The upstreams of tenants, their catalogues, and whether they are there. */
@Injectable()
export class UpstreamService {
  private readonly notes = new Map<string, Promise<void>>();
  private readonly recoveries = new Map<string, { at: number; done: Promise<boolean> }>();

  constructor(
    private readonly upstreams: UpstreamRepository,
    private readonly pins: ToolPins,
    private readonly offers: OfferDirectory,
    private readonly clients: UpstreamClients,
    private readonly headers: UpstreamHeaderVault,
    private readonly masks: UpstreamMasks,
    private readonly told: ToldValues,
    private readonly traffic: UpstreamTraffic,
    private readonly egress: Egress,
    private readonly transactions: Transactions,
    private readonly auditLog: AuditLog,
    private readonly config: HaldirConfig,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  /**
   * Asks an upstream for its tools, before it is registered. One that does not answer is a finding, not an error.
   *
   * @throws EgressRefused, InvalidInput when an address is not one that may be connected to, or the upstream can be told no more
   */
  async examine(tenantId: string, name: string, url: string, credentials: UpstreamCredentials): Promise<Candidate> {
    await this.egress.vet(url);
    const { headers, auth } = credentials;
    if (auth) await this.vetTokenUrl(auth.tokenUrl);
    const kept = auth === null && Object.keys(headers).length === 0 ? null : { fresh: credentials };
    const address = { tenantId, name, url, revision: newId('upr'), headers: kept };
    if (!(await this.masks.note(address, literalsOf(credentials))))
      throw new InvalidInput(
        `${Object.keys(headers).length > 0 ? 'headers' : 'auth.client_secret'}: the upstream ${JSON.stringify(name)} ${TOLD_TOO_MUCH}`,
      );
    const options = this.optionsWithin(DISCOVERY_DEADLINE_MS);
    let offers: Offers | null = null;
    const discovery = await this.understand(name, () =>
      this.clients.apart(address, async (client) => {
        const tools = await client.listTools(options);
        offers = await this.offers.ask(name, client);
        return tools;
      }),
    );
    return { address, discovery, offers };
  }

  /**
   * Registers what was examined, in place of what had the name before, and pins the tools as they were found.
   *
   * @throws TooManyUpstreams
   */
  async register(
    tx: Tx,
    actor: Actor,
    { address, discovery, offers }: Candidate,
    terms: UpstreamTerms,
  ): Promise<Examined> {
    const sealed = await this.headers.seal(tx, address);
    const upstreams = this.upstreams.in(tx);
    if (!(await upstreams.put(address, sealed, terms, this.stateAfter(discovery, 0), MAX_UPSTREAMS)))
      throw new TooManyUpstreams(MAX_UPSTREAMS);
    await this.offers.begin(tx, address, offers);
    let screened: ScreenedTools = { tools: [], refused: [] };
    if (discovery.healthy) {
      const { tools } = discovery;
      screened = await this.pins.begin(tx, address, await screenTools(tools, []), await digestOfList(tools));
    } else this.pins.forget(tx, address);
    this.record(tx, actor, address.name, 'upstream_registered', {
      url: withoutSecrets(address.url),
      ...namesOf(address.headers),
      prefix: terms.prefixed,
      tools_max_age: terms.toolsMaxAgeSeconds,
      healthy: discovery.healthy,
      tools: screened.tools.length,
      ...refusals(screened.refused),
      by: actor.id,
    });
    const names = screened.tools.map(({ tool }) => tool.name);
    return { address, names, refused: screened.refused, drifted: [], trouble: troubleOf(discovery) };
  }

  /**
   * Asks a registered upstream for its tools again. What it knew stays known while it does not answer.
   *
   * @throws UpstreamNotFound
   */
  async refresh(tenantId: string, name: string): Promise<Examined> {
    const address = await this.upstreams.find(tenantId, name);
    if (!address) throw new UpstreamNotFound();
    const discovery = await this.check(address, DISCOVERY_DEADLINE_MS);
    if (discovery.healthy) await this.offers.refresh(address);
    const report = discovery.healthy
      ? await this.pins.report(address, discovery.tools)
      : { names: [], refused: [], drifted: [] };
    return { address, ...report, trouble: troubleOf(discovery) };
  }

  /**
   * Asks an upstream for its tools because a call has to know that they are still what they were; null when it answered.
   * Whatever it said is written down then.
   */
  async confirm(tenantId: string, name: string): Promise<UpstreamUnreachable | null> {
    const upstream = await this.upstreams.find(tenantId, name);
    const discovery = upstream && (await this.check(upstream, this.config.upstreams.timeoutMs));
    return discovery && !discovery.healthy ? new UpstreamUnreachable(discovery.reason, { sent: false }) : null;
  }

  /** @throws UpstreamNotFound */
  async remove(tx: Tx, actor: Actor, name: string): Promise<void> {
    if (!(await this.upstreams.in(tx).remove(actor.tenantId, name))) throw new UpstreamNotFound();
    this.told.forget(tx, { tenantId: actor.tenantId, upstream: name });
    this.record(tx, actor, name, 'upstream_removed', { by: actor.id });
  }

  /** With the sums over calls: exact for this process, up to a second old for others. */
  async stats(tenantId: string, filter: UpstreamFilter, limit: number, after: string | null): Promise<UpstreamStats[]> {
    await this.traffic.flush();
    return this.upstreams.stats(tenantId, filter, limit, after);
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

  private async vetTokenUrl(url: string): Promise<void> {
    await this.egress.vet(url).catch((error: unknown) => {
      throw error instanceof EgressRefused ? new InvalidInput(`auth.token_${error.message}`) : error;
    });
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

  /** Asks and writes down the answer, unless the upstream was registered anew meanwhile. */
  private async check(upstream: DueUpstream, deadlineMs: number): Promise<Discovery> {
    const discovery = await this.discover(upstream, deadlineMs);
    const state = this.stateAfter(discovery, upstream.failures);
    const listed = discovery.healthy ? await digestOfList(discovery.tools) : null;
    await this.transactions.run(upstream.tenantId, async (tx) => {
      const known = await this.upstreams.in(tx).noteCheck(upstream, state);
      if (!known?.isLatest || !discovery.healthy || !listed) return;
      if (!known.listed?.equals(listed)) await this.pins.update(tx, upstream, discovery.tools, listed);
    });
    return discovery;
  }

  /** A check whose outcome nobody waits for: that it could not be written down is the operator's to know. */
  private async checkAlone(upstream: DueUpstream): Promise<void> {
    try {
      const { healthy } = await this.check(upstream, DISCOVERY_DEADLINE_MS);
      if (healthy) await this.offers.refresh(upstream);
    } catch (error) {
      this.log.error({ event: 'proxy.check_failed', upstream: upstream.name }, error);
    }
  }

  private discover(address: UpstreamAddress, deadlineMs: number): Promise<Discovery> {
    const options = this.optionsWithin(deadlineMs);
    return this.understand(address.name, () => this.clients.use(address, (client) => client.listTools(options)));
  }

  private optionsWithin(deadlineMs: number): { deadlineMs: number } {
    return { deadlineMs: Math.min(deadlineMs, this.config.upstreams.timeoutMs) };
  }

  /** Whatever goes wrong with a question to an upstream is a finding about it. */
  private async understand(name: string, question: () => Promise<UpstreamTool[]>): Promise<Discovery> {
    const askedAt = this.clock.now();
    const failed = (reason: UnreachableReason, error: string, status: number | null): Discovery => ({
      ...{ askedAt, healthy: false, reason, error, status },
    });
    try {
      return { askedAt, healthy: true, tools: await question() };
    } catch (error) {
      if (error instanceof UpstreamUnreachable) return failed(error.reason, error.message, error.status);
      if (error instanceof UpstreamRpcError)
        return failed('protocol', `The upstream answered with error ${error.rpcCode}`, error.status);
      // A peer can be wrong in ways nobody thought of; that is its trouble, and ours to read about.
      this.log.error({ event: 'proxy.discovery_failed', upstream: name }, error);
      return failed('protocol', 'The upstream could not be understood', null);
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
      confirmedAt: discovery.healthy ? discovery.askedAt : null,
    };
  }

  private record(tx: Tx, actor: Actor, name: string, action: string, details: object): void {
    this.auditLog.record(tx, actor, {
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

function troubleOf(discovery: Discovery): Examined['trouble'] {
  return discovery.healthy ? null : { error: discovery.error, status: discovery.status };
}

/** An address as the log may have it: a path or query can hold a token, the origin cannot. */
function withoutSecrets(url: string): string {
  return new URL(url).origin;
}

/** Headers as the log may have them: their names, and what may be shown of their texts. */
function namesOf(kept: KeptHeaders): { headers?: Record<string, string>; auth?: ShownAuth } {
  if (kept === null || Buffer.isBuffer(kept)) return {};
  const auth = shownAuth(kept.fresh);
  return { headers: shownHeaders(kept.fresh.headers), ...(auth && { auth }) };
}
