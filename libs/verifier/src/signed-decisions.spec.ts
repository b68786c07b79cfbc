// Not the whole of test/support: `npm run mutate` runs this file for each of its changes.
import { type Line, link, log, manifestOf } from '../../../test/support/signed-export.js';
import { SoftwareAuthenticator } from '../../../test/support/software-authenticator.js';
import { decisionChallenge, type SignedDecision } from './decision-signature.js';
import { checkExport } from './export-check.js';
import { type Verdict } from './verdict.js';

const RP_ID = 'haldir.example.com';
const device = new SoftwareAuthenticator(`https://${RP_ID}`);
const other = new SoftwareAuthenticator(`https://${RP_ID}`);
const ALICE = 'prs_alice';

let entries = 0;
const entryOf = (tool: string, action: string, details: unknown, more: Line = {}): Line => ({
  ...{ entry_id: `aud_${entries++}`, source: 'haldir', tool, action, actor_id: ALICE },
  ...{ details: JSON.stringify(details), flag_reason: null },
  ...more,
});
const people = (action: string, details: Line, more: Line = {}): Line =>
  entryOf('haldir.people', action, details, more);
const enrolled = (by = device, details: Line = {}, more: Line = {}): Line =>
  people(
    'passkey_enrolled',
    {
      ...{ passkey_id: 'psk_1', credential_id: by.credentialId.toString('base64url'), algorithm: -7, rp_id: RP_ID },
      ...{ public_key: by.coseKey().toString('base64url'), ...details },
    },
    more,
  );
const removed = people('passkey_removed', { passkey_id: 'psk_1' });

type Change = Partial<Record<'details' | 'signature' | 'more' | 'signed', Line>>;
/** A decision that Alice signed, with some of its entry as it was not. */
function decided({ details = {}, signature = {}, more = {}, signed = {} }: Change = {}): Line {
  const decision = {
    ...{ tenantId: 'tnt_1', requestId: 'apr_1', digest: 'ab'.repeat(32), decision: 'approved', personId: ALICE },
    ...{ terms: null, nonce: '00'.repeat(16), ...signed },
  } as SignedDecision;
  const { id, response } = device.get({ challenge: decisionChallenge(decision).toString('base64url'), rpId: RP_ID });
  const said = {
    ...{ nonce: decision.nonce, passkey_id: 'psk_1', credential_id: id, rp_id: RP_ID, signature: response.signature },
    ...{ authenticator_data: response.authenticatorData, client_data_json: response.clientDataJSON, ...signature },
  };
  const all = { request_id: 'apr_1', digest: decision.digest, signature: said, ...details };
  return entryOf('haldir.approvals', 'approval_approved', all, more);
} // prettier-ignore
const TERMS = { free_arguments: ['text'], uses: 3, total_micros: null, ttl_seconds: 600 };
const unsigned = entryOf('haldir.approvals', 'approval_approved', { request_id: 'apr_0', note: '' });

async function check(lines: Line[], altered = lines): Promise<Verdict> {
  const chunks = (async function* () {
    for (const line of [...altered, manifestOf(lines)]) yield `${JSON.stringify(line)}\n`;
  })();
  return checkExport(chunks, { log });
}
const found = (...all: Line[]): Promise<Verdict> => check(link(all));
/** Without details of these, and with records that they were erased. */
async function foundErased(all: Line[], erased: number[]): Promise<Verdict> {
  const records = erased.map((index) => entryOf('haldir.audit', 'audit_details_erased', { entry_id: all[index]?.['entry_id'] })); // prettier-ignore
  const lines = link([...all, ...records]);
  const without = lines.map((line, i) => (erased.includes(i) ? { ...line, details: null, details_salt: null } : line));
  return check(lines, without);
}

describe('the signed decisions of a log', () => {
  it('are counted where they are good, and it is said where there are none', async () => {
    expect(await found(unsigned)).toMatchObject({ outcome: 'intact', decisions: { signed: 0, erased: 0 } });
    const denied = { signed: { decision: 'denied' }, more: { action: 'approval_denied' } };
    const of = (requestId: string, change: Change = {}): Line => decided({ ...change, details: { request_id: requestId, ...change.details }, signed: { requestId, ...change.signed } }); // prettier-ignore
    const allowing = of('apr_4', { signed: { terms: TERMS }, details: { grant: { id: 'grt_1', ...TERMS } } });
    const all = [
      enrolled(),
      unsigned,
      decided(),
      of('apr_2', denied),
      of('apr_3', { signed: { digest: null } }),
      allowing,
    ];
    expect(await found(...all)).toMatchObject({ outcome: 'intact', entries: 6, decisions: { signed: 4, erased: 0 } });
  });

  it.each<[string, Line[], number, RegExp]>([
    ['without its passkey', [unsigned, decided()], 1, /had no such passkey/],
    ['before its passkey was enrolled', [decided(), enrolled()], 0, /had no such passkey/],
    ['after its passkey was removed', [enrolled(), removed, decided()], 2, /had no such passkey/],
    ['after its person was removed', [enrolled(), people('person_removed', { person_id: ALICE }, { actor_id: 'prs_owner' }), decided()], 2, /had no such passkey/],
    ['after the claim was gone by which its person was one', [enrolled(), people('person_claim_lost', { person_id: ALICE }, { actor_id: 'haldir' }), decided()], 2, /had no such passkey/],
    ['of a request that was decided', [enrolled(), decided(), decided()], 2, /decided before/],
    ['by the passkey of somebody else', [enrolled(device, {}, { actor_id: 'prs_bob' }), decided()], 1, /had no such passkey/],
    ['by another credential', [enrolled(device, { credential_id: 'AAAA' }), decided()], 1, /had no such passkey/],
    ['by another key', [enrolled(device, { public_key: other.coseKey().toString('base64url') }), decided()], 1, /not of this passkey/],
    ['with a passkey of another site', [enrolled(device, { rp_id: 'evil.example' }), decided()], 1, /not of its site/],
    ['with a passkey that an agent told of', [enrolled(device, {}, { source: 'agent' }), decided()], 1, /had no such passkey/],
    ['as another person', [enrolled(), enrolled(other, { passkey_id: 'psk_2' }, { actor_id: 'prs_bob' }), decided({ more: { actor_id: 'prs_bob' } })], 2, /had no such passkey/],
    ['of another request', [enrolled(), decided({ details: { request_id: 'apr_2' } })], 1, /something else/],
    ['of another call', [enrolled(), decided({ details: { digest: 'ac'.repeat(32) } })], 1, /something else/],
    ['of another decision', [enrolled(), decided({ more: { action: 'approval_denied' } })], 1, /something else/],
    ['of another tenant', [enrolled(), decided({ signed: { tenantId: 'tnt_2' } })], 1, /something else/],
    ['with another nonce', [enrolled(), decided({ signature: { nonce: '01'.repeat(16) } })], 1, /something else/],
    ['with a member missing', [enrolled(), decided({ signature: { nonce: undefined } })], 1, /not whole/],
    ['with a member that is no text', [enrolled(), decided({ signature: { signature: 7 } })], 1, /not whole/],
    ['without its request', [enrolled(), decided({ details: { request_id: undefined } })], 1, /not whole/],
    ['with a digest that is no text', [enrolled(), decided({ details: { digest: 7 } })], 1, /not whole/],
    ['with something else in its place', [enrolled(), decided({ details: { signature: null } })], 1, /not whole/],
    ['with terms that were not signed', [enrolled(), decided({ details: { grant: TERMS } })], 1, /something else/],
    ['without the terms that were signed', [enrolled(), decided({ signed: { terms: TERMS } })], 1, /something else/],
    ['with other terms', [enrolled(), decided({ signed: { terms: TERMS }, details: { grant: { ...TERMS, uses: 4 } } })], 1, /something else/],
    ...[7, [], {}, { ...TERMS, free_arguments: 'a' }, { ...TERMS, free_arguments: [7] }, { ...TERMS, uses: '3' }, { ...TERMS, total_micros: 5 }, { ...TERMS, total_micros: '-5' }, { ...TERMS, ttl_seconds: 1.5 }].map((grant): [string, Line[], number, RegExp] => ['with terms that are none', [enrolled(), decided({ details: { grant } })], 1, /not whole/]),
    ['by nobody', [enrolled(), decided({ more: { actor_id: null } })], 1, /not whole/],
    ['in details that are no JSON', [enrolled(), { ...decided(), details: 'approved' }], 1, /not a JSON object/],
  ])('are broken where one is %s', async (_, all, index, reason) => {
    expect(await found(...all)).toEqual({ outcome: 'broken', index, reason: expect.stringMatching(reason) as string });
  }); // prettier-ignore

  it('are broken at the first one, and what is wrong with the entries is said before', async () => {
    const bad = decided({ details: { request_id: 'apr_2' } });
    expect(await found(enrolled(), unsigned, bad, bad)).toMatchObject({ outcome: 'broken', index: 2 });
    const lines = link([enrolled(), bad, unsigned]);
    const altered = lines.map((line, i) => (i === 2 ? { ...line, action: 'approval_denied' } : line));
    expect(await check(lines, altered)).toMatchObject({ outcome: 'broken', index: 2 });
  });

  it('cannot be checked once the key was erased from the log', async () => {
    expect(await foundErased([enrolled(), decided()], [0])).toEqual({
      outcome: 'cannot_check',
      reason: expect.stringContaining('the entries are intact, but at index 1 the decision is signed') as string,
    });
    // What is wrong all the same is wrong.
    const all = [enrolled(), decided(), enrolled(other, { passkey_id: 'psk_2' }), decided({ details: { request_id: 'apr_2' }, signed: { requestId: 'apr_2' }, signature: { passkey_id: 'psk_2' } })]; // prettier-ignore
    expect(await foundErased(all, [0])).toMatchObject({ outcome: 'broken', index: 3 });
    // And what others erased has nothing to do with it.
    const bob = enrolled(other, {}, { actor_id: 'prs_bob' });
    expect(await foundErased([bob, decided()], [0])).toMatchObject({ outcome: 'broken', index: 1 });
  });

  it('cannot be checked once it was erased which passkey was removed, or whose', async () => {
    const doubtful = {
      outcome: 'cannot_check',
      reason: expect.stringContaining('may have been removed before') as string,
    };
    expect(await foundErased([enrolled(), removed, decided()], [1])).toEqual(doubtful);
    const gone = people('person_removed', { person_id: 'prs_bob' }, { actor_id: 'prs_owner' });
    expect(await foundErased([enrolled(), gone, decided()], [1])).toEqual(doubtful);
    // One that was made since is none of those, and one of somebody else is not meant.
    const anew = { passkey_id: 'psk_2' };
    expect(await foundErased([removed, enrolled(device, anew), decided({ signature: anew })], [0])).toMatchObject({ outcome: 'intact' }); // prettier-ignore
    const ofBob = people('passkey_removed', { passkey_id: 'psk_1' }, { actor_id: 'prs_bob' });
    expect(await foundErased([enrolled(), ofBob, decided()], [1])).toMatchObject({ outcome: 'intact' });
  });

  it('are broken where more was let through by a grant than was signed', async () => {
    const of = (terms: Line): Line => decided({ signed: { terms }, details: { grant: { id: 'grt_1', ...terms } } });
    const used = (amount: unknown = '0', id: unknown = 'grt_1', more: Line = {}): Line =>
      entryOf('haldir.approvals', 'approval_grant_used', { grant_id: id, amount_micros: amount }, more);
    const twice = { ...TERMS, uses: 2, total_micros: '10' };
    expect(await found(enrolled(), of(twice), used('4'), used('6'), used('7', 'grt_2'))).toMatchObject({ outcome: 'intact' });
    const wrong: Line[][] = [[used(), used(), used()], [used('4'), used('7')], [used('11')]];
    for (const uses of wrong) {
      const verdict = await found(enrolled(), of(twice), ...uses);
      expect(verdict).toMatchObject({ outcome: 'broken', index: 1 + uses.length, reason: expect.stringContaining('more was let through') as string });
    }
    expect(await found(enrolled(), of({ ...twice, total_micros: null }), used('1'))).toMatchObject({ outcome: 'broken' });
    // What an agent says in the same words, and a grant that nobody signed.
    expect(await found(enrolled(), of({ ...twice, uses: 1 }), used(), used('0', 'grt_1', { source: 'agent' }))).toMatchObject({ outcome: 'intact' });
    expect(await found(enrolled(), unsigned, used(), used(), used())).toMatchObject({ outcome: 'intact' });
  }); // prettier-ignore

  it('are good whoever else is removed, and whatever else is said of people', async () => {
    const bob = people('person_removed', { person_id: 'prs_bob' }, { actor_id: 'prs_owner' });
    const claim = people('person_claim_lost', { person_id: 'prs_bob' }, { actor_id: 'haldir' });
    const invited = people('person_invited', {}, { actor_id: 'prs_owner' });
    expect(await found(enrolled(), bob, claim, invited, decided())).toMatchObject({ outcome: 'intact', decisions: { signed: 1 } });
    // What another of Haldir's own says, in the same words, is about nobody's passkeys.
    const elsewhere = entryOf('haldir.gate', 'person_removed', { person_id: ALICE }, { actor_id: 'prs_owner' });
    const neither = entryOf('haldir.gate', 'passkey_removed', { passkey_id: 'psk_1' });
    expect(await found(enrolled(), elsewhere, neither, decided())).toMatchObject({ outcome: 'intact' });
  }); // prettier-ignore

  it.each(['passkey_id', 'public_key', 'rp_id'])('cannot be checked where an enrolment has no %s', async (member) => {
    expect(await found(enrolled(device, { [member]: undefined }), decided())).toMatchObject({ outcome: 'cannot_check' });
    expect(await found(enrolled(device, { [member]: 7 }), decided())).toMatchObject({ outcome: 'cannot_check' });
  }); // prettier-ignore

  it('are not counted where their own details were erased, which is said', async () => {
    const all = [enrolled(), decided(), decided()];
    expect(await foundErased(all, [2])).toMatchObject({ outcome: 'intact', decisions: { signed: 1, erased: 1 } });
  });

  it('are nothing that others wrote', async () => {
    const forged = decided({ details: { request_id: 'apr_2' } });
    const elsewhere = [{ ...forged, source: 'agent' }, { ...forged, tool: 'mail' }, { ...forged, action: 'approval_requested' }]; // prettier-ignore
    expect(await found(enrolled(), ...elsewhere)).toMatchObject({ outcome: 'intact', decisions: { signed: 0 } });
  });
});
