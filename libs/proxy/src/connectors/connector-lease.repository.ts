import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { ConnectorNotices, type Notice } from './connector-notices.js';

/** A process of a connector. */
export interface Instance {
  tenantId: string;
  upstream: string;
  instance: string;
}

/** How the connectors of an upstream stand. */
export interface ConnectorState {
  upstream: string;
  /** Those that are there. */
  instances: number;
  lastSeen: Date;
  /** Whether all sessions share one server at any of them. */
  isShared: boolean;
}

/** Kept of those of an upstream that have ended. */
const MAX_ENDED = 256;
const IS = 'tenant_id = $1 AND upstream = $2 AND instance = $3';

/** Of the upstream as it is registered now, or made before that was noted. */
const isOf = (url: string): string =>
  `l.tenant_id = $1 AND l.upstream = $2 AND l.instance = $3 AND u.tenant_id = $1 AND u.name = $2 AND u.url = ${url} AND l.registration IN (u.revision, '')`;
/** Only while it lasts. */
const renew = {
  name: 'connector_lease.renew.v3',
  text: `UPDATE connector_lease l SET renewed_at = clock_timestamp(), ends_at = clock_timestamp() + make_interval(secs => $4),
                key_id = $5, per_session = $6, registration = u.revision
           FROM proxy_upstream u
          WHERE ${isOf('$7')} AND l.ends_at > clock_timestamp()
          RETURNING l.instance`,
};
const isKnown = `SELECT FROM connector_lease l, proxy_upstream u WHERE ${isOf('$4')}`;
const hold = `SELECT pg_advisory_xact_lock(hashtextextended('connector ' || $1 || ' ' || $2, 0))`;
const registered = 'SELECT url, revision FROM proxy_upstream WHERE tenant_id = $1 AND name = $2';
const known = `
  SELECT count(*) FILTER (WHERE ends_at > clock_timestamp() AND instance <> $3)::integer AS others,
         bool_or(instance = $3) AS is_known, max(registration) FILTER (WHERE instance = $3) AS registration
    FROM connector_lease WHERE tenant_id = $1 AND upstream = $2`;
/** Whoever had one of the others may come back, as a machine that slept does: then it is known which registration it was for. */
const forgetEnded = `
  DELETE FROM connector_lease WHERE tenant_id = $1 AND upstream = $2 AND instance IN (
    SELECT instance FROM connector_lease WHERE tenant_id = $1 AND upstream = $2 AND ends_at <= clock_timestamp()
     ORDER BY ends_at DESC OFFSET ${MAX_ENDED})`;
const put = `
  INSERT INTO connector_lease (tenant_id, upstream, instance, renewed_at, ends_at, key_id, per_session, registration)
    VALUES ($1, $2, $3, clock_timestamp(), clock_timestamp() + make_interval(secs => $4), $5, $6, $7)
  ON CONFLICT (tenant_id, upstream, instance) DO UPDATE
    SET renewed_at = excluded.renewed_at, ends_at = excluded.ends_at, key_id = excluded.key_id, per_session = excluded.per_session,
        registration = excluded.registration`;
const end = `
  WITH over AS (UPDATE connector_lease SET ends_at = clock_timestamp() WHERE ${IS} AND ends_at > clock_timestamp() RETURNING instance),
       told AS (SELECT pg_notify($4, part) FROM unnest($5::text[]) WITH ORDINALITY AS p(part, place) ORDER BY place)
  SELECT instance, (SELECT count(*) FROM told) AS told FROM over`;
const states = `
  SELECT upstream, count(*) FILTER (WHERE ends_at > clock_timestamp())::integer AS instances, max(renewed_at) AS last_seen,
         coalesce(bool_or(NOT per_session) FILTER (WHERE ends_at > clock_timestamp()), bool_or(NOT per_session)) AS shared
    FROM connector_lease WHERE tenant_id = $1 AND upstream = ANY ($2) AND ends_at > clock_timestamp() - interval '1 day' GROUP BY upstream`;
const purge = `DELETE FROM connector_lease WHERE ends_at < clock_timestamp() - interval '30 days'`;

/** What a lease is made or renewed with. */
export interface LeaseTerms {
  seconds: number;
  keyId: string;
  isPerSession: boolean;
}

/** Which processes of connectors are there, by the clock of the database. */
@Injectable()
export class ConnectorLeaseRepository {
  constructor(private readonly transactions: Transactions) {}

  /** False, and nothing written, when it has ended, or its upstream is registered anew since, at another address, or not at all. */
  async renew(instance: Instance, { seconds, keyId, isPerSession }: LeaseTerms, url: string): Promise<boolean> {
    const values = [...valuesOf(instance), seconds, keyId, isPerSession, url] as const;
    return (await this.transactions.query(renew, values)).length > 0;
  }

  /** Whether there is one, also one that has ended, of the upstream as it is registered now. */
  async isKnown(instance: Instance, url: string): Promise<boolean> {
    return (await this.transactions.query(isKnown, [...valuesOf(instance), url])).length > 0;
  }

  /** Ends it now; false when it has ended before. */
  async end(instance: Instance): Promise<boolean> {
    const left = ConnectorNotices.keyOf(instance.tenantId, instance.upstream);
    const { channel, parts }: Notice = ConnectorNotices.ofAnswered({ left });
    return (await this.transactions.query(end, [...valuesOf(instance), channel, parts])).length > 0;
  }

  /** Of those of the upstreams that have had any lately. */
  async states(tenantId: string, upstreams: readonly string[]): Promise<ConnectorState[]> {
    type Row = { upstream: string; instances: number; last_seen: Date; shared: boolean };
    const rows = await this.transactions.query<Row>(states, [tenantId, upstreams]);
    return rows.map(({ upstream, instances, last_seen: lastSeen, shared: isShared }) => ({
      upstream,
      instances,
      lastSeen,
      isShared,
    }));
  }

  /** Forgets what ended long ago, of all tenants. */
  async purge(): Promise<void> {
    await this.transactions.queryAll(purge);
  }

  in(tx: Tx) {
    return {
      /** Whoever registers the upstream, or makes a lease of it, waits until the transaction ends. */
      hold: (tenantId: string, upstream: string): Promise<unknown> => tx.query(hold, [tenantId, upstream]),
      /** How the upstream is registered; null when it is not. */
      registered: async (tenantId: string, upstream: string): Promise<{ url: string; revision: string } | null> =>
        (await tx.query<{ url: string; revision: string }>(registered, [tenantId, upstream]))[0] ?? null,
      /** How many others are there; and its own lease, also one that has ended: null when none is known, '' for one that was made before that was noted. */
      known: async (instance: Instance): Promise<{ others: number; own: { registration: string } | null }> => {
        type Row = { others: number; is_known: boolean | null; registration: string };
        const [row] = await tx.query<Row>(known, valuesOf(instance));
        return { others: row?.others ?? 0, own: row?.is_known ? { registration: row.registration } : null };
      },
      /** @param registration revision of the upstream */
      put: async (instance: Instance, terms: LeaseTerms, registration: string): Promise<void> => {
        tx.send(forgetEnded, [instance.tenantId, instance.upstream]);
        await tx.query(put, [...valuesOf(instance), terms.seconds, terms.keyId, terms.isPerSession, registration]);
      },
    };
  }
}

function valuesOf({ tenantId, upstream, instance }: Instance): [string, string, string] {
  return [tenantId, upstream, instance];
}
