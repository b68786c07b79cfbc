// The page on which a human decides, driven as a human would, and attacked as an agent would by what it says.
import {
  type ApprovalPage,
  type AppProcess,
  type Client,
  type FakeUpstream,
  pagesOfTests,
  sharedWorld,
  startFakeUpstream,
  type World,
} from '@haldir/test-support';

type Json = Record<string, unknown>;

let world: World;
let tenant: Client;
let session: string;
let upstream: FakeUpstream;
beforeAll(async () => {
  world = await sharedWorld();
  upstream = await startFakeUpstream('pay', 'look');
});
afterAll(() => upstream.stop());
beforeEach(async () => {
  tenant = await world.newTenant();
  session = await tenant.session({ agent_id: 'asker', scopes: ['execute'] });
});

const openPage = pagesOfTests();
const open = (id: string, app = world.apis[1] as AppProcess): Promise<ApprovalPage> =>
  openPage(`${app.url}/approvals/${id}`);
/** A request that an agent makes of its own accord. */
const ask = async (more: Json = {}, by = tenant, of = session): Promise<string> => {
  const { status, body } = await by.post('/v1/approvals/request', { session_id: of, ...more });
  expect(status).toBe(201);
  return String(body['request_id']);
};
const call = async (args: Json): Promise<string> => {
  const { body } = await tenant.post<{ content: { text: string }[] }>('/v1/proxy/call', {
    ...{ tool: 'up.pay', arguments: args, session_id: session },
  });
  return body.content[0]?.text ?? '';
};
/** The request that a tool call waits for. */
const held = async (args: Json): Promise<string> => {
  await tenant.post('/v1/proxy/upstreams', { name: 'up', url: upstream.url });
  await tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['up.pay'] });
  return String((JSON.parse(await call(args)) as Json)['request_id']);
};
const keyOf = async (scopes: string[]): Promise<string> =>
  (await tenant.post<{ key: string }>('/v1/keys', { scopes })).body.key;
const approver = (): Promise<string> => keyOf(['approvals:read', 'approvals:write']);
const stateOf = async (id: string): Promise<Json> => (await tenant.get(`/v1/approvals/${id}`)).body;
const audited = async (action: string): Promise<Json[]> =>
  (await tenant.get<{ entries: { action: string; details: string }[] }>('/v1/audit?limit=1000')).body.entries
    .filter((entry) => entry.action === action)
    .map(({ details }) => JSON.parse(details) as Json);
const ownKey = (): string => tenant.key ?? '';

describe('a human with a key', () => {
  it('sees the call that waits, approves it, and it is let through; the log has the key', async () => {
    const id = await held({ to: 'dana', amount: 5 });
    const { digest } = await stateOf(id);
    const key = await approver();
    const page = await open(id);
    expect(page.shown()).toMatch(/Check the address of this page first/);
    expect(page.focused()).toBe('key');
    expect(page.shown()).not.toMatch(/dana|Approve/);
    await page.enter(key);
    expect(page.asked).toEqual([`GET /v1/approvals/${id}`]);
    expect(page.focused()).toBe('request-title');
    const seen = page.shown();
    for (const part of ['up.pay', 'tool_call', 'asker', '5 USD', digest, ownKey().slice(0, 14), 'pending']) {
      expect(seen).toContain(part);
    }
    // Arguments in lines, each of which is read for itself.
    expect(seen).toContain('    "to": "dana",\n    "amount": 5\n');
    expect(seen).toMatch(/Expires\n.*\(in (1 h|59 min) \d+ s\)/);
    expect(seen).not.toMatch(/You can approve once|Show part|Check the address/);

    await page.approve({ by: 'Dana', note: 'for lunch' });
    expect(page.outcome()).toBe('Approved. You can go back to your agent.');
    expect(page.focused()).toBe('message');
    expect([page.hasButton('Approve'), page.hasButton('Deny')]).toEqual([false, false]);
    const decided = { decided_by: 'Dana', key: key.slice(0, 14), note: 'for lunch', request_id: id };
    expect(await audited('approval_approved')).toMatchObject([decided]);
    const calls = upstream.calls.length;
    expect(await call({ to: 'dana', amount: 5 })).toBe('pay');
    expect(upstream.calls).toHaveLength(calls + 1);
  });

  it('denies, and the agent is refused; whoever opens the page later reads what became of it', async () => {
    const id = await ask({ tool: 'crm.delete', amount: 12.345678, details: 'account 7' });
    const key = await approver();
    const page = await open(id);
    await page.enter(key);
    expect(page.shown()).toMatch(/12\.345678 USD/);
    expect(page.shown()).toMatch(/no call waits for this/);
    await page.deny({ by: 'Dana' });
    expect(page.outcome()).toBe('Denied. You can go back to your agent.');
    expect(await stateOf(id)).toMatchObject({ status: 'denied', decided_by: 'Dana', decided_key: key.slice(0, 14) });
    expect(await audited('approval_denied')).toMatchObject([{ request_id: id, key: key.slice(0, 14) }]);

    const later = await open(id, world.apis[0]);
    await later.enter(ownKey());
    expect(later.outcome()).toBe(`This request was already denied, with the key ${key.slice(0, 14)}.`);
    expect(later.shown()).toMatch(/Decided by, in their own words\nDana/);
    expect(later.hasButton('Approve')).toBe(false);
  });

  it('cannot approve before all of long arguments was shown, to the last character, and sees what hides in their middle', async () => {
    const hidden = '\u202e\u200b\u{e0041}';
    const to = `${'a 😀 '.repeat(25_000)}pay mallory${hidden}${'z\n'.repeat(50_000)}`;
    const id = await held({ to, amount: 5 });
    const state = await stateOf(id);
    expect(state).toMatchObject({ details_cut: true, details_path: `/v1/approvals/${id}/details` });
    const details = JSON.stringify({ upstream: 'up', tool: 'pay', arguments: { to, amount: 5 } }).replace(
      hidden,
      String.raw`\\u{202e}\\u{200b}\\u{e0041}`,
    );
    expect(state['details']).toBe([...details].slice(0, 16_384).join(''));
    const parts = [0, 1, 2, 3].map((n) => [...details].slice(n * 65_536, (n + 1) * 65_536).join(''));
    expect(parts.join('')).toBe(details);

    const page = await open(id);
    await page.enter(ownKey());
    for (const [i, part] of parts.entries()) {
      expect(page.shown()).toContain(part);
      expect(page.shown().includes(String.raw`pay mallory\\u{202e}\\u{200b}\\u{e0041}z`)).toBe(i > 0);
      expect([page.hasButton('Approve'), page.hasButton('Deny')]).toEqual([i === 3, true]);
      expect(/You can approve once you have been shown all of them/.test(page.shown())).toBe(i < 3);
      if (i < 3) await page.press(`Show part ${i + 2} of 4`);
    }
    expect(page.shown()).toContain('Part 4 of 4: characters 196,609 to ');
    expect(page.asked).toEqual([`GET /v1/approvals/${id}`, ...parts.map(() => `GET /v1/approvals/${id}/details`)]);
    await page.approve();
    expect(page.outcome()).toMatch(/^Approved/);
    const calls = upstream.calls.length;
    // What differs in one hidden character was not approved.
    expect(await call({ to: to.replace('\u202e', '\u202d'), amount: 5 })).toMatch(/approval_required/);
    expect(upstream.calls).toHaveLength(calls);
    expect(await call({ to, amount: 5 })).toBe('pay');
    expect(upstream.calls.slice(calls)).toEqual([{ tool: 'pay', arguments: { to, amount: 5 } }]);
  });

  it('cannot approve where a part of the arguments does not come, and can deny', async () => {
    const id = await held({ text: 'x'.repeat(100_000) });
    const page = await open(id);
    const { fetch: working } = page.window;
    const cutOff: typeof fetch = (input, init) =>
      typeof input === 'string' && input.includes('/details')
        ? Promise.reject(new TypeError('Failed to fetch'))
        : working(input, init);
    page.window.fetch = cutOff;
    await page.enter(ownKey());
    expect(page.outcome()).toMatch(/could not be reached/);
    expect(page.hasButton('Approve')).toBe(false);
    page.window.fetch = working;
    await page.enter(ownKey());
    page.window.fetch = cutOff;
    await page.press('Show part 2 of 2');
    expect(page.outcome()).toMatch(/could not be reached/);
    expect(page.hasButton('Approve')).toBe(false);
    for (const wrong of ['{}', '{"offset":0,"text":"other","total":1,"next_offset":null}', 'Welcome']) {
      page.window.fetch = async () => new Response(wrong);
      await page.press('Show part 2 of 2');
      expect(page.outcome()).toMatch(/nothing that this page understands/);
      expect(page.hasButton('Approve')).toBe(false);
    }
    page.window.fetch = working;
    await page.deny();
    expect(page.outcome()).toMatch(/^Denied/);
    expect(await stateOf(id)).toMatchObject({ status: 'denied' });
  });

  it.each([
    ['a member that is there twice', '{"to":"dana","to":"mallory"}'],
    ['a number that is none in a browser', '{"to":12345678901234567890}'],
    ['members in another order', '{"2":"b","1":"a"}'],
    ['text that is escaped', '{"to":"d\\u0061na"}'],
    ['no JSON at all', '{"to":"dana"'],
  ])('reads what was sent, not what a parser makes of it: %s', async (_, details) => {
    const page = await open(await ask({ details }));
    await page.enter(ownKey());
    expect(page.shown()).toContain(`Details\n${details}\n`);
  });

  it('is kept from pressing twice, and hears that another was faster', async () => {
    const id = await ask();
    const [first, second] = [await open(id), await open(id, world.apis[0])];
    await first.enter(ownKey());
    await second.enter(ownKey());
    first.pressWithoutWaiting('Approve');
    expect([first.hasButton('Approve'), first.hasButton('Deny')]).toEqual([false, false]);
    await first.settled();
    expect(first.asked).toHaveLength(2);
    await second.deny();
    expect(second.outcome()).toBe(`This request was already approved, with the key ${ownKey().slice(0, 14)}.`);
    expect(second.hasButton('Deny')).toBe(false);
    expect(await stateOf(id)).toMatchObject({ status: 'approved' });
  });

  it('hears that the time was over meanwhile, and before', async () => {
    const id = await ask();
    const page = await open(id);
    await page.enter(ownKey());
    await world.sql('UPDATE approval_request SET expires_at = now() WHERE id = $1', [id]);
    await page.approve();
    expect(page.outcome()).toMatch(/has expired/);
    const late = await open(id);
    await late.enter(ownKey());
    expect(late.outcome()).toMatch(/has expired/);
    expect(late.hasButton('Approve')).toBe(false);
    expect(await stateOf(id)).toMatchObject({ status: 'expired' });
  });

  it('can try again after whatever went wrong', async () => {
    const id = await ask({ tool: 'crm.delete' });
    const page = await open(id);
    await page.enter('correct horse battery staple');
    expect(page.outcome()).toMatch(/An API key is hld_/);
    // What is no key is not sent anywhere.
    expect(page.asked).toEqual([]);
    await page.enter(`${ownKey().slice(0, -1)}-`.replace('-', ownKey().endsWith('a') ? 'b' : 'a'));
    expect(page.outcome()).toMatch(/does not take this API key/);
    expect(page.focused()).toBe('key');
    const { fetch: working } = page.window;
    for (const other of ['"Welcome"', JSON.stringify({ ...(await stateOf(id)), request_id: 'apr_other' })]) {
      page.window.fetch = async () => new Response(other);
      await page.enter(ownKey());
      expect(page.outcome()).toMatch(/^Haldir answered 200: nothing that this page understands/);
      expect(page.hasButton('Approve')).toBe(false);
    }
    page.window.fetch = working;
    await page.enter(` ${ownKey()}\n`);
    expect(page.shown()).toMatch(/crm\.delete/);

    page.window.fetch = () => Promise.reject(new TypeError('Failed to fetch'));
    await page.approve({ note: 'kept' });
    expect(page.outcome()).toMatch(/could not be reached.* Deciding again does no harm/);
    page.window.fetch = async () => new Response('<h1>Bad Gateway</h1>', { status: 502 });
    await page.press('Approve');
    expect(page.outcome()).toMatch(/^Haldir answered 502: nothing that this page understands/);
    page.window.fetch = async () => new Response('{}', { status: 429, headers: { 'retry-after': '40' } });
    await page.press('Approve');
    expect(page.outcome()).toMatch(/^Too many requests with this API key\. Try again in 40 seconds\./);
    // A captive portal says yes to everything.
    page.window.fetch = async () => new Response('Welcome', { status: 200 });
    await page.press('Approve');
    expect(page.outcome()).not.toMatch(/Approved/);
    page.window.fetch = working;
    await page.press('Approve');
    expect(page.outcome()).toMatch(/^Approved/);
    expect(await stateOf(id)).toMatchObject({ decision_note: 'kept' });
  });
});

describe('a key that may not', () => {
  it('decide where it asked is refused in words, and another may take its place', async () => {
    await tenant.post('/v1/approvals/settings', { forbid_self_approval: true });
    const id = await ask({ tool: 'crm.delete' });
    const page = await open(id);
    await page.enter(ownKey());
    await page.approve({ note: 'by me' });
    expect(page.outcome()).toMatch(/asked for the approval.* may not decide/);
    expect(await stateOf(id)).toMatchObject({ status: 'pending' });
    const key = await approver();
    await page.enter(key);
    await page.press('Approve');
    expect(page.outcome()).toMatch(/^Approved/);
    expect(await stateOf(id)).toMatchObject({ decided_key: key.slice(0, 14), decision_note: 'by me' });
  });

  it('decide sees the request and is told so; one that may not see is told that', async () => {
    const id = await ask({ tool: 'crm.delete' });
    const page = await open(id);
    await page.enter(await keyOf(['audit:read']));
    expect(page.outcome()).toMatch(/may not see requests: it lacks the scope approvals:read/);
    await page.enter(await keyOf(['approvals:read']));
    expect(page.shown()).toMatch(/crm\.delete/);
    await page.deny();
    expect(page.outcome()).toMatch(/may see the request, but cannot decide: it lacks the scope approvals:decide/);
    expect(await stateOf(id)).toMatchObject({ status: 'pending' });
  });

  it('see it, being another tenant’s, is told what it is told of a request that never was', async () => {
    const id = await ask({ tool: 'crm.delete' });
    const stranger = await world.newTenant();
    const page = await open(id);
    await page.enter(ownKey());
    await page.approve();
    const [known, unknown] = [await open(id), await open('apr_01jd0000000000000000000000')];
    for (const each of [known, unknown]) await each.enter(stranger.key ?? '');
    expect(known.outcome()).toMatch(/There is no such request for this API key/);
    expect(known.shown()).toBe(unknown.shown());
    expect(known.shown()).not.toMatch(/crm\.delete/);
  });
});

describe('what an agent says', () => {
  const HOSTILE = [
    '<img src=x onerror="window.hacked = 1">',
    '<script>window.hacked = 1</script>',
    '</dd></dl></section><button id="approve">Deny</button>',
    '"><svg/onload=window.hacked=1><a href="javascript:window.hacked=1">x</a>',
    '{{constructor.constructor("window.hacked = 1")()}} ${window.hacked = 1}',
  ];
  const elements = (page: ApprovalPage): string[] =>
    [...page.window.document.querySelectorAll('*')].map(({ tagName }) => tagName).sort();
  const expectText = async (id: string, texts: string[], like: string): Promise<void> => {
    const [page, plain] = [await open(id), await open(like)];
    for (const each of [page, plain]) await each.enter(ownKey());
    for (const text of texts) expect(page.shown()).toContain(text);
    expect(elements(page)).toEqual(elements(plain));
    expect((page.window as unknown as Json)['hacked']).toBeUndefined();
    await page.approve({ by: HOSTILE[0] ?? '', note: HOSTILE[1] ?? '' });
    expect(page.outcome()).toMatch(/^Approved/);
    const later = await open(id);
    await later.enter(ownKey());
    for (const text of HOSTILE.slice(0, 2)) expect(later.shown()).toContain(text);
    expect((later.window as unknown as Json)['hacked']).toBeUndefined();
    expect(elements(later).filter((tag) => ['IMG', 'SVG', 'A'].includes(tag))).toEqual([]);
  };

  it.each(HOSTILE)('is text wherever it asks of its own accord: %s', async (hostile) => {
    const agent = hostile.slice(0, 128);
    const of = await tenant.session({ agent_id: agent });
    const facts = { tool: hostile, action: hostile, reason: hostile, details: hostile };
    const plain = { tool: 'x', action: 'x', reason: 'x', details: 'x' };
    const page = await open(await ask(facts, tenant, of));
    await page.enter(ownKey());
    for (const name of ['Tool', 'Action', 'Agent', 'Reason', 'Details']) {
      expect(page.shown()).toContain(`${name}\n${name === 'Agent' ? agent : hostile}\n`);
    }
    await expectText(await ask(facts, tenant, of), [hostile, agent], await ask(plain));
  });

  it('hides nothing in its name, nor does who decided', async () => {
    const id = await ask({}, tenant, await tenant.session({ agent_id: 'as\u202eker\u200b' }));
    const page = await open(id);
    await page.enter(ownKey());
    expect(page.shown()).toContain(String.raw`Agent${'\n'}as\u{202e}ker\u{200b}${'\n'}`);
    await page.approve({ by: 'D\u2066ana' });
    const later = await open(id);
    await later.enter(ownKey());
    expect(later.shown()).toContain(String.raw`${'\n'}D\u{2066}ana${'\n'}`);
  });

  it('is shown whole, however deep and long it is', async () => {
    const details = `${'['.repeat(600)}${'0,'.repeat(100_000)}0${']'.repeat(600)}`;
    const page = await open(await ask({ details }));
    await page.enter(ownKey());
    expect(page.hasButton('Deny')).toBe(true);
    for (let at = 0; at < details.length; at += 65_536) {
      if (at > 0) await page.press(`Show part ${at / 65_536 + 1} of 4`);
      expect(page.shown()).toContain(details.slice(at, at + 65_536));
    }
    expect(page.hasButton('Approve')).toBe(true);
  });

  it('is text in the arguments of a call that waits, with what is hidden in it visible', async () => {
    const args = Object.fromEntries(HOSTILE.map((hostile, i) => [`${hostile}${i}`, { deep: [hostile, 'a\u202eb'] }]));
    const id = await held(args);
    const shown = HOSTILE.map((hostile) => JSON.stringify(hostile));
    const plain = JSON.parse(await call({ to: 'dana' })) as Json;
    await expectText(id, [...shown, String.raw`"a\\u{202e}b"`], String(plain['request_id']));
  });
});
