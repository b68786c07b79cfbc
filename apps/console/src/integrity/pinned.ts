import { useSyncExternalStore } from 'react';
import { BASE } from '../base.ts';

/** Where this browser keeps the key of the log that it was shown first, or was given. */
const KEPT = `haldir.log-key${BASE}`;
const CHANGED = 'haldir-log-key';

/** The log's verifier key as this browser has it pinned; null while it has none. */
export function usePinnedKey(): string | null {
  return useSyncExternalStore(
    (tell) => {
      for (const event of ['storage', CHANGED]) addEventListener(event, tell);
      return () => {
        for (const event of ['storage', CHANGED]) removeEventListener(event, tell);
      };
    },
    () => localStorage.getItem(KEPT),
  );
}

/** @param key null to pin none */
export function pinKey(key: string | null): void {
  if (key === null) localStorage.removeItem(KEPT);
  else localStorage.setItem(KEPT, key);
  dispatchEvent(new Event(CHANGED));
}
