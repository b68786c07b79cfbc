import { queryOptions } from '@tanstack/react-query';
import { answered, api } from '../api/client.ts';
import { type components } from '../api/schema.ts';
import { serverSeconds } from '../api/server-clock.ts';
import { type FlagsSearch } from './search.ts';

type Entry = components['schemas']['AuditEntry'];

/** Why Watch flags: its rules for single entries, and what it finds looking over an hour. */
export const REASONS: Record<string, string> = {
  rapid_fire: 'Many actions in a short time',
  high_cost: 'One action that cost much',
  unusual_tool: 'A tool never used before',
  spend_spike: 'Spending far above the usual',
  denial_burst: 'Many actions denied',
  unusual_hour: 'Active at an unusual hour',
};

const PAGE = 500;
/** As many flags are read at most, and grouped. */
export const FLAGS_MAX = 1000;

export interface Flagged {
  reason: string;
  entries: Entry[];
  agents: string[];
  first: number;
  last: number;
}

/** What was flagged in the last days, the newest of it where there is much; `more` where not all of it was read. */
export const flagsQuery = ({ agent_id: agentId, days = 7 }: FlagsSearch) =>
  queryOptions({
    queryKey: ['flags', agentId, days],
    queryFn: async ({ signal }): Promise<{ groups: Flagged[]; more: boolean }> => {
      const since = String(Math.floor(serverSeconds()) - days * 86_400);
      const read: Entry[] = [];
      let next: string | null = null;
      do {
        const query = {
          flagged: 'true' as const,
          since,
          limit: PAGE,
          ...(agentId !== undefined && { agent_id: agentId }),
          ...(next !== null && { cursor: next }),
        };
        const page: { entries: Entry[]; next_cursor: string | null } = await answered(
          api.GET('/v1/audit', { params: { query }, signal }),
        );
        read.push(...page.entries);
        next = page.next_cursor;
      } while (next !== null && read.length < FLAGS_MAX);
      return { groups: grouped(read), more: next !== null };
    },
  });

/** By reason, the one that was seen last first. An entry that has two of them is in both. @param entries newest first */
export function grouped(
  entries: readonly Pick<Entry, 'entry_id' | 'agent_id' | 'flag_reason' | 'timestamp'>[],
): Flagged[] {
  const groups = new Map<string, Flagged>();
  for (const entry of entries as readonly Entry[]) {
    for (const reason of reasonsOf(entry.flag_reason ?? '')) {
      const group = groups.get(reason) ?? { reason, entries: [], agents: [], first: 0, last: entry.timestamp };
      group.entries.push(entry);
      group.first = entry.timestamp;
      if (!group.agents.includes(entry.agent_id)) group.agents.push(entry.agent_id);
      groups.set(reason, group);
    }
  }
  return [...groups.values()];
}

/** `rapid_fire: more than 60 actions within 60 s; high_cost: …` */
function reasonsOf(text: string): string[] {
  const found = text.split('; ').flatMap((part) => /^(\w+):/.exec(part)?.[1] ?? []);
  return found.length === 0 ? ['other'] : [...new Set(found)];
}
