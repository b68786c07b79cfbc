import { send } from './client.ts';

/** As long as what reads a whole log may take. */
const LONG_MS = 600_000;

/** Asks for what takes its time, as a `fetch` of `openapi-fetch`. */
export function patiently(request: Request): Promise<Response> {
  return send(request, AbortSignal.timeout(LONG_MS));
}
