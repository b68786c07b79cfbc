import { readFileSync } from 'node:fs';
import { isObject, type Json } from '@haldir/http';
import { LINKS } from './info.js';

/** By operation and status, what it really answered once, with ids and keys that are nobody's. Recorded by a test. */
const RECORDED = JSON.parse(readFileSync(new URL('./answers.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Readonly<Record<string, unknown>>>
>;

const REQUEST_ID = '5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34';
const refused = (code: string, error: string, more: Json = {}): Json => ({
  error,
  code,
  request_id: REQUEST_ID,
  ...more,
});

/** Of the refusals that operations share. */
const SHARED: Readonly<Record<string, Json>> = {
  BadRequest: refused('invalid', 'agent_id: expected a text of 1 to 128 characters', { field: 'agent_id' }),
  Unauthorized: refused('unauthorized', 'Missing, invalid, or revoked API key'),
  Forbidden: refused('insufficient_scope', 'The API key lacks the scope sessions:write', {
    required: 'sessions:write',
  }),
  NotFound: refused('not_found', 'Session not found'),
  Conflict: refused('idempotency_in_progress', 'A request with this Idempotency-Key is in progress'),
  TooLarge: refused('too_large', 'Request body is larger than 1 MiB'),
  UnsupportedMedia: refused('unsupported_media', 'Content-Encoding: expected none'),
  Unprocessable: refused('idempotency_mismatch', 'Idempotency-Key was used before with another request'),
  RateLimited: refused('rate_limited', 'Rate limit exceeded: 100 requests per hour on the free tier', {
    limit: 100,
    tier: 'free',
    retry_after: 1800,
  }),
  Unavailable: refused('unavailable', 'The service is busy; try again shortly'),
};

/** Gives every answer of the document an example, and those that later steps take something from their links. */
export function addAnswers(paths: Record<string, Record<string, Json>>, shared: Record<string, Json>): void {
  for (const [name, response] of Object.entries(shared)) setExample(response, SHARED[name]);
  for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods))) {
    const id = String(operation['operationId']);
    for (const [status, response] of Object.entries(operation['responses'] as Record<string, Json>)) {
      setExample(response, RECORDED[id]?.[status]);
      if (Number(status) < 300 && LINKS[id]) response['links'] = LINKS[id];
    }
  }
}

function setExample(response: Json, example: unknown): void {
  const content = response['content'];
  if (example === undefined || !isObject(content)) return;
  const isText = typeof example === 'string';
  for (const [type, media] of Object.entries(content)) {
    if (isObject(media) && !('example' in media) && isText !== (type === 'application/json'))
      media['example'] = example;
  }
}
