import { hash } from 'node:crypto';
import { type FakeUpstream } from '@haldir/test-support';
import { type History } from './history.js';
import { PRICE_CENTS, TOOLS } from './tool-load.js';

type Sql = <Row>(text: string, values?: unknown[]) => Promise<Row[]>;

interface Details {
  sent?: boolean;
  arguments_sha256: string;
  authorization_id?: string;
}
interface ChargeRow {
  id: string;
  state: string;
  captured_minor: string | null;
}

/** What came to the upstream and what stands in log and books, against what was answered. */
export async function findWrongCalls({
  history,
  sql,
  seen,
}: {
  history: History;
  sql: Sql;
  seen: FakeUpstream['calls'];
}): Promise<string[]> {
  const found: string[] = [];
  const arrived = countBy(seen.map(({ arguments: args }) => String(args['label'])));
  const rows = await sql<{ details: string }>(`SELECT details FROM audit_entry WHERE action = 'tool_call'`);
  const entries = rows.map(({ details }) => JSON.parse(details) as Details);
  const logged = countBy(entries.map(({ arguments_sha256: digest }) => digest));
  const left = countBy(entries.filter(({ sent }) => sent !== false).map(({ arguments_sha256: digest }) => digest));
  // Whatever died: each call that left has its entry, if only one that says that nobody knows what became of it.
  for (const [label, times] of arrived) {
    const own = left.get(digestOf(label)) ?? 0;
    if (own !== times) found.push(`${label} came to the upstream ${times} times and is in the log ${own} times`);
  }
  const charges = await sql<ChargeRow>(
    `SELECT id, state, captured_minor FROM payment WHERE description = 'Call of up.${TOOLS.priced}'`,
  );
  for (const { label, session, tool, outcome } of history.calls) {
    const times = arrived.get(label) ?? 0;
    if (times > 1) found.push(`${label} was made ${times} times`);
    if (outcome === 'refused' && times > 0) found.push(`${label} was refused and made`);
    if (outcome !== 'answered') continue;
    if (times === 0) found.push(`${label} was answered and never made`);
    const own = logged.get(digestOf(label)) ?? 0;
    if (own !== 1) found.push(`${label} was answered and is in the log ${own} times`);
    if (tool !== TOOLS.priced) continue;
    const paid = entries.find(({ arguments_sha256: digest }) => digest === digestOf(label))?.authorization_id;
    const charge = charges.find(({ id }) => id === paid);
    const isCaptured = charge?.state === 'captured' && Number(charge.captured_minor) === PRICE_CENTS;
    // What is held in a session that ends meanwhile is given back.
    if (!isCaptured && !(charge?.state === 'voided' && session.revoked))
      found.push(`${label} was answered and its price is ${JSON.stringify(charge)}`);
  }
  const charged = countBy(entries.flatMap(({ authorization_id: id }) => id ?? []));
  for (const { id, state } of charges) {
    const times = charged.get(id) ?? 0;
    if (times !== 1 || !['captured', 'voided'].includes(state))
      found.push(`price ${id} is ${state}, in ${times} calls`);
  }
  const requests = await sql<{ id: string; consumed_at: Date | null }>('SELECT id, consumed_at FROM approval_request');
  const used = new Map(requests.map(({ id, consumed_at: at }) => [id, at !== null]));
  for (const { label, requestId, approved, answered, known } of history.toolUses) {
    const times = arrived.get(label) ?? 0;
    if (times > 1 || answered > 1) found.push(`${label} was approved once and made ${times} times`);
    if (times > 0 && !approved) found.push(`${label} was made without an approval`);
    if (times > 0 && requestId !== null && !used.get(requestId)) found.push(`${label} was made on an unused approval`);
    if (approved && known && answered !== 1) found.push(`${label} was approved and answered ${answered} times`);
    if (answered > 0 && logged.get(digestOf(label)) !== 1) found.push(`${label} is not in the log once`);
  }
  return found;
}

/** As entries have it; the JSON of one member is canonical as it is. */
function digestOf(label: string): string {
  return hash('sha256', JSON.stringify({ label }));
}

function countBy(keys: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
