import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bodyHash, contentHash, entryHash, GENESIS_HASH, hashSalted } from './entry-hash.js';
import { manifestBody } from './manifest.js';

/** The vectors of docs/log-format.md: whoever writes a verifier of their own begins with them. */
const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'log-format.md'), 'utf8');
const entry = {
  tenantId: 'tnt_1',
  entryId: 'aud_1',
  source: 'agent',
  sessionId: 'ses_1',
  agentId: 'agent',
  tool: 'mail.send',
  action: 'sent “hi”',
  costMicros: '1500000',
};
const [salt, details, context] = [
  '000102030405060708090a0b0c0d0e0f',
  'to: dana',
  '{"address":"192.0.2.7","label":"key:hld_1"}',
];

it.each([
  ['1', null, null, 0n, null],
  ['2', 'hld_1', hashSalted(salt, context), 1_760_000_000_123_456n, 'high_cost'],
])('of an entry of format %s are those of the page', (format, actorId, contextHash, at, flag) => {
  const content = contentHash({ ...entry, detailsHash: hashSalted(salt, details), actorId, contextHash });
  const body = bodyHash(content, at, flag);
  const hashes = [content, body.toString('hex'), entryHash(GENESIS_HASH, body).toString('hex')];
  const section = page.split(`### Vector of format ${format}\n`)[1]?.split('\n### ')[0] ?? '';
  expect([...section.matchAll(/^[a-z ]*(?:content|body|entry) hash +([0-9a-f]{64})$/gm)].map(([, hash]) => hash)).toEqual(hashes);
}); // prettier-ignore

it('of a manifest is that of the page', () => {
  const manifest = { type: 'manifest', tenant_id: 'tnt_1', count: 1, filters: {}, signature: 'is left out' };
  expect(page).toContain(manifestBody('example.com/log/tnt_1', manifest));
});
