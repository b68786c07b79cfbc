import {
  type AppProcess,
  cli,
  Client,
  eventually,
  openApprovalPage,
  pageOf,
  startApi,
  testEnvironment,
  tokenOf,
  signInByLink,
  asSignedIn,
  type Environment,
} from '@haldir/test-support';

let environment: Environment;
let api: AppProcess;
beforeAll(async () => {
  environment = await testEnvironment({});
  api = await startApi(environment);
});
afterAll(() => api.stop());

/** Each command is a process that starts. */
const ROOM_MS = 300_000;

const people = (...args: string[]) => cli(environment, 'people', ...args);
const firstLink = async (): Promise<string> => {
  const { code, stdout, stderr } = await people('invite', '--first');
  expect([code, stderr]).toEqual([0, '']);
  return stdout.trim();
};

// One installation from its first link on; each test goes on where the one before left it.
describe('the first owner', { timeout: ROOM_MS }, () => {
  it('comes by a link that nobody else has made good for them, and says who they are', async () => {
    const invited = (await people('invite', '--role', 'auditor', 'alice@example.com')).stdout.trim();
    const [old, link] = [await firstLink(), await firstLink()];
    expect(link).toMatch(/^http:\/\/localhost:\d+\/welcome#[A-Za-z0-9_-]{43}$/);
    expect((await signInByLink(api.url, tokenOf(old), { email: 'alice@example.com' })).status).toBe(401);
    // The first key is still to be had: nobody has come yet.
    expect((await signInByLink(api.url, tokenOf(link))).body).toMatchObject({ field: 'email' });

    // A link that is opened where the page is open already.
    const page = await openApprovalPage(`${pageOf(api.url)}/welcome`);
    await page.settled();
    expect(page.hasButton('Sign in')).toBe(false);
    page.window.location.href = link.replace(/^.*#/, `${pageOf(api.url)}/welcome#`);
    await eventually(() => expect(page.hasButton('Sign in')).toBe(true));
    await page.settled();
    expect(page.window.location.href).toBe(`${pageOf(api.url)}/welcome`);
    await page.press('Sign in');
    expect(page.outcome()).toBe('Say who you are.');
    page.type('email', 'Alice@example.com');
    page.type('person-name', '<b>Alice</b>');
    await page.press('Sign in');
    expect(page.outcome()).toBe('You are signed in.');
    expect(page.shown()).toContain('alice@example.com');
    expect(page.shown()).toContain('<b>Alice</b>');
    expect(page.shown()).toContain('owner');
    expect(page.window.localStorage.length).toBe(1);
    // Whoever is known now is let in by no link of before.
    expect((await signInByLink(api.url, tokenOf(invited))).status).toBe(401);
    await page.press('Sign out');
    expect(page.outcome()).toBe('You are signed out.');
    expect(page.window.localStorage.length).toBe(0);
    expect(page.failures).toEqual([]);
    await page.close();
    expect(page.asked).toEqual([
      ...['POST /v1/sign-in/link', 'POST /v1/sign-in/link', 'GET /v1/me/passkeys'],
      'POST /v1/me/sign-out',
    ]);
  });

  it('shuts the door for a key without one, and is followed by no other', async () => {
    expect((await new Client(api.url, null).post('/v1/keys', {})).status).toBe(401);
    expect(await firstLink()).toBe('');
  });

  it('can come again by the command line, and makes keys of the operator’s tenant', async () => {
    const { code, stdout } = await people('invite', '--role', 'owner', 'alice@example.com');
    expect(code).toBe(0);
    const alice = asSignedIn(api.url, await signInByLink(api.url, tokenOf(stdout.trim())));
    const { status, body } = await alice.post<{ key: string }>('/v1/keys', { tier: 'enterprise' });
    expect(status).toBe(201);
    expect((await new Client(api.url, body.key).get('/v1/people')).body).toMatchObject({ count: 1 });
    const listed = await people('list');
    expect(listed.stdout).toBe(`${alice.id}  owner     active   alice@example.com  <b>Alice</b>\n`);
    expect(await people('remove', 'alice@example.com')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('last owner') as string,
    });
    await people('invite', '--role', 'auditor', '--name', 'Bob', 'bob@example.com');
    expect(await people('remove', 'bob@example.com')).toMatchObject({ code: 0 });
    expect(await people('remove', 'bob@example.com')).toMatchObject({ code: 1 });
    expect(await people('invite', '--role', 'king', 'x@example.com')).toMatchObject({ code: 64 });
    expect(await people('list', '--tenant', 'tnt_nobodys')).toMatchObject({ code: 64 });
  });
});

it(
  'the first key is still to be had while the first link waits, of the same tenant',
  { timeout: ROOM_MS },
  async () => {
    const other = await testEnvironment({});
    const there = await startApi(other);
    try {
      const linkFrom = async (...more: string[]): Promise<string> =>
        (await cli(other, 'people', 'invite', '--first', ...more)).stdout.trim();
      const old = await linkFrom('--before-first-key');
      const { status, body } = await new Client(there.url, null).post<{ key: string }>('/v1/keys', {
        tier: 'enterprise',
      });
      expect(status).toBe(201);
      // As with a start after it: there is none any more, nor is the one of before.
      expect(await linkFrom('--before-first-key')).toBe('');
      const who = { email: 'alice@example.com' };
      expect((await signInByLink(there.url, tokenOf(old), who)).status).toBe(401);
      const link = await linkFrom();
      const alice = asSignedIn(there.url, await signInByLink(there.url, tokenOf(link), who));
      expect((await new Client(there.url, body.key).get('/v1/people')).body).toMatchObject({
        people: [{ person_id: alice.id }],
      });
    } finally {
      await there.stop();
    }
  },
);
