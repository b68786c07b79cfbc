import { Injectable } from '@nestjs/common';
import { Transactions } from '@haldir/database';

type Row = Record<string, unknown>;

/** A part of a file: rows of a tenant by their id, some of them behind one, as they are shown. */
interface Part {
  /** `$1` is the tenant, `$2` the id to go on behind, and `$3` and `$4` the period, for those that ask for it. */
  text: string;
  /** Whether it is about a period. */
  ofPeriod?: boolean;
  /** How many rows are read at once; default: 500. */
  atOnce?: number;
}

const AT_ONCE = 500;
/** Of requests, whose details may have 2 Mi characters each. */
const REQUESTS_AT_ONCE = 8;

/** A time as ISO 8601 in UTC, to the millisecond. */
const iso = (column: string, name = column.replace(/^\w\./, '')): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS ${name}`;
const page = (order: string, limit = AT_ONCE): string => `ORDER BY ${order} LIMIT ${limit}`;

/** What Haldir states, by the file that it stands in. No secret, no hash of one, and no id of a session is among it. */
const FILES = {
  'policies.jsonl': [
    {
      text: `SELECT id AS key, 'policy' AS kind, id, type, params, mode, scope, priority, ${iso('created_at')}
               FROM proxy_policy WHERE tenant_id = $1 AND id > $2 ${page('id')}`,
    },
    {
      text: `SELECT id AS key, 'approval_rule' AS kind, id, type, threshold_micros, tools, ${iso('created_at')}
               FROM approval_rule WHERE tenant_id = $1 AND id > $2 ${page('id')}`,
    },
    {
      text: `SELECT 'x' AS key, 'approval_settings' AS kind, forbid_self_approval, signature_from_micros, signature_rules
               FROM approval_settings WHERE tenant_id = $1 AND $2 = ''`,
    },
    {
      text: `SELECT id AS key, 'flag_rule' AS kind, id, type, params, ${iso('created_at')}
               FROM audit_rule WHERE tenant_id = $1 AND id > $2 ${page('id')}`,
    },
    {
      text: `SELECT id AS key, 'budget' AS kind, id, scope, subject, limit_micros, ${iso('created_at')}
               FROM budget WHERE tenant_id = $1 AND id > $2 ${page('id')}`,
    },
  ],
  'approvals.jsonl': [
    {
      ofPeriod: true,
      atOnce: REQUESTS_AT_ONCE,
      text: `SELECT id AS key, id AS request_id, agent_id, tool, action, amount_micros, amount_unclear, reason, details,
                    encode(digest, 'hex') AS digest, rule_id, other_rule_ids, requested_key AS requested_by, status,
                    ${iso('created_at')}, ${iso('expires_at')}, ${iso('decided_at')}, decided_by, decision_note,
                    decided_key AS decided_by_id, signature, ${iso('consumed_at')}
               FROM approval_request
              WHERE tenant_id = $1 AND id > $2
                AND (created_at BETWEEN $3 AND $4 OR decided_at BETWEEN $3 AND $4) ${page('id', REQUESTS_AT_ONCE)}`,
    },
  ],
  'people.jsonl': [
    {
      text: `SELECT p.id AS key, p.id AS person_id, p.email, p.name, m.role, ${iso('p.created_at')},
                    ${iso('m.signed_in_at', 'first_signed_in_at')}, ${iso('m.removed_at')},
                    (SELECT coalesce(json_agg(json_build_object('passkey_id', k.id, 'name', k.name, 'rp_id', k.rp_id,
                              'created_at', k.created_at, 'last_used_at', k.used_at) ORDER BY k.id), '[]')
                       FROM passkey AS k WHERE k.tenant_id = p.tenant_id AND k.person_id = p.id) AS passkeys
               FROM person AS p JOIN membership AS m ON m.tenant_id = p.tenant_id AND m.person_id = p.id
              WHERE p.tenant_id = $1 AND p.id > $2 ${page('p.id')}`,
    },
  ],
  'keys.jsonl': [
    {
      text: `SELECT public_id AS key, 'hld_' || public_id AS prefix, principal_id, kind, name, tier, scopes, agent_id, agent_scopes,
                    agent_ttl_seconds, agent_spend_limit_micros, agent_spend_period, agent_upstreams, connector_upstream,
                    connector_secrets, ${iso('created_at')}, ${iso('last_used_at')}, ${iso('expires_at')}, ${iso('revoked_at')}
               FROM api_key WHERE tenant_id = $1 AND public_id > $2 ${page('public_id')}`,
    },
  ],
} as const satisfies Readonly<Record<string, readonly Part[]>>;

export type StatedFile = keyof typeof FILES;

/**
 * What the rows of a tenant say besides the log, for those who read it. It reads them as they are kept, and only the columns that are
 * named here.
 */
@Injectable()
export class EvidenceFactsRepository {
  constructor(private readonly transactions: Transactions) {}

  /** The rows that stand in a file, some at a time. */
  async *of(file: StatedFile, tenantId: string, from: Date, to: Date): AsyncGenerator<Row[]> {
    for (const part of FILES[file] as readonly Part[]) {
      for (let after = '', more = true; more;) {
        const rows = await this.transactions.query<Row>(part.text, [
          ...([tenantId, after] as const),
          ...(part.ofPeriod ? [from, to] : []),
        ]);
        yield rows.map(({ key: _, ...row }) => row);
        more = rows.length === (part.atOnce ?? AT_ONCE);
        after = String(rows.at(-1)?.['key']);
      }
    }
  }
}
