import { Inject, Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { type MirroredArgument } from '@haldir/mcp';
import { type UpstreamAddress } from './upstream-clients.js';
import { type UpstreamTool } from './upstream/index.js';

/** What was found out about an upstream when it was last asked. */
export interface UpstreamState {
  healthy: boolean;
  /** Null when it is healthy. */
  error: string | null;
  checkedAt: Date;
  nextCheckAt: Date;
  /** In a row. */
  failures: number;
}

/** An upstream whose check is due. */
export interface DueUpstream extends UpstreamAddress {
  failures: number;
}

export interface UpstreamStats {
  name: string;
  url: string;
  prefixed: boolean;
  healthy: boolean;
  error: string | null;
  lastCheckAt: Date | null;
  tools: number;
  calls: number;
  errors: number;
  /** Answers of its tools that say `isError`. */
  toolErrors: number;
  /** Of all calls together. */
  latencyMs: number;
}

export interface ListedTool {
  upstream: string;
  name: string;
  definition: UpstreamTool;
}

/** Which catalogue of an upstream stands. */
export interface CatalogueState {
  name: string;
  prefixed: boolean;
  /** Of the tools, hex; null while they are not known. */
  digest: string | null;
  error: string | null;
}

/** A tool of the catalogue with `digest`; name and definition are null for one without tools. */
export interface DefinedTool {
  upstream: string;
  digest: string;
  name: string | null;
  definition: UpstreamTool | null;
}

/** A tool as it is kept. */
export interface StoredTool {
  tool: UpstreamTool;
  destructive: boolean;
  mirrored: readonly MirroredArgument[];
}

const stats = {
  name: 'proxy_upstream.stats.v1',
  text: `SELECT u.name, u.url, u.prefixed, u.healthy, u.error, u.last_check_at,
                (SELECT count(*) FROM proxy_tool t WHERE t.tenant_id = u.tenant_id AND t.upstream = u.name)::integer AS tools,
                coalesce(f.calls, 0)::float8 AS calls, coalesce(f.errors, 0)::float8 AS errors,
                coalesce(f.tool_errors, 0)::float8 AS tool_errors, coalesce(f.latency_ms, 0) AS latency_ms
           FROM proxy_upstream u LEFT JOIN proxy_traffic f ON f.tenant_id = u.tenant_id AND f.upstream = u.name
          WHERE u.tenant_id = $1 AND u.name > $2 ORDER BY u.name LIMIT $3`,
};
const totalTools = {
  name: 'proxy_tool.total.v1',
  text: 'SELECT count(*)::integer AS tools FROM proxy_tool WHERE tenant_id = $1',
};
const tools = {
  name: 'proxy_tool.page.v1',
  text: `SELECT upstream, name, definition FROM proxy_tool
          WHERE tenant_id = $1 AND (upstream, name) > ($2, $3) ORDER BY upstream, name LIMIT $4`,
};
const catalogues = {
  name: 'proxy_upstream.catalogues.v1',
  text: `SELECT name, prefixed, encode(catalogue_digest, 'hex') AS digest, error FROM proxy_upstream WHERE tenant_id = $1`,
};
const definitions = {
  name: 'proxy_tool.definitions.v1',
  text: `SELECT u.name AS upstream, encode(u.catalogue_digest, 'hex') AS digest, t.name, t.definition
           FROM proxy_upstream u LEFT JOIN proxy_tool t ON t.tenant_id = u.tenant_id AND t.upstream = u.name
          WHERE u.tenant_id = $1 AND u.name = ANY ($2) AND u.catalogue_digest IS NOT NULL`,
};
const find = {
  name: 'proxy_upstream.find.v1',
  text: 'SELECT tenant_id, name, url, revision, failures FROM proxy_upstream WHERE tenant_id = $1 AND name = $2',
};
/** The claim is a lease: whoever dies with it leaves the upstream to the next. */
const claimDue = {
  name: 'proxy_upstream.claim_due.v1',
  text: `UPDATE proxy_upstream SET next_check_at = $2
          WHERE (tenant_id, name) IN (SELECT tenant_id, name FROM proxy_upstream WHERE next_check_at <= $1
                                       ORDER BY next_check_at LIMIT $3 FOR UPDATE SKIP LOCKED)
          RETURNING tenant_id, name, url, revision, failures`,
};
/** Upstreams that seem dead and of which nothing is known, so that a call by name may be for one of them. */
const withoutTools = {
  name: 'proxy_upstream.without_tools.v1',
  text: `SELECT tenant_id, name, url, revision, failures FROM proxy_upstream
          WHERE tenant_id = $1 AND NOT healthy AND catalogue_digest IS NULL AND ($2::text IS NULL OR name = $2) ORDER BY name LIMIT $3`,
};

interface AddressRow {
  tenant_id: string;
  name: string;
  url: string;
  revision: string;
  failures: number;
}

@Injectable()
export class UpstreamRepository {
  constructor(@Inject(Transactions) private readonly transactions: Transactions) {}

  /** Up to `limit` of the tenant's upstreams by name, behind the one named `after`. */
  async stats(tenantId: string, limit: number, after: string | null): Promise<UpstreamStats[]> {
    interface Row {
      name: string;
      url: string;
      prefixed: boolean;
      healthy: boolean;
      error: string | null;
      last_check_at: Date | null;
      tools: number;
      calls: number;
      errors: number;
      tool_errors: number;
      latency_ms: number;
    }
    const rows = await this.transactions.query<Row>(stats, [tenantId, after ?? '', limit]);
    return rows.map(({ last_check_at: lastCheckAt, latency_ms: latencyMs, tool_errors: toolErrors, ...row }) => ({
      ...row,
      lastCheckAt,
      toolErrors,
      latencyMs,
    }));
  }

  async totalTools(tenantId: string): Promise<number> {
    return (await this.transactions.query<{ tools: number }>(totalTools, [tenantId]))[0]?.tools ?? 0;
  }

  /** Up to `limit` of the tenant's tools by upstream and name, behind `after`. */
  tools(
    tenantId: string,
    limit: number,
    after: readonly [upstream: string, name: string] | null,
  ): Promise<ListedTool[]> {
    const [upstream, name] = after ?? ['', ''];
    return this.transactions.query<ListedTool>(tools, [tenantId, upstream, name, limit]);
  }

  /** Of every upstream of the tenant. */
  catalogues(tenantId: string): Promise<CatalogueState[]> {
    return this.transactions.query<CatalogueState>(catalogues, [tenantId]);
  }

  /** The catalogues of some upstreams, each with the digest that it has at that moment. */
  definitions(tenantId: string, names: readonly string[]): Promise<DefinedTool[]> {
    return this.transactions.query<DefinedTool>(definitions, [tenantId, names]);
  }

  async find(tenantId: string, name: string): Promise<DueUpstream | null> {
    const [row] = await this.transactions.query<AddressRow>(find, [tenantId, name]);
    return row ? toDue(row) : null;
  }

  async claimDue(now: Date, leaseUntil: Date, limit: number): Promise<DueUpstream[]> {
    return (await this.transactions.queryAll<AddressRow>(claimDue, [now, leaseUntil, limit])).map(toDue);
  }

  /** @param name null for any */
  async withoutTools(tenantId: string, name: string | null, limit: number): Promise<DueUpstream[]> {
    return (await this.transactions.query<AddressRow>(withoutTools, [tenantId, name, limit])).map(toDue);
  }

  in(tx: Tx) {
    return {
      /** Registers, or replaces what was registered under the name; false, and nothing written, beyond `max`. */
      put: async (address: UpstreamAddress, prefixed: boolean, state: UpstreamState, max: number): Promise<boolean> => {
        const { tenantId, name, url, revision } = address;
        const rows = await tx.query(
          `INSERT INTO proxy_upstream (tenant_id, name, url, revision, healthy, error, failures, created_at, last_check_at, next_check_at, prefixed)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $11::boolean
              WHERE (SELECT count(*) FROM proxy_upstream WHERE tenant_id = $1 AND name <> $2) < $10
           ON CONFLICT (tenant_id, name) DO UPDATE
             SET url = excluded.url, revision = excluded.revision, healthy = excluded.healthy, error = excluded.error,
                 failures = excluded.failures, catalogue_digest = NULL, last_check_at = excluded.last_check_at,
                 next_check_at = excluded.next_check_at, prefixed = excluded.prefixed
           RETURNING name`,
          [
            tenantId,
            name,
            url,
            revision,
            state.healthy,
            state.error,
            state.failures,
            state.checkedAt,
            state.nextCheckAt,
            max,
            prefixed,
          ],
        );
        return rows.length === 1;
      },
      /**
       * Notes a check of a registration and locks it; answers the digest of the catalogue that is kept, or null when the
       * upstream was registered anew or removed meanwhile.
       */
      noteCheck: async (address: UpstreamAddress, state: UpstreamState): Promise<{ digest: Buffer | null } | null> => {
        const { tenantId, name, revision } = address;
        const [row] = await tx.query<{ digest: Buffer | null }>(
          `UPDATE proxy_upstream SET healthy = $4, error = $5, failures = $6, last_check_at = $7, next_check_at = $8
            WHERE tenant_id = $1 AND name = $2 AND revision = $3 RETURNING catalogue_digest AS digest`,
          [tenantId, name, revision, state.healthy, state.error, state.failures, state.checkedAt, state.nextCheckAt],
        );
        return row ?? null;
      },
      /** The catalogue from now on: what is not in it is gone. Answers the names that were there before. */
      replaceTools: async (
        tenantId: string,
        upstream: string,
        catalogue: StoredTool[],
        digest: Buffer | null,
      ): Promise<string[]> => {
        const before = await tx.query<{ name: string }>(
          'DELETE FROM proxy_tool WHERE tenant_id = $1 AND upstream = $2 RETURNING name',
          [tenantId, upstream],
        );
        tx.send(
          `INSERT INTO proxy_tool (tenant_id, upstream, name, destructive, definition, mirrored)
             SELECT $1, $2, * FROM unnest($3::text[], $4::boolean[], $5::json[], $6::json[])`,
          [
            tenantId,
            upstream,
            catalogue.map(({ tool }) => tool.name),
            catalogue.map(({ destructive }) => destructive),
            catalogue.map(({ tool }) => JSON.stringify(tool)),
            catalogue.map(({ mirrored }) => JSON.stringify(mirrored)),
          ],
        );
        tx.send('UPDATE proxy_upstream SET catalogue_digest = $3 WHERE tenant_id = $1 AND name = $2', [
          tenantId,
          upstream,
          digest,
        ]);
        return before.map(({ name }) => name);
      },
      remove: async (tenantId: string, name: string): Promise<boolean> => {
        const rows = await tx.query('DELETE FROM proxy_upstream WHERE tenant_id = $1 AND name = $2 RETURNING name', [
          tenantId,
          name,
        ]);
        return rows.length === 1;
      },
    };
  }
}

function toDue({ tenant_id: tenantId, ...row }: AddressRow): DueUpstream {
  return { tenantId, ...row };
}
