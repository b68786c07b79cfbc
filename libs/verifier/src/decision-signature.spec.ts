import { readFileSync } from 'node:fs';
import { join } from 'node:path';
// Not the whole of test/support: `npm run mutate` runs this file for each of its changes.
import { type Otherwise, SoftwareAuthenticator } from '../../../test/support/software-authenticator.js';
import {
  decisionChallenge,
  type DecisionSignature,
  type SignedDecision,
  type SignedTerms,
  signatureFault,
} from './decision-signature.js';

const RP_ID = 'haldir.example.com';
const DECISION: SignedDecision = {
  ...{ tenantId: 'tnt_1', requestId: 'apr_1', digest: 'ab'.repeat(32), decision: 'approved', personId: 'prs_1' },
  terms: null,
  nonce: '00112233445566778899aabbccddeeff',
};
const TERMS: SignedTerms = { free_arguments: ['a', 'b'], uses: 3, total_micros: '1500000', ttl_seconds: 600 };

const device = new SoftwareAuthenticator(`https://${RP_ID}`);
const passkey = { publicKey: device.coseKey(), rpId: RP_ID };

function signed(otherwise: Otherwise = {}, by = device, rpId = RP_ID, of = DECISION): DecisionSignature {
  const challenge = decisionChallenge(of).toString('base64url');
  const { id, response } = by.get({ challenge, rpId }, otherwise);
  return {
    ...{ nonce: DECISION.nonce, passkey_id: 'psk_1', credential_id: id, rp_id: rpId },
    ...{ authenticator_data: response.authenticatorData, client_data_json: response.clientDataJSON },
    signature: response.signature,
  };
}
const faultOf = (signature: DecisionSignature, change: Partial<SignedDecision> = {}, key = passkey): string | null =>
  signatureFault({ ...DECISION, ...change }, signature, key);

describe('a signature', () => {
  it('is good for its decision', () => {
    expect(faultOf(signed())).toBeNull();
    expect(faultOf(signed({ origin: `https://approve.${RP_ID}:8443` }))).toBeNull();
    const local = new SoftwareAuthenticator('http://localhost:3000');
    const made = signed({}, local, 'localhost');
    expect(faultOf(made, {}, { publicKey: local.coseKey(), rpId: 'localhost' })).toBeNull();
    const below = new SoftwareAuthenticator('http://haldir.localhost:3000');
    const there = signed({}, below, 'haldir.localhost');
    expect(faultOf(there, {}, { publicKey: below.coseKey(), rpId: 'haldir.localhost' })).toBeNull();
  });

  it('is not good that was made on this machine, and not over http', () => {
    const local = new SoftwareAuthenticator('http://localhost:3000');
    const made = signed({ origin: 'ftp://localhost:3000' }, local, 'localhost');
    const fault = faultOf(made, {}, { publicKey: local.coseKey(), rpId: 'localhost' });
    expect(fault).toBe('it was made at an address that is not of its site');
  });

  const others: [string, Partial<SignedDecision>][] = [
    ['tenant', { tenantId: 'tnt_2' }],
    ['request, of the same call', { requestId: 'apr_2' }],
    ['call, in one byte', { digest: `ac${'ab'.repeat(31)}` }],
    ['request without a call', { digest: null }],
    ['decision', { decision: 'denied' }],
    ['person', { personId: 'prs_2' }],
    ['that allows others beside', { terms: TERMS }],
  ];
  it.each(others)('is not good for another %s', (_, change) => {
    expect(faultOf(signed(), change)).toBe('something else was signed');
  });

  it('of an approval of several calls is good for its terms alone', () => {
    const made = signed({}, device, RP_ID, { ...DECISION, terms: TERMS });
    expect(faultOf(made, { terms: TERMS })).toBeNull();
    const others: (SignedTerms | null)[] = [
      ...[null, { ...TERMS, free_arguments: ['a'] }, { ...TERMS, free_arguments: ['a', 'b', 'c'] }],
      ...[
        { ...TERMS, free_arguments: ['a,b'] },
        { ...TERMS, uses: 4 },
        { ...TERMS, total_micros: null },
      ],
      ...[
        { ...TERMS, total_micros: '1500001' },
        { ...TERMS, ttl_seconds: 601 },
      ],
    ];
    for (const terms of others) expect([terms, faultOf(made, { terms })]).toEqual([terms, 'something else was signed']);
  });

  it('is not good with another nonce', () => {
    expect(faultOf({ ...signed(), nonce: '10112233445566778899aabbccddeeff' })).toBe('something else was signed');
  });

  it.each<[string, Otherwise, string]>([
    ['at another address', { origin: 'https://evil.example' }, 'it was made at an address that is not of its site'],
    ['at one that ends like it', { origin: `https://evil-${RP_ID}` }, 'it was made at an address that is not of its site'],
    ['over plain http', { origin: `http://${RP_ID}` }, 'it was made at an address that is not of its site'],
    ['at a path', { origin: `https://${RP_ID}/x` }, 'it was made at an address that is not of its site'],
    ['at none', { origin: 'null' }, 'it was made at an address that is not of its site'],
    ['for another site', { rpId: 'evil.example' }, 'it was made for another site'],
    ['in the frame of another page', { crossOrigin: true }, 'it was made in the frame of another page'],
    ['to enrol', { type: 'webauthn.create' }, 'it was not made to sign'],
    ['without the person verified', { isVerified: false }, 'nobody was verified'],
  ])('is not good that was made %s', (_, otherwise, fault) => {
    expect(faultOf(signed(otherwise))).toBe(fault);
  }); // prettier-ignore

  it('is not good by another key, nor by none', () => {
    const other = new SoftwareAuthenticator(`https://${RP_ID}`);
    expect(faultOf(signed({}, other))).toBe('it is not of this passkey');
    const none = { ...passkey, publicKey: passkey.publicKey.subarray(1) };
    expect(faultOf(signed(), {}, none)).toBe('the passkey has no key that can be checked');
    expect(faultOf({ ...signed(), rp_id: 'evil.example' })).toBe('it was made for another site');
  });

  it('is not good once any byte of it is another, or is gone', () => {
    const good = signed();
    for (const member of ['authenticator_data', 'client_data_json', 'signature'] as const) {
      const bytes = Buffer.from(good[member], 'base64url');
      for (let at = 0; at < bytes.length; at++) {
        const altered = Buffer.from(bytes);
        altered[at] = (altered[at] ?? 0) ^ 1;
        expect([member, at, faultOf({ ...good, [member]: altered.toString('base64url') })]).not.toContain(null);
        const cut = bytes.subarray(0, at).toString('base64url');
        expect([member, at, faultOf({ ...good, [member]: cut })]).not.toContain(null);
      }
    }
  });

  it('is not good where a member of what the browser says stands twice', () => {
    const good = signed();
    const client = Buffer.from(good.client_data_json, 'base64url').toString();
    const twice = Buffer.from(client.replace('{', '{"type":"webauthn.get",')).toString('base64url');
    expect(faultOf({ ...good, client_data_json: twice })).toBe('what the browser says of it is not JSON');
  });
});

describe('the vectors of docs/log-format.md', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'log-format.md'), 'utf8');
  const section = page.split('### Vectors of a signed decision\n')[1] ?? '';
  const vectors = [...section.matchAll(/^\[.*\]$/gm)].map(([text]) => text);
  const hashes = [...section.matchAll(/^[0-9a-f]{64}$/gm)].map(([hash]) => hash);

  it('are challenges as they are made here', () => {
    expect(vectors).toHaveLength(3);
    const made = vectors.map((text) => {
      const list = JSON.parse(text) as [label: string, ...unknown[]];
      const [label, tenantId, requestId, digest, decision, personId, nonce, ...terms] = list;
      const [free_arguments, uses, total_micros, ttl_seconds] = terms;
      const allowed = label === 'haldir.grant.v1' ? { free_arguments, uses, total_micros, ttl_seconds } : null;
      const signed = { tenantId, requestId, digest, decision, personId, terms: allowed, nonce } as SignedDecision;
      return decisionChallenge(signed).toString('hex');
    });
    expect(made).toEqual(hashes);
  });

  it('have a signature that is good', () => {
    const [, json = ''] = /```json\n([^]*?)\n```/.exec(section) ?? [];
    const { public_key: publicKey, ...signature } = JSON.parse(json) as DecisionSignature & { public_key: string };
    const [, tenantId, requestId, digest, decision, personId] = JSON.parse(vectors[0] ?? '') as string[];
    const of = { tenantId, requestId, digest, decision, personId, terms: null } as unknown as SignedDecision;
    const key = { publicKey: Buffer.from(publicKey, 'base64url'), rpId: signature.rp_id };
    expect(signatureFault(of, signature, key)).toBeNull();
  });
});
