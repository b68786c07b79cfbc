import { HaldirConfig } from '@haldir/runtime';
import { type PasskeyRepository } from './passkey.repository.js';
import { RelyingParty } from './relying-party.js';

const at = (publicUrl: string, rpId = '', had: string[] = []): RelyingParty =>
  new RelyingParty(
    new HaldirConfig({
      DATABASE_URL: 'postgresql://haldir:haldir@127.0.0.1:5432/haldir',
      HALDIR_ROOT_KEYS: `1:${Buffer.alloc(32, 7).toString('base64url')}`,
      ...{ HALDIR_PUBLIC_URL: publicUrl, HALDIR_RP_ID: rpId },
    }),
    { rpIds: () => Promise.resolve(had) } as unknown as PasskeyRepository,
  );

it.each([
  ['', '', 'localhost'],
  ['http://127.0.0.1:3000', '', 'localhost'],
  ['http://[::1]:3000', '', 'localhost'],
  ['https://haldir.example.com:8443', '', 'haldir.example.com'],
  ['https://haldir.example.com', 'example.com', 'example.com'],
])('people who reach Haldir at %j, with %j, have passkeys for %s', async (publicUrl, rpId, id) => {
  const party = at(publicUrl, rpId, [id]);
  expect(party.id).toBe(id);
  await expect(party.onModuleInit()).resolves.toBeUndefined();
});

it.each(['https://192.168.1.2', 'https://[fd00::1]:8443'])('there are none for %s', (publicUrl) => {
  expect(() => at(publicUrl).id).toThrow(/expected an address with a host name/);
});

it.each([
  ['', 'example.com'],
  ['https://haldir.example.com', 'ple.com'],
  ['https://haldir.example.com', 'x.haldir.example.com'],
  ['https://haldir.example.com', 'other.org'],
  ['https://haldir.example.com', 'Example.com'],
  ['https://haldir.example.com', '.example.com'],
  ['https://192.168.1.2', 'localhost'],
])('with %j, HALDIR_RP_ID=%s is refused', (publicUrl, rpId) => {
  expect(() => at(publicUrl, rpId)).toThrow(/^HALDIR_RP_ID should be the host of HALDIR_PUBLIC_URL or a domain/);
});

it('does not start while people have passkeys for another site, unless it is named which is meant', async () => {
  const had = ['localhost', 'haldir.example.com'];
  await expect(at('https://haldir.example.com', '', had).onModuleInit()).rejects.toThrow(
    /people have passkeys for localhost, which do not work at haldir\.example\.com;.*HALDIR_RP_ID=haldir\.example\.com$/,
  );
  await expect(at('https://10.0.0.1', '', had).onModuleInit()).rejects.toThrow(/do not work at an IP address/);
  for (const host of ['10.0.0.1', '[2001:db8::1]', 'my_host.lan']) {
    const advice = await at(`https://${host}`, '', had).onModuleInit().catch(String);
    expect(advice?.endsWith(`for example HALDIR_RP_ID=${host}`)).toBe(true);
    await expect(at(`https://${host}`, host, had).onModuleInit()).resolves.toBeUndefined();
  }
  await expect(at('https://haldir.example.com', 'haldir.example.com', had).onModuleInit()).resolves.toBeUndefined();
});

it('takes no more passkeys while people have some for another site, unless it is named which is meant', () => {
  const party = at('https://haldir.example.com');
  for (const had of [[], ['haldir.example.com']]) expect(() => party.refuseOther(had)).not.toThrow();
  for (const had of [['localhost'], ['haldir.example.com', 'localhost']])
    expect(() => party.refuseOther(had)).toThrow(/^People have passkeys for another site/);
  expect(() => at('https://haldir.example.com', 'example.com').refuseOther(['localhost'])).not.toThrow();
});
