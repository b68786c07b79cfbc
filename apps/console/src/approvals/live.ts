import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { followLog } from '../api/events.ts';
import { APPROVALS } from './requests.ts';

/** What the log says of requests is under this tool. */
const TOOL = 'haldir.approvals';
/** Entries come in bursts: a list is read anew so often at most. */
const GATHER_MS = 300;
/** While the log cannot be followed. */
const POLL_MS = 15_000;

/** Reads requests anew when the log has something of them, and now and then while it cannot be followed. */
export function useLiveApprovals(personId: string): void {
  const client = useQueryClient();
  useEffect(() => {
    const gone = new AbortController();
    const refresh = gathered(client);
    let polling: ReturnType<typeof setInterval> | undefined;
    const poll = (stands: boolean): void => {
      clearInterval(polling);
      polling = stands ? undefined : setInterval(refresh, POLL_MS);
    };
    poll(false);
    void followLog({ tool: TOOL }, refresh, poll, gone.signal);
    return () => {
      gone.abort();
      clearInterval(polling);
    };
  }, [client, personId]);
}

function gathered(client: QueryClient): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      void client.invalidateQueries({ queryKey: APPROVALS });
    }, GATHER_MS);
  };
}
