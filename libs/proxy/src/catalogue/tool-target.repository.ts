import { Injectable } from '@nestjs/common';
import { type MicroUsd } from '@haldir/kernel';
import { Transactions } from '@haldir/database';
import { type MirroredArgument } from '@haldir/mcp';
import { type CalledUpstream } from '../upstreams/upstream-address.js';
import { TOLD_VERSION } from '../upstreams/upstream.repository.js';
import { isModelName, splitToolName } from './tool-name.js';

/** A tool that can be called. */
export interface ToolTarget extends CalledUpstream {
  /** Its own name, without its upstream's. */
  tool: string;
  destructive: boolean;
  /**
   * Whether a list that allows may mean it by its own name: not when that has a dot, and what stands before it is or was the name
   * of an upstream, or another upstream has a tool of the name.
   */
  goesByOwnName: boolean;
  /** Declared to do no more when a call is made twice. */
  repeatable: boolean;
  /** Arguments that requests repeat as headers. */
  mirrored: readonly MirroredArgument[];
  /** Of the accepted definition, hex; what is said above is from that one. */
  fingerprint: string;
  /** Of the definition that the upstream gives instead, for which the tool is held back; null when there is none. */
  pending: string | null;
  /** When the question was sent that the upstream's tools were confirmed by last. */
  confirmedAt: Date | null;
  toolsMaxAgeSeconds: number;
  /** Of each call; null for a tool that costs nothing. */
  price: MicroUsd | null;
}

export interface WantedName {
  tenantId: string;
  name: string;
}

/** A tool that a name may mean. */
export interface Meaning {
  /** The name. */
  wanted: string;
  /** Whether the name says the upstream: `upstream.tool`, or one of the names for models. */
  isNamespaced: boolean;
  /** Whether agents are shown the upstream's tools with its name before theirs. */
  isPrefixed: boolean;
  target: ToolTarget;
}

/** Whether a name begins as models' names of tools of an upstream do that is or was there. */
const saysAnUpstream = (name: string, tenant: string): string =>
  `(position('__' IN ${name}) > 0 AND EXISTS (SELECT FROM upstream_name n WHERE n.tenant_id = ${tenant} AND starts_with(${name}, n.name || '__')))`;
const GOES_BY_OWN_NAME = `NOT ${saysAnUpstream('t.name', 't.tenant_id')} AND (position('.' IN t.name) = 0 OR NOT (
                EXISTS (SELECT FROM upstream_name n WHERE n.tenant_id = t.tenant_id AND n.name = split_part(t.name, '.', 1))
                OR EXISTS (SELECT FROM proxy_tool o WHERE o.tenant_id = t.tenant_id AND o.name = t.name AND o.upstream <> t.upstream AND NOT o.gone)))`;
const FOUND = `t.name AS tool, t.destructive, t.repeatable, t.mirrored, encode(t.fingerprint, 'hex') AS fingerprint,
                encode(t.pending_fingerprint, 'hex') AS pending, u.name, u.url, u.headers, u.prefixed, u.revision, u.healthy,
                u.confirmed_at, u.tools_max_age, u.timeout_seconds, u.max_answer_bytes, u.concurrency, u.circuit_until, u.circuit_openings,
                p.price_micros, ${TOLD_VERSION} AS told, ${GOES_BY_OWN_NAME} AS goes_by_own_name`;
const PRICE =
  'LEFT JOIN proxy_tool_price p ON p.tenant_id = t.tenant_id AND p.upstream = t.upstream AND p.tool = t.name';
// Tool names may contain dots, upstream names may not: the first dot divides. What could be the tool of an upstream that is or was
// there is not another's.
const resolve = {
  name: 'proxy_tool.resolve.v9',
  text: `SELECT w.tenant_id, w.name AS wanted, true AS namespaced, ${FOUND}
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS w(tenant_id, name, upstream, tool)
           JOIN proxy_tool t ON t.tenant_id = w.tenant_id AND t.upstream = w.upstream AND t.name = w.tool AND NOT t.gone
           JOIN proxy_upstream u ON u.tenant_id = t.tenant_id AND u.name = t.upstream
           ${PRICE}
          WHERE w.upstream IS NOT NULL
         UNION ALL
         SELECT w.tenant_id, w.name, true, ${FOUND}
           FROM unnest($1::text[], $5::text[]) AS w(tenant_id, name)
           JOIN proxy_tool t ON t.tenant_id = w.tenant_id AND t.model_name = w.name AND NOT t.gone
           JOIN proxy_upstream u ON u.tenant_id = t.tenant_id AND u.name = t.upstream
           ${PRICE}
         UNION ALL
         SELECT w.tenant_id, w.name, true, ${FOUND}
           FROM unnest($1::text[], $5::text[]) AS w(tenant_id, name)
           JOIN proxy_tool t ON t.tenant_id = w.tenant_id AND t.hashed_name = w.name AND t.model_name <> w.name AND NOT t.gone
           JOIN proxy_upstream u ON u.tenant_id = t.tenant_id AND u.name = t.upstream
           ${PRICE}
         UNION ALL
         SELECT w.tenant_id, w.name, false, ${FOUND}
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS w(tenant_id, name, upstream, tool)
           JOIN proxy_tool t ON t.tenant_id = w.tenant_id AND t.name = w.name AND NOT t.gone
           JOIN proxy_upstream u ON u.tenant_id = t.tenant_id AND u.name = t.upstream
           ${PRICE}
          WHERE (w.upstream IS NULL OR NOT EXISTS (SELECT FROM upstream_name n WHERE n.tenant_id = w.tenant_id AND n.name = w.upstream))
            AND NOT ${saysAnUpstream('w.name', 'w.tenant_id')}`,
};

interface ResolvedRow {
  tenant_id: string;
  wanted: string;
  namespaced: boolean;
  tool: string;
  destructive: boolean;
  goes_by_own_name: boolean;
  repeatable: boolean;
  mirrored: readonly MirroredArgument[];
  fingerprint: string;
  pending: string | null;
  name: string;
  url: string;
  headers: Buffer | null;
  prefixed: boolean;
  revision: string;
  healthy: boolean;
  confirmed_at: Date | null;
  tools_max_age: number;
  timeout_seconds: number | null;
  max_answer_bytes: number | null;
  concurrency: number | null;
  circuit_until: Date | null;
  circuit_openings: number;
  price_micros: string | null;
  told: number | null;
}

/** The tools that names mean. */
@Injectable()
export class ToolTargetRepository {
  constructor(private readonly transactions: Transactions) {}

  /** What each name may mean to its tenant, all of it. */
  async resolve(wanted: readonly WantedName[]): Promise<Meaning[]> {
    const split = wanted.map(({ name }) => splitToolName(name));
    const at = performance.now();
    const rows = await this.transactions.query<ResolvedRow>(resolve, [
      wanted.map(({ tenantId }) => tenantId),
      wanted.map(({ name }) => name),
      split.map((parts) => parts?.upstream ?? null),
      split.map((parts) => parts?.tool ?? null),
      wanted.map(({ name }) => (isModelName(name) ? name : null)),
    ]);
    return rows.map((row) => ({
      wanted: row.wanted,
      isNamespaced: row.namespaced,
      isPrefixed: row.prefixed,
      target: {
        tenantId: row.tenant_id,
        name: row.name,
        url: row.url,
        headers: row.headers,
        revision: row.revision,
        tool: row.tool,
        destructive: row.destructive,
        goesByOwnName: row.goes_by_own_name,
        repeatable: row.repeatable,
        mirrored: row.mirrored,
        fingerprint: row.fingerprint,
        pending: row.pending,
        healthy: row.healthy,
        price: row.price_micros === null ? null : (BigInt(row.price_micros) as MicroUsd),
        confirmedAt: row.confirmed_at,
        toolsMaxAgeSeconds: row.tools_max_age,
        timeoutSeconds: row.timeout_seconds,
        maxAnswerBytes: row.max_answer_bytes,
        concurrency: row.concurrency,
        circuitUntil: row.circuit_until,
        circuitOpenings: row.circuit_openings,
        told: { version: row.told, at },
      },
    }));
  }
}
