import { Injectable } from '@nestjs/common';
import { type MicroUsd, stringifyJson, Turns } from '@haldir/kernel';
import { Transactions, type Tx } from '@haldir/database';
import { type MirroredArgument } from '@haldir/mcp';
import { type ListedDefinition } from './tool-definition.js';
import { type Pin, type PinChanges } from './tool-pins.js';
import { type UpstreamTool } from '../mcp-client/index.js';

/** A tool that an upstream offers. */
export interface ListedTool {
  upstream: string;
  name: string;
  /** As it was accepted. */
  definition: UpstreamTool;
  fingerprint: Buffer;
  /** What the upstream says instead, and when that was seen first; null while it keeps to what was accepted. */
  /** Of each call; null for a tool that costs nothing. */
  price: MicroUsd | null;
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

/** Of definitions that are written at once. */
const MAX_PART_CHARS = 256 * 1024;

interface ListedRow {
  upstream: string;
  name: string;
  definition: UpstreamTool;
  fingerprint: Buffer;
  pending: UpstreamTool | null;
  pending_fingerprint: Buffer | null;
  drifted_at: Date | null;
  price_micros: string | null;
}

const page = {
  name: 'proxy_tool.page.v4',
  text: `SELECT upstream, name, definition, fingerprint, pending, pending_fingerprint, drifted_at,
                (SELECT price_micros FROM proxy_tool_price p WHERE p.tenant_id = t.tenant_id AND p.upstream = t.upstream AND p.tool = t.name)
           FROM proxy_tool t
          WHERE tenant_id = $1 AND (upstream, name) > ($2, $3) AND NOT gone AND ($5::boolean IS NULL OR (pending IS NOT NULL) = $5)
            AND ($6::text IS NULL OR upstream = $6)
            AND ($7::text IS NULL OR strpos(lower(name COLLATE "C"), lower($7::text COLLATE "C")) > 0)
          ORDER BY upstream, name LIMIT $4`,
};
const total = {
  name: 'proxy_tool.total.v2',
  text: 'SELECT count(*)::integer AS tools FROM proxy_tool WHERE tenant_id = $1 AND NOT gone',
};
const definitions = {
  name: 'proxy_tool.definitions.v2',
  text: `SELECT u.name AS upstream, encode(u.catalogue_digest, 'hex') AS digest, t.name, t.pending IS NOT NULL AS held, t.definition
           FROM proxy_upstream u LEFT JOIN proxy_tool t ON t.tenant_id = u.tenant_id AND t.upstream = u.name AND NOT t.gone
          WHERE u.tenant_id = $1 AND u.name = ANY ($2) AND u.catalogue_digest IS NOT NULL`,
};
const pins = {
  name: 'proxy_tool.pins.v1',
  text: 'SELECT name, fingerprint, pending_fingerprint AS pending, gone FROM proxy_tool WHERE tenant_id = $1 AND upstream = $2',
};

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
    const { drifted = null, upstream: of = null, nameContains = null } = filter;
    const [upstream, name] = after ?? ['', ''];
    const rows = await this.transactions.query<ListedRow>(page, [
      ...([tenantId, upstream, name, limit] as const),
      ...[drifted, of, nameContains],
    ]);
    return rows.map(
      ({ pending, pending_fingerprint: fingerprint, drifted_at: seenAt, price_micros: micros, ...tool }) => ({
        ...tool,
        price: micros === null ? null : (BigInt(micros) as MicroUsd),
        drift: pending && fingerprint && seenAt ? { definition: pending, fingerprint, seenAt } : null,
      }),
    );
  }

  async total(tenantId: string): Promise<number> {
    return (await this.transactions.query<{ tools: number }>(total, [tenantId]))[0]?.tools ?? 0;
  }

  /** The catalogues of some upstreams, each with the digest that it has at that moment. */
  definitions(tenantId: string, names: readonly string[]): Promise<DefinedTool[]> {
    return this.transactions.query<DefinedTool>(definitions, [tenantId, names]);
  }

  pins(tenantId: string, upstream: string): Promise<Pin[]> {
    return this.transactions.query<Pin>(pins, [tenantId, upstream]);
  }

  /** For a caller that has locked the upstream. */
  in(tx: Tx) {
    return {
      pins: (tenantId: string, upstream: string): Promise<Pin[]> => tx.query<Pin>(pins, [tenantId, upstream]),
      /** How long the definitions of all tools of the tenant are together, each counted with `more`; until then nobody else adds any. */
      size: async (tenantId: string, more: number): Promise<number> => {
        tx.send(`SELECT pg_advisory_xact_lock(hashtextextended('proxy_tool ' || $1, 0))`, [tenantId]);
        const [row] = await tx.query<{ chars: number }>(
          'SELECT coalesce(sum(length(definition::text) + $2::integer), 0)::float8 AS chars FROM proxy_tool WHERE tenant_id = $1',
          [tenantId, more],
        );
        return row?.chars ?? 0;
      },
      /** Forgets all that was pinned. */
      clear: (tenantId: string, upstream: string): void =>
        tx.send('DELETE FROM proxy_tool WHERE tenant_id = $1 AND upstream = $2', [tenantId, upstream]),
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
        if (returned.length > 0) {
          tx.send('UPDATE proxy_tool SET gone = false WHERE tenant_id = $1 AND upstream = $2 AND name = ANY ($3)', [
            ...key,
            returned,
          ]);
        }
        const over = [...removed, ...settled.map(({ name }) => name)];
        if (over.length > 0) {
          tx.send(
            `UPDATE proxy_tool SET gone = name = ANY ($4), pending = NULL, pending_fingerprint = NULL, drifted_at = NULL
              WHERE tenant_id = $1 AND upstream = $2 AND name = ANY ($3)`,
            [...key, over, removed],
          );
        }
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
      find: async (
        tenantId: string,
        upstream: string,
        name: string,
      ): Promise<{ fingerprint: Buffer; pending: UpstreamTool | null; pending_fingerprint: Buffer | null } | null> => {
        const [row] = await tx.query<{
          fingerprint: Buffer;
          pending: UpstreamTool | null;
          pending_fingerprint: Buffer | null;
        }>(
          `SELECT fingerprint, pending, pending_fingerprint FROM proxy_tool
            WHERE tenant_id = $1 AND upstream = $2 AND name = $3 AND NOT gone`,
          [tenantId, upstream, name],
        );
        return row ?? null;
      },
      /** Makes what is pending what is accepted. */
      accept: (tenantId: string, upstream: string, name: string, traits: Traits): void =>
        tx.send(
          `UPDATE proxy_tool SET definition = pending, fingerprint = pending_fingerprint, destructive = $4, mirrored = $5,
                  repeatable = $6, pending = NULL, pending_fingerprint = NULL, drifted_at = NULL
            WHERE tenant_id = $1 AND upstream = $2 AND name = $3`,
          [tenantId, upstream, name, traits.destructive, JSON.stringify(traits.mirrored), traits.repeatable],
        ),
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
