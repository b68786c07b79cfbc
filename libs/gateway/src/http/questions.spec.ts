import { keyActor } from '@haldir/kernel';
import { type KeyRing } from '@haldir/crypto';
import { type Notices } from '@haldir/database';
import { createLogger } from '@haldir/runtime';
import { type Asking } from './asking.js';
import { beginMcpSession, readMcpSession } from './protocol/mcp-session.js';
import { Questions } from './questions.js';

const mcpSession = readMcpSession({ 'mcp-session-id': beginMcpSession('2025-11-25', { roots: {} }) });
const client = (tenantId: string, onRequest: (id: string) => void = () => undefined): Asking =>
  ({
    ...{ caller: { actor: keyActor(tenantId, 'hld_k') }, sessionId: 'ses_1', mcpSession, cancelled: null },
    exchange: { signal: new AbortController().signal, request: onRequest },
  }) as unknown as Asking;
const asked = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [String(i), { method: 'roots/list' }]));

it('asks no more of one tenant at once than leaves room for others', async () => {
  const questions = new Questions({} as Notices, {} as KeyRing, createLogger('silent'));
  const waiting = Array.from({ length: 31 }, () => questions.ask(client('greedy'), asked, 60_000));
  expect(await questions.ask(client('greedy'), asked, 60_000)).toBeNull();
  const ids: string[] = [];
  const other = questions.ask(
    client('other', (id) => ids.push(id)),
    { one: { method: 'roots/list' } },
    60_000,
  );
  if (!mcpSession) throw new Error('no session');
  for (const id of ids)
    await questions.hear({ tenantId: 'other', sessionId: 'ses_1', mcpSession }, { id, result: { roots: [] } });
  expect(await other).toEqual({ one: { roots: [] } });
  questions.beforeApplicationShutdown();
  expect(await Promise.all(waiting)).toEqual(waiting.map(() => null));
});
