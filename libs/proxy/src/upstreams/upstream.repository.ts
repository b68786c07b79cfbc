import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { type ShownAuth, shownAuth, shownHeaders } from './upstream-credentials.js';
import { type UpstreamAddress } from './upstream-address.js';

/** What was found out about an upstream when it was last asked. */
export interface UpstreamState {
  healthy: boolean;
  /** Null when it is healthy. */
  error: string | null;
  checkedAt: Date;
  nextCheckAt: Date;
  /** In a row. */
  failures: number;
  /** When the question was sent to which its list of tools is the answer; null when there is no answer. */
  confirmedAt: Date | null;
}

/** How a registration is to be treated. */
export interface UpstreamTerms {
  /** Whether agents are shown its tools as `upstream.tool`. */
  prefixed: boolean;
  /** A call asks for the tools again when the last answer is older than this. */
  toolsMaxAgeSeconds: number;
}

/** An upstream whose check is due. */
export interface DueUpstream extends UpstreamAddress {
  failures: number;
}

export interface UpstreamStats {
  name: string;
  url: string;
  /** By name, what may be shown of them. */
  headers: Record<string, string>;
  auth: ShownAuth | null;
  prefixed: boolean;
  toolsMaxAgeSeconds: number;
  healthy: boolean;
  error: string | null;
  lastCheckAt: Date | null;
  tools: number;
  /** Those of them that are held back. */
  drifted: number;
  calls: number;
  errors: number;
  /** Answers of its tools that say `isError`. */
  toolErrors: number;
  /** Of all calls together. */
  latencyMs: number;
}

export interface UpstreamFilter {
  healthy?: boolean | undefined;
  /** Small and capital letters of ASCII alike. */
  nameContains?: string | undefined;
}

/** Which catalogue of an upstream stands. */
export interface CatalogueState {
  name: string;
  prefixed: boolean;
  /** Of the tools, hex; null while they are not known. */
  digest: string | null;
  error: string | null;
}

const stats = {
  name: 'proxy_upstream.stats.v6',
  text: `SELECT u.name, u.url, u.shown_headers AS headers, u.shown_auth AS auth, u.prefixed, u.tools_max_age, u.healthy, u.error, u.last_check_at,
                (SELECT count(*) FROM proxy_tool t WHERE t.tenant_id = u.tenant_id AND t.upstream = u.name AND NOT t.gone)::integer AS tools,
                (SELECT count(*) FROM proxy_tool t WHERE t.tenant_id = u.tenant_id AND t.upstream = u.name AND t.pending IS NOT NULL)::integer AS drifted,
                coalesce(f.calls, 0)::float8 AS calls, coalesce(f.errors, 0)::float8 AS errors,
                coalesce(f.tool_errors, 0)::float8 AS tool_errors, coalesce(f.latency_ms, 0) AS latency_ms
           FROM proxy_upstream u LEFT JOIN proxy_traffic f ON f.tenant_id = u.tenant_id AND f.upstream = u.name
          WHERE u.tenant_id = $1 AND u.name > $2 AND ($4::boolean IS NULL OR u.healthy = $4)
            AND ($5::text IS NULL OR strpos(lower(u.name COLLATE "C"), lower($5::text COLLATE "C")) > 0)
          ORDER BY u.name LIMIT $3`,
};
const catalogues = {
  name: 'proxy_upstream.catalogues.v2',
  text: `SELECT tenant_id, name, prefixed, encode(catalogue_digest, 'hex') AS digest, error FROM proxy_upstream
          WHERE tenant_id = ANY ($1) ORDER BY tenant_id, name COLLATE "C"`,
};
const find = {
  name: 'proxy_upstream.find.v2',
  text: 'SELECT tenant_id, name, url, revision, headers, failures FROM proxy_upstream WHERE tenant_id = $1 AND name = $2',
};
/** Names stay taken: what was meant by them is not somebody else's later. */
const noteName = {
  name: 'upstream_name.note.v1',
  text: 'INSERT INTO upstream_name (tenant_id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING',
};
const namesOfTenants = {
  name: 'upstream_name.by_tenants.v1',
  text: 'SELECT tenant_id, name FROM upstream_name WHERE tenant_id = ANY ($1)',
};
/** That a tenant can ever have used. */
const MAX_NAMES = 5_000;
const lock = {
  name: 'proxy_upstream.lock.v1',
  text: 'SELECT FROM proxy_upstream WHERE tenant_id = $1 AND name = $2 FOR UPDATE',
};
/** The claim is a lease: whoever dies with it leaves the upstream to the next. */
const claimDue = {
  name: 'proxy_upstream.claim_due.v2',
  text: `UPDATE proxy_upstream SET next_check_at = $2
          WHERE (tenant_id, name) IN (SELECT tenant_id, name FROM proxy_upstream WHERE next_check_at <= $1
                                       ORDER BY next_check_at LIMIT $3 FOR UPDATE SKIP LOCKED)
          RETURNING tenant_id, name, url, revision, headers, failures`,
};
/** Not before a second after the last check, whoever says so how often. */
const noteChange = {
  name: 'proxy_upstream.note_change.v1',
  text: `UPDATE proxy_upstream
            SET changed_at = $4, next_check_at = least(next_check_at, greatest($4, last_check_at + interval '1 second'))
          WHERE tenant_id = $1 AND name = $2 AND revision = $3`,
};
/** Upstreams that seem dead and of which nothing is known, so that a call by name may be for one of them. */
const withoutTools = {
  name: 'proxy_upstream.without_tools.v2',
  text: `SELECT tenant_id, name, url, revision, headers, failures FROM proxy_upstream
          WHERE tenant_id = $1 AND NOT healthy AND catalogue_digest IS NULL AND ($2::text IS NULL OR name = $2) ORDER BY name LIMIT $3`,
};

/** What is known of an upstream whose check was noted. */
export interface NotedCheck {
  /** Of the list that its catalogue was made from last. */
  listed: Buffer | null;
  /** Whether the list that was found answers the latest question so far. */
  isLatest: boolean;
}

interface AddressRow {
  tenant_id: string;
  name: string;
  url: string;
  revision: string;
  headers: Buffer | null;
  failures: number;
}

@Injectable()
export class UpstreamRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Up to `limit` of the tenant's upstreams by name, behind the one named `after`. */
  async stats(tenantId: string, filter: UpstreamFilter, limit: number, after: string | null): Promise<UpstreamStats[]> {
    interface Row {
      name: string;
      url: string;
      headers: Record<string, string>;
      auth: ShownAuth | null;
      prefixed: boolean;
      tools_max_age: number;
      healthy: boolean;
      error: string | null;
      last_check_at: Date | null;
      tools: number;
      drifted: number;
      calls: number;
      errors: number;
      tool_errors: number;
      latency_ms: number;
    }
    const { healthy = null, nameContains = null } = filter;
    const rows = await this.transactions.query<Row>(stats, [tenantId, after ?? '', limit, healthy, nameContains]);
    return rows.map(({ tools_max_age, last_check_at, latency_ms, tool_errors, ...row }) => ({
      ...row,
      toolsMaxAgeSeconds: tools_max_age,
      lastCheckAt: last_check_at,
      toolErrors: tool_errors,
      latencyMs: latency_ms,
    }));
  }

  /** Of every upstream of the tenant. */
  /** By tenant; those of one in the order of their names. */
  async catalogues(tenantIds: readonly string[]): Promise<Map<string, CatalogueState[]>> {
    const byTenant = new Map<string, CatalogueState[]>(tenantIds.map((tenantId) => [tenantId, []]));
    const rows = await this.transactions.query<CatalogueState & { tenant_id: string }>(catalogues, [tenantIds]);
    for (const { tenant_id: tenantId, ...state } of rows) byTenant.get(tenantId)?.push(state);
    return byTenant;
  }

  /** Of all upstreams that tenants have, or had. */
  async names(tenantIds: readonly string[]): Promise<Map<string, Set<string>>> {
    const byTenant = new Map<string, Set<string>>(tenantIds.map((tenantId) => [tenantId, new Set()]));
    const rows = await this.transactions.query<{ tenant_id: string; name: string }>(namesOfTenants, [tenantIds]);
    for (const { tenant_id: tenantId, name } of rows) byTenant.get(tenantId)?.add(name);
    return byTenant;
  }

  async find(tenantId: string, name: string): Promise<DueUpstream | null> {
    const [row] = await this.transactions.query<AddressRow>(find, [tenantId, name]);
    return row ? toDue(row) : null;
  }

  async claimDue(now: Date, leaseUntil: Date, limit: number): Promise<DueUpstream[]> {
    return (await this.transactions.queryAll<AddressRow>(claimDue, [now, leaseUntil, limit])).map(toDue);
  }

  /** An upstream said that its lists have changed: its check is due, unless it was registered anew meanwhile. */
  async noteChange({ tenantId, name, revision }: UpstreamAddress, now: Date): Promise<void> {
    await this.transactions.query(noteChange, [tenantId, name, revision, now]);
  }

  /** @param name null for any */
  async withoutTools(tenantId: string, name: string | null, limit: number): Promise<DueUpstream[]> {
    return (await this.transactions.query<AddressRow>(withoutTools, [tenantId, name, limit])).map(toDue);
  }

  in(tx: Tx) {
    return {
      /** Registers, or replaces what was registered under the name; false, and nothing written, beyond `max`. */
      put: async (
        address: UpstreamAddress,
        sealedHeaders: Buffer | null,
        terms: UpstreamTerms,
        state: UpstreamState,
        max: number,
      ): Promise<boolean> => {
        const { tenantId, name, url, revision, headers } = address;
        const shown = headers === null || Buffer.isBuffer(headers) ? null : headers.fresh;
        const auth = shown && shownAuth(shown);
        const rows = await tx.query(
          `INSERT INTO proxy_upstream (tenant_id, name, url, revision, healthy, error, failures, created_at, last_check_at, next_check_at, prefixed,
                                       tools_max_age, confirmed_at, headers, shown_headers, shown_auth)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $11::boolean, $12::integer, $13::timestamptz, $14::bytea, $15::json, $16::json
              WHERE (SELECT count(*) FROM proxy_upstream WHERE tenant_id = $1 AND name <> $2) < $10
                AND (SELECT count(*) FROM upstream_name WHERE tenant_id = $1 AND name <> $2) < ${MAX_NAMES}
           ON CONFLICT (tenant_id, name) DO UPDATE
             SET url = excluded.url, revision = excluded.revision, healthy = excluded.healthy, error = excluded.error,
                 failures = excluded.failures, catalogue_digest = NULL, listed_digest = NULL, last_check_at = excluded.last_check_at,
                 next_check_at = excluded.next_check_at, prefixed = excluded.prefixed, tools_max_age = excluded.tools_max_age,
                 confirmed_at = excluded.confirmed_at, headers = excluded.headers, shown_headers = excluded.shown_headers,
                 shown_auth = excluded.shown_auth,
                 changed_at = NULL, listener = NULL, listen_at = '-infinity'
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
            terms.prefixed,
            terms.toolsMaxAgeSeconds,
            state.confirmedAt,
            sealedHeaders,
            JSON.stringify(shown ? shownHeaders(shown.headers) : {}),
            auth && JSON.stringify(auth),
          ],
        );
        if (rows.length === 1) tx.send(noteName, [tenantId, name]);
        return rows.length === 1;
      },
      /** Notes a check of a registration and locks it; null when the upstream was registered anew or removed meanwhile. */
      noteCheck: async (address: UpstreamAddress, state: UpstreamState): Promise<NotedCheck | null> => {
        const { tenantId, name, revision } = address;
        const { healthy, error, failures, checkedAt, nextCheckAt, confirmedAt } = state;
        const [row] = await tx.query<{ listed: Buffer | null; latest: boolean | null }>(
          `UPDATE proxy_upstream SET healthy = $4, error = $5, failures = $6, last_check_at = $7::timestamptz,
                  next_check_at = CASE WHEN changed_at > $9::timestamptz THEN $7::timestamptz + interval '1 second' ELSE $8 END,
                  confirmed_at = greatest(confirmed_at, $9::timestamptz)
            WHERE tenant_id = $1 AND name = $2 AND revision = $3
            RETURNING listed_digest AS listed, confirmed_at = $9 AS latest`,
          [tenantId, name, revision, healthy, error, failures, checkedAt, nextCheckAt, confirmedAt],
        );
        return row ? { listed: row.listed, isLatest: row.latest ?? false } : null;
      },
      /** Locks an upstream, so that its tools stay as they are; false when there is none. */
      lock: async (tenantId: string, name: string): Promise<boolean> =>
        (await tx.query(lock, [tenantId, name])).length === 1,
      /** Keeps which catalogue stands and, if it comes from one, of which list it is made. */
      keepCatalogue: (tenantId: string, name: string, digest: Buffer, listed: Buffer | null): void =>
        tx.send(
          `UPDATE proxy_upstream SET catalogue_digest = $3, listed_digest = coalesce($4, listed_digest)
            WHERE tenant_id = $1 AND name = $2`,
          [tenantId, name, digest, listed],
        ),
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
