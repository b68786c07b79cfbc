import { type Client } from '@haldir/test-support';

export type Json = Record<string, unknown>;
export interface Entry extends Json {
  entry_id: string;
  action: string;
  tool: string;
  flagged: boolean;
  flag_reason: string | null;
  leaf_index: number;
  prev_hash: string;
  entry_hash: string;
}
export interface Page extends Json {
  count: number;
  entries: Entry[];
  next_cursor: string | null;
}

/** A page of a tenant's log, newest entries first. */
export const trail = async (client: Client, query = ''): Promise<Page> =>
  (await client.get<Page>(`/v1/audit${query}`)).body;

/** Entries that agents logged of their own accord. */
export const own = (page: Page): Entry[] => page.entries.filter(({ source }) => source === 'agent');
