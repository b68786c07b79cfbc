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

const IS = 'tenant_id = $1 AND upstream = $2 AND instance = $3';

/** Only while it lasts, and what it stands for is registered. */
const renew = {
  name: 'connector_lease.renew.v1',
  text: `UPDATE connector_lease SET renewed_at = clock_timestamp(), ends_at = clock_timestamp() + make_interval(secs => $4),
                key_id = $5, per_session = $6
          WHERE ${IS} AND ends_at > clock_timestamp()
            AND EXISTS (SELECT FROM proxy_upstream u WHERE u.tenant_id = $1 AND u.name = $2 AND u.url = $7)
          RETURNING instance`,
};
const hold = `SELECT pg_advisory_xact_lock(hashtextextended('connector ' || $1 || ' ' || $2, 0))`;
const registered = 'SELECT url FROM proxy_upstream WHERE tenant_id = $1 AND name = $2';
const live = `
  SELECT count(*)::integer AS instances, bool_or(instance = $3) AS is_among FROM connector_lease
   WHERE tenant_id = $1 AND upstream = $2 AND ends_at > clock_timestamp()`;
/** Those that have ended were there before this one. */
const forgetEnded =
  'DELETE FROM connector_lease WHERE tenant_id = $1 AND upstream = $2 AND ends_at <= clock_timestamp()';
const put = `
  INSERT INTO connector_lease (tenant_id, upstream, instance, renewed_at, ends_at, key_id, per_session)
    VALUES ($1, $2, $3, clock_timestamp(), clock_timestamp() + make_interval(secs => $4), $5, $6)
  ON CONFLICT (tenant_id, upstream, instance) DO UPDATE
    SET renewed_at = excluded.renewed_at, ends_at = excluded.ends_at, key_id = excluded.key_id, per_session = excluded.per_session`;
const end = `
  WITH over AS (UPDATE connector_lease SET ends_at = clock_timestamp() WHERE ${IS} AND ends_at > clock_timestamp() RETURNING instance),
       told AS (SELECT pg_notify($4, part) FROM unnest($5::text[]) WITH ORDINALITY AS p(part, place) ORDER BY place)
  SELECT instance, (SELECT count(*) FROM told) AS told FROM over`;
const states = `
  SELECT upstream, count(*) FILTER (WHERE ends_at > clock_timestamp())::integer AS instances, max(renewed_at) AS last_seen,
         coalesce(bool_or(NOT per_session) FILTER (WHERE ends_at > clock_timestamp()), bool_or(NOT per_session)) AS shared
    FROM connector_lease WHERE tenant_id = $1 AND upstream = ANY ($2) GROUP BY upstream`;
const purge = `DELETE FROM connector_lease WHERE ends_at < clock_timestamp() - interval '1 day'`;

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

  /** False, and nothing written, when it has ended, or its upstream is registered at another address, or not at all. */
  async renew(instance: Instance, { seconds, keyId, isPerSession }: LeaseTerms, url: string): Promise<boolean> {
    const values = [...valuesOf(instance), seconds, keyId, isPerSession, url] as const;
    return (await this.transactions.query(renew, values)).length > 0;
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
      ...{ upstream, instances, lastSeen, isShared },
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
      /** The address that the upstream is registered at; null when it is not. */
      registeredUrl: async (tenantId: string, upstream: string): Promise<string | null> =>
        (await tx.query<{ url: string }>(registered, [tenantId, upstream]))[0]?.url ?? null,
      /** How many are there, and whether this is one of them. */
      live: async (instance: Instance): Promise<{ instances: number; isAmong: boolean }> => {
        type Row = { instances: number; is_among: boolean | null };
        const [row] = await tx.query<Row>(live, valuesOf(instance));
        return { instances: row?.instances ?? 0, isAmong: row?.is_among ?? false };
      },
      put: async (instance: Instance, { seconds, keyId, isPerSession }: LeaseTerms): Promise<void> => {
        tx.send(forgetEnded, [instance.tenantId, instance.upstream]);
        await tx.query(put, [...valuesOf(instance), seconds, keyId, isPerSession]);
      },
    };
  }
}

function valuesOf({ tenantId, upstream, instance }: Instance): [string, string, string] {
  return [tenantId, upstream, instance];
}
