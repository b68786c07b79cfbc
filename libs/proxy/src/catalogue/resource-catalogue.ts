import { createHash, hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Actor, Batcher, haldirActor, mayUseUpstream, stringifyJson, Turns } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { Transactions, type Tx } from '@haldir/database';
import { Log } from '@haldir/runtime';
import { keptOthers, named, warnOfRefused } from './refused-definitions.js';
import { LinkedResourceRepository } from './linked-resource.repository.js';
import { ResourceRepository, type ResourceState } from './resource.repository.js';
import { allowedResources, type KnownResources, type ShownResource, shownResources } from './resource-lookup.js';
import { LRUCache } from 'lru-cache';
import { type Policy } from '../policies/policy.js';
import { PolicyRepository } from '../policies/policy.repository.js';
import { type MissingUpstream, type Naming, namingFor } from './tool-catalogue.js';
import { addList } from './tool-definition.js';
import { type FoundResources, screened } from './resource-screening.js';
import { type UpstreamAddress } from '../upstreams/upstream-address.js';
import { UpstreamLimits } from '../upstreams/upstream-limits.js';
import { UpstreamRepository } from '../upstreams/upstream.repository.js';
import { UpstreamConnections } from '../upstreams/upstream-connections.js';
import {
  type McpClient,
  readableLists,
  type RefusedResources,
  type ResourceKind,
  type ResourceLists,
  UpstreamUnreachable,
} from '../mcp-client/index.js';

/** Lists that a process keeps ready, in characters. */
const MAX_KEPT = 32 * 1024 * 1024;

/** Items of what agents are shown that a process keeps ready. */
const MAX_SHOWN = 100_000;

const KINDS = ['prompts', 'resources', 'templates'] as const;
/** What agents are shown, of each kind in the order of upstreams and own names. */
export interface VisibleResources extends Record<ResourceKind, ShownResource[]> {
  missing: MissingUpstream[];
}

/** Which lists and policies there are right now. */
interface StandingResources {
  states: ResourceState[];
  /** That upstreams have or had. */
  names: ReadonlySet<string>;
  policies: readonly Policy[];
}

interface KeptLists {
  digest: string;
  lists: ResourceLists;
  size: number;
}

/**
 * The resources, templates and prompts of a tenant's upstreams. They are kept as the last look at each upstream found them, so
 * that one that is slow or dead delays nobody; each list asks the database which of them stand.
 */
@Injectable()
export class ResourceCatalogue {
  private readonly kept = new Map<string, KeptLists>();
  private size = 0;
  private readonly views = new LRUCache<string, VisibleResources>({
    maxSize: MAX_SHOWN,
    sizeCalculation: (view) => KINDS.reduce((sum, kind) => sum + view[kind].length, 1),
  });
  private readonly making = new Map<string, Promise<VisibleResources>>();
  private readonly standing = new Batcher<string, StandingResources>({
    maxBatch: 256,
    maxInFlight: 2,
    maxQueued: 8192,
    run: (tenantIds) => this.standingOf(tenantIds),
  });

  constructor(
    private readonly repository: ResourceRepository,
    private readonly links: LinkedResourceRepository,
    private readonly upstreams: UpstreamRepository,
    private readonly policies: PolicyRepository,
    private readonly connections: UpstreamConnections,
    private readonly transactions: Transactions,
    private readonly auditLog: AuditLog,
    private readonly limits: UpstreamLimits,
    private readonly log: Log,
  ) {}

  /** Asks for what there is besides tools; null when that cannot be told. An upstream is no less healthy for it. */
  async ask(address: UpstreamAddress, client: McpClient): Promise<FoundResources | null> {
    const { name } = address;
    try {
      const { resourcesMs, detectionMs } = this.limits.of(address);
      const found = await client.listResources({ deadlineMs: resourcesMs, detectionMs });
      return await screened(found);
    } catch (error) {
      this.log.warn({ event: 'proxy.resources_unknown', upstream: name, reason: (error as Error).message });
      return null;
    }
  }

  /** Keeps what was found with a registration, in place of what had the name before. */
  async begin(tx: Tx, address: UpstreamAddress, found: FoundResources | null): Promise<void> {
    await this.links.in(tx).forget(address.tenantId, address.name);
    const repository = this.repository.in(tx);
    if (!found) return repository.forget(address.tenantId, address.name);
    await repository.put(address, found.lists, keptOthers(found.refused), await digestOf(found));
    this.noteRefused(tx, address, found.refused);
  }

  /** Asks a registered upstream again, and answers what it said; what it offered stays known while that is nothing. */
  async refresh(address: UpstreamAddress): Promise<FoundResources | null> {
    const { tenantId, name } = address;
    const found = await this.connections
      .use(address, (client) => this.ask(address, client))
      .catch((error: unknown) => {
        if (error instanceof UpstreamUnreachable) return null;
        throw error;
      });
    if (!found) return null;
    const digest = await digestOf(found);
    if ((await this.repository.digest(tenantId, name))?.equals(digest)) return found;
    await this.transactions.run(tenantId, async (tx) => {
      const { lists, refused } = found;
      if (!(await this.repository.in(tx).put(address, lists, keptOthers(refused), digest))) return;
      const counts = { resources: lists.resources.length, templates: lists.templates.length };
      const all = Object.values(refused).flat();
      this.auditLog.record(tx, haldirActor(tenantId), {
        ...{ source: 'haldir', tool: 'haldir.proxy', action: 'upstream_offers_changed' },
        details: {
          ...{ upstream: name, ...counts, prompts: lists.prompts.length },
          ...(all.length === 0 ? {} : { refused: all.length, refused_definitions: named(all) }),
        },
      });
      this.noteRefused(tx, address, refused);
    });
    return found;
  }

  /**
   * Those whose names no policy of the tenant blocks for the agent, and the upstreams of which nobody knows what they offer: the same
   * object while that is the same.
   */
  async visible(actor: Actor, agentId: string): Promise<VisibleResources> {
    const { tenantId } = actor;
    const { states: all, names, policies } = await this.standing.submit(tenantId);
    const states = all.filter(({ name }) => mayUseUpstream(actor, name));
    const naming = namingFor(policies, agentId);
    const offers = states.map(({ name, prefixed, digest, error }) => [name, prefixed, digest ?? { error }]);
    const key = hash('sha256', JSON.stringify([tenantId, offers, naming, [...names]]), 'base64url');
    const ready = this.views.get(key) ?? this.making.get(key);
    if (ready) return ready;
    const made = this.makeView(key, tenantId, { states, names, naming, agentId }).finally(() =>
      this.making.delete(key),
    );
    this.making.set(key, made);
    return made;
  }

  /** The upstreams within the actor's reach whose lists are known, by name; and the names of all. */
  async known(actor: Actor): Promise<{ known: KnownResources[]; names: ReadonlySet<string> }> {
    const { tenantId } = actor;
    const [states, names] = await Promise.all([this.repository.states([tenantId]), this.upstreams.names([tenantId])]);
    const within = (states.get(tenantId) ?? []).filter(({ name }) => mayUseUpstream(actor, name));
    const { known } = await this.load(tenantId, within);
    return { known, names: names.get(tenantId) ?? new Set() };
  }

  private async standingOf(tenantIds: string[]): Promise<StandingResources[]> {
    const distinct = [...new Set(tenantIds)];
    const [states, names, policies] = await Promise.all([
      this.repository.states(distinct),
      this.upstreams.names(distinct),
      this.policies.byTenants(distinct),
    ]);
    return tenantIds.map((tenantId) => ({
      states: states.get(tenantId) ?? [],
      names: names.get(tenantId) ?? new Set(),
      policies: policies.get(tenantId) ?? [],
    }));
  }

  private async makeView(
    key: string,
    tenantId: string,
    { states, names, naming, agentId }: Omit<StandingResources, 'policies'> & { naming: Naming[]; agentId: string },
  ): Promise<VisibleResources> {
    const { known, isCurrent } = await this.load(tenantId, states);
    const turns = new Turns();
    const view: VisibleResources = {
      ...{ prompts: [], resources: [], templates: [] },
      missing: states.flatMap(({ name, digest, error }) =>
        digest === null ? [{ name, error: error ?? 'What it offers besides tools is not known' }] : [],
      ),
    };
    for (const kind of KINDS) {
      const shown = shownResources(known, kind, names);
      if (turns.isOver) await turns.next();
      view[kind] = allowedResources(shown, kind, names, { agentId, policies: naming });
      if (turns.isOver) await turns.next();
    }
    if (isCurrent) this.views.set(key, view);
    return view;
  }

  /** What is known of the upstreams, and whether it is what was asked for: lists can change before they are read. */
  private async load(
    tenantId: string,
    states: readonly ResourceState[],
  ): Promise<{ known: KnownResources[]; isCurrent: boolean }> {
    const stale = states.filter(
      ({ name, digest }) => digest !== null && this.keptOf(tenantId, name)?.digest !== digest,
    );
    if (stale.length > 0) {
      const names = stale.map(({ name }) => name);
      for (const { upstream, digest, lists: stored } of await this.repository.lists(tenantId, names)) {
        const lists = await readableLists(stored);
        this.keep(`${tenantId}/${upstream}`, { digest, lists, size: stringifyJson(lists).length });
      }
    }
    let isCurrent = true;
    const known = states.flatMap((upstream) => {
      const kept = upstream.digest === null ? undefined : this.keptOf(tenantId, upstream.name);
      isCurrent &&= upstream.digest === null || kept?.digest === upstream.digest;
      return kept ? [{ upstream, lists: kept.lists }] : [];
    });
    this.makeRoom();
    return { known, isCurrent };
  }

  private noteRefused(tx: Tx, { tenantId, name }: UpstreamAddress, refused: RefusedResources): void {
    for (const [kind, some] of Object.entries(refused))
      warnOfRefused(tx, this.log, { event: 'proxy.resources_refused', tenantId, upstream: name, kind }, some);
  }

  private keptOf(tenantId: string, name: string): KeptLists | undefined {
    return this.kept.get(`${tenantId}/${name}`);
  }

  private keep(key: string, kept: KeptLists): void {
    this.size += kept.size - (this.kept.get(key)?.size ?? 0);
    this.kept.delete(key);
    this.kept.set(key, kept);
  }

  /** Those that were read longest ago go first. */
  private makeRoom(): void {
    for (const [oldest, { size }] of this.kept) {
      if (this.size <= MAX_KEPT) break;
      this.kept.delete(oldest);
      this.size -= size;
    }
  }
}

/** SHA-256 of the RFC 8785 JSON of all of them. */
async function digestOf({ lists: { completions, ...lists }, refused }: FoundResources): Promise<Buffer> {
  const digest = createHash('sha256').update(`{"completions":${completions}`);
  for (const kind of KINDS) {
    digest.update(`,"${kind}":`);
    await addList(digest, lists[kind]);
  }
  for (const kind of KINDS) {
    if (refused[kind].length === 0) continue;
    digest.update(`,"refused ${kind}":`);
    await addList(digest, refused[kind]);
  }
  return digest.update('}').digest();
}
