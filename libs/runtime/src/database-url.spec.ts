import { databaseUrl, isDatabaseUrl } from './database-url.js';
import { HaldirConfig } from './haldir-config.js';

const AWKWARD = `p@ss:w/rd?#%41&+ "'\\$é`;
const HALDIR_ROOT_KEYS = `1:${Buffer.alloc(32, 1).toString('base64url')}`;
const passwordOf = (url: string): string => decodeURIComponent(new URL(url).password);

it('a password beside its URL may have any character, and takes the place of the one in it', () => {
  const settings = {
    DATABASE_URL: 'postgresql://haldir_api@postgres:5432/haldir',
    DATABASE_PASSWORD: AWKWARD,
    WORKER_DATABASE_URL: 'postgresql://haldir_worker:older@postgres:5432/haldir',
    WORKER_DATABASE_PASSWORD: `${AWKWARD}2`,
    HALDIR_ROOT_KEYS,
  };
  const api = new HaldirConfig(settings).database.url;
  const worker = new HaldirConfig(settings, 'worker').database.url;
  expect([new URL(api).username, passwordOf(api)]).toEqual(['haldir_api', AWKWARD]);
  expect([new URL(worker).username, passwordOf(worker)]).toEqual(['haldir_worker', `${AWKWARD}2`]);
  expect(new URL(api).host).toBe('postgres:5432');
});

it('the owner has one, too; without it the URL stays as it was written', () => {
  const DATABASE_OWNER_URL = 'postgresql://haldir:a%20b@127.0.0.1/haldir';
  expect(databaseUrl({ DATABASE_OWNER_URL }, 'DATABASE_OWNER_URL')).toBe(DATABASE_OWNER_URL);
  const url = databaseUrl({ DATABASE_OWNER_URL, DATABASE_OWNER_PASSWORD: AWKWARD }, 'DATABASE_OWNER_URL');
  expect(passwordOf(url)).toBe(AWKWARD);
  expect(databaseUrl({}, 'DATABASE_OWNER_URL')).toBe('');
});

it('a URL that a bare password has cut is refused with the setting to use', () => {
  const DATABASE_URL = 'postgresql://haldir:pass/word@127.0.0.1:5432/haldir';
  expect(() => new HaldirConfig({ DATABASE_URL, HALDIR_ROOT_KEYS })).toThrow(/^DATABASE_URL .*DATABASE_PASSWORD/);
  expect(isDatabaseUrl('postgresql://haldir:word@/haldir?host=/run/postgresql')).toBe(true);
});
