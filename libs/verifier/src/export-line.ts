import { type LoggedEntry } from './entry-check.js';
import { formatOf } from './entry-hash.js';

/** What a line says that follows from its other members. */
const FOLLOWING = {
  cost_usd: ({ costMicros }: LoggedEntry): number => millionths(costMicros),
  flagged: ({ flagReason }: LoggedEntry): boolean => flagReason !== null,
  format: formatOf,
  actor: actorOf,
};

/**
 * An entry as a line of an export, at a position of its log. What a line holds is what the entry's hash covers, and what follows from
 * that: nothing that is shown is without proof.
 */
export function writeEntry(entry: LoggedEntry, position: number) {
  return {
    entry_id: entry.entryId,
    timestamp: millionths(entry.atMicros),
    tenant_id: entry.tenantId,
    session_id: entry.sessionId,
    agent_id: entry.agentId,
    tool: entry.tool,
    action: entry.action,
    cost_usd: FOLLOWING.cost_usd(entry),
    flagged: FOLLOWING.flagged(entry),
    flag_reason: entry.flagReason,
    details: entry.details,
    prev_hash: entry.prevHash.toString('hex'),
    entry_hash: entry.entryHash.toString('hex'),
    leaf_index: position,
    source: entry.source,
    cost_micros: entry.costMicros.toString(),
    details_salt: entry.detailsSalt,
    details_hash: entry.detailsHash,
    format: FOLLOWING.format(entry),
    actor: FOLLOWING.actor(entry),
    actor_id: entry.actorId,
    context: entry.context,
    context_salt: entry.contextSalt,
    context_hash: entry.contextHash,
  };
}

type LineMember = keyof ReturnType<typeof writeEntry>;
/** What of the entry a member holds, as it is read: undefined for what is not written like that. */
type Holding = {
  [Field in keyof LoggedEntry]: [field: Field, read: (written: unknown) => LoggedEntry[Field] | undefined];
}[keyof LoggedEntry];

const SHA256_HEX = /^[0-9a-f]{64}$/;

const text = (written: unknown): string | undefined => (typeof written === 'string' ? written : undefined);
const nullable = (written: unknown): string | null | undefined => (written === null ? null : text(written));
const sha256 = (written: unknown): Buffer | undefined => {
  const hex = text(written);
  return hex !== undefined && SHA256_HEX.test(hex) ? Buffer.from(hex, 'hex') : undefined;
};
/** A timestamp has microseconds; the number is as near to them as numbers get. */
const seconds = (written: unknown): bigint | undefined =>
  typeof written === 'number' && written >= 0 && written < 1e11 ? BigInt(Math.round(written * 1e6)) : undefined;
const micros = (written: unknown): string | undefined =>
  /^(0|[1-9]\d{0,18})$/.test(text(written) ?? '') ? text(written) : undefined;

/** How all others are read. The position is held against its place by whoever knows that. */
const HOLDING: { [Member in Exclude<LineMember, keyof typeof FOLLOWING | 'leaf_index'>]: Holding } = {
  entry_id: ['entryId', text],
  timestamp: ['atMicros', seconds],
  tenant_id: ['tenantId', text],
  session_id: ['sessionId', text],
  agent_id: ['agentId', text],
  tool: ['tool', text],
  action: ['action', text],
  flag_reason: ['flagReason', nullable],
  details: ['details', nullable],
  prev_hash: ['prevHash', sha256],
  entry_hash: ['entryHash', sha256],
  source: ['source', text],
  cost_micros: ['costMicros', micros],
  details_salt: ['detailsSalt', nullable],
  details_hash: ['detailsHash', nullable],
  actor_id: ['actorId', nullable],
  context: ['context', nullable],
  context_salt: ['contextSalt', nullable],
  context_hash: ['contextHash', nullable],
};
/** Lines that were written before there was a format 2 do not have these. */
const LATER: readonly string[] = ['format', 'actor', 'actor_id', 'context', 'context_salt', 'context_hash'];
const membersOf = (isMember: (name: string) => boolean) => ({
  names: [...Object.keys(HOLDING), ...Object.keys(FOLLOWING), 'leaf_index'].filter(isMember),
  holding: Object.entries(HOLDING).filter(([name]) => isMember(name)),
  following: Object.entries(FOLLOWING).filter(([name]) => isMember(name)),
});
const ALL = membersOf(() => true);
const FIRST = membersOf((name) => !LATER.includes(name));
const NOT_LATER = { actorId: null, context: null, contextSalt: null, contextHash: null };

/**
 * An entry as a line of an export shows it.
 *
 * @returns in words, why the line is no entry, or contradicts itself
 */
export function readEntry(line: Record<string, unknown>): LoggedEntry | string {
  const isLater = LATER.some((name) => Object.hasOwn(line, name));
  const { names, holding, following } = isLater ? ALL : FIRST;
  const missing = names.find((name) => !Object.hasOwn(line, name));
  if (missing !== undefined) return `the line is not an entry: it has no ${missing}`;
  const found = Object.keys(line);
  const foreign = found.length === names.length ? undefined : found.find((name) => !names.includes(name));
  if (foreign !== undefined) return `the line has a member that no hash covers: ${JSON.stringify(foreign)}`;

  const wrong = (name: string): string => `the line is not an entry: ${name} is not as it is written`;
  const values: Partial<Record<keyof LoggedEntry, unknown>> = isLater ? {} : { ...NOT_LATER };
  for (const [name, [field, read]] of holding) {
    const value = read(line[name]);
    if (value === undefined) return wrong(name);
    values[field] = value;
  }
  const entry = values as LoggedEntry;
  for (const [name, follow] of following) if (line[name] !== follow(entry)) return wrong(name);
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

/** Millionths as a number, exactly as it is written. */
function millionths(units: bigint | string): number {
  return Number(`${units}e-6`);
}
