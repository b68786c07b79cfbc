/** What the log is filtered by; all of it is in the address of the page. Ids of sessions are credentials, so they are not. */
export const FIELDS = {
  agent_id: 'Agent',
  tool: 'Tool',
  tool_contains: 'Tool contains',
  action: 'Action',
  decision: 'Decision',
  upstream: 'Upstream',
  rule: 'Policy or rule',
  actor: 'Who acted',
  at: 'At (minute)',
  since: 'From',
  until: 'Up to',
} as const;
export type Field = keyof typeof FIELDS;
const NAMES = Object.keys(FIELDS) as Field[];

/** Those that are a time, in an address as UTC: `2026-11-30T14:20Z`. */
const TIMES: readonly Field[] = ['at', 'since', 'until'];

export function isTime(field: Field): boolean {
  return TIMES.includes(field);
}

/** A time as `datetime-local` has it, which is where the browser is, as an address has it; null for what is none. */
export function timeOf(local: string): string | null {
  const time = new Date(local);
  return Number.isNaN(time.getTime()) ? null : `${time.toISOString().slice(0, 16)}Z`;
}

export type AuditSearch = { [field in Field]?: string } & {
  flagged?: boolean;
  /** The entry that is open beside the list. */
  entry?: string;
};

/** As much of an address as is one. */
export function readFilter(search: Record<string, unknown>): AuditSearch {
  const texts = [...NAMES, 'entry'].flatMap((name) => {
    const value = search[name];
    // A router reads `tool=5` as a number.
    return typeof value === 'string' || typeof value === 'number' ? [[name, String(value)]] : [];
  });
  const { flagged } = search;
  return { ...(Object.fromEntries(texts) as AuditSearch), ...(typeof flagged === 'boolean' ? { flagged } : {}) };
}

/** As the API takes it. */
export function queryOf({ entry: _, flagged, at, ...texts }: AuditSearch): Record<string, string> {
  return { ...texts, ...minuteAt(at), ...(flagged === undefined ? {} : { flagged: String(flagged) }) };
}

/** The minute that begins then. What is no time is left to the API, which says so. */
function minuteAt(at: string | undefined): { since?: string; until?: string } {
  if (at === undefined) return {};
  const begin = Date.parse(at);
  if (Number.isNaN(begin)) return { since: at };
  return { since: new Date(begin).toISOString(), until: new Date(begin + 59_999).toISOString() };
}

/** What is filtered by, in words, each with the search that is left without it. */
export function chipsOf(search: AuditSearch): { text: string; without: AuditSearch }[] {
  const chips = NAMES.flatMap((name) => {
    const { [name]: value, ...without } = search;
    return value === undefined
      ? []
      : [{ text: `${FIELDS[name]}: ${isTime(name) ? localTime(value) : value}`, without }];
  });
  const { flagged, ...unflagged } = search;
  if (flagged !== undefined) chips.push({ text: flagged ? 'Flagged' : 'Not flagged', without: unflagged });
  return chips;
}

/** Where the browser is, with the zone. */
function localTime(value: string): string {
  const time = new Date(value);
  if (Number.isNaN(time.getTime())) return value;
  return time.toLocaleString(undefined, { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZoneName: 'short' }); // prettier-ignore
}
