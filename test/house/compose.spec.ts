import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { readCompose } from '../../scripts/image/compose-file.mjs';

const root = join(import.meta.dirname, '..', '..');
const file = join(root, 'docker-compose.yml');
const compose = readCompose(file);
interface Service {
  image: string;
  build?: string;
  pull_policy?: string;
  healthcheck?: { disable?: boolean; test: unknown[] };
  logging?: { options: object };
}
const named = compose.services as Record<string, Service>;
const apps = ['api', 'worker'];

/** Settings that the file has to decide by itself. */
const DECIDED = [
  ...['HOST', 'PORT', 'WORKER_PORT', 'HALDIR_HOME'], // by the Dockerfile; PORT is where the host listens
  ...['DATABASE_URL', 'DATABASE_PASSWORD', 'WORKER_DATABASE_URL', 'WORKER_DATABASE_PASSWORD'],
  ...['DATABASE_OWNER_URL', 'DATABASE_OWNER_PASSWORD', 'REDIS_URL', 'HALDIR_ROOT_KEYS_FILE'],
  'HALDIR_EMBEDDED',
];
/** What the file alone reads. */
const OWN = ['POSTGRES_PASSWORD', 'API_DB_PASSWORD', 'WORKER_DB_PASSWORD'];

/** Every setting that .env.example shows. */
const settings = [...readFileSync(join(root, '.env.example'), 'utf8').matchAll(/^#?([A-Z][A-Z_]+)=/gm)].map(
  ([, name]) => String(name),
);

it('docker-compose.yml is what the Compose specification allows, every value of its shape', () => {
  const { $schema: _, ...schema } = JSON.parse(
    readFileSync(join(import.meta.dirname, 'compose-spec', 'compose-spec.json'), 'utf8'),
  );
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const validate = ajv.compile(schema);
  validate(compose);
  expect(validate.errors ?? []).toEqual([]);
});

it('a health check is a list of words, each as the command takes it', () => {
  for (const { healthcheck } of Object.values(named)) {
    if (healthcheck?.disable === true || healthcheck === undefined) continue;
    expect(healthcheck.test.map((word: unknown) => typeof word)).toEqual(healthcheck.test.map(() => 'string'));
  }
  const script = compose.services.worker.healthcheck.test.at(-1);
  expect(() => new Script(script)).not.toThrow();
});

it('every setting of .env.example reaches API and worker, but for those that the file has to decide', () => {
  expect(settings.length).toBeGreaterThan(20);
  const given = settings.filter((name) => !DECIDED.includes(name) && !OWN.includes(name));
  const variables = Object.fromEntries(given.map((name) => [name, `${name} of .env`]));
  const { services } = readCompose(file, variables);
  for (const app of apps) expect(services[app].environment).toMatchObject(variables);
});

it('what is not in .env leaves a setting at its default', () => {
  for (const app of apps) {
    const given = Object.entries(compose.services[app].environment).filter(([name]) => !DECIDED.includes(name));
    expect(given.filter(([, text]) => text !== '')).toEqual([]);
  }
});

it('a password goes into no URL, so that it may have any character', () => {
  const variables = Object.fromEntries(OWN.map((name) => [name, `p@ss:w/rd?#%41 ${name}`]));
  const { services } = readCompose(file, variables);
  expect(JSON.stringify(services)).not.toMatch(/postgresql:\/\/[^"]*p@ss/);
  expect(services.postgres.environment.POSTGRES_PASSWORD).toBe(variables.POSTGRES_PASSWORD);
  expect(services.api.environment.DATABASE_PASSWORD).toBe(variables.API_DB_PASSWORD);
  expect(services.worker.environment.DATABASE_PASSWORD).toBe(variables.WORKER_DB_PASSWORD);
  expect(services.migrate.environment).toMatchObject({
    DATABASE_OWNER_PASSWORD: variables.POSTGRES_PASSWORD,
    DATABASE_PASSWORD: variables.API_DB_PASSWORD,
    WORKER_DATABASE_PASSWORD: variables.WORKER_DB_PASSWORD,
  });
});

it('no app has a password of another, and the apps have none of the owner', () => {
  const variables = Object.fromEntries(OWN.map((name) => [name, `the ${name}`]));
  const { services } = readCompose(file, variables);
  expect(JSON.stringify(services.api)).not.toMatch(/the (POSTGRES|WORKER_DB)_PASSWORD/);
  expect(JSON.stringify(services.worker)).not.toMatch(/the (POSTGRES|API_DB)_PASSWORD/);
});

it('logs of every service rotate', () => {
  for (const service of Object.values(named)) {
    expect(service.logging?.options).toEqual({
      'max-size': expect.stringMatching(/^\d+m$/),
      'max-file': expect.any(String),
    });
  }
});

it('one service builds the image that all apps run, before any of them, and none asks a registry for it', () => {
  const ours = Object.entries(named).filter(([, { image }]) => image === 'haldir:local');
  expect(ours.filter(([, { build }]) => build !== undefined).map(([name]) => name)).toEqual(['keys']);
  expect(ours.filter(([, { pull_policy: policy = '' }]) => !['never', 'build'].includes(policy))).toEqual([]);
  const waitsForKeys = (name: string): boolean =>
    name === 'keys' || Object.keys(compose.services[name].depends_on ?? {}).some(waitsForKeys);
  expect(ours.map(([name]) => waitsForKeys(name))).toEqual(ours.map(() => true));
});

it('an engine stops no app before the longest SHUTDOWN_TIMEOUT_SECONDS is over', () => {
  for (const app of apps) expect(parseInt(String(compose.services[app].stop_grace_period), 10)).toBeGreaterThan(300);
});
