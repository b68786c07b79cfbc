import { type LoggedEntry } from './entry-check.js';
import { formatOf } from './entry-hash.js';

/** What a line of an entry of format 1 holds; lines written before there was another format hold nothing else. */
const MEMBERS = [
  ...['entry_id', 'timestamp', 'tenant_id', 'session_id', 'agent_id', 'tool', 'action', 'cost_usd', 'flagged', 'flag_reason'],
  ...['details', 'prev_hash', 'entry_hash', 'leaf_index', 'source', 'cost_micros', 'details_salt', 'details_hash'],
]; // prettier-ignore
const LATER_MEMBERS = ['format', 'actor', 'actor_id', 'context', 'context_salt', 'context_hash'];

const SHA256_HEX = /^[0-9a-f]{64}$/;

/**
 * An entry as a line of an export shows it. Every member of the line is one that the entry's hash covers, or follows from such:
 * nothing that is shown is without proof.
 *
 * @returns in words, why the line is no entry, or contradicts itself
 */
export function readEntry(line: Record<string, unknown>): LoggedEntry | string {
  const names = Object.keys(line);
  const isLater = LATER_MEMBERS.some((name) => Object.hasOwn(line, name));
  const expected = isLater ? [...MEMBERS, ...LATER_MEMBERS] : MEMBERS;
  const missing = expected.find((name) => !Object.hasOwn(line, name));
  if (missing !== undefined) return `the line is not an entry: it has no ${missing}`;
  const foreign = names.find((name) => !expected.includes(name));
  if (foreign !== undefined) return `the line has a member that no hash covers: ${JSON.stringify(foreign)}`;

  const text = (name: string): string | null => (typeof line[name] === 'string' ? line[name] : null);
  const wrong = (name: string): string => `the line is not an entry: ${name} is not as it is written`;
  const texts = ['tenant_id', 'entry_id', 'source', 'session_id', 'agent_id', 'tool', 'action', 'cost_micros'];
  const nullable = [
    'details',
    'details_salt',
    'details_hash',
    'flag_reason',
    'context',
    'context_salt',
    'context_hash',
  ];
  for (const name of texts) if (text(name) === null) return wrong(name);
  for (const name of [...nullable, 'actor_id', 'actor'])
    if (isLater || MEMBERS.includes(name)) {
      if (line[name] !== null && text(name) === null) return wrong(name);
    }
  for (const name of ['prev_hash', 'entry_hash']) if (!SHA256_HEX.test(String(line[name]))) return wrong(name);
  const { timestamp, cost_micros: cost, cost_usd: dollars } = line;
  if (typeof timestamp !== 'number' || !(timestamp >= 0 && timestamp < 1e11)) return wrong('timestamp');
  if (!/^(0|[1-9]\d{0,18})$/.test(cost as string)) return wrong('cost_micros');
  if (dollars !== Number(`${String(cost)}e-6`)) return wrong('cost_usd');
  if (line['flagged'] !== (line['flag_reason'] !== null)) return wrong('flagged');

  const entry: LoggedEntry = {
    tenantId: text('tenant_id') ?? '',
    entryId: text('entry_id') ?? '',
    source: text('source') ?? '',
    sessionId: text('session_id') ?? '',
    agentId: text('agent_id') ?? '',
    tool: text('tool') ?? '',
    action: text('action') ?? '',
    costMicros: text('cost_micros') ?? '',
    details: text('details'),
    detailsSalt: text('details_salt'),
    detailsHash: text('details_hash'),
    actorId: text('actor_id'),
    context: text('context'),
    contextSalt: text('context_salt'),
    contextHash: text('context_hash'),
    // A timestamp has microseconds; the number is as near to them as numbers get.
    atMicros: BigInt(Math.round(timestamp * 1e6)),
    flagReason: text('flag_reason'),
    prevHash: Buffer.from(text('prev_hash') ?? '', 'hex'),
    entryHash: Buffer.from(text('entry_hash') ?? '', 'hex'),
  };
  if (isLater && line['format'] !== formatOf(entry)) return wrong('format');
  if (isLater && line['actor'] !== actorOf(entry)) return wrong('actor');
  return entry;
}

/** Who acted, as people are told: the label in the context, or the bare id where there is none (any more). Null in format 1. */
export function actorOf({ actorId, context }: Pick<LoggedEntry, 'actorId' | 'context'>): string | null {
  if (context === null) return actorId;
  try {
    const { label } = JSON.parse(context) as { label?: unknown };
    return typeof label === 'string' ? label : actorId;
  } catch {
    return actorId;
  }
}
