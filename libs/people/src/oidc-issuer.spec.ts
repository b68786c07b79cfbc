import { type Clock } from '@haldir/kernel';
import { Egress, EgressPolicy } from '@haldir/egress';
import { HaldirConfig, type Log } from '@haldir/runtime';
import { OidcAway, OidcNotSetUp } from './oidc.errors.js';
import { type OidcFlow } from './oidc-flows.js';
import { OidcIssuer } from './oidc-issuer.js';

const valid = {
  DATABASE_URL: 'postgresql://haldir@127.0.0.1/haldir',
  HALDIR_ROOT_KEYS: `1:${Buffer.alloc(32, 1).toString('base64url')}`,
};
const oidc = { HALDIR_OIDC_ISSUER: 'https://issuer.example', HALDIR_OIDC_CLIENT_ID: 'haldir' };
const flow: OidcFlow = {
  ...{ state: 's', nonce: 'n', verifier: 'v'.repeat(43), page: 'p', returnTo: '/welcome' },
  expiresAt: new Date(0),
};

let now = 0;
let dialled: string[] = [];
let asked: string[] = [];
let said: string[] = [];
const clock: Clock = { now: () => new Date(now) };
const log = { warn: (fact: { reason?: string }) => said.push(String(fact.reason)) } as unknown as Log;

/** An issuer whose name stands for these addresses; whatever is dialled does not answer. */
function issuerAt(addresses: string[], env: Record<string, string> = oidc): OidcIssuer {
  const egress = new Egress(new EgressPolicy([]), {
    resolver: async (name) => {
      asked.push(name);
      return addresses;
    },
    connector: async ({ address }) => {
      dialled.push(address);
      throw new Error('nobody is there');
    },
  });
  return new OidcIssuer(new HaldirConfig({ ...valid, ...env }), egress, clock, log);
}

const begin = (issuer: OidcIssuer): Promise<unknown> => issuer.addressOf(flow, 'https://haldir.example/callback');

beforeEach(() => {
  [now, dialled, asked, said] = [0, [], [], []];
});

it.each([['10.0.0.1'], ['127.0.0.1'], ['169.254.169.254'], ['::1'], ['fd00::1'], ['93.184.216.34', '192.168.1.1']])(
  'an issuer at %s is not spoken to',
  async (...addresses) => {
    await expect(begin(issuerAt(addresses))).rejects.toThrow(OidcAway);
    expect([asked, dialled, said]).toEqual([['issuer.example'], [], ['address']]);
  },
);

it('an issuer at a public address is, and left alone for a moment while it is away', async () => {
  const issuer = issuerAt(['93.184.216.34']);
  await Promise.all([1, 2, 3].map(() => expect(begin(issuer)).rejects.toThrow(OidcAway)));
  expect(dialled).toEqual(['93.184.216.34']);
  now = 1999;
  await expect(begin(issuer)).rejects.toThrow(OidcAway);
  expect(dialled).toHaveLength(1);
  now = 2000;
  await expect(begin(issuer)).rejects.toThrow(OidcAway);
  expect(dialled).toHaveLength(2);
});

it('without settings there is none', async () => {
  const none = issuerAt([], {});
  expect([none.name, none.roles]).toEqual([null, null]);
  await expect(begin(none)).rejects.toThrow(OidcNotSetUp);
});
