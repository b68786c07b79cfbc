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
import { InFlight } from './in-flight.js';
import { KeptDefinitions } from './kept-definitions.js';
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

/** Characters of lists that a process keeps ready, and of those that what agents are shown is made of. */
const MAX_KEPT = 32 * 1024 * 1024;
/** What an item takes besides its definition, which is that of the list. */
const ITEM_SIZE = 256;

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
  private readonly kept = new KeptDefinitions<KeptLists>(MAX_KEPT, (tenantId, names) => this.read(tenantId, names));
  /** Each holds the lists that it was made of, also when there are others by now. */
  private readonly views = new LRUCache<string, VisibleResources>({ maxSize: MAX_KEPT });
  private readonly making = new InFlight<VisibleResources>();
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
        source: 'haldir',
        tool: 'haldir.proxy',
        action: 'upstream_offers_changed',
        details: {
          upstream: name,
          ...counts,
          prompts: lists.prompts.length,
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
    return (
      this.views.get(key) ??
      this.making.one(key, () => this.makeView(key, tenantId, { states, names, naming, agentId }))
    );
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
    const { known, size, isCurrent } = await this.load(tenantId, states);
    const turns = new Turns();
    const view: VisibleResources = {
      prompts: [],
      resources: [],
      templates: [],
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
    const items = KINDS.reduce((sum, kind) => sum + view[kind].length, 0);
    if (isCurrent) this.views.set(key, view, { size: size + key.length + items * ITEM_SIZE });
    return view;
  }

  /** What is known of the upstreams, its size in characters, and whether it is what was asked for. */
  private async load(
    tenantId: string,
    states: readonly ResourceState[],
  ): Promise<{ known: KnownResources[]; size: number; isCurrent: boolean }> {
    const { known: byName, isCurrent } = await this.kept.of(tenantId, states);
    const known = states.flatMap((upstream) => {
      const kept = byName.get(upstream.name);
      return kept ? [{ upstream, lists: kept.lists }] : [];
    });
    return { known, size: [...byName.values()].reduce((sum, kept) => sum + kept.size, 0), isCurrent };
  }

  private async read(tenantId: string, names: string[]): Promise<Map<string, KeptLists>> {
    const read = new Map<string, KeptLists>();
    for (const { upstream, digest, lists: stored } of await this.repository.lists(tenantId, names)) {
      const lists = await readableLists(stored);
      read.set(upstream, { digest, lists, size: stringifyJson(lists).length });
    }
    return read;
  }

  private noteRefused(tx: Tx, { tenantId, name }: UpstreamAddress, refused: RefusedResources): void {
    for (const [kind, some] of Object.entries(refused))
      warnOfRefused(tx, this.log, { event: 'proxy.resources_refused', tenantId, upstream: name, kind }, some);
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
