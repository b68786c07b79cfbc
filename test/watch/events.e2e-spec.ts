import { type AppProcess, Client, eventually, Person, personOf, sharedWorld, type World } from '@haldir/test-support';

interface Told {
  id: number;
  event: string;
  entry: { entry_id: string; action: string; leaf_index: number; flagged: boolean };
}

/** A client of server-sent events, as one that stays connected. */
class Listener {
  readonly told: Told[] = [];
  /** Of the last block that had one, an entry or not. */
  lastId: number | null = null;
  isOver = false;

  private constructor(
    readonly response: Response,
    private readonly stop: AbortController,
  ) {}

  static async open(client: Client, query = '', lastEventId?: number | string): Promise<Listener> {
    const stop = new AbortController();
    const who: Record<string, string> =
      client instanceof Person
        ? { cookie: client.tokens.cookie, 'x-haldir-page': client.tokens.pageToken }
        : { authorization: `Bearer ${client.key}` };
    const response = await fetch(`${client.url}/v1/events${query}`, {
      headers: { ...who, ...(lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) }) },
      signal: stop.signal,
    });
    const listener = new Listener(response, stop);
    listeners.push(listener);
    if (response.ok) void listener.read().catch(() => undefined);
    return listener;
  }

  get actions(): string[] {
    return this.told.map(({ entry }) => entry.action);
  }

  close(): void {
    this.stop.abort();
  }

  private async read(): Promise<void> {
    let rest = '';
    for await (const chunk of this.response.body as unknown as AsyncIterable<Uint8Array>) {
      rest += Buffer.from(chunk).toString();
      const blocks = rest.split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) this.take(block);
    }
    this.isOver = true;
  }

  private take(block: string): void {
    const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
    const [id, event, data] = [field('id'), field('event'), field('data')];
    if (id !== undefined) this.lastId = Number(id);
    if (data !== undefined)
      this.told.push({ id: Number(id), event: event ?? 'message', entry: JSON.parse(data) as Told['entry'] });
  }
}

const listeners: Listener[] = [];
afterEach(() => listeners.splice(0).forEach((listener) => listener.close()));

let world: World;
let there: AppProcess;
beforeAll(async () => {
  world = await sharedWorld();
  there = world.apis[1] as AppProcess;
});

const log = async (tenant: Client, session: string, action: string, tool = 'browser'): Promise<void> => {
  const reply = await tenant.post('/v1/audit', { session_id: session, action, tool });
  if (reply.status !== 201) throw new Error(`not logged: ${reply.status}`);
};

describe('whoever follows the log', () => {
  it('is told of each entry once, in order, as lists show it, whichever process wrote it', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    const here = await Listener.open(tenant);
    const elsewhere = await Listener.open(tenant.at(there));
    expect(here.response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(here.response.headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(here.response.headers.get('x-accel-buffering')).toBe('no');
    const actions = Array.from({ length: 250 }, (_, i) => `step ${i}`);
    for (const [i, action] of actions.entries()) await log(i % 2 ? tenant : tenant.at(there), session, action);
    for (const listener of [here, elsewhere]) {
      await eventually(() => expect(listener.told.length).toBe(actions.length));
      expect(listener.actions).toEqual(actions);
      expect(new Set(listener.told.map(({ event }) => event))).toEqual(new Set(['entry']));
      expect(listener.told.every(({ id, entry }) => id === entry.leaf_index)).toBe(true);
    }
    const { body } = await tenant.get<{ entries: Told['entry'][] }>('/v1/audit?limit=1');
    expect(here.told.at(-1)?.entry).toEqual(body.entries[0]);
  });

  it('misses nothing and hears nothing twice when they come back with what they heard last, at another process', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    const before = await Listener.open(tenant);
    for (const action of ['one', 'two', 'three']) await log(tenant, session, action);
    await eventually(() => expect(before.actions).toEqual(['one', 'two', 'three']));
    before.close();
    for (const action of ['four', 'five']) await log(tenant, session, action);
    const after = await Listener.open(tenant.at(there), '', before.told[1]?.id);
    await eventually(() => expect(after.actions).toEqual(['three', 'four', 'five']));
    await log(tenant, session, 'six');
    await eventually(() => expect(after.actions).toEqual(['three', 'four', 'five', 'six']));
  });

  it('hears what they filter for, from a time on if they like', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    await log(tenant, session, 'early', 'mail');
    const all = await Listener.open(tenant, '?since=0&tool=mail');
    const late = await Listener.open(tenant, '?tool=mail');
    await log(tenant, session, 'other');
    await log(tenant, session, 'late', 'mail');
    await eventually(() => expect([all.actions, late.actions]).toEqual([['early', 'late'], ['late']]));
  });

  it('has to say so in a way that is understood', async () => {
    const tenant = await world.newTenant();
    const refused = async (query: string, lastEventId?: string): Promise<unknown> => {
      const { response } = await Listener.open(tenant, query, lastEventId);
      return [response.status, ((await response.json()) as { error: string }).error];
    };
    expect(await refused('?tols=mail')).toEqual([400, expect.stringMatching(/tols/)]);
    expect(await refused('?until=1')).toEqual([400, expect.stringMatching(/until/)]);
    expect(await refused('?flagged=maybe')).toEqual([400, expect.stringMatching(/^flagged: /)]);
    for (const id of ['x', '-1', '1.5', '1'.repeat(16), '999999'])
      expect(await refused('', id)).toEqual([400, expect.stringMatching(/^Last-Event-ID: /)]);
  });

  it('is of the tenant, and may read its log', async () => {
    const [tenant, other] = [await world.newTenant(), await world.newTenant()];
    const session = await other.session();
    const listener = await Listener.open(tenant);
    await log(other, session, 'not yours');
    await log(tenant, await tenant.session(), 'yours');
    await eventually(() => expect(listener.actions).toContain('yours'));
    expect(listener.actions).not.toContain('not yours');
    const narrow = await tenant.post<{ key: string }>('/v1/keys', { scopes: ['approvals:read'] });
    const agent = await tenant.post<{ key: string }>('/v1/keys', {
      agent: { agent_id: 'a', scopes: ['read'], ttl: 600, spend_limit: 1 },
    });
    for (const { body } of [narrow, agent])
      expect((await Listener.open(new Client(tenant.url, body.key))).response.status).toBe(403);
    expect((await Listener.open(new Client(tenant.url, 'hld_no'))).response.status).toBe(401);
  });

  it('hears nothing more once their key was revoked, or they were given a role that reads no log or removed', async () => {
    const tenant = await world.newTenant();
    const session = await tenant.session();
    const { body } = await tenant.post<{ key: string; prefix: string }>('/v1/keys', { scopes: ['audit:read'] });
    const auditor = await personOf(tenant, 'auditor');
    const [byKey, person] = [await Listener.open(new Client(tenant.url, body.key)), await Listener.open(auditor)];
    await log(tenant, session, 'heard');
    await eventually(() => expect([byKey.actions, person.actions].every((said) => said.includes('heard'))).toBe(true));
    expect((await tenant.delete(`/v1/keys/${body.prefix}`)).status).toBe(200);
    expect((await tenant.delete(`/v1/people/${auditor.id}`)).status).toBe(200);
    await eventually(() => expect([byKey.isOver, person.isOver]).toEqual([true, true]));
  });

  it('are not taken for somebody who asks for something: a sign-in ends though a page that was left open listens', async () => {
    const tenant = await world.newTenant();
    const auditor = await personOf(tenant, 'auditor');
    const used = async (): Promise<string | undefined> =>
      (await world.sql<{ used_at: string }>('SELECT used_at::text FROM sign_in WHERE person_id = $1', [auditor.id]))[0]
        ?.used_at;
    const listener = await Listener.open(auditor);
    await world.sql(
      `UPDATE sign_in SET used_at = now() - interval '11 hours 59 minutes 50 seconds' WHERE person_id = $1`,
      [auditor.id],
    );
    const before = await used();
    await eventually(() => expect(listener.isOver).toBe(true));
    expect(await used()).toBe(before);
  });

  it('cannot have streams without end: one more than a key may have is refused, and has its place when another has gone', async () => {
    const tenant = await world.newTenant();
    const open = await Promise.all(Array.from({ length: 16 }, () => Listener.open(tenant)));
    expect(open.map(({ response }) => response.status)).toEqual(open.map(() => 200));
    const { response } = await Listener.open(tenant);
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([429, 'too_many_streams']);
    open[0]?.close();
    await eventually(async () => expect((await Listener.open(tenant)).response.status).toBe(200));
  });
});
