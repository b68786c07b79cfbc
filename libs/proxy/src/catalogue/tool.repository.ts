import { Injectable } from '@nestjs/common';
import { type MicroUsd, stringifyJson, Turns } from '@haldir/kernel';
import { Transactions, type Tx } from '@haldir/database';
import { Any, type EntityManager, IsNull, Not, type QueryDeepPartialEntity } from 'typeorm';
import { type MirroredArgument } from '@haldir/mcp';
import { type PinnedDefinition } from './restated-pins.js';
import { type ListedDefinition } from './tool-definition.js';
import { type Pin, type PinChanges } from './tool-pins.js';
import { ToolPrice } from './tool-price.entity.js';
import { MAX_MODEL_NAME } from './tool-name.js';
import { Tool } from './tool.entity.js';
import { type UpstreamTool } from '../mcp-client/index.js';
import { Upstream } from '../upstreams/upstream.entity.js';

/** A tool that an upstream has. */
export interface ListedTool {
  upstream: string;
  name: string;
  /** As it was accepted. */
  definition: UpstreamTool;
  fingerprint: Buffer;
  /** As the APIs of models take it; it answers to it always. */
  modelName: string;
  /** Why that is not `upstream__tool` alone; null where it is. */
  nameConflict: 'too_long' | 'taken' | null;
  /** Of each call; null for a tool that costs nothing. */
  price: MicroUsd | null;
  /** What the upstream says instead, and when that was seen first; null while it keeps to what was accepted. */
  drift: { definition: UpstreamTool; fingerprint: Buffer; seenAt: Date } | null;
}

export interface ToolFilter {
  /** Only those that are held back, or only those that are not. */
  drifted?: boolean | undefined;
  upstream?: string | undefined;
  /** Small and capital letters of ASCII alike. */
  nameContains?: string | undefined;
}

/** A tool of the catalogue with `digest`; name and the rest are null for one without tools. */
export interface DefinedTool {
  upstream: string;
  digest: string;
  name: string | null;
  modelName: string | null;
  hashedName: string | null;
  /** Whether it is held back. */
  held: boolean | null;
  definition: UpstreamTool | null;
}

/** What Haldir reads from a definition. */
export interface Traits {
  destructive: boolean;
  /** Whether making a call twice does no more than making it once. */
  repeatable: boolean;
  mirrored: readonly MirroredArgument[];
}

/** Whether another tool `t` of the tenant would be called the same by models. */
const SHARES_ITS_NAME = `EXISTS (SELECT FROM proxy_tool o WHERE o.tenant_id = t.tenant_id AND t.model_name IN (o.model_name, o.hashed_name) AND NOT o.gone
                                   AND (o.upstream, o.name) <> (t.upstream, t.name))`;
/** Of definitions that are written at once. */
const MAX_PART_CHARS = 256 * 1024;

// Of an upstream there may be thousands, which makes rows of entities too slow.
const pinsOf = (manager: EntityManager, tenantId: string, upstream: string): Promise<Pin[]> =>
  manager
    .createQueryBuilder(Tool, 'tool')
    .select('tool.name', 'name')
    .addSelect('tool.fingerprint', 'fingerprint')
    .addSelect('tool.pendingFingerprint', 'pending')
    .addSelect('tool.gone', 'gone')
    .where({ tenantId, upstream })
    .getRawMany<Pin>();

/** The tools of upstreams: what was accepted of each, and what is held back. */
@Injectable()
export class ToolRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Up to `limit` of the tenant's tools by upstream and name, behind `after`. */
  async list(
    tenantId: string,
    filter: ToolFilter,
    limit: number,
    after: readonly [upstream: string, name: string] | null,
  ): Promise<ListedTool[]> {
    const { drifted, upstream: of, nameContains } = filter;
    const [upstream, name] = after ?? ['', ''];
    const { entities, raw } = await this.transactions.read(tenantId, (manager) => {
      const query = manager
        .createQueryBuilder(Tool, 't')
        .leftJoin(ToolPrice, 'p', 'p.tenantId = t.tenantId AND p.upstream = t.upstream AND p.tool = t.name')
        .addSelect('p.price', 'price')
        .addSelect(SHARES_ITS_NAME, 'shared')
        .where({ tenantId, gone: false })
        .andWhere('(t.upstream, t.name) > (:upstream, :name)', { upstream, name });
      if (drifted !== undefined) query.andWhere(`t.pending IS ${drifted ? 'NOT ' : ''}NULL`);
      if (of !== undefined) query.andWhere('t.upstream = :of', { of });
      if (nameContains !== undefined)
        query.andWhere('strpos(lower(t.name COLLATE "C"), lower(:nameContains::text COLLATE "C")) > 0', {
          nameContains,
        });
      return query
        .orderBy('t.upstream')
        .addOrderBy('t.name')
        .limit(limit)
        .getRawAndEntities<{ price: string | null; shared: boolean }>();
    });
    return entities.map((tool, i) => {
      const { pending, pendingFingerprint, driftedAt } = tool;
      const price = raw[i]?.price ?? null;
      const nameConflict = tool.modelName.length > MAX_MODEL_NAME ? 'too_long' : raw[i]?.shared ? 'taken' : null;
      return {
        upstream: tool.upstream,
        name: tool.name,
        definition: tool.definition,
        fingerprint: tool.fingerprint,
        modelName: nameConflict === null ? tool.modelName : tool.hashedName,
        nameConflict,
        price: price === null ? null : (BigInt(price) as MicroUsd),
        drift:
          pending && pendingFingerprint && driftedAt
            ? { definition: pending, fingerprint: pendingFingerprint, seenAt: driftedAt }
            : null,
      };
    });
  }

  total(tenantId: string): Promise<number> {
    return this.transactions.read(tenantId, (manager) => manager.countBy(Tool, { tenantId, gone: false }));
  }

  /** The catalogues of some upstreams, each with the digest that it has at that moment. */
  definitions(tenantId: string, names: readonly string[]): Promise<DefinedTool[]> {
    return this.transactions.read(tenantId, (manager) =>
      manager
        .createQueryBuilder(Upstream, 'u')
        .leftJoin(Tool, 't', 't.tenantId = u.tenantId AND t.upstream = u.name AND NOT t.gone')
        .select('u.name', 'upstream')
        .addSelect(`encode(u.catalogueDigest, 'hex')`, 'digest')
        .addSelect('t.name', 'name')
        .addSelect('t.modelName', 'modelName')
        .addSelect('t.hashedName', 'hashedName')
        .addSelect('t.pending IS NOT NULL', 'held')
        .addSelect('t.definition', 'definition')
        .where({ tenantId, name: Any(names), catalogueDigest: Not(IsNull()) })
        .getRawMany<DefinedTool>(),
    );
  }

  pins(tenantId: string, upstream: string): Promise<Pin[]> {
    return this.transactions.read(tenantId, (manager) => pinsOf(manager, tenantId, upstream));
  }

  /** For a caller that has locked the upstream. */
  in(tx: Tx) {
    return {
      pins: (tenantId: string, upstream: string): Promise<Pin[]> => pinsOf(tx.manager, tenantId, upstream),
      /** How long the definitions of all tools of the tenant are together, each counted with `more`; until then nobody else adds any. */
      size: async (tenantId: string, more: number): Promise<number> => {
        tx.send(`SELECT pg_advisory_xact_lock(hashtextextended('proxy_tool ' || $1, 0))`, [tenantId]);
        const [row] = await tx.query<{ chars: number }>(
          'SELECT coalesce(sum(length(definition::text) + $2::integer), 0)::float8 AS chars FROM proxy_tool WHERE tenant_id = $1',
          [tenantId, more],
        );
        return row?.chars ?? 0;
      },
      /** What is kept of some pinned tools. */
      pinned: (tenantId: string, upstream: string, names: readonly string[]): Promise<PinnedDefinition[]> =>
        tx.manager
          .createQueryBuilder(Tool, 'tool')
          .select('tool.name', 'name')
          .addSelect('tool.definition', 'definition')
          .addSelect('tool.pending', 'pending')
          .where({ tenantId, upstream, name: Any(names) })
          .getRawMany<PinnedDefinition>(),
      /** Keeps what is accepted of tools in other words that mean the same. */
      restate: async (tenantId: string, upstream: string, restated: readonly ListedDefinition[]): Promise<void> => {
        for await (const { part, texts } of inParts(restated)) {
          tx.send(
            `UPDATE proxy_tool t SET definition = d.definition, fingerprint = d.fingerprint
               FROM unnest($3::text[], $4::json[], $5::bytea[]) AS d(name, definition, fingerprint)
              WHERE t.tenant_id = $1 AND t.upstream = $2 AND t.name = d.name`,
            [tenantId, upstream, part.map(({ tool }) => tool.name), texts, part.map(({ fingerprint }) => fingerprint)],
          );
        }
      },
      /** Forgets all that was pinned. */
      clear: async (tenantId: string, upstream: string): Promise<void> => {
        await tx.manager.delete(Tool, { tenantId, upstream });
      },
      apply: async (
        tenantId: string,
        upstream: string,
        { added, returned, removed, drifted, settled }: PinChanges,
        traitsOf: (tool: UpstreamTool) => Traits,
        now: Date,
      ): Promise<void> => {
        const key = [tenantId, upstream];
        for await (const { part, texts } of inParts(added)) {
          const traits = part.map(({ tool }) => traitsOf(tool));
          tx.send(
            `INSERT INTO proxy_tool (tenant_id, upstream, name, destructive, definition, fingerprint, mirrored, repeatable)
               SELECT $1, $2, * FROM unnest($3::text[], $4::boolean[], $5::json[], $6::bytea[], $7::json[], $8::boolean[])`,
            [
              ...key,
              part.map(({ tool }) => tool.name),
              traits.map(({ destructive }) => destructive),
              texts,
              part.map(({ fingerprint }) => fingerprint),
              traits.map(({ mirrored }) => JSON.stringify(mirrored)),
              traits.map(({ repeatable }) => repeatable),
            ],
          );
        }
        const change = async (names: readonly string[], changes: QueryDeepPartialEntity<Tool>): Promise<void> => {
          if (names.length > 0) await tx.manager.update(Tool, { tenantId, upstream, name: Any(names) }, changes);
        };
        const settledOn = { pending: null, pendingFingerprint: null, driftedAt: null };
        // No name is in two of them.
        await Promise.all([
          change(returned, { gone: false }),
          change(removed, { gone: true, ...settledOn }),
          change(
            settled.map(({ name }) => name),
            settledOn,
          ),
        ]);
        for await (const { part, texts } of inParts(drifted)) {
          tx.send(
            `UPDATE proxy_tool t SET pending = d.definition, pending_fingerprint = d.fingerprint, drifted_at = $6
               FROM unnest($3::text[], $4::json[], $5::bytea[]) AS d(name, definition, fingerprint)
              WHERE t.tenant_id = $1 AND t.upstream = $2 AND t.name = d.name`,
            [...key, part.map(({ tool }) => tool.name), texts, part.map(({ fingerprint }) => fingerprint), now],
          );
        }
      },
      /** What the upstream says of the tool now, and what was accepted; null when it does not offer the tool. */
      find: (tenantId: string, upstream: string, name: string): Promise<Tool | null> =>
        tx.manager.findOneBy(Tool, { tenantId, upstream, name, gone: false }),
      /** Makes what is pending what is accepted. */
      accept: async (tenantId: string, upstream: string, name: string, traits: Traits): Promise<void> => {
        await tx.manager
          .createQueryBuilder()
          .update(Tool)
          .set({
            ...traits,
            definition: () => 'pending',
            fingerprint: () => 'pending_fingerprint',
            pending: null,
            pendingFingerprint: null,
            driftedAt: null,
          })
          .where({ tenantId, upstream, name })
          .execute();
      },
    };
  }
}

/** Definitions by as many as one statement carries without holding others up, each with its JSON text. */
async function* inParts<Item extends ListedDefinition>(
  items: readonly Item[],
): AsyncGenerator<{ part: Item[]; texts: string[] }> {
  const turns = new Turns();
  let [part, texts, chars]: [Item[], string[], number] = [[], [], 0];
  for (const item of items) {
    if (turns.isOver) await turns.next();
    const text = stringifyJson(item.tool);
    if (chars > 0 && chars + text.length > MAX_PART_CHARS) {
      yield { part, texts };
      [part, texts, chars] = [[], [], 0];
    }
    part.push(item);
    texts.push(text);
    chars += text.length;
  }
  if (part.length > 0) yield { part, texts };
}
