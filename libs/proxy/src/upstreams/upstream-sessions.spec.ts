import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type UpstreamTransport } from '../mcp-client/upstream-transport.js';
import { SessionProtocols } from '../mcp-client/session-protocols.js';
import { type UpstreamAddress } from './upstream-address.js';
import { NO_LIMITS } from './upstream-limits.js';
import { UpstreamSessions } from './upstream-sessions.js';

const ADDRESS: UpstreamAddress = {
  ...{ tenantId: 'ten_1', name: 'up', url: 'http://127.0.0.1:1/mcp', revision: 'upr_1', headers: null },
  ...NO_LIMITS,
};
const SESSIONS = 10_000;
/** Of the 100 MB that 10,000 open sessions may add to a process. */
const MOST_BYTES = 30 * 1_024 * 1_024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
function heap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

it('10,000 sessions with an upstream take a process less than 30 MB', async () => {
  const kept = {
    find: async () => ({ epoch: `ups_${randomUUID()}`, sealed: Buffer.alloc(0) }),
    whose: async () => 'own' as const,
    use: async () => undefined,
  };
  const session = (): object => ({ url: ADDRESS.url, id: randomUUID(), version: '2025-11-25' });
  const keys = { openFor: async () => Buffer.from(JSON.stringify(session())) };
  const parts = [kept, keys, {}, {}, { now: () => new Date() }];
  const sessions = new UpstreamSessions(...(parts as unknown as ConstructorParameters<typeof UpstreamSessions>));
  const transport = { headers: {} } as UpstreamTransport;
  const protocols = new SessionProtocols(transport, 30_000, sessions.placesOf(ADDRESS));
  const deadline = { deadlineAt: performance.now() + 60_000 };
  const ids = Array.from({ length: SESSIONS }, () => `ses_${randomUUID()}`);

  const before = heap();
  for (const id of ids) await (await protocols.for(id, deadline)).find(deadline);
  const added = heap() - before;
  await sessions.onApplicationShutdown();

  expect((await protocols.for(ids[0], deadline)).current).toMatchObject({ kind: 'handshake', version: '2025-11-25' });
  expect(added).toBeGreaterThan(1_000_000);
  expect(added).toBeLessThan(MOST_BYTES);
});
