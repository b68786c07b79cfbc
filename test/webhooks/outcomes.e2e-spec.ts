import {
  type AppProcess,
  type Client,
  eventually,
  type FakeUpstream,
  type MailServer,
  type Person,
  personOf,
  saying,
  Scenario,
  startMailServer,
  startWorker,
  startWorld,
  type World,
} from '@haldir/test-support';
import { freePort } from '../../scripts/embedded/ports.mjs';

let server: MailServer;
let publicUrl: string;
let world: World;
let worker: AppProcess;
let scenario: Scenario<FakeUpstream>;
let tenant: Client;
let approver: Person;
let address: string;
let people = 0;
beforeAll(async () => {
  server = await startMailServer();
  const mail = { HALDIR_SMTP_URL: `smtp://127.0.0.1:${server.port}`, HALDIR_MAIL_FROM: 'haldir@example.com' };
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
beforeEach(async () => {
  scenario = await Scenario.of(world, ['pay']);
  tenant = scenario.tenant;
  address = `approver-${++people}@example.com`;
  approver = await personOf(tenant, 'approver', address);
  await tenant.post('/v1/approvals/rules', { type: 'all' });
});
afterEach(() => scenario.end());

const subjectsTo = (to: string): string[] => server.to(to).map(({ headers }) => headers.get('subject') ?? '');
/** Waits until everything that happened has been told to everybody. */
const settled = (): Promise<void> =>
  eventually(async () => {
    const id = await world.tenantOf(tenant);
    const events = await world.sql('SELECT FROM outbox WHERE tenant_id = $1', [id]);
    const mails = await world.sql(`SELECT FROM mail WHERE tenant_id = $1 AND state = 'pending'`, [id]);
    expect([events, mails]).toEqual([[], []]);
  }, 60_000);
const askFor = async (args: object = {}): Promise<string> =>
  String(saying(await scenario.call('pay', args))['request_id']);
const approve = async (id: string, by: Client = approver): Promise<void> => {
  expect((await by.post(`/v1/approvals/${id}/approve`)).status).toBe(200);
};
const outcomeOf = async (id: string): Promise<unknown> => (await tenant.get(`/v1/approvals/${id}`)).body['outcome'];
const outcomes = (to: string): string[] => subjectsTo(to).filter((subject) => !subject.includes('Approval requested'));

describe('whoever approved a call', () => {
  it('is told once that it was made, with a link and nothing that it answered; who approved nothing is not, and who asked to be is', async () => {
    const [other, curious] = ['other', 'curious'].map((name) => `${name}-${people}@example.com`) as [string, string];
    await personOf(tenant, 'owner', other);
    const auditor = await personOf(tenant, 'auditor', curious);
    await auditor.put('/v1/me/notifications', { notify: ['approval_outcome'] });
    scenario.up.answer = () => ({ content: [{ type: 'text', text: 'canary-of-the-answer' }] });
    const id = await askFor({ to: 'dana' });
    await approve(id);
    expect(await outcomeOf(id)).toBeNull();
    expect((await scenario.call('pay', { to: 'dana' })).body.content[0]?.text).toBe('canary-of-the-answer');
    expect(await outcomeOf(id)).toBe('performed');
    // Another one, which nobody has approved.
    await askFor({ to: 'dana' });
    await settled();
    expect([outcomes(address), outcomes(curious), outcomes(other)]).toEqual([
      ...Array(2).fill([expect.stringMatching(/^\[Haldir\] What was approved was done: agent up\.pay/)]),
      [],
    ]);
    const [mail] = server.to(address).filter(({ text }) => text.startsWith('What was approved'));
    expect(mail?.text).toContain(`${publicUrl}/approvals/${id}\n`);
    for (const { raw } of server.mails) expect(raw).not.toMatch(/canary-of-the-answer|ses_/);
  });

  it.each([
    ['has failed', 'failed', 'What was approved has failed', () => ({ isError: true, content: [] })],
    ['came to nobody knows what', 'unknown', 'It is not known what became of what was approved', null],
  ] as const)('is told that it %s', async (_, outcome, title, answer) => {
    const id = await askFor();
    await approve(id);
    // The tool may have run: its connection is cut before it has answered.
    if (answer === null) scenario.up.drops = 1;
    else scenario.up.answer = answer;
    await scenario.call('pay');
    expect(await outcomeOf(id)).toBe(outcome);
    await settled();
    expect(outcomes(address)).toEqual([expect.stringContaining(title)]);
  });

  it('is told that it was not made in its time; so is who asked to be of one that nobody has decided', async () => {
    const curious = `curious-${people}@example.com`;
    await (await personOf(tenant, 'auditor', curious)).put('/v1/me/notifications', { notify: ['approval_outcome'] });
    const [unused, undecided] = [await askFor({ n: 1 }), await askFor({ n: 2 })];
    await approve(unused);
    await settled();
    await world.sql(`UPDATE approval_request SET expires_at = now() WHERE id = ANY ($1)`, [[unused, undecided]]);
    await eventually(async () => expect(await outcomeOf(unused)).toBe('expired'), 60_000);
    await eventually(() => expect(outcomes(curious)).toHaveLength(2), 60_000);
    await settled();
    expect(await outcomeOf(undecided)).toBe('expired');
    expect(outcomes(address)).toEqual([expect.stringContaining('What was approved was not done in time')]);
    expect(outcomes(curious).sort()).toEqual([
      expect.stringContaining('A request has expired undecided'),
      expect.stringContaining('What was approved was not done in time'),
    ]);
  });

  it('of a payment, hears of it too', async () => {
    const session_id = await tenant.session({ agent_id: 'payer', spend_limit: 100 });
    const pay = () => tenant.post('/v1/payments/authorize', { session_id, amount: 3 });
    const id = String((await pay()).body['request_id']);
    await approve(id);
    expect((await pay()).status).toBe(200);
    expect(await outcomeOf(id)).toBe('performed');
    await settled();
    expect(outcomes(address)).toEqual([expect.stringContaining('What was approved was done')]);
  });

  it('and chose to be told of nothing is told nothing, nor is a key', async () => {
    await approver.put('/v1/me/notifications', { notify: [] });
    for (const by of [approver, tenant]) {
      const id = await askFor();
      await approve(id, by);
      await scenario.call('pay');
      expect(await outcomeOf(id)).toBe('performed');
    }
    await settled();
    expect(subjectsTo(address)).toEqual([]);
  });
});
