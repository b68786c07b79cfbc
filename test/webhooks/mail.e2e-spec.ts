import {
  type AppProcess,
  type ArrivedMail,
  Client,
  eventually,
  type MailServer,
  type Person,
  personOf,
  startMailServer,
  startWorker,
  startWorld,
  type World,
} from '@haldir/test-support';
import { freePort } from '../../scripts/embedded/ports.mjs';
import { requestApproval } from './endpoint.js';

const FROM = 'haldir@mail.example.com';

let server: MailServer;
let world: World;
let worker: AppProcess;
let publicUrl: string;
let people = 0;
beforeAll(async () => {
  server = await startMailServer();
  const mail = { HALDIR_SMTP_URL: `smtp://127.0.0.1:${server.port}`, HALDIR_MAIL_FROM: FROM };
  const port = String(await freePort());
  publicUrl = `http://localhost:${port}`;
  world = await startWorld({ environment: { ...mail, PORT: port, HALDIR_PUBLIC_URL: publicUrl } });
  worker = await startWorker(world.environment);
});
afterAll(async () => {
  await worker.stop();
  await world.stop();
  await server.stop();
});
beforeEach(() => {
  server.answer(() => undefined);
  server.answerRecipient(() => undefined);
});

const addressOf = (name: string): string => `${name}-${++people}@example.com`;

async function someone(tenant: Client, role: string): Promise<{ person: Person; address: string }> {
  const address = addressOf(role);
  return { person: await personOf(tenant, role, address), address };
}

const arrived = (address: string, count = 1): Promise<ArrivedMail[]> =>
  eventually(() => {
    expect(server.to(address).length).toBeGreaterThanOrEqual(count);
    return server.to(address);
  }, 60_000);

/** Waits until nothing of the tenant is to be sent any more. */
const settled = (tenant: Client): Promise<{ state: string; error: string | null; attempts: number }[]> =>
  eventually(async () => {
    const id = await world.tenantOf(tenant);
    const events = await world.sql(`SELECT FROM outbox WHERE tenant_id = $1`, [id]);
    const mails = await world.sql<{ state: string; error: string | null; attempts: number }>(
      'SELECT state, error, attempts FROM mail WHERE tenant_id = $1 ORDER BY event_id, person_id',
      [id],
    );
    expect([events, mails.filter(({ state }) => state === 'pending')]).toEqual([[], []]);
    return mails;
  }, 60_000);

const choose = async (person: Person, notify: string[] | null): Promise<void> => {
  expect((await person.put('/v1/me/notifications', { notify })).status).toBe(200);
};

describe('a request for approval', () => {
  it('reaches who decides by e-mail, once, with who asks for what and why and a link; the request says how many it has reached', async () => {
    const tenant = await world.newTenant();
    const [owner, approver] = [await someone(tenant, 'owner'), await someone(tenant, 'approver')];
    const [operator, auditor] = [await someone(tenant, 'operator'), await someone(tenant, 'auditor')];
    const id = await requestApproval(tenant, {
      tool: 'crm',
      action: 'drop',
      amount: 2.5,
      reason: 'spring clean',
      details: { to: 'dana' },
    });
    const [mail] = await arrived(approver.address);
    expect(mail).toMatchObject({ from: FROM, to: [approver.address] });
    const { headers, text, html } = mail as ArrivedMail;
    expect(headers.get('subject')).toBe('[Haldir] Approval requested: asker crm drop');
    expect([headers.get('to'), headers.get('from')]).toEqual([approver.address, `Haldir <${FROM}>`]);
    expect(headers.get('message-id')).toBe(`<evt_${id.slice(4)}.${approver.person.id}@mail.example.com>`);
    for (const said of [
      'Agent: asker',
      'Tool: crm',
      'Action: drop',
      'Amount: 2.5 USD',
      'Reason: spring clean',
      'Details: {"to":"dana"}',
    ])
      expect(text).toContain(`${said}\n`);
    for (const said of ['asker', 'crm', 'drop', '2.5 USD', 'spring clean', '{&quot;to&quot;:&quot;dana&quot;}'])
      expect(html).toContain(`>${said}<`);
    await arrived(owner.address);
    expect(await settled(tenant)).toEqual(Array(2).fill({ state: 'sent', error: null, attempts: 1 }));
    expect([server.to(owner.address).length, server.to(approver.address).length]).toEqual([1, 1]);
    expect([server.to(operator.address), server.to(auditor.address)]).toEqual([[], []]);
    expect((await tenant.get(`/v1/approvals/${id}`)).body).toMatchObject({ status: 'pending', told: 2 });
  });

  it('is decided by no link of its mail, however it is fetched', async () => {
    const tenant = await world.newTenant();
    const { address, person } = await someone(tenant, 'approver');
    const id = await requestApproval(tenant, { action: 'drop' });
    const [mail] = await arrived(address);
    const { text = '', html = '' } = mail ?? {};
    const links = new Set([...`${text} ${html}`.matchAll(/https?:\/\/[^\s"<>]+/g)].map(([link]) => link));
    expect([...links]).toEqual([`${publicUrl}/approvals/${id}`]);
    expect(html).not.toMatch(/<(form|button|input|img|script|link|iframe)|url\(|src=/i);
    for (const link of links) {
      for (const { method, headers } of [
        { method: 'GET', headers: {} },
        { method: 'HEAD', headers: {} },
        { method: 'GET', headers: { purpose: 'prefetch', 'sec-purpose': 'prefetch;prerender', 'x-moz': 'prefetch' } },
        { method: 'GET', headers: { cookie: person.tokens.cookie } },
        { method: 'GET', headers: { cookie: person.tokens.cookie, 'x-haldir-page': person.tokens.pageToken } },
      ] as { method: string; headers: Record<string, string> }[]) {
        const { status } = await fetch(link, { method, headers, redirect: 'manual' });
        expect([link, method, status]).toEqual([link, method, 200]);
      }
    }
    expect((await tenant.get(`/v1/approvals/${id}`)).body).toMatchObject({ status: 'pending', decided_key: null });
  });

  it('that nobody is told of is in the log, and its agent hears it; so does who asks after it has expired', async () => {
    const tenant = await world.newTenant();
    await someone(tenant, 'auditor');
    const id = await requestApproval(tenant, { action: 'drop', ttl: 1 });
    const entries = (action: string) =>
      tenant.get<{ entries: { details: string }[] }>(`/v1/audit?action=${action}`).then(({ body }) => body.entries);
    const [entry] = await eventually(async () => {
      const found = await entries('approval_told_nobody');
      expect(found).toHaveLength(1);
      return found;
    });
    expect(JSON.parse(entry?.details ?? '')).toMatchObject({ request_id: id });
    expect((await tenant.get(`/v1/approvals/${id}`)).body).toMatchObject({ told: 0 });
    await eventually(async () => {
      const [expired] = await entries('approval_expired');
      expect(JSON.parse(expired?.details ?? '{}')).toMatchObject({ request_id: id, told: 0 });
    }, 60_000);
    expect(await (await fetch(`${worker.url}/metrics`)).text()).toMatch(
      /haldir_approvals_told_nobody_total\{[^}]*\} [1-9]/,
    );
  });
});

describe('what an agent writes', () => {
  it('is text in the mail: no header, no markup, no line of its own, nothing hidden', async () => {
    const tenant = await world.newTenant();
    const { address } = await someone(tenant, 'approver');
    const hostile = {
      tool: 'x\r\nBcc: victim@example.com\r\nContent-Type: text/html\r\n\r\n<b>',
      action: 'drop\u202e\u200b\u2028 ‮',
      reason:
        '<img src=https://evil.example/x.png><a href="https://evil.example">Open in Haldir</a>\nAmount: 0 USD\n.\r\nQUIT\r\n',
      details: `</td></table><form action="https://evil.example">${'<b>'.repeat(3000)}`,
    };
    await requestApproval(tenant, hostile);
    const [mail] = await arrived(address);
    const { names, to, text, html, headers, raw } = mail as ArrivedMail;
    expect([names.includes('bcc'), names.filter((name) => name === 'content-type').length, to]).toEqual([
      false,
      1,
      [address],
    ]);
    expect(server.to('victim@example.com')).toEqual([]);
    expect(headers.get('subject')?.length).toBeLessThanOrEqual(150);
    for (const shown of [text, html, headers.get('subject') ?? '']) expect(shown).not.toMatch(/[\u202e\u200b\u2028]/);
    expect(text).toContain('\\u{202e}\\u{200b}\\u{2028}');
    expect(html).not.toMatch(/<(img|a href="https:\/\/evil|form|b>)/);
    expect(text).toMatch(/^Reason: <img .* ⏎ Amount: 0 USD ⏎ /m);
    expect(text).not.toMatch(/^(Amount: 0|QUIT|Bcc)/m);
    expect(raw.length).toBeLessThan(64 * 1024);
  });
});

describe('a person', () => {
  it('chooses what they are told of, among what their role may read', async () => {
    const tenant = await world.newTenant();
    const { person, address } = await someone(tenant, 'auditor');
    const outcomes = ['own_approval_outcome', 'approval_outcome'];
    const kinds = ['approval_requested', ...outcomes, 'anomaly', 'tool_drift', 'webhook_disabled', 'budget_threshold'];
    expect((await person.get('/v1/me/notifications')).body).toEqual({
      ...{
        email: address,
        email_sent: true,
        notify: [],
        chosen: false,
        push: [],
        push_chosen: false,
        available: kinds,
      },
    });
    await choose(person, ['anomaly', 'budget_threshold', 'anomaly']);
    expect((await person.get('/v1/me/notifications')).body).toMatchObject({
      notify: ['anomaly', 'budget_threshold'],
      chosen: true,
    });
    const session_id = await tenant.session({ agent_id: 'spender', spend_limit: 100 });
    await tenant.post('/v1/audit', { session_id, tool: 'gpu', action: 'rent', cost_usd: 100.5 });
    await tenant.post('/v1/payments/authorize', { session_id, amount: 55 });
    await arrived(address, 2);
    await settled(tenant);
    expect(
      server
        .to(address)
        .map(({ headers }) => headers.get('subject'))
        .sort(),
    ).toEqual(['[Haldir] A budget is used up to 50 %: spender', '[Haldir] An action was flagged: spender gpu rent']);
    for (const { raw } of server.to(address)) expect(raw).not.toContain(session_id);
    await choose(person, null);
    expect((await person.get('/v1/me/notifications')).body).toMatchObject({ notify: [], chosen: false });
    const { body } = await tenant.get<{ entries: { details: string }[] }>('/v1/audit?action=notifications_chosen');
    expect(body.entries.map(({ details }) => (JSON.parse(details) as { notify: unknown }).notify)).toEqual([
      null,
      ['anomaly', 'budget_threshold'],
    ]);
  });

  it('is refused what is no kind by its name, and no key chooses for them', async () => {
    const tenant = await world.newTenant();
    const { person } = await someone(tenant, 'owner');
    for (const body of [{ notify: ['all'] }, { notify: 'anomaly' }, {}, { notify: Array(17).fill('anomaly') }]) {
      const answer = await person.put('/v1/me/notifications', body);
      expect([answer.status, answer.body['error']]).toEqual([400, expect.stringMatching(/^notify/)]);
    }
    expect((await tenant.get('/v1/me/notifications')).status).toBe(403);
    expect((await tenant.put('/v1/me/notifications', { notify: [] })).status).toBe(403);
    expect((await new Client(tenant.url, null).get('/v1/me/notifications')).status).toBe(401);
  });

  it('who chose nothing, who was only invited, and who is of another tenant are sent nothing', async () => {
    const [tenant, other] = [await world.newTenant(), await world.newTenant()];
    const { person, address } = await someone(tenant, 'approver');
    await choose(person, []);
    const [invited, stranger] = [addressOf('invited'), await someone(other, 'owner')];
    await tenant.post('/v1/people', { email: invited, role: 'owner' });
    const listener = await someone(tenant, 'approver');
    await requestApproval(tenant);
    await arrived(listener.address);
    expect(await settled(tenant)).toHaveLength(1);
    for (const silent of [address, invited, stranger.address]) expect(server.to(silent)).toEqual([]);
  });

  it('who is removed is sent nothing more, not even what was waiting', async () => {
    const tenant = await world.newTenant();
    const { person, address } = await someone(tenant, 'approver');
    server.answer(() => 451);
    await requestApproval(tenant);
    await arrived(address);
    await eventually(async () => {
      const [row] = await world.sql<{ error: string }>('SELECT error FROM mail WHERE person_id = $1', [person.id]);
      expect(row?.error).toBe('deferred');
    });
    server.answer(() => undefined);
    expect((await tenant.delete(`/v1/people/${person.id}`)).status).toBe(200);
    await world.sql('UPDATE mail SET next_attempt_at = now() WHERE person_id = $1', [person.id]);
    expect(await settled(tenant)).toMatchObject([{ state: 'cancelled' }]);
    await requestApproval(tenant);
    await settled(tenant);
    expect(server.to(address)).toHaveLength(1);
  });

  it('is sent 60 an hour at most, however much an agent asks', async () => {
    const tenant = await world.newTenant();
    const { person, address } = await someone(tenant, 'approver');
    await requestApproval(tenant);
    await arrived(address);
    await world.sql(
      `INSERT INTO mail (tenant_id, event_id, person_id, kind, notice, state, next_attempt_at, created_at)
         SELECT tenant_id, 'evt_old' || n, person_id, kind, notice, 'sent', now(), now() FROM mail, generate_series(1, 57) n WHERE person_id = $1`,
      [person.id],
    );
    const session_id = await tenant.session({ agent_id: 'asker' });
    await Promise.all(Array.from({ length: 5 }, () => tenant.post('/v1/approvals/request', { session_id })));
    await settled(tenant);
    expect(server.to(address)).toHaveLength(3);
    const [row] = await world.sql<{ dropped: number }>(
      `SELECT count(*)::integer AS dropped FROM mail WHERE person_id = $1 AND state = 'dropped'`,
      [person.id],
    );
    expect(row?.dropped).toBe(3);
  });
});
