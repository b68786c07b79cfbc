import fc from 'fast-check';
import { fastify } from 'fastify';
import { InvalidInput } from '@haldir/kernel';
import { UnsupportedMedia, useJsonBodies } from './body-parser.js';

const app = fastify();
useJsonBodies(app);
app.post('/', (request) => ({ body: request.body ?? null }));
app.setErrorHandler((error, _request, reply) => {
  const isLarge = (error as { statusCode?: number }).statusCode === 413;
  const status = error instanceof UnsupportedMedia ? 415 : error instanceof InvalidInput || isLarge ? 400 : 500;
  void reply.status(status).send({ error: String(error) });
});
afterAll(() => app.close());

const post = async (payload: string | Buffer): Promise<{ status: number; body: unknown; error?: string }> => {
  const answer = await app.inject({
    method: 'POST',
    url: '/',
    headers: { 'content-type': 'application/json' },
    payload,
  });
  return { status: answer.statusCode, ...answer.json<{ body: unknown; error?: string }>() };
};

const isStorableText = (text: string): boolean => !text.includes('\0') && !/\p{Surrogate}/u.test(text);

/** What a body may be, said the slow way. */
function isAcceptable(value: unknown, depth = 1): boolean {
  if (depth > 64) return false;
  if (typeof value === 'string') return isStorableText(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(
    ([key, member]) =>
      key !== '__proto__' &&
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

it('takes every number, and answers with it as it was written', async () => {
  for (const number of ['1.0', '-0', '1E5', '9'.repeat(309), '-1e400', '0.10', '9007199254740993', '1e-400']) {
    const { payload } = await app.inject({
      ...{ method: 'POST', url: '/', headers: { 'content-type': 'application/json' } },
      payload: `{"a":[${number}]}`,
    });
    expect(payload).toBe(`{"body":{"a":[${number}]}}`);
  }
});

it('names what is not to be kept, or is no member', async () => {
  expect((await post('{"a":{"b":["\\u0000"]}}')).error).toContain('a.b.0: expected no NUL');
  expect((await post('{"a":{"__proto__":{}}}')).error).toContain(
    'a: expected no NUL, lone surrogate or member named __proto__',
  );
  expect((await post('{"a":{"constructor":{"prototype":1}}}')).status).toBe(200);
});

describe('bytes that are not UTF-8', () => {
  const send = (payload: Buffer, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: '/', headers: { 'content-type': 'application/json', ...headers }, payload });

  it('are refused, and never replaced', async () => {
    for (const bytes of [[0xff], [0xe9], [0xc0, 0xaf], [0xed, 0xa0, 0x80]]) {
      const payload = Buffer.concat([Buffer.from('{"value":"'), Buffer.from(bytes), Buffer.from('"}')]);
      expect((await send(payload)).statusCode).toBe(400);
    }
  });

  it.each(['iso-8859-1', '"latin1"', 'utf-16', 'us-ascii', 'UTF-7'])(
    'are refused as such: charset %s',
    async (charset) => {
      const answer = await send(Buffer.from('{}'), { 'content-type': `application/json; charset=${charset}` });
      expect(answer.statusCode).toBe(415);
    },
  );

  it.each(['gzip', 'br', 'deflate', 'x-gzip', 'GZIP, identity'])(
    'are refused as such: encoding %s',
    async (encoding) => {
      expect((await send(Buffer.from('{}'), { 'content-encoding': encoding })).statusCode).toBe(415);
    },
  );

  it('are not those of UTF-8 under any of its names, nor of a mark of their order', async () => {
    for (const charset of ['utf-8', 'UTF-8', 'utf8', '"utf-8"', 'utf-8; profile=x']) {
      const answer = await send(Buffer.from('\ufeff{"a":"é"}'), {
        'content-type': `application/json;charset=${charset}`,
      });
      expect([answer.statusCode, answer.json()]).toEqual([200, { body: { a: 'é' } }]);
    }
    expect((await send(Buffer.from('{}'), { 'content-encoding': 'identity' })).statusCode).toBe(200);
  });
});

it('more values than are looked through in a moment are refused, however short they are', async () => {
  for (const item of ['1.0', '{}', '""', '[]']) {
    const values = (count: number): string => `{"a":[${Array.from({ length: count }, () => item).join(',')}]}`;
    expect(await post(values(item === '1.0' || item === '""' ? 50_001 : 25_001))).toMatchObject({
      status: 400,
      error: expect.stringContaining('request body: expected at most 50000 values'),
    });
    expect((await post(values(item === '1.0' || item === '""' ? 49_996 : 24_998))).status, item).toBe(200);
  }
});

it('bytes that are no JSON are refused, and never a failure', async () => {
  const broken = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc.tuple(fc.json(), fc.nat(20)).map(([text, cut]) => Buffer.from(text.slice(0, -cut || undefined))),
    fc.integer({ min: 60, max: 100_000 }).map((depth) => Buffer.from('{"a":'.repeat(depth))),
    fc.integer({ min: 60, max: 1_000 }).map((depth) => Buffer.from(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`)),
    fc.constantFrom('{"a":"\\ud800"}', '{"a":"\\u0000"}', '{"\\u0000":1}').map((text) => Buffer.from(text)),
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
