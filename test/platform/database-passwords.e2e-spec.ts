import { randomBytes } from 'node:crypto';
import { cli, startApi, startWorker, testEnvironment } from '@haldir/test-support';

/** Everything that ends, begins or encodes something in a URL, and what a shell minds. */
const AWKWARD = `p@ss:w/rd?#%41&+ "'\\$é`;

it('a password with characters that URLs use opens the database beside its URL, for migrate, API and worker', async () => {
  const run = randomBytes(4).toString('hex');
  const base = await testEnvironment();
  const owner = new URL(String(base['DATABASE_OWNER_URL']));
  const ownerPassword = decodeURIComponent(owner.password);
  owner.password = '';
  const role = (name: string): string => Object.assign(new URL(owner), { username: `haldir_${name}_${run}` }).href;
  const environment = {
    ...base,
    DATABASE_OWNER_URL: owner.href,
    DATABASE_OWNER_PASSWORD: ownerPassword,
    DATABASE_URL: role('api'),
    DATABASE_PASSWORD: AWKWARD,
    WORKER_DATABASE_URL: role('worker'),
    WORKER_DATABASE_PASSWORD: `${AWKWARD}2`,
  };
  expect(await cli(environment, 'migrate')).toMatchObject({ code: 0, stderr: '' });
  const apps = [await startApi(environment), await startWorker(environment)];
  for (const app of apps) expect(await app.stop()).toBe(0);
  expect(apps.map((app) => app.output()).join('')).not.toContain('p@ss');
  expect((await cli(environment, 'keys', 'status')).code).toBe(0);
});
