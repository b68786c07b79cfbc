import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import {
  type EverythingServer,
  type Reply,
  startEverything,
  startFakeUpstream,
  startWorker,
  startWorld,
  type World,
} from '@haldir/test-support';
import { ApiDocument, type Operation, pathOf } from './api-document.js';
import { Belongings } from './belongings.js';
import { asExample, shapeOf } from './example-answers.js';
import { type Input } from './contract-client.js';

/** Set it to record the answers anew: `HALDIR_RECORD_ANSWERS=true npm test -- e2e test/contract/answers`. */
const isRecording = process.env.HALDIR_RECORD_ANSWERS === 'true';
const FILE = join(import.meta.dirname, '..', '..', 'apps/api/src/openapi/answers.json');

type Examples = Record<string, Record<string, unknown>>;
const recorded = JSON.parse(readFileSync(FILE, 'utf8')) as Examples;
const heard: Examples = {};

let world: World;
let upstream: EverythingServer;
let served: ApiDocument;
let belongings: Belongings;
beforeAll(async () => {
  [world, upstream] = await Promise.all([startWorld(), startEverything()]);
  served = await ApiDocument.servedBy(world.operator);
  const receiverUrl = new URL('/hook', upstream.url).href;
  belongings = await Belongings.of(await world.newTenant(), { upstreamUrl: upstream.url, receiverUrl });
  const worker = await startWorker(world.environment);
  await belongings.makeEvidence();
  await worker.stop();
  // So that no list is empty.
  await belongings.filters();
  for (const id of ['addApprovalRule', 'addAuditRule', 'addProxyPolicy', 'setBudget', 'storeSecret', 'holdPayment'])
    await call(served.operation(id), await belongings.input(id));
});
afterAll(async () => {
  await Promise.all([world.stop(), upstream.kill()]);
});

async function call(operation: Operation, input: Input): Promise<Reply<unknown>> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(input.query ?? {})) query.set(name, String(value));
  const path = pathOf(operation, input.path ?? {}) + (query.size > 0 ? `?${query.toString()}` : '');
  const asker = await belongings.asker(operation);
  const reply = await asker.send(operation.method, path, input.body, input.headers);
  const example = asExample(reply.body);
  (heard[operation.id] ??= {})[String(reply.status)] = example;
  return reply;
}

/** Answers with a body of their own that are no success, and how they come about. */
const REFUSALS: Readonly<Record<string, () => Promise<Input>>> = {
  'proxyCall 403': async () => {
    await belongings.client.post('/v1/proxy/policies', { type: 'block_tool', tool: 'up.get-env' });
    return {
      body: { tool: 'up.get-env', arguments: {}, session_id: await belongings.client.session({ scopes: ['read'] }) },
    };
  },
  'proxyCall 404': async () => ({
    body: { tool: 'up.nothing', arguments: {}, session_id: await belongings.client.session({ scopes: ['read'] }) },
  }),
  'proxyCall 502': async () => {
    const away = await startFakeUpstream('echo');
    await belongings.client.post('/v1/proxy/upstreams', { name: 'away', url: away.url });
    await away.stop();
    return {
      body: {
        tool: 'away.echo',
        arguments: { message: 'x' },
        session_id: await belongings.client.session({ scopes: ['read'] }),
      },
    };
  },
  'authorizePayment 403': async () => ({
    body: { session_id: await belongings.client.session({ spend_limit: 5 }), amount: 7.5 },
  }),
  'holdPayment 403': async () => ({
    body: { session_id: await belongings.client.session({ spend_limit: 5 }), amount: 7.5 },
  }),
};

it('every operation answers as its example says', async () => {
  const others: unknown[] = [];
  for (const operation of served.operations) {
    const { status, body } = await call(operation, await belongings.input(operation.id));
    expect([operation.id, status < 300]).toEqual([operation.id, true]);
    const example = recorded[operation.id]?.[String(status)];
    if (!isRecording && shapeOf(example) !== shapeOf(asExample(body)))
      others.push([operation.id, status, body, example]);
  }
  expect(others).toEqual([]);
}, 180_000);

it('every refusal of its own is what its example says', async () => {
  for (const [name, make] of Object.entries(REFUSALS)) {
    const [id = '', status] = name.split(' ');
    const reply = await call(served.operation(id), await make());
    expect([name, reply.status, reply.body]).toEqual([name, Number(status), expect.anything()]);
    if (!isRecording)
      expect([name, shapeOf(asExample(reply.body))]).toEqual([name, shapeOf(recorded[id]?.[status ?? ''])]);
  }
});

it('every answer with a body has an example, which its schema accepts', async () => {
  if (isRecording) {
    const kept = { ...heard, readinessCheck: { ...heard['readinessCheck'], 503: recorded['readinessCheck']?.['503'] } };
    const options = { ...(await resolveConfig(FILE)), parser: 'json' };
    writeFileSync(FILE, await format(JSON.stringify(kept), options));
    return;
  }
  const document = (await world.operator.get('/openapi.json')).body;
  const faults: unknown[] = [];
  for (const operation of served.operations) {
    for (const status of operation.statuses) {
      for (const [type, media] of Object.entries(served.contentOf(operation, status))) {
        const { example } = media;
        if (example === undefined) faults.push([operation.id, status, type, 'has no example']);
        else
          faults.push(
            ...served.problems(operation, status, type, example).map((fault) => [operation.id, status, fault]),
          );
      }
    }
  }
  expect(faults).toEqual([]);
  expect(JSON.stringify(document)).not.toMatch(/0xN0rD|haldir\.xyz|three modules/);
});
