import { createSecretKey } from 'node:crypto';
import { type KeyRing } from '@haldir/crypto';
import { type Clock } from '@haldir/kernel';
import { FLOW_SECONDS, OidcFlows } from './oidc-flows.js';

const START = Date.UTC(2026, 0, 1);
let now = START;
const clock: Clock = { now: () => new Date(now) };
const keyed = (byte: number) =>
  new OidcFlows({ derive: () => createSecretKey(Buffer.alloc(32, byte)) } as unknown as KeyRing, clock);
const flows = keyed(1);

beforeEach(() => {
  now = START;
});

it('is what it was, for ten minutes, wherever it is opened', () => {
  const flow = flows.begin('page', '/approvals/apr_1');
  expect(flow).toMatchObject({ page: 'page', returnTo: '/approvals/apr_1' });
  const kept = flows.seal(flow);
  now = START + FLOW_SECONDS * 1000 - 1;
  expect(keyed(1).open(kept)).toEqual(flow);
  now = START + FLOW_SECONDS * 1000;
  expect(flows.open(kept)).toBeNull();
});

it('shows nothing of itself, and is none once it is changed, or of another installation', () => {
  const flow = flows.begin('page', '/welcome');
  const kept = flows.seal(flow);
  for (const secret of [flow.state, flow.nonce, flow.verifier]) {
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(kept).not.toContain(secret);
  }
  expect(new Set([flow.state, flow.nonce, flow.verifier, flows.begin('page', '/welcome').state]).size).toBe(4);
  expect(keyed(2).open(kept)).toBeNull();
  for (const text of ['', 'A', kept.slice(1), `${kept.slice(0, -2)}AA`, 'A'.repeat(kept.length)])
    expect(flows.open(text)).toBeNull();
});
