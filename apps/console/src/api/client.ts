import createClient from 'openapi-fetch';
import { BASE } from '../base.ts';
import { Problem, problemOf, UNREACHABLE } from './problem.ts';
import { type paths } from './schema.ts';
import { noteServerTime } from './server-clock.ts';

const ANSWER_MS = 30_000;
/** What goes with each request of a person, beside the cookie that no page sees. The pages of sign-in keep it there, too. */
const KEPT = 'haldir.page';

export function pageToken(): string | null {
  return localStorage.getItem(KEPT);
}

export function keepPageToken(token: string | null): void {
  if (token === null) localStorage.removeItem(KEPT);
  else localStorage.setItem(KEPT, token);
}

/** Whether a change of what this browser stores is one of it. @param key null where all was cleared */
export function isPageToken(key: string | null): boolean {
  return key === null || key === KEPT;
}

/**
 * Asks as the person who is signed in.
 *
 * @throws Problem where no answer came; whatever else came is an answer
 */
export async function send(request: Request, signal: AbortSignal = AbortSignal.timeout(ANSWER_MS)): Promise<Response> {
  const token = pageToken();
  if (token !== null) request.headers.set('x-haldir-page', token);
  let response;
  try {
    response = await fetch(request, {
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      signal: AbortSignal.any([request.signal, signal]),
    });
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new Problem(UNREACHABLE, 0);
  }
  noteServerTime(response);
  return response;
}

/** The API, by the document that it serves. */
export const api = createClient<paths>({ baseUrl: BASE, fetch: (request) => send(request) });

/**
 * The body of a good answer.
 *
 * @throws Problem for any other
 */
export async function answered<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await asked;
  if (!response.ok || data === undefined) throw problemOf(response, error);
  return data;
}

/**
 * For the routes of pages, which are in no document (docs/people.md). The body is taken at its word.
 *
 * @throws Problem
 */
export async function askPage<T>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<T> {
  const response = await send(
    new Request(BASE + path, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    }),
  );
  const said: unknown = await response.json().catch(() => null);
  if (!response.ok) throw problemOf(response, said);
  return said as T;
}
