import { Injectable } from '@nestjs/common';
import { type Actor, Clock, haldirActor, stringifyJson, Turns, visibleText } from '@haldir/kernel';
import { isDestructive } from '@haldir/approvals';
import { AuditLog } from '@haldir/audit-log';
import { type Tx } from '@haldir/database';
import { Outbox } from '@haldir/events';
import { mirroredArguments } from '@haldir/mcp';
import { Log, Metrics } from '@haldir/runtime';
import { MisleadingDefinition, OtherDefinition, ToolNotFound } from './tool.errors.js';
import { UpstreamNotFound } from '../upstreams/upstream.errors.js';
import { comparePins, digestOfPins, type PinChanges, pinsAfter } from './tool-pins.js';
import { keptTools, refusedMembers, warnOfRefused } from './refused-definitions.js';
import { restatedPins } from './restated-pins.js';
import { reasonAgainstDefinition, screenTools, type ScreenedTools } from './tool-screening.js';
import { type ListedTool, type ToolFilter, ToolRepository, type Traits } from './tool.repository.js';
import { UpstreamRepository } from '../upstreams/upstream.repository.js';
import { type RefusedDefinition, type ToolList, type UpstreamTool } from '../mcp-client/index.js';

interface UpstreamKey {
  tenantId: string;
  /** Of the upstream. */
  name: string;
}

/** What an upstream said, and what became of it. */
export interface ListReport {
  /** Names of the tools that were taken or held back. */
  names: string[];
  refused: RefusedDefinition[];
  /** Names of those that are held back. */
  drifted: string[];
}

/** Tools that a registration is known to have had; a new one beyond them is not taken. */
const MAX_PINS = 4_000;
/** Of the definitions of all tools of a tenant: what a process reads for a list of them. */
const MAX_TENANT_CHARS = 16 * 1024 * 1024;
/** What a tool counts there besides its definition. */
const TOOL_CHARS = 1024;

/**
 * Keeps the definitions of tools as they were when their upstream was registered, or when they first appeared after that. One
 * that changes is held back until someone accepts it or the upstream takes it back; the tool that agents are shown and that
 * decides stays the accepted one.
 */
@Injectable()
export class ToolPinsService {
  constructor(
    private readonly tools: ToolRepository,
    private readonly upstreams: UpstreamRepository,
    private readonly auditLog: AuditLog,
    private readonly outbox: Outbox,
    private readonly metrics: Metrics,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  /** Up to `limit` tools behind `after`, by upstream and name; `drifted` picks those that are held back, or the others. */
  list(
    tenantId: string,
    filter: ToolFilter,
    limit: number,
    after: readonly [string, string] | null,
  ): Promise<ListedTool[]> {
    return this.tools.list(tenantId, filter, limit, after);
  }

  total(tenantId: string): Promise<number> {
    return this.tools.total(tenantId);
  }

  /** Pins what a new registration offers, and forgets what an earlier one under the name did; answers what was pinned. */
  async begin(
    tx: Tx,
    { tenantId, name }: UpstreamKey,
    { tools, refused }: ScreenedTools,
    listed: Buffer,
  ): Promise<ScreenedTools> {
    await this.tools.in(tx).clear(tenantId, name);
    const changes = comparePins([], tools);
    const beyond = await this.fit(tx, tenantId, changes);
    await this.apply(tx, { tenantId, name }, changes);
    const all = [...refused, ...beyond];
    const digest = digestOfPins(pinsAfter([], changes));
    await this.upstreams.in(tx).keepCatalogue(tenantId, name, digest, { listed, refused: keptTools(all) });
    this.noteRefused(tx, { tenantId, name }, all);
    return { tools: changes.added, refused: all };
  }

  /** Forgets what an earlier registration under the name offered. */
  forget(tx: Tx, { tenantId, name }: UpstreamKey): Promise<void> {
    return this.tools.in(tx).clear(tenantId, name);
  }

  /**
   * Compares a list that an upstream gave with what is pinned, in a transaction that has locked the upstream: new tools are
   * pinned, changed ones held back and announced (`anomaly`), once each.
   *
   * @param listed what tells this list from others
   */
  async update(tx: Tx, { tenantId, name }: UpstreamKey, list: ToolList, listed: Buffer): Promise<void> {
    const repository = this.tools.in(tx);
    const known = await repository.pins(tenantId, name);
    const { tools, refused } = await screenTools(list, known.map((pin) => pin.name)); // prettier-ignore
    const restated = await restatedPins(known, tools, (names) => repository.pinned(tenantId, name, names));
    await repository.restate(tenantId, name, restated.repaired);
    const { pins } = restated;
    const changes = comparePins(pins, restated.listed);
    const room = Math.max(0, MAX_PINS - pins.length);
    refused.push(...changes.added.splice(room).map(({ tool }) => beyondLimit(tool.name)));
    refused.push(...(await this.fit(tx, tenantId, changes)));
    await this.apply(tx, { tenantId, name }, changes);
    const after = pinsAfter(pins, changes);
    const kept = { listed, refused: keptTools(refused) };
    await this.upstreams.in(tx).keepCatalogue(tenantId, name, digestOfPins(after), kept);
    this.noteRefused(tx, { tenantId, name }, refused);
    this.tell(tx, { tenantId, name }, changes, refused, after.filter(({ gone }) => !gone).length);
  }

  /** What became of the tools of a list. */
  async report({ tenantId, name }: UpstreamKey, list: ToolList): Promise<ListReport> {
    const pins = new Map((await this.tools.pins(tenantId, name)).map((pin) => [pin.name, pin]));
    const { tools, refused } = await screenTools(list, [...pins.keys()]);
    const [names, others]: [string[], string[]] = [[], []];
    for (const { tool } of tools) (pins.get(tool.name)?.gone === false ? names : others).push(tool.name);
    refused.push(...others.map(pins.size >= MAX_PINS ? beyondLimit : beyondRoom));
    return { names, refused, drifted: names.filter((tool) => pins.get(tool)?.pending) };
  }

  /**
   * Accepts what an upstream says of a tool now. Accepting again what is accepted already changes nothing.
   *
   * @param fingerprint of the definition that was looked at
   * @throws UpstreamNotFound, ToolNotFound, OtherDefinition when the upstream says something else by now,
   *   MisleadingDefinition when it is nothing that would be taken from a new tool
   */
  async accept(tx: Tx, actor: Actor, name: string, tool: string, fingerprint: Buffer): Promise<void> {
    const { tenantId, id: by } = actor;
    const [upstreams, tools] = [this.upstreams.in(tx), this.tools.in(tx)];
    if (!(await upstreams.lock(tenantId, name))) throw new UpstreamNotFound();
    const found = await tools.find(tenantId, name, tool);
    if (!found) throw new ToolNotFound();
    const { fingerprint: accepted, pending, pendingFingerprint: proposed } = found;
    if (!proposed || !pending) {
      if (accepted.equals(fingerprint)) return;
      throw new OtherDefinition();
    }
    if (!proposed.equals(fingerprint)) throw new OtherDefinition();
    const reason = reasonAgainstDefinition(pending);
    if (reason !== null) throw new MisleadingDefinition(reason);
    await tools.accept(tenantId, name, tool, traitsOf(pending));
    await upstreams.keepCatalogue(tenantId, name, digestOfPins(await tools.pins(tenantId, name)), null);
    this.auditLog.record(tx, actor, {
      source: 'haldir',
      tool: `${name}.${tool}`,
      action: 'tool_accepted',
      details: { upstream: name, was: accepted.toString('hex'), is: fingerprint.toString('hex'), by },
    });
  }

  /** Leaves out those new tools that the tenant has no room for, and answers them. */
  private async fit(tx: Tx, tenantId: string, changes: PinChanges): Promise<RefusedDefinition[]> {
    if (changes.added.length === 0) return [];
    let room = MAX_TENANT_CHARS - (await this.tools.in(tx).size(tenantId, TOOL_CHARS));
    const turns = new Turns();
    const [fitting, beyond]: [PinChanges['added'], RefusedDefinition[]] = [[], []];
    for (const definition of changes.added) {
      if (turns.isOver) await turns.next();
      const { tool } = definition;
      const chars = stringifyJson(tool).length + TOOL_CHARS;
      if (chars > room) beyond.push(beyondRoom(tool.name));
      else {
        room -= chars;
        fitting.push(definition);
      }
    }
    changes.added = fitting;
    return beyond;
  }

  private apply(tx: Tx, { tenantId, name }: UpstreamKey, changes: PinChanges): Promise<void> {
    return this.tools.in(tx).apply(tenantId, name, changes, traitsOf, this.clock.now());
  }

  private noteRefused(tx: Tx, { tenantId, name }: UpstreamKey, refused: readonly RefusedDefinition[]): void {
    warnOfRefused(tx, this.log, { event: 'proxy.tools_refused', tenantId, upstream: name }, refused);
  }

  private tell(
    tx: Tx,
    { tenantId, name }: UpstreamKey,
    { added, returned, removed, drifted, settled }: PinChanges,
    refused: readonly RefusedDefinition[],
    tools: number,
  ): void {
    const haldir = haldirActor(tenantId);
    if (added.length + returned.length + removed.length + refused.length > 0) {
      this.auditLog.record(tx, haldir, {
        source: 'haldir',
        tool: 'haldir.proxy',
        action: 'upstream_tools_changed',
        details: {
          upstream: name,
          tools,
          added: added.length + returned.length,
          removed: removed.length,
          ...refusedMembers(refused),
        },
      });
    }
    for (const { name: tool, accepted, found } of settled) {
      this.auditLog.record(tx, haldir, {
        source: 'haldir',
        tool: `${name}.${tool}`,
        action: 'tool_drift_ended',
        details: { upstream: name, accepted: accepted.toString('hex'), was: found.toString('hex') },
      });
    }
    for (const { tool, accepted, fingerprint } of drifted) {
      this.auditLog.record(tx, haldir, {
        source: 'haldir',
        tool: `${name}.${tool.name}`,
        action: 'tool_drift',
        details: { upstream: name, accepted: accepted.toString('hex'), found: fingerprint.toString('hex') },
        // An entry that its writer flags is announced as an anomaly, with the entry.
        flag: 'tool_drift: the upstream defines the tool otherwise than was accepted',
      });
    }
    if (drifted.length === 0) return;
    tx.onCommit(() => {
      this.outbox.nudge();
      this.metrics.countDrifts(drifted.length);
      this.log.warn({ event: 'proxy.tool_drift', tenantId, upstream: name, tools: drifted.length });
    });
  }
}

function beyondLimit(name: string): RefusedDefinition {
  return {
    name: visibleText(name),
    reason: `the upstream has offered ${MAX_PINS} other tools since it was registered`,
  };
}

function beyondRoom(name: string): RefusedDefinition {
  return {
    name: visibleText(name),
    reason: `the definitions of all tools of the tenant would be longer than ${MAX_TENANT_CHARS} characters`,
  };
}

function traitsOf({ name, annotations, inputSchema }: UpstreamTool): Traits {
  const repeatable = annotations?.['idempotentHint'] === true || annotations?.['readOnlyHint'] === true;
  return { destructive: isDestructive(name, annotations), repeatable, mirrored: mirroredArguments(inputSchema) };
}
