import fc from 'fast-check';
import { fastify } from 'fastify';
import { InvalidInput } from '@haldir/kernel';
import { useJsonBodies } from './body-parser.js';

const app = fastify();
useJsonBodies(app);
app.post('/', (request) => ({ body: request.body ?? null }));
app.setErrorHandler((error, _request, reply) => {
  const known = error instanceof InvalidInput || (error as { statusCode?: number }).statusCode === 413;
  void reply.status(known ? 400 : 500).send({ error: String(error) });
});
afterAll(() => app.close());

const post = async (payload: string | Buffer): Promise<{ status: number; body: unknown }> => {
  const answer = await app.inject({
    method: 'POST',
    url: '/',
    headers: { 'content-type': 'application/json' },
    payload,
  });
  return { status: answer.statusCode, body: answer.json<{ body: unknown }>().body };
};

const isStorableText = (text: string): boolean => !text.includes('\0') && !/\p{Surrogate}/u.test(text);

/** What a body may be, said the slow way. */
function isAcceptable(value: unknown, depth = 1): boolean {
  if (depth > 64) return false;
  if (typeof value === 'string') return isStorableText(value);
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(
    ([key, member]) =>
      key !== '__proto__' &&
      !(key === 'constructor' && typeof member === 'object' && member !== null && 'prototype' in member) &&
      isStorableText(key) &&
      isAcceptable(member, depth + (typeof member === 'object' && member !== null ? 1 : 0)),
  );
}

it('every JSON value is taken as it is, or refused for a reason', async () => {
  const key = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 5 }),
    fc.constantFrom('__proto__', 'constructor', 'prototype', 'a'),
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.oneof(fc.string({ unit: 'binary', maxLength: 8 }), fc.double(), fc.boolean(), fc.constant(null)),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.array(fc.tuple(key, tie('value')), { maxLength: 3 }).map((members) => Object.fromEntries(members)),
    ),
  }));
  await fc.assert(
    fc.asyncProperty(value, async (sent) => {
      const text = JSON.stringify(sent);
      const read: unknown = JSON.parse(text);
      const isObject = typeof read === 'object' && read !== null && !Array.isArray(read);
      const { status, body } = await post(text);
      expect(status).toBe(isObject && isAcceptable(read) ? 200 : 400);
      if (status === 200) expect(JSON.stringify(body)).toBe(text);
    }),
    { numRuns: 200 },
  );
}, 30_000);

it('takes no number out of range, however it is written, and every other', async () => {
  const digits = '9'.repeat(309);
  for (const number of [digits, `-${digits}`, `[0,${digits}0]`, '1e400', '-1E+400'])
    expect((await post(`{"a":${number}}`)).status, number).toBe(400);
  for (const number of ['9'.repeat(308), `0.${digits}`, '1e308', '1e-400'])
    expect((await post(`{"a":${number}}`)).status, number).toBe(200);
});

it('bytes that are no JSON are refused, and never a failure', async () => {
  const broken = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc.tuple(fc.json(), fc.nat(20)).map(([text, cut]) => Buffer.from(text.slice(0, -cut || undefined))),
    fc.integer({ min: 60, max: 100_000 }).map((depth) => Buffer.from('{"a":'.repeat(depth))),
    fc.integer({ min: 60, max: 1_000 }).map((depth) => Buffer.from(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`)),
    fc
      .constantFrom('{"a":1e999}', '{"a":-1e999}', '{"a":"\\ud800"}', '{"a":"\\u0000"}', '{"\\u0000":1}')
      .map((text) => Buffer.from(text)),
  );
  await fc.assert(
    fc.asyncProperty(broken, async (bytes) => {
      const { status, body } = await post(bytes);
      if (status === 200) expect(body === null || typeof body === 'object').toBe(true);
      else expect(status).toBe(400);
    }),
    { numRuns: 500 },
  );
}, 30_000);
