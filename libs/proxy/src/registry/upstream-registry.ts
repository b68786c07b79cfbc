import { Injectable } from '@nestjs/common';
import { type Actor } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { type Tx } from '@haldir/database';
import { ToldValues } from '@haldir/vault';
import { isConnectorUrl } from '../connectors/connector-url.js';
import { ConnectorLeaseRepository, type ConnectorState } from '../connectors/connector-lease.repository.js';
import { ResourceCatalogue } from '../catalogue/resource-catalogue.js';
import { TooManyUpstreams } from './registry.errors.js';
import { UpstreamNotFound } from '../upstreams/upstream.errors.js';
import { refusedMembers } from '../catalogue/refused-definitions.js';
import { ToolPinsService } from '../catalogue/tool-pins.service.js';
import { digestOfList } from '../catalogue/tool-definition.js';
import { type ScreenedTools, screenTools } from '../catalogue/tool-screening.js';
import {
  type KeptHeaders,
  type ShownAuth,
  shownAuth,
  shownHeaders,
  UpstreamCredentials,
} from '../upstreams/upstream-credentials.js';
import { type UpstreamAddress } from '../upstreams/upstream-address.js';
import { type Limits, type OwnLimits, UpstreamLimits } from '../upstreams/upstream-limits.js';
import { UpstreamSessionReaper } from '../upstreams/upstream-session-reaper.js';
import { UpstreamSessions } from '../upstreams/upstream-sessions.js';
import { UpstreamStatistics } from '../upstreams/upstream-statistics.js';
import { type UpstreamFilter, type UpstreamStats } from '../upstreams/upstream-stats.js';
import { UpstreamRepository } from '../upstreams/upstream.repository.js';
import { type UpstreamSettings, type UpstreamTerms } from '../upstreams/upstream-settings.js';
import { UpstreamSettingsRepository } from '../upstreams/upstream-settings.repository.js';
import { type Discovered, Discovery, type Registration } from './discovery.js';
import { UpstreamHealthService } from './upstream-health.service.js';
import { type RefusedDefinition, type RefusedResources } from '../mcp-client/index.js';

/** What a question for its tools found out about an upstream. */
export interface Examined {
  address: UpstreamAddress;
  /** Names of the tools that it has from now on. */
  names: string[];
  /** Tools that are not taken, and why. */
  refused: readonly RefusedDefinition[];
  /** Of its other lists what is not taken, and why. */
  refusedResources: RefusedResources;
  /** Names of those that are held back. */
  drifted: string[];
  /** Null when it is healthy. */
  trouble: { error: string; status: number | null } | null;
}

/** As lists show it, with those that stand for it: null where none was there lately, absent where it has a URL of its own. */
export type ShownStats = UpstreamStats & ShownSettings & { connector: ConnectorState | null | undefined };

/** Settings as they are, and what the upstream may take by them. */
export type ShownSettings = UpstreamSettings & { limits: Limits };

const MAX_UPSTREAMS = 200;
const NOTHING_REFUSED: RefusedResources = { resources: [], templates: [], prompts: [] };

/** The upstreams that tenants have registered. */
@Injectable()
export class UpstreamRegistry {
  constructor(
    private readonly upstreams: UpstreamRepository,
    private readonly discovery: Discovery,
    private readonly health: UpstreamHealthService,
    private readonly pins: ToolPinsService,
    private readonly resources: ResourceCatalogue,
    private readonly credentials: UpstreamCredentials,
    private readonly told: ToldValues,
    private readonly sessions: UpstreamSessions,
    private readonly reaper: UpstreamSessionReaper,
    private readonly statistics: UpstreamStatistics,
    private readonly limits: UpstreamLimits,
    private readonly settings: UpstreamSettingsRepository,
    private readonly leases: ConnectorLeaseRepository,
    private readonly auditLog: AuditLog,
  ) {}

  /**
   * Registers what was examined, in place of what had the name before, and pins the tools as they were found.
   *
   * @throws TooManyUpstreams
   */
  async register(tx: Tx, actor: Actor, registration: Registration, terms: UpstreamTerms): Promise<Examined> {
    const { address, discovered, resources, session, sessions } = registration;
    tx.onFailure(() => void this.discovery.giveUp(registration));
    const sealed = await this.credentials.seal(tx, address);
    if (session) await this.sessions.keepExamined(tx, address, session);
    await this.reaper.endWith(tx, address.tenantId, address.name, address.url);
    const upstreams = this.upstreams.in(tx);
    const state = { ...this.discovery.stateAfter(discovered, 0), sessions };
    if (!(await upstreams.put(address, sealed, terms, state, MAX_UPSTREAMS))) throw new TooManyUpstreams(MAX_UPSTREAMS);
    await this.resources.begin(tx, address, resources);
    let screened: ScreenedTools = { tools: [], refused: [] };
    if (discovered.healthy) {
      const { list } = discovered;
      screened = await this.pins.begin(tx, address, await screenTools(list, []), await digestOfList(list));
    } else await this.pins.forget(tx, address);
    this.record(tx, actor, address.name, 'upstream_registered', {
      url: withoutSecrets(address.url),
      ...shownNames(address.headers),
      prefix: terms.prefixed,
      separator: terms.separator,
      tools_max_age: terms.toolsMaxAgeSeconds,
      ...shownLimits(address),
      healthy: discovered.healthy,
      tools: screened.tools.length,
      ...refusedMembers(screened.refused),
      by: actor.id,
    });
    const names = screened.tools.map(({ tool }) => tool.name);
    return {
      address,
      names,
      refused: screened.refused,
      drifted: [],
      refusedResources: resources?.refused ?? NOTHING_REFUSED,
      trouble: troubleOf(discovered),
    };
  }

  /**
   * Asks a registered upstream for its tools again. What it knew stays known while it does not answer.
   *
   * @throws UpstreamNotFound
   */
  async refresh(tenantId: string, name: string): Promise<Examined> {
    const address = await this.upstreams.find(tenantId, name);
    if (!address) throw new UpstreamNotFound();
    const discovered = await this.health.check(address);
    const found = discovered.healthy ? await this.resources.refresh(address) : null;
    const report = discovered.healthy
      ? await this.pins.report(address, discovered.list)
      : { names: [], refused: [], drifted: [] };
    const refusedResources = found?.refused ?? NOTHING_REFUSED;
    return { address, ...report, refusedResources, trouble: troubleOf(discovered) };
  }

  /**
   * Changes what is given; what is not, and what is known of its tools, stays. Calls that begin afterwards go by it.
   *
   * @throws UpstreamNotFound, InvalidInput
   */
  async change(tx: Tx, actor: Actor, name: string, changes: Partial<UpstreamSettings>): Promise<ShownSettings> {
    this.limits.vet(changes);
    const changed = await this.settings.in(tx).change(actor.tenantId, name, changes);
    if (!changed) throw new UpstreamNotFound();
    const [before, after] = [changed.before, changed.after].map((settings) => ({
      prefix: settings.prefixed,
      separator: settings.separator,
      tools_max_age: settings.toolsMaxAgeSeconds,
      ...shownLimits(settings),
    }));
    this.record(tx, actor, name, 'upstream_changed', { ...after, before, by: actor.id });
    return { ...changed.after, limits: this.limits.of(changed.after) };
  }

  /** @throws UpstreamNotFound */
  async remove(tx: Tx, actor: Actor, name: string): Promise<void> {
    await this.reaper.endWith(tx, actor.tenantId, name, null);
    if (!(await this.upstreams.in(tx).remove(actor.tenantId, name))) throw new UpstreamNotFound();
    this.told.forget(tx, { tenantId: actor.tenantId, upstream: name });
    this.record(tx, actor, name, 'upstream_removed', { by: actor.id });
  }

  /** With the sums over calls: exact for this process, up to a second old for others. */
  async stats(tenantId: string, filter: UpstreamFilter, limit: number, after: string | null): Promise<ShownStats[]> {
    await this.statistics.flush();
    const stats = await this.upstreams.stats(tenantId, filter, limit, after);
    const connected = stats.filter(({ url }) => isConnectorUrl(url)).map(({ name }) => name);
    const states = connected.length === 0 ? [] : await this.leases.states(tenantId, connected);
    return stats.map((each) => ({
      ...each,
      limits: this.limits.of(each),
      connector: isConnectorUrl(each.url) ? (states.find(({ upstream }) => upstream === each.name) ?? null) : undefined,
    }));
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

/** Limits of its own, as the log has them. */
function shownLimits({ timeoutSeconds, maxAnswerBytes, concurrency }: OwnLimits): object {
  return {
    ...(timeoutSeconds !== null && { timeout: timeoutSeconds }),
    ...(maxAnswerBytes !== null && { max_answer_bytes: maxAnswerBytes }),
    ...(concurrency !== null && { concurrency }),
  };
}

function troubleOf(discovered: Discovered): Examined['trouble'] {
  if (discovered.healthy) return null;
  const { error, status, betterUrl } = discovered;
  // Only here: a path may hold a token, and what is kept of the trouble is shown to agents.
  return { error: betterUrl === null ? error : `${error}: ${betterUrl}`, status };
}

/** An address as the log may have it: a path or query can hold a token, the origin cannot. */
function withoutSecrets(url: string): string {
  return isConnectorUrl(url) ? url : new URL(url).origin;
}

/** Headers as the log may have them: their names, and what may be shown of their texts. */
function shownNames(kept: KeptHeaders): { headers?: Record<string, string>; auth?: ShownAuth } {
  if (kept === null || Buffer.isBuffer(kept)) return {};
  const auth = shownAuth(kept.fresh);
  return { headers: shownHeaders(kept.fresh.headers), ...(auth && { auth }) };
}
