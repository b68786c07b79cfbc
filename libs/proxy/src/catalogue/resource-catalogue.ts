import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Actor, haldirActor, mayUseUpstream, stringifyJson, Turns, visibleText } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { Transactions, type Tx } from '@haldir/database';
import { type JsonObject } from '@haldir/mcp';
import { Log } from '@haldir/runtime';
import { keptOthers, named, warnOfRefused } from './refused-definitions.js';
import { LinkedResourceRepository } from './linked-resource.repository.js';
import { ResourceRepository, type ResourceState } from './resource.repository.js';
import { allowedResources, type KnownResources, type ShownResource, shownResources } from './resource-lookup.js';
import { PolicyRepository } from '../policies/policy.repository.js';
import { type MissingUpstream, namingFor } from './tool-catalogue.js';
import { addList } from './tool-definition.js';
import { isMisleading } from './tool-screening.js';
import { type UpstreamAddress } from '../upstreams/upstream-address.js';
import { UpstreamLimits } from '../upstreams/upstream-limits.js';
import { UpstreamRepository } from '../upstreams/upstream.repository.js';
import { UpstreamConnections } from '../upstreams/upstream-connections.js';
import {
  type McpClient,
  RESOURCE_LISTS,
  readableLists,
  type RefusedDefinition,
  type RefusedResources,
  type ResourceKind,
  type ResourceLists,
  UpstreamUnreachable,
} from '../mcp-client/index.js';

/** Lists that a process keeps ready, in characters. */
const MAX_KEPT = 32 * 1024 * 1024;

const KINDS = ['prompts', 'resources', 'templates'] as const;
const HIDES = 'it has characters that turn text around or do not show, or is too long';

/** What an upstream has besides tools, and what it offers of that and nobody can use. */
export interface FoundResources {
  lists: ResourceLists;
  refused: RefusedResources;
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

  /** Those of a kind whose names no policy of the tenant blocks, and the upstreams of which nobody knows what they offer. */
  async visible(
    actor: Actor,
    agentId: string,
    kind: ResourceKind,
  ): Promise<{ items: ShownResource[]; missing: MissingUpstream[] }> {
    const [{ known, unknown, names }, policies] = await Promise.all([
      this.known(actor),
      this.policies.byTenants([actor.tenantId]),
    ]);
    return {
      items: allowedResources(shownResources(known, kind, names), kind, names, {
        agentId,
        policies: namingFor(policies.get(actor.tenantId) ?? [], agentId),
      }),
      missing: unknown.map(({ name, error }) => ({
        name,
        error: error ?? 'What it offers besides tools is not known',
      })),
    };
  }

  /** The upstreams within the actor's reach, by name: those whose lists are known, and the others; and the names of all. */
  async known(
    actor: Actor,
  ): Promise<{ known: KnownResources[]; unknown: ResourceState[]; names: ReadonlySet<string> }> {
    const { tenantId } = actor;
    const [all, byTenant] = await Promise.all([this.repository.states(tenantId), this.upstreams.names([tenantId])]);
    const states = all.filter(({ name }) => mayUseUpstream(actor, name));
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
    const known = states.flatMap((upstream) => {
      const kept = upstream.digest === null ? undefined : this.keptOf(tenantId, upstream.name);
      return kept ? [{ upstream, lists: kept.lists }] : [];
    });
    this.makeRoom();
    const names = byTenant.get(tenantId) ?? new Set();
    return { known, unknown: states.filter(({ digest }) => digest === null), names };
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

/** Without what hides something from whoever reads it. */
async function screened({ lists, refused }: FoundResources): Promise<FoundResources> {
  const { completions } = lists;
  const turns = new Turns();
  const seen = async (kind: ResourceKind): Promise<[clear: JsonObject[], refused: RefusedDefinition[]]> => {
    const [clear, hiding]: [JsonObject[], RefusedDefinition[]] = [[], [...refused[kind]]];
    for (const item of lists[kind]) {
      if (turns.isOver) await turns.next();
      const name = String(item[RESOURCE_LISTS[kind].key]);
      if (isMisleading(name, stringifyJson(item))) hiding.push({ name: visibleText(name), reason: HIDES });
      else clear.push(item);
    }
    return [clear, hiding];
  };
  const found = {
    resources: await seen('resources'),
    templates: await seen('templates'),
    prompts: await seen('prompts'),
  };
  const { resources, templates, prompts } = found;
  return {
    lists: { ...{ resources: resources[0], templates: templates[0], prompts: prompts[0] }, completions },
    refused: { resources: resources[1], templates: templates[1], prompts: prompts[1] },
  };
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
