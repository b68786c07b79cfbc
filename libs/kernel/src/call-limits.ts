/** No upstream may take longer for a call by itself (UPSTREAM_MAX_CALL_SECONDS). */
export const MAX_CALL_SECONDS = 600;
/** For what a tool asks the human at a client in the middle of a call, all its questions together. */
export const DIALOGUE_MS = 300_000;
/** No call is under way at its upstream for longer. */
export const LONGEST_CALL_MS = MAX_CALL_SECONDS * 1000 + DIALOGUE_MS;
