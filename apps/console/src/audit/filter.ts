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
  since: 'From',
  until: 'Up to',
} as const;
export type Field = keyof typeof FIELDS;
const NAMES = Object.keys(FIELDS) as Field[];

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
export function queryOf({ entry: _, flagged, ...texts }: AuditSearch): Record<string, string> {
  return { ...texts, ...(flagged === undefined ? {} : { flagged: String(flagged) }) };
}

/** What is filtered by, in words, each with the search that is left without it. */
export function chipsOf(search: AuditSearch): { text: string; without: AuditSearch }[] {
  const chips = NAMES.flatMap((name) => {
    const { [name]: value, ...without } = search;
    return value === undefined ? [] : [{ text: `${FIELDS[name]}: ${value}`, without }];
  });
  const { flagged, ...unflagged } = search;
  if (flagged !== undefined) chips.push({ text: flagged ? 'Flagged' : 'Not flagged', without: unflagged });
  return chips;
}
