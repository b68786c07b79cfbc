import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FakeUpstream, type Receiver } from '@haldir/test-support';
import { type Caller } from './caller.js';
import { type History } from './history.js';
import { type Random } from './random.js';
import { findWrongCalls } from './tool-checks.js';

/** One statement to the database itself, past every wall. */
export type Sql = <Row>(text: string, values?: unknown[]) => Promise<Row[]>;

export interface Evidence {
  history: History;
  sql: Sql;
  /** The callers of both tenants, in their order. */
  callers: readonly Caller[];
  tenantIds: readonly string[];
  receiver: Receiver;
  upstream: FakeUpstream;
  /** Paths of the endpoints that the first tenant registered. */
  endpoints: readonly string[];
  random: Random;
}

type Check = (evidence: Evidence) => Promise<string[]>;

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'cli', 'src', 'main.js');

/** What is not as it was acknowledged, or not as Haldir promises; empty when all is well. */
export async function findViolations(evidence: Evidence): Promise<string[]> {
  const found: string[] = [];
  for (const [name, check] of Object.entries(CHECKS)) {
    for (const violation of await check(evidence)) found.push(`${name}: ${violation}`);
  }
  return found;
}

interface PaymentRow {
  id: string;
  session_id: string;
  description: string;
  amount_minor: string;
  captured_minor: string | null;
  state: string;
}

const budgets: Check = async ({ history, sql }) => {
  const faults = await sql<object>('SELECT * FROM payment_fault');
  const found = faults.map((fault) => `the books are wrong: ${JSON.stringify(fault)}`);
  const rows = await sql<PaymentRow>('SELECT * FROM payment');
  const sessions = await sql<{ id: string; spent_micros: string; held_micros: string }>('SELECT * FROM session');
  for (const { id, limitCents } of history.sessions) {
    if (id === null) continue;
    const own = rows.filter((row) => row.session_id === id);
    const spent = own.reduce(
      (sum, row) =>
        sum +
        (row.state === 'authorized'
          ? Number(row.amount_minor)
          : row.state === 'captured'
            ? Number(row.captured_minor)
            : 0),
      0,
    );
    const held = own.reduce((sum, row) => sum + (row.state === 'held' ? Number(row.amount_minor) : 0), 0);
    const session = sessions.find((row) => row.id === id);
    if (!session) found.push(`session ${id} was acknowledged and is gone`);
    else if (Number(session.spent_micros) !== spent * 10_000 || Number(session.held_micros) !== held * 10_000) {
      found.push(
        `session ${id} spent ${session.spent_micros} and holds ${session.held_micros}, its payments ${spent} and ${held} cents`,
      );
    }
    if (limitCents !== null && spent + held > limitCents)
      found.push(`session ${id} has ${spent + held} of ${limitCents} cents`);
  }
  return found;
};

const payments: Check = async ({ history, sql }) => {
  const found: string[] = [];
  const rows = await sql<PaymentRow>('SELECT * FROM payment');
  const byDescription = groupBy(rows, ({ description }) => description);
  const states = new Map(rows.map((row) => [row.id, row]));
  for (const { kind, description, outcome, id, cents } of history.payments) {
    const own = byDescription.get(description) ?? [];
    if (own.length > 1) found.push(`${description} took effect ${own.length} times`);
    if (outcome === 'authorized') {
      const [row] = own;
      if (row?.id !== id || Number(row?.amount_minor) !== cents)
        found.push(`${description} was authorized as ${id} and is ${JSON.stringify(row)}`);
      if (kind === 'payment' && row?.state !== 'authorized') found.push(`${description} is ${row?.state}`);
    } else if (outcome !== null && own.length > 0) {
      found.push(`${description} was ${outcome} and took effect`);
    }
  }
  for (const [hold, ends] of groupBy(history.settlements, (settlement) => settlement.hold)) {
    const done = ends.filter(({ outcome }) => outcome === 'done');
    const row = states.get(hold.id ?? '');
    if (done.length > 1) found.push(`${hold.description} was settled ${done.length} times`);
    const [end] = done;
    if (end && (row?.state !== end.kind || (end.kind === 'captured' && Number(row.captured_minor) !== end.cents))) {
      found.push(`${hold.description} was ${end.kind} of ${end.cents} and is ${JSON.stringify(row)}`);
    }
    const isOver = ends.every(({ outcome }) => outcome === 'refused');
    if (isOver && row?.state !== 'held' && ends.length > 0)
      found.push(`${hold.description} refused every end and is ${row?.state}`);
  }
  return found;
};

const sessions: Check = async ({ history, sql }) => {
  const rows = await sql<{ id: string; agent_id: string; revoked_at: Date | null }>('SELECT * FROM session');
  const byAgent = groupBy(rows, ({ agent_id }) => agent_id);
  return history.sessions.flatMap(({ agent, id, revoked }) => {
    const own = byAgent.get(agent) ?? [];
    const found: string[] = [];
    if (own.length > 1) found.push(`${agent} has ${own.length} sessions of one request`);
    if (id !== null && own[0]?.id !== id) found.push(`${agent} was given ${id} and has ${own[0]?.id}`);
    if (revoked && own[0]?.revoked_at === null) found.push(`${id} was revoked and lives`);
    return found;
  });
};

const secrets: Check = async ({ history, callers, random }) => {
  const found: string[] = [];
  for (const [name, value] of history.secrets) {
    const read = await callers[0]?.insist(random, 'GET', `/v1/secrets/${name}`);
    if (read?.body['value'] !== value) found.push(`${name} was stored and reads ${read?.status}`);
  }
  return found;
};

const approvals: Check = async ({ history, sql }) => {
  const found: string[] = [];
  const rows = await sql<{ id: string; action: string; status: string }>('SELECT * FROM approval_request');
  const byAction = groupBy(rows, ({ action }) => action);
  for (const { action, id, decided, known } of history.approvals) {
    const own = byAction.get(action) ?? [];
    if (own.length > 1) found.push(`${action} took effect ${own.length} times`);
    if (id === null) continue;
    if (own[0]?.id !== id) found.push(`${action} was asked as ${id} and is ${own[0]?.id}`);
    if (decided.length > 1) found.push(`${action} was decided both ways`);
    if (known && decided.length === 0) found.push(`${action} refused both decisions`);
    if (decided[0] && own[0]?.status !== decided[0]) found.push(`${action} was ${decided[0]} and is ${own[0]?.status}`);
  }
  return found;
};

const uses: Check = async ({ history, sql }) => {
  const found: string[] = [];
  const rows = await sql<PaymentRow>('SELECT * FROM payment');
  const byDescription = groupBy(rows, ({ description }) => description);
  const requests = await sql<{ id: string; consumed_at: Date | null }>('SELECT id, consumed_at FROM approval_request');
  const consumed = new Map(requests.map((row) => [row.id, row.consumed_at !== null]));
  for (const { description, requestId, approved, authorized, known } of history.uses) {
    const own = byDescription.get(description) ?? [];
    if (own.length > 1 || authorized.length > 1)
      found.push(`${description} was approved once and paid ${own.length} times`);
    if (authorized.length === 1 && own[0]?.id !== authorized[0])
      found.push(`${description} was paid as ${authorized[0]} and is ${own[0]?.id}`);
    if (approved === null && own.length > 0) found.push(`${description} was paid without an approval`);
    if (approved && known && authorized.length === 0)
      found.push(`${description} was approved, and no try was let through`);
    if (requestId !== null && approved && consumed.get(requestId) !== own.length > 0)
      found.push(`${description}: its approval is ${consumed.get(requestId) ? '' : 'not '}used`);
  }
  return found;
};

interface Entry {
  type?: string;
  entry_id: string;
  action: string;
  details: string | null;
}

const log: Check = async ({ history, callers, tenantIds, sql, random }) => {
  const found: string[] = [];
  const dir = mkdtempSync(join(tmpdir(), 'haldir-faults-'));
  const save = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  for (const [tenant, caller] of callers.entries()) {
    const exported = await caller.insist(random, 'GET', '/v1/audit/export');
    const key = await caller.insist(random, 'GET', '/v1/audit/log-key');
    const text = exported?.body as unknown as string;
    const file = save('log.jsonl', text);
    const keyFile = save('log.key', String(key?.body['verifier_key']));
    const pinned = history.checkpoints[tenant] ?? [];
    for (const [i, checkpoint] of pinned.entries()) {
      // A log that was signed must still begin as it says.
      if (![0, Math.floor(pinned.length / 2), pinned.length - 1].includes(i)) continue;
      const args = ['audit', 'verify', file, '--key', keyFile, '--pinned', save('pinned', checkpoint), '--json'];
      const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });
      if (status !== 0) found.push(`tenant ${tenant} against checkpoint ${i}: ${status} ${stdout}${stderr}`);
    }
    const entries = text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Entry)
      .filter(({ type }) => type !== 'manifest');
    found.push(...compareEntries(history, tenant, entries));
    // Prices of calls are in the entries of these.
    const rows = await sql<{ id: string }>(
      `SELECT id FROM payment WHERE tenant_id = $1 AND description NOT LIKE 'Call of %'`,
      [tenantIds[tenant]],
    );
    const authorized = entries.filter(({ action }) => action === 'payment_authorized' || action === 'payment_held');
    const recorded = groupBy(
      authorized,
      ({ details }) => (JSON.parse(details ?? '{}') as { authorization_id: string }).authorization_id,
    );
    for (const { id } of rows)
      if (recorded.get(id)?.length !== 1) found.push(`payment ${id} has ${recorded.get(id)?.length ?? 0} entries`);
    if (recorded.size !== rows.length) found.push(`${recorded.size} payments are in the log, ${rows.length} were made`);
  }
  rmSync(dir, { recursive: true });
  return found;
};

function compareEntries(history: History, tenant: number, entries: readonly Entry[]): string[] {
  const found: string[] = [];
  const byAction = groupBy(entries, ({ action }) => action);
  for (const { action, entryId, keyed, tenant: own } of history.actions) {
    if (own !== tenant) continue;
    const there = byAction.get(action) ?? [];
    if (there.length > 1) found.push(`${action} is there ${there.length} times${keyed ? ', under one key' : ''}`);
    if (entryId !== null && there[0]?.entry_id !== entryId)
      found.push(`${action} was acknowledged as ${entryId} and is ${there[0]?.entry_id}`);
  }
  return found;
}

const events: Check = async ({ history, sql, receiver, endpoints, tenantIds }) => {
  const found: string[] = [...receiver.faults];
  const rows = await sql<{ id: string; type: string; body: string }>(
    'SELECT id, type, body FROM webhook_event WHERE tenant_id = $1',
    [tenantIds[0]],
  );
  const bodies = new Map(rows.map(({ id, body }) => [id, body]));
  for (const endpoint of endpoints) {
    const arrived = new Set(receiver.at(endpoint).map(({ id }) => id));
    const missing = rows.filter(({ id }) => !arrived.has(id));
    if (missing.length > 0) found.push(`${missing.length} of ${rows.length} events never came to ${endpoint}`);
  }
  for (const { id, raw } of receiver.arrivals) if (bodies.get(id) !== raw) found.push(`${id} came with another body`);
  const told = rows.map((row) => ({ ...row, data: (JSON.parse(row.body) as { data: Record<string, unknown> }).data }));
  const requests = groupBy(
    told.filter(({ type }) => type === 'approval_requested'),
    ({ data }) => data['request_id'],
  );
  for (const { id, action } of history.approvals) {
    if (id !== null && requests.get(id)?.length !== 1)
      found.push(`${action} was announced ${requests.get(id)?.length ?? 0} times`);
  }
  const thresholds = groupBy(
    told.filter(({ type }) => type === 'budget_threshold'),
    ({ data }) => `${String(data['session_id'] ?? data['period'])} ${String(data['threshold'])}`,
  );
  for (const [threshold, times] of thresholds)
    if (times.length > 1) found.push(`threshold ${threshold} was announced ${times.length} times`);
  return found;
};

function groupBy<T, K>(list: readonly T[], keyOf: (one: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const one of list) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return groups;
}

const calls: Check = ({ history, sql, upstream }) => findWrongCalls({ history, sql, seen: upstream.calls });

const CHECKS: Readonly<Record<string, Check>> = { sessions, budgets, payments, approvals, uses, calls, secrets, log, events }; // prettier-ignore
