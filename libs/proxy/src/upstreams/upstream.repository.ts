import { Injectable } from '@nestjs/common';
import { columnsOf, Transactions, type Tx } from '@haldir/database';
import { IsNull, MoreThan } from 'typeorm';
import { type SessionsOf } from '../mcp-client/index.js';
import { shownAuth, shownHeaders } from './upstream-credentials.js';
import { ADDRESS, type UpstreamAddress } from './upstream-address.js';
import { settingsOf, type UpstreamTerms } from './upstream-settings.js';
import { type UpstreamFilter, type UpstreamStats } from './upstream-stats.js';
import { circuitOf } from './circuit.js';
import { UpstreamTraffic } from './upstream-traffic.entity.js';
import {
  type RefusedByKind,
  type RefusedDefinitions,
  type Separator,
  Upstream,
  UpstreamName,
} from './upstream.entity.js';

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

/** An upstream whose check is due. */
export interface DueUpstream extends UpstreamAddress {
  failures: number;
  sessions: SessionsOf | null;
}

/** The list that a catalogue is made of. */
export interface KeptList {
  listed: Buffer;
  refused: RefusedDefinitions | null;
}

/** Which catalogue of an upstream stands. */
export interface CatalogueState {
  name: string;
  prefixed: boolean;
  separator: Separator;
  /** Of the tools, hex; null while they are not known. */
  digest: string | null;
  error: string | null;
}

/** What it takes to know up to where an upstream was told something, of a row `u`. */
export const TOLD_VERSION = `(SELECT CASE WHEN h.bound THEN h.version END FROM upstream_told_head h
                  WHERE h.tenant_id = u.tenant_id AND h.upstream = u.name)`;

const standing = columnsOf(Upstream).only('tenantId', 'name', 'prefixed', 'separator', 'catalogueDigest', 'error');
const catalogues = {
  name: 'proxy_upstream.catalogues.v3',
  text: `SELECT ${standing.list} FROM proxy_upstream WHERE tenant_id = ANY ($1) ORDER BY tenant_id, name COLLATE "C"`,
};
const names = columnsOf(UpstreamName);
const namesOfTenants = {
  name: 'upstream_name.by_tenants.v1',
  text: `SELECT ${names.list} FROM upstream_name WHERE tenant_id = ANY ($1)`,
};
/** That a tenant can ever have used. */
const MAX_NAMES = 5_000;
const DUE = [...ADDRESS, 'failures', 'sessions'] as const;
const due = columnsOf(Upstream).only(...DUE);
const dueFields = Object.fromEntries(DUE.map((field) => [field, true])) as Record<(typeof DUE)[number], true>;
/** The claim is a lease: whoever dies with it leaves the upstream to the next. */
const claimDue = `
  UPDATE proxy_upstream SET next_check_at = $2::timestamptz + make_interval(secs => 2 * least(coalesce(timeout_seconds, 0), 60))
   WHERE (tenant_id, name) IN (SELECT tenant_id, name FROM proxy_upstream WHERE next_check_at <= $1
                                ORDER BY next_check_at LIMIT $3 FOR UPDATE SKIP LOCKED)
   RETURNING ${due.list}`;
/** Not before a second after the last check, whoever says so how often. */
const noteChange = `
  UPDATE proxy_upstream
     SET changed_at = $4, next_check_at = least(next_check_at, greatest($4, last_check_at + interval '1 second'))
   WHERE tenant_id = $1 AND name = $2 AND revision = $3`;
const noteCheck = `
  UPDATE proxy_upstream SET healthy = $4, error = $5, failures = $6, last_check_at = $7::timestamptz,
         next_check_at = CASE WHEN changed_at > $9::timestamptz THEN $7::timestamptz + interval '1 second' ELSE $8 END,
         confirmed_at = greatest(confirmed_at, $9::timestamptz),
         -- Of one that was gone and is back, the next call finds out whether it works.
         circuit_until = CASE WHEN $4 AND NOT healthy AND circuit_until > $7 THEN $7 ELSE circuit_until END
   WHERE tenant_id = $1 AND name = $2 AND revision = $3
   RETURNING listed_digest AS listed, confirmed_at = $9 AS latest`;
const put = `
  INSERT INTO proxy_upstream (tenant_id, name, url, revision, healthy, error, failures, created_at, registered_at, last_check_at, next_check_at, prefixed,
                              tools_max_age, confirmed_at, headers, shown_headers, shown_auth, timeout_seconds, max_answer_bytes, concurrency,
                              sessions, separator)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $8, $8, $9, $11::boolean, $12::integer, $13::timestamptz, $14::bytea, $15::json, $16::json,
           $17::integer, $18::integer, $19::integer, $20::text, $21
     WHERE (SELECT count(*) FROM proxy_upstream WHERE tenant_id = $1 AND name <> $2) < $10
       AND (SELECT count(*) FROM upstream_name WHERE tenant_id = $1 AND name <> $2) < ${MAX_NAMES}
  ON CONFLICT (tenant_id, name) DO UPDATE
    SET url = excluded.url, revision = excluded.revision, registered_at = excluded.registered_at, healthy = excluded.healthy, error = excluded.error,
        failures = excluded.failures, catalogue_digest = NULL, listed_digest = NULL, refused_tools = NULL, last_check_at = excluded.last_check_at,
        next_check_at = excluded.next_check_at, prefixed = excluded.prefixed, tools_max_age = excluded.tools_max_age,
        confirmed_at = excluded.confirmed_at, headers = excluded.headers, shown_headers = excluded.shown_headers,
        shown_auth = excluded.shown_auth, timeout_seconds = excluded.timeout_seconds,
        max_answer_bytes = excluded.max_answer_bytes, concurrency = excluded.concurrency, sessions = excluded.sessions,
        separator = excluded.separator,
        circuit_until = NULL, circuit_reason = NULL, circuit_openings = 0,
        changed_at = NULL, listener = NULL, listen_at = '-infinity'
  RETURNING name`;

/** How many tools of an upstream `u`. */
const toolsThat = (condition: string): string =>
  `(SELECT count(*)::integer FROM proxy_tool t WHERE t.tenant_id = u.tenant_id AND t.upstream = u.name AND ${condition})`;

const REFUSED_OTHERS =
  '(SELECT o.refused FROM proxy_offering o WHERE o.tenant_id = u.tenant_id AND o.upstream = u.name)';

/** What is known of an upstream whose check was noted. */
export interface NotedCheck {
  /** Of the list that its catalogue was made from last. */
  listed: Buffer | null;
  /** Whether the list that was found answers the latest question so far. */
  isLatest: boolean;
}

const NAME_CONTAINS = 'strpos(lower(u.name COLLATE "C"), lower(:nameContains::text COLLATE "C")) > 0';

@Injectable()
export class UpstreamRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Up to `limit` of the tenant's upstreams by name, behind the one named `after`. */
  async stats(tenantId: string, filter: UpstreamFilter, limit: number, after: string | null): Promise<UpstreamStats[]> {
    const { healthy, nameContains } = filter;
    const { entities, raw } = await this.transactions.read(tenantId, (manager) => {
      const query = manager
        .createQueryBuilder(Upstream, 'u')
        .leftJoinAndMapOne('u.traffic', UpstreamTraffic, 'f', 'f.tenantId = u.tenantId AND f.upstream = u.name')
        .addSelect(toolsThat('NOT t.gone'), 'tools')
        .addSelect(toolsThat('t.pending IS NOT NULL'), 'drifted')
        .addSelect(REFUSED_OTHERS, 'refused')
        .where({ tenantId, name: MoreThan(after ?? ''), ...(healthy === undefined ? {} : { healthy }) });
      if (nameContains !== undefined) query.andWhere(NAME_CONTAINS, { nameContains });
      return query
        .orderBy('u.name')
        .limit(limit)
        .getRawAndEntities<{ tools: number; drifted: number; refused: RefusedByKind | null }>();
    });
    return entities.map((upstream, i) => {
      const { traffic } = upstream as Upstream & { traffic: UpstreamTraffic | null };
      return {
        name: upstream.name,
        url: upstream.url,
        headers: upstream.shownHeaders,
        auth: upstream.shownAuth,
        ...settingsOf(upstream),
        sessions: upstream.sessions,
        ...circuitOf(upstream),
        healthy: upstream.healthy,
        error: upstream.error,
        lastCheckAt: upstream.lastCheckAt,
        tools: raw[i]?.tools ?? 0,
        drifted: raw[i]?.drifted ?? 0,
        calls: traffic?.calls ?? 0,
        errors: traffic?.errors ?? 0,
        toolErrors: traffic?.toolErrors ?? 0,
        latencyMs: traffic?.latencyMs ?? 0,
        refused: { ...raw[i]?.refused, tools: upstream.refusedTools },
      };
    });
  }

  /** Of every upstream of the tenants, by tenant; those of one in the order of their names. */
  async catalogues(tenantIds: readonly string[]): Promise<Map<string, CatalogueState[]>> {
    const byTenant = new Map<string, CatalogueState[]>(tenantIds.map((tenantId) => [tenantId, []]));
    for (const row of await this.transactions.query(catalogues, [tenantIds])) {
      const { tenantId, name, prefixed, separator, catalogueDigest, error } = standing.toEntity(row);
      byTenant
        .get(tenantId)
        ?.push({ name, prefixed, separator, digest: catalogueDigest?.toString('hex') ?? null, error });
    }
    return byTenant;
  }

  /** Of all upstreams that tenants have, or had. */
  async names(tenantIds: readonly string[]): Promise<Map<string, Set<string>>> {
    const byTenant = new Map<string, Set<string>>(tenantIds.map((tenantId) => [tenantId, new Set()]));
    for (const row of await this.transactions.query(namesOfTenants, [tenantIds])) {
      const { tenantId, name } = names.toEntity(row);
      byTenant.get(tenantId)?.add(name);
    }
    return byTenant;
  }

  find(tenantId: string, name: string): Promise<DueUpstream | null> {
    return this.transactions.read(tenantId, (manager) =>
      manager.findOne(Upstream, { select: dueFields, where: { tenantId, name } }),
    );
  }

  async claimDue(now: Date, leaseUntil: Date, limit: number): Promise<DueUpstream[]> {
    return (await this.transactions.queryAll(claimDue, [now, leaseUntil, limit])).map((row) => due.toEntity(row));
  }

  /** An upstream said that its lists have changed: its check is due, unless it was registered anew meanwhile. */
  async noteChange({ tenantId, name, revision }: UpstreamAddress, now: Date): Promise<void> {
    await this.transactions.query(noteChange, [tenantId, name, revision, now]);
  }

  /**
   * Upstreams that seem dead and of which nothing is known, so that a call by name may be for one of them.
   *
   * @param name null for any
   */
  withoutTools(tenantId: string, name: string | null, limit: number): Promise<DueUpstream[]> {
    return this.transactions.read(tenantId, (manager) =>
      manager.find(Upstream, {
        select: dueFields,
        where: { tenantId, healthy: false, catalogueDigest: IsNull(), ...(name !== null && { name }) },
        order: { name: 'ASC' },
        take: limit,
      }),
    );
  }

  in(tx: Tx) {
    return {
      /** Registers, or replaces what was registered under the name; false, and nothing written, beyond `max`. */
      put: async (
        address: UpstreamAddress,
        sealedHeaders: Buffer | null,
        terms: UpstreamTerms,
        state: UpstreamState & { sessions: SessionsOf | null },
        max: number,
      ): Promise<boolean> => {
        const { tenantId, name, url, revision, headers } = address;
        const shown = headers === null || Buffer.isBuffer(headers) ? null : headers.fresh;
        const auth = shown && shownAuth(shown);
        const rows = await tx.query(put, [
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
          ...[address.timeoutSeconds, address.maxAnswerBytes, address.concurrency, state.sessions],
          terms.separator,
        ]);
        if (rows.length === 0) return false;
        await tx.manager
          .createQueryBuilder()
          .insert()
          .into(UpstreamName)
          .values({ tenantId, name })
          .orIgnore()
          .execute();
        return true;
      },
      /** Notes a check of a registration and locks it; null when the upstream was registered anew or removed meanwhile. */
      noteCheck: async (address: UpstreamAddress, state: UpstreamState): Promise<NotedCheck | null> => {
        const { tenantId, name, revision } = address;
        const { healthy, error, failures, checkedAt, nextCheckAt, confirmedAt } = state;
        const [row] = await tx.query<{ listed: Buffer | null; latest: boolean | null }>(noteCheck, [
          ...[tenantId, name, revision, healthy, error, failures, checkedAt, nextCheckAt, confirmedAt],
        ]);
        return row ? { listed: row.listed, isLatest: row.latest ?? false } : null;
      },
      /** Locks an upstream, so that its tools stay as they are; false when there is none. */
      lock: async (tenantId: string, name: string): Promise<boolean> => {
        const lock = { mode: 'pessimistic_write' } as const;
        const select = { tenantId: true, name: true } as const;
        return (await tx.manager.findOne(Upstream, { select, where: { tenantId, name }, lock })) !== null;
      },
      /** Has it stay registered until the transaction ends; false when there is none. */
      hold: async (tenantId: string, name: string): Promise<boolean> => {
        const lock = { mode: 'for_key_share' } as const;
        const select = { tenantId: true, name: true } as const;
        return (await tx.manager.findOne(Upstream, { select, where: { tenantId, name }, lock })) !== null;
      },
      /** Keeps which catalogue stands and, if it comes from one, of which list it is made, and what of that was refused. */
      keepCatalogue: async (tenantId: string, name: string, digest: Buffer, from: KeptList | null): Promise<void> => {
        const list = from && { listedDigest: from.listed, refusedTools: from.refused };
        await tx.manager.update(Upstream, { tenantId, name }, { catalogueDigest: digest, ...list });
      },
      remove: async (tenantId: string, name: string): Promise<boolean> =>
        (await tx.manager.delete(Upstream, { tenantId, name })).affected === 1,
    };
  }
}
