import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { followLog } from '../api/events.ts';
import { APPROVALS } from './requests.ts';

/** What the log says of requests is under this tool. */
const TOOL = 'haldir.approvals';
/** Entries come in bursts: what they are about is read at the first of them, and not again for so long. */
const GATHER_MS = 2_000;
/** While the log cannot be followed. */
const POLL_MS = 15_000;

/** Reads requests anew when the log has something of them, and now and then while it cannot be followed. @returns whether it can be */
export function useLiveApprovals(personId: string): boolean {
  const client = useQueryClient();
  const [isFollowed, setFollowed] = useState(false);
  useEffect(() => {
    const gone = new AbortController();
    const refresh = gathered(client);
    let polling: ReturnType<typeof setInterval> | undefined;
    const poll = (stands: boolean): void => {
      setFollowed(stands);
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
  return isFollowed;
}

function gathered(client: QueryClient): () => void {
  let isWanted = false;
  let isBusy = false;
  let isLate = false;
  const read = async (): Promise<void> => {
    isBusy = true;
    while (isWanted) {
      isWanted = false;
      // What is being read is not begun again, or under many entries it would never end; but out of sight, what failed waits for good.
      const done = client.invalidateQueries({ queryKey: APPROVALS }, { cancelRefetch: isLate }).then(() => false);
      isLate = await Promise.race([done, after(POLL_MS).then(() => true)]);
      await after(GATHER_MS);
    }
    isBusy = false;
  };
  return () => {
    isWanted = true;
    if (!isBusy) void read();
  };
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
