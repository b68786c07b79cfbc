import { type Client, type FakeUpstream, startFakeUpstream, startWorld, type World } from '@haldir/test-support';
import fc from 'fast-check';

type Body = Record<string, unknown>;

let world: World;
let tenant: Client;
beforeAll(async () => {
  world = await startWorld({ processes: 2 });
});
beforeEach(async () => {
  tenant = await world.newTenant();
});
afterAll(() => world.stop());

/** The tenant's client at one process or the other. */
const at = (process: number): Client => {
  const app = world.apis[process % world.apis.length];
  if (!app) throw new Error('there is no such process');
  return tenant.at(app);
};

/** A step that both the model and Haldir take; it compares what they say. */
interface Step<Model> {
  readonly name: string;
  run(model: Model): Promise<void>;
}

/** Has both go through random steps, in a world that is new each time. */
async function compare<Model>(
  begin: () => Promise<Model>,
  steps: fc.Arbitrary<Step<Model>>,
  numRuns: number,
): Promise<void> {
  const shown = steps.map((step) => ({ ...step, [fc.toStringMethod]: () => step.name }));
  await fc.assert(
    fc.asyncProperty(fc.array(shown, { minLength: 4, maxLength: 25 }), async (walk) => {
      const model = await begin();
      for (const step of walk) await step.run(model);
    }),
    { numRuns, endOnFailure: true },
  );
}

describe('sessions', () => {
  interface Known {
    id: string;
    scopes: string[];
    revoked: boolean;
  }
  const SCOPES = ['read', 'admin', 'stripe', 'stripe:refund', 'stripe:charge', 'execute'];
  const scope = fc.constantFrom(...SCOPES);
  const held = (scopes: readonly string[], wanted: string): boolean =>
    scopes.includes('admin') || scopes.includes(wanted) || scopes.includes(wanted.split(':')[0] ?? '');
  const nth = (sessions: Known[], n: number): Known | undefined => sessions[n % Math.max(1, sessions.length)];

  const steps = fc.oneof(
    fc.tuple(fc.uniqueArray(scope, { minLength: 1, maxLength: 3 }), fc.nat(1)).map(([scopes, process]) => ({
      name: `open ${scopes.join()}`,
      run: async (sessions: Known[]): Promise<void> => {
        sessions.push({ id: await at(process).session({ scopes }), scopes, revoked: false });
      },
    })),
    fc.tuple(fc.nat(20), scope, fc.nat(1)).map(([n, wanted, process]) => ({
      name: `check ${wanted} of ${n}`,
      run: async (sessions: Known[]): Promise<void> => {
        const session = nth(sessions, n);
        if (!session) return;
        const { status, body } = await at(process).post(`/v1/sessions/${session.id}/check`, { scope: wanted });
        expect([status, body['allowed']]).toEqual([200, !session.revoked && held(session.scopes, wanted)]);
      },
    })),
    fc.tuple(fc.nat(20), fc.nat(1)).map(([n, process]) => ({
      name: `read ${n}`,
      run: async (sessions: Known[]): Promise<void> => {
        const session = nth(sessions, n);
        if (!session) return;
        const { status, body } = await at(process).get(`/v1/sessions/${session.id}`);
        expect(status).toBe(session.revoked ? 404 : 200);
        if (status === 200) expect(body['scopes']).toEqual(session.scopes);
      },
    })),
    fc.tuple(fc.nat(20), fc.nat(1)).map(([n, process]) => ({
      name: `revoke ${n}`,
      run: async (sessions: Known[]): Promise<void> => {
        const session = nth(sessions, n);
        if (!session) return;
        const { status } = await at(process).delete(`/v1/sessions/${session.id}`);
        expect(status).toBe(session.revoked ? 404 : 200);
        session.revoked = true;
      },
    })),
    fc.nat(1).map((process) => ({
      name: 'list',
      run: async (sessions: Known[]): Promise<void> => {
        const { body } = await at(process).get<{ sessions: { session_id: string; status: string }[] }>('/v1/sessions');
        const expected = sessions.map(({ id, revoked }) => [id, revoked ? 'revoked' : 'active']).reverse();
        expect(body.sessions.map(({ session_id, status }) => [session_id, status])).toEqual(expected);
      },
    })),
  );

  it('are, after any steps at any process, what the simplest model says', async () => {
    const begin = async (): Promise<Known[]> => {
      tenant = await world.newTenant();
      return [];
    };
    await compare(begin, steps, 25);
  }, 120_000);
});

describe('approvals', () => {
  interface Model {
    session: string;
    requests: { id: string; status: string }[];
  }
  const nth = ({ requests }: Model, n: number): Model['requests'][number] | undefined =>
    requests[n % Math.max(1, requests.length)];

  const steps = fc.oneof(
    fc.tuple(fc.string({ minLength: 1, maxLength: 8 }), fc.nat(1)).map(([action, process]) => ({
      name: 'ask',
      run: async (model: Model): Promise<void> => {
        const asked = await at(process).post('/v1/approvals/request', {
          session_id: model.session,
          action: `a${action}`,
        });
        expect(asked.status).toBe(201);
        model.requests.push({ id: String(asked.body['request_id']), status: 'pending' });
      },
    })),
    fc.tuple(fc.nat(20), fc.boolean(), fc.nat(1)).map(([n, approves, process]) => ({
      name: `${approves ? 'approve' : 'deny'} ${n}`,
      run: async (model: Model): Promise<void> => {
        const request = nth(model, n);
        if (!request) return;
        const path = `/v1/approvals/${request.id}/${approves ? 'approve' : 'deny'}`;
        const { status } = await at(process).post(path, { decided_by: 'dana' });
        expect(status).toBe(request.status === 'pending' ? 200 : 400);
        if (status === 200) request.status = approves ? 'approved' : 'denied';
      },
    })),
    fc.tuple(fc.nat(20), fc.nat(1)).map(([n, process]) => ({
      name: `look at ${n}`,
      run: async (model: Model): Promise<void> => {
        const request = nth(model, n);
        if (!request) return;
        const { body } = await at(process).get(`/v1/approvals/${request.id}`);
        expect(body['status']).toBe(request.status);
      },
    })),
    fc.nat(1).map((process) => ({
      name: 'list what is pending',
      run: async ({ requests }: Model): Promise<void> => {
        const { body } = await at(process).get<{ requests: { request_id: string }[] }>('/v1/approvals/pending');
        const pending = requests.filter(({ status }) => status === 'pending').map(({ id }) => id);
        expect(body.requests.map(({ request_id }) => request_id).sort()).toEqual(pending.sort());
      },
    })),
  );

  it('are, after any steps at any process, what the simplest model says', async () => {
    const begin = async (): Promise<Model> => {
      tenant = await world.newTenant();
      return { session: await tenant.session(), requests: [] };
    };
    await compare(begin, steps, 25);
  }, 120_000);
});

describe('policies', () => {
  interface Ruled {
    id: string;
    allows: (tool: string, amount: number | null) => boolean;
    mode: string;
    priority: number;
    scope: { upstreams?: string[]; agents?: string[]; tools?: string[] };
  }
  interface Model {
    session: string;
    /** In the order they were made. */
    policies: Ruled[];
  }
  let upstream: FakeUpstream;
  beforeAll(async () => {
    upstream = await startFakeUpstream('a', 'b', 'c');
  });
  afterAll(() => upstream.stop());

  const tool = fc.constantFrom('a', 'b', 'c');
  /** As a policy may name it: bare or with its upstream. */
  const name = fc.tuple(tool, fc.boolean()).map(([bare, full]) => (full ? `up.${bare}` : bare));
  const names = fc.uniqueArray(name, { minLength: 1, maxLength: 3 });
  const lists = (list: string[], wanted: string): boolean => list.includes(wanted) || list.includes(`up.${wanted}`);
  const policy = fc.oneof(
    name.map((blocked) => ({ body: { type: 'block_tool', tool: blocked }, allows: (one: string) => !lists([blocked], one) })),
    names.map((tools) => ({ body: { type: 'deny_list', tools }, allows: (one: string) => !lists(tools, one) })),
    names.map((tools) => ({ body: { type: 'allow_list', tools }, allows: (one: string) => lists(tools, one) })),
    fc.integer({ min: 0, max: 20 }).map((max) => ({
      body: { type: 'spend_limit', max },
      allows: (_one: string, amount: number | null) => amount === null || amount <= max,
    })),
  ); // prettier-ignore

  /** Patterns, as plain as can be: a list of all that they may mean. */
  const scope = fc.record(
    {
      upstreams: fc.constantFrom<string[]>(['up'], ['u*'], ['other'], ['*'], []),
      agents: fc.constantFrom<string[]>(['agent'], ['a*t'], ['somebody'], []),
      tools: fc.constantFrom<string[]>(['a'], ['up.b', 'c'], ['up.*'], ['*a', 'x'], []),
    },
    { requiredKeys: [] },
  );
  const MEANT: Record<string, string[]> = { 'up.*': ['a', 'b', 'c'], '*a': ['a'], 'up.b': ['b'] };
  const isAbout = ({ scope: { upstreams = [], agents = [], tools = [] } }: Ruled, wanted: string): boolean =>
    (upstreams.length === 0 || !upstreams.includes('other')) &&
    (agents.length === 0 || !agents.includes('somebody')) &&
    (tools.length === 0 || tools.some((pattern) => (MEANT[pattern] ?? [pattern]).includes(wanted)));
  const terms = fc.record({
    mode: fc.constantFrom('enforce', 'enforce', 'log_only'),
    priority: fc.integer({ min: -2, max: 2 }),
    scope,
  });

  const steps = fc.oneof(
    fc.tuple(policy, terms, fc.nat(1)).map(([{ body, allows }, more, process]) => ({
      name: `add ${JSON.stringify({ ...body, ...more })}`,
      run: async ({ policies }: Model): Promise<void> => {
        const added = await at(process).post('/v1/proxy/policies', { ...body, ...more });
        expect(added.status).toBe(201);
        policies.push({ id: String(added.body['id']), allows, ...more });
      },
    })),
    fc.tuple(fc.nat(20), terms, fc.nat(1)).map(([n, more, process]) => ({
      name: `change ${n} to ${JSON.stringify(more)}`,
      run: async ({ policies }: Model): Promise<void> => {
        const changed = policies[n % Math.max(1, policies.length)];
        if (!changed) return;
        expect((await at(process).patch(`/v1/proxy/policies/${changed.id}`, more)).status).toBe(200);
        Object.assign(changed, more);
      },
    })),
    fc.tuple(fc.nat(20), fc.nat(1)).map(([n, process]) => ({
      name: `remove ${n}`,
      run: async ({ policies }: Model): Promise<void> => {
        const [removed] = policies.splice(n % Math.max(1, policies.length), 1);
        if (removed) expect((await at(process).delete(`/v1/proxy/policies/${removed.id}`)).status).toBe(200);
      },
    })),
    fc.tuple(name, fc.option(fc.integer({ min: 0, max: 25 })), fc.nat(1)).map(([called, amount, process]) => ({
      name: `call ${called} for ${amount}`,
      run: async ({ session, policies }: Model): Promise<void> => {
        const before = upstream.calls.length;
        const args: Body = amount === null ? {} : { amount };
        const body = { session_id: session, tool: called, arguments: args };
        const { status, body: answer } = await at(process).post('/v1/proxy/call', body);
        const wanted = called.replace('up.', '');
        const refusing = policies.filter((one) => isAbout(one, wanted) && !one.allows(wanted, amount));
        const blocking = refusing
          .filter(({ mode }) => mode === 'enforce')
          .sort((one, other) => other.priority - one.priority);
        expect([status, upstream.calls.length - before]).toEqual(blocking.length > 0 ? [403, 0] : [200, 1]);
        const explained = (answer['explanation'] ?? []) as { policy_id: string }[];
        expect(explained.map((each) => each.policy_id)).toEqual(blocking.map(({ id }) => id));
        const { body: log } = await at(process).get<{ entries: { details: string }[] }>(
          '/v1/audit?limit=1&agent_id=agent',
        );
        const { would_block: would = [] } = JSON.parse(log.entries[0]?.details ?? '') as {
          would_block?: { policy_id: string }[];
        };
        const logOnly = refusing.filter(({ mode }) => mode === 'log_only').map(({ id }) => id);
        expect(would.map((each) => each.policy_id).sort()).toEqual(logOnly.sort());
      },
    })),
  );

  it('decide, after any steps at any process, as the simplest model says', async () => {
    const begin = async (): Promise<Model> => {
      tenant = await world.newTenant();
      await tenant.post('/v1/proxy/upstreams', { name: 'up', url: upstream.url });
      return { session: await tenant.session({ agent_id: 'agent', scopes: ['execute'] }), policies: [] };
    };
    await compare(begin, steps, 25);
  }, 120_000);
});
