import { Injectable } from '@nestjs/common';
import { Transactions } from '@haldir/database';
import { ConnectorNotices, type Notice } from './connector-notices.js';

/** Where an exchange stands. */
export interface ExchangePlace {
  tenantId: string;
  id: string;
}

/** A request that is to leave through a connector. */
export interface NewExchange extends ExchangePlace {
  upstream: string;
  /** The instance that has its session; null for any. */
  wanted: string | null;
  sealed: Buffer;
  /** How long its answer is waited for. */
  ms: number;
}

/** What became of it: it waits for a connector, none is there, or as many wait as may. */
export type ExchangeAdmission = 'waiting' | 'no_connector' | 'busy';

/** How an exchange stands that somebody waits for. */
export interface ExchangeState {
  id: string;
  /** Whether there is none any more, as after a crash of the database. */
  isGone: boolean;
  /** Whether it was given away by a process that has not said since that its connector was told. */
  isUndelivered: boolean;
  hasParts: boolean;
  /** Whether the instance that has it, or one that may take it, is there. */
  isLeased: boolean;
}

/** Waiting for the connectors of an upstream at once. */
const MAX_WAITING = 256;
/** What is over goes after this. */
const KEPT = `interval '1 minute'`;

/** In a statement, that a notice is sent with it. @param channel and `parts` as its parameters */
export const tell = (channel: string, parts: string): string =>
  `SELECT pg_notify(${channel}, part) FROM unnest(${parts}::text[]) WITH ORDINALITY AS p(part, place) ORDER BY place`;

const ask = {
  name: 'connector_exchange.ask.v1',
  text: `
  WITH asked AS (
    SELECT a.*, row_number() OVER (PARTITION BY tenant_id, upstream ORDER BY id) AS place
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::integer[]) AS a(tenant_id, id, upstream, wanted, sealed, ms)
  ), admitted AS (
    SELECT a.*,
           EXISTS (SELECT FROM connector_lease l
                    WHERE l.tenant_id = a.tenant_id AND l.upstream = a.upstream AND l.ends_at > clock_timestamp()
                      AND (a.wanted IS NULL OR l.instance = a.wanted)) AS leased,
           (SELECT count(*) FROM (SELECT FROM connector_exchange e
                                   WHERE e.tenant_id = a.tenant_id AND e.upstream = a.upstream AND e.claimed_by IS NULL
                                     AND NOT e.cancelled AND e.ends_at > clock_timestamp() LIMIT ${MAX_WAITING}) AS w) + a.place <= ${MAX_WAITING} AS fits
      FROM asked a
  ), put AS (
    INSERT INTO connector_exchange (tenant_id, id, upstream, wanted, sealed, bytes, ends_at)
      SELECT tenant_id, id, upstream, wanted, sealed, octet_length(sealed), clock_timestamp() + make_interval(secs => ms / 1000.0)
        FROM admitted WHERE leased AND fits
  ), told AS (${tell('$7', '$8')})
  SELECT id, leased, fits, (SELECT count(*) FROM told) AS told FROM admitted`,
};
/** For a claim that waits: given to one, once, and committed before it is answered. */
const take = {
  name: 'connector_exchange.take.v2',
  text: `
  WITH lease AS (
    SELECT FROM connector_lease WHERE tenant_id = $1 AND upstream = $2 AND instance = $3 AND ends_at > clock_timestamp()
  ), key AS (
    SELECT FROM api_key WHERE tenant_id = $1 AND public_id = $4 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
  ), next AS MATERIALIZED (
    SELECT id, sealed, bytes, ends_at FROM connector_exchange
     WHERE tenant_id = $1 AND upstream = $2 AND claimed_by IS NULL AND NOT cancelled AND ends_at > clock_timestamp()
       AND (wanted IS NULL OR wanted = $3) AND EXISTS (SELECT FROM lease) AND EXISTS (SELECT FROM key)
     ORDER BY id LIMIT $5 FOR UPDATE SKIP LOCKED
  ), fitting AS (
    SELECT id, sealed, ends_at
      FROM (SELECT n.*, sum(bytes) OVER (ORDER BY id) AS upto, row_number() OVER (ORDER BY id) AS place FROM next n) AS n
     WHERE place = 1 OR upto <= $6
  ), taken AS (
    UPDATE connector_exchange e SET claimed_by = $3, sealed = NULL, delivered = false FROM fitting f
     WHERE e.tenant_id = $1 AND e.id = f.id RETURNING e.id, f.sealed, f.ends_at
  ), over AS (
    DELETE FROM connector_exchange WHERE tenant_id = $1 AND upstream = $2 AND claimed_by = $3 AND cancelled RETURNING id
  )
  SELECT EXISTS (SELECT FROM lease) AS leased, EXISTS (SELECT FROM key) AS is_live, ARRAY(SELECT id FROM over) AS cancelled,
         (SELECT count(*) FROM next) > (SELECT count(*) FROM fitting) AS more,
         t.id, t.sealed, ceil(extract(epoch FROM t.ends_at - clock_timestamp()) * 1000)::integer AS ms
    FROM (SELECT) AS one LEFT JOIN taken t ON true ORDER BY t.id`,
};
const remove = {
  name: 'connector_exchange.remove.v1',
  text: `
  WITH parts AS (
    DELETE FROM connector_part p USING unnest($1::text[], $2::text[]) AS r(tenant_id, id) WHERE p.tenant_id = r.tenant_id AND p.exchange_id = r.id
  )
  DELETE FROM connector_exchange e USING unnest($1::text[], $2::text[]) AS r(tenant_id, id) WHERE e.tenant_id = r.tenant_id AND e.id = r.id`,
};
/** Nobody takes it from then on; or whoever has it is told. */
const cancel = `
  WITH over AS (UPDATE connector_exchange SET cancelled = true WHERE tenant_id = $1 AND id = $2 RETURNING claimed_by),
       parts AS (DELETE FROM connector_part WHERE tenant_id = $1 AND exchange_id = $2),
       told AS (${tell('$3', '$4')})
  SELECT claimed_by, (SELECT count(*) FROM told) AS told FROM over`;
const extend = `UPDATE connector_exchange SET ends_at = clock_timestamp() + make_interval(secs => $3 / 1000.0) WHERE tenant_id = $1 AND id = $2`;
const look = {
  name: 'connector_exchange.look.v3',
  text: `
  SELECT w.id, e.id IS NULL AS gone, e.delivered IS FALSE AS undelivered,
         EXISTS (SELECT FROM connector_part p WHERE p.tenant_id = w.tenant_id AND p.exchange_id = w.id) AS parts,
         EXISTS (SELECT FROM connector_lease l
                  WHERE l.tenant_id = e.tenant_id AND l.upstream = e.upstream AND l.ends_at > clock_timestamp()
                    AND l.instance = coalesce(e.claimed_by, e.wanted, l.instance)) AS leased
    FROM unnest($1::text[], $2::text[]) AS w(tenant_id, id) LEFT JOIN connector_exchange e ON e.tenant_id = w.tenant_id AND e.id = w.id`,
};
/** Rows of what was answered are gone by then; those that others are at are being answered, or are over. */
const noteDelivered = {
  name: 'connector_exchange.note_delivered.v2',
  text: `
  UPDATE connector_exchange e SET delivered = true
    FROM (SELECT x.tenant_id, x.id FROM connector_exchange x JOIN unnest($1::text[], $2::text[]) AS d(tenant_id, id) USING (tenant_id, id)
           ORDER BY x.tenant_id, x.id FOR UPDATE OF x SKIP LOCKED) AS d
   WHERE e.tenant_id = d.tenant_id AND e.id = d.id`,
};
const due = {
  name: 'connector_exchange.due.v1',
  text: `
  SELECT DISTINCT e.tenant_id, e.upstream FROM connector_exchange e JOIN unnest($1::text[], $2::text[]) AS w(tenant_id, upstream) USING (tenant_id, upstream)
   WHERE e.claimed_by IS NULL AND NOT e.cancelled OR e.claimed_by IS NOT NULL AND e.cancelled`,
};
const purge = [
  `DELETE FROM connector_exchange WHERE ends_at < clock_timestamp() - ${KEPT}`,
  'DELETE FROM connector_part WHERE ends_at < clock_timestamp()',
];

interface Claim {
  tenantId: string;
  upstream: string;
  instance: string;
  /** Public id of the key that it is made with. */
  keyId: string;
}

/** What a claim is given. */
export interface Taken {
  hasLease: boolean;
  hasKey: boolean;
  /** Exchanges that it was given before, and nobody waits for any more. */
  cancelled: string[];
  /** Whether there is more than one answer may hold. */
  more: boolean;
  exchanges: { id: string; sealed: Buffer; ms: number }[];
}

interface TakenRow {
  leased: boolean;
  is_live: boolean;
  cancelled: string[];
  more: boolean;
  id: string | null;
  sealed: Buffer;
  ms: number;
}

/** Requests on their way to connectors, and what comes back; all rows are there for moments. */
@Injectable()
export class ConnectorExchangeRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Of several tenants; in their order. */
  async ask(exchanges: readonly NewExchange[], notice: Notice): Promise<ExchangeAdmission[]> {
    const rows = await this.transactions.query<{ id: string; leased: boolean; fits: boolean }>(ask, [
      exchanges.map(({ tenantId }) => tenantId),
      exchanges.map(({ id }) => id),
      exchanges.map(({ upstream }) => upstream),
      exchanges.map(({ wanted }) => wanted),
      exchanges.map(({ sealed }) => sealed),
      exchanges.map(({ ms }) => Math.ceil(ms)),
      ...[notice.channel, notice.parts],
    ]);
    const byId = new Map(rows.map((row) => [row.id, row.leased ? (row.fits ? 'waiting' : 'busy') : 'no_connector']));
    return exchanges.map(({ id }) => (byId.get(id) as ExchangeAdmission | undefined) ?? 'no_connector');
  }

  /** @param most exchanges; together of about `bytes`, unless one alone is larger */
  async take({ tenantId, upstream, instance, keyId }: Claim, most: number, bytes: number): Promise<Taken> {
    const rows = await this.transactions.query<TakenRow>(take, [tenantId, upstream, instance, keyId, most, bytes]);
    const [first] = rows;
    return {
      hasLease: first?.leased ?? false,
      hasKey: first?.is_live ?? false,
      cancelled: first?.cancelled ?? [],
      more: first?.more ?? false,
      exchanges: rows.flatMap(({ id, sealed, ms }) => (id === null ? [] : [{ id, sealed, ms: Math.max(1, ms) }])),
    };
  }

  /** Of exchanges that were given away: the answer that did so has left whole. */
  async noteDelivered(places: readonly ExchangePlace[]): Promise<void> {
    await this.transactions.query(noteDelivered, valuesOf(places));
  }

  async remove(places: readonly ExchangePlace[]): Promise<void> {
    await this.transactions.query(remove, valuesOf(places));
  }

  /** Whether a connector may have it: also when there is none any more. */
  async cancel({ tenantId, id }: ExchangePlace, upstream: string): Promise<boolean> {
    const { channel, parts } = ConnectorNotices.ofAsked([[ConnectorNotices.keyOf(tenantId, upstream), '']]);
    const [row] = await this.transactions.query<{ claimed_by: string | null }>(cancel, [tenantId, id, channel, parts]);
    return row === undefined || row.claimed_by !== null;
  }

  async extend({ tenantId, id }: ExchangePlace, ms: number): Promise<void> {
    await this.transactions.query(extend, [tenantId, id, Math.ceil(ms)]);
  }

  async look(places: readonly ExchangePlace[]): Promise<ExchangeState[]> {
    type Row = { id: string; gone: boolean; undelivered: boolean; parts: boolean; leased: boolean };
    const rows = await this.transactions.query<Row>(look, valuesOf(places));
    return rows.map(({ id, gone, undelivered, parts, leased }) => ({
      id,
      isGone: gone,
      isUndelivered: undelivered,
      hasParts: parts,
      isLeased: leased,
    }));
  }

  /** Of these upstreams, those whose connectors have something to fetch. */
  async due(
    upstreams: readonly { tenantId: string; upstream: string }[],
  ): Promise<{ tenantId: string; upstream: string }[]> {
    const rows = await this.transactions.query<{ tenant_id: string; upstream: string }>(due, [
      upstreams.map(({ tenantId }) => tenantId),
      upstreams.map(({ upstream }) => upstream),
    ]);
    return rows.map(({ tenant_id: tenantId, upstream }) => ({ tenantId, upstream }));
  }

  /** Removes what was left by processes that died, of all tenants. */
  async purge(): Promise<void> {
    for (const statement of purge) await this.transactions.queryAll(statement);
  }
}

function valuesOf(places: readonly ExchangePlace[]): [tenants: string[], ids: string[]] {
  return [places.map(({ tenantId }) => tenantId), places.map(({ id }) => id)];
}
