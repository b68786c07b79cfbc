import { HaldirConfig } from '@haldir/runtime';
import { type Authenticator, type PersonAuthenticator, Unauthenticated } from './authenticator.js';
import { type Caller, type HaldirRequest } from './caller.js';
import { Callers } from './callers.js';
import { ForeignPage, OwnPages } from './own-pages.js';

const config = new HaldirConfig({
  DATABASE_URL: 'postgresql://haldir:haldir@127.0.0.1:5432/haldir',
  HALDIR_ROOT_KEYS: `1:${Buffer.alloc(32, 7).toString('base64url')}`,
  HALDIR_PUBLIC_URL: 'https://haldir.example.com',
});
const pages = new OwnPages(config);
const nobody: PersonAuthenticator = { authenticate: () => Promise.resolve(null) };

describe('a request that stays open', () => {
  it('is no further request when it is looked whether its key still stands', async () => {
    const counted: [string, boolean][] = [];
    let isGood = true;
    const callers = new Callers(
      {
        authenticate: (key: string, isRequest: boolean) => {
          counted.push([key, isRequest]);
          return Promise.resolve(isGood ? { keyId: key } : null);
        },
      } as unknown as Authenticator,
      nobody,
      pages,
    );
    const request = { headers: { authorization: 'Bearer hld_1' } } as HaldirRequest;
    await callers.of(request);
    expect(await callers.standing(request)).toEqual({ keyId: 'hld_1' });
    isGood = false;
    expect(await callers.standing(request)).toBeNull();
    expect(counted).toEqual([
      ['hld_1', true],
      ['hld_1', false],
      ['hld_1', false],
    ]);
  });
});

describe('a request of a person', () => {
  const cookie = `other=1; __Host-haldir=${'c'.repeat(43)}`;
  const own = 'https://haldir.example.com';
  const asked: (string | boolean)[] = [];
  const alice: PersonAuthenticator = {
    authenticate: (...tokens) => {
      asked.push(...tokens);
      return Promise.resolve({ keyId: 'sgn_1' } as Caller);
    },
  };
  const noKeys = { authenticate: () => Promise.resolve(null) };
  const of = (method: string, headers: Record<string, string>): Promise<Caller> =>
    new Callers(noKeys, alice, pages).of({ method, headers, socket: {} } as HaldirRequest);

  it('is known by its cookie together with what the page keeps', async () => {
    await expect(of('GET', { cookie, 'x-haldir-page': 'p' })).resolves.toEqual({ keyId: 'sgn_1' });
    expect(asked.splice(0)).toEqual(['c'.repeat(43), 'p', true]);
    const bad = [{ cookie }, { 'x-haldir-page': 'p' }, { cookie: '__Host-haldir=short', 'x-haldir-page': 'p' }];
    for (const headers of bad)
      await expect(of('GET', headers as Record<string, string>)).rejects.toThrow(Unauthenticated);
    expect(asked).toEqual([]);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    'with %s is one of a page of its own, by its whole origin',
    async (method) => {
      await expect(of(method, { cookie, 'x-haldir-page': 'p', origin: own })).resolves.toBeDefined();
      for (const origin of [
        'https://haldir.example.com:444',
        'http://haldir.example.com',
        'http://localhost',
        'null',
        undefined,
      ])
        await expect(
          of(method, { cookie, 'x-haldir-page': 'p', ...(origin === undefined ? {} : { origin }) }),
        ).rejects.toThrow(ForeignPage);
    },
  );

  it('is one of its key when it has one, however good the cookie', async () => {
    asked.splice(0);
    await expect(of('GET', { cookie, 'x-haldir-page': 'p', 'x-api-key': 'hld_1' })).rejects.toThrow(Unauthenticated);
    expect(asked).toEqual([]);
  });
});
