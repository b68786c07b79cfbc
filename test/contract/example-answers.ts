import { isObject } from '@haldir/http';

const KEY = 'hld_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0u1v42GkB5';
const WEBHOOK_SECRET = `whsec_${Buffer.from('an example, and no secret at all').toString('base64')}`;

const REPLACED: readonly [RegExp, string][] = [
  [/hld_[0-9A-Za-z]{49}\b/g, KEY],
  [/hld_[0-9A-Za-z]{10}\b/g, KEY.slice(0, 14)],
  [/whsec_[A-Za-z0-9+/]{43}=/g, WEBHOOK_SECRET],
  [/\b([a-z]{3})_[0-9a-z]{36}\b/g, '$1_01m8a0n4yy042z44fpt3fcp8g3k9q2x7v5'],
  [/\b([a-z]{3})_[0-9a-z]{26}\b/g, '$1_01m8a0n4yy042z44fpt3fcp8g3'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34'],
  [/http:\/\/localhost:\d+\/welcome#[\w-]{43}/g, `http://localhost:3000/welcome#${KEY.slice(4, 47)}`],
  [/http:\/\/127\.0\.0\.1:\d+\/hook/g, 'https://example.com/hook'],
  [/http:\/\/127\.0\.0\.1:\d+\/mcp/g, 'http://127.0.0.1:3002/mcp'],
  [/http:\/\/127\.0\.0\.1:\d+/g, 'http://127.0.0.1:3000'],
];

/** Of a list this much is shown. */
const MAX_ITEMS = 2;
const MAX_TEXT = 2_000;

/** An answer as it may be shown to anyone: ids and keys are nobody's, lists are short. */
export function asExample(body: unknown): unknown {
  if (typeof body === 'string') {
    // A ZIP.
    if (body.startsWith('PK\u0003\u0004')) return 'PK…';
    const text = REPLACED.reduce((rest, [pattern, by]) => rest.replace(pattern, by), body);
    return text.length <= MAX_TEXT ? text : text.slice(0, text.lastIndexOf('\n', MAX_TEXT) + 1);
  }
  if (Array.isArray(body)) return body.slice(0, MAX_ITEMS).map(asExample);
  if (!isObject(body)) return body;
  return Object.fromEntries(Object.entries(body).map(([name, member]) => [name, asExample(member)]));
}

/** The members of an answer, whatever their values: what an example has to keep up with. */
export function shapeOf(body: unknown): string {
  if (!isObject(body)) return typeof body === 'string' ? 'text' : 'value';
  return Object.keys(body).sort().join(' ');
}
