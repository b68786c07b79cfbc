import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from './config-error.js';
import { HaldirConfig } from './haldir-config.js';

const valid = {
  DATABASE_URL: 'postgresql://haldir@127.0.0.1/haldir',
  HALDIR_ROOT_KEYS: `1:${Buffer.alloc(32, 1).toString('base64url')}`,
};
const least = { HALDIR_OIDC_ISSUER: 'https://login.example.com/realms/staff', HALDIR_OIDC_CLIENT_ID: 'haldir' };
const read = (env: Record<string, string | undefined>) => new HaldirConfig({ ...valid, ...env }).oidc;

const refusal = (env: Record<string, string | undefined>): string => {
  try {
    read(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'accepted';
};

it('is none unless an issuer is set', () => {
  expect(read({})).toBeNull();
  expect(read({ HALDIR_OIDC_ISSUER: '', HALDIR_OIDC_CLIENT_ID: '', HALDIR_OIDC_ROLES: '' })).toBeNull();
});

it('lets nobody in whom nobody knows, in the operator’s tenant, by default', () => {
  expect(read(least)).toEqual({
    issuer: new URL('https://login.example.com/realms/staff'),
    clientId: 'haldir',
    clientSecret: null,
    name: 'login.example.com',
    scope: 'openid email profile',
    tenantId: null,
    roleClaim: null,
    roles: [],
    unknownRole: null,
  });
});

it('has the map of roles in its order, with any values', () => {
  const HALDIR_OIDC_ROLES = ' cn=admins=owner , https://example.com/ops=operator,staff = auditor,';
  expect(read({ ...least, HALDIR_OIDC_ROLE_CLAIM: 'groups', HALDIR_OIDC_ROLES })?.roles).toEqual([
    ['cn=admins', 'owner'],
    ['https://example.com/ops', 'operator'],
    ['staff', 'auditor'],
  ]);
});

it('reads the secret from a file where it is in none of the environment', () => {
  const dir = mkdtempSync(join(tmpdir(), 'haldir-oidc-'));
  const HALDIR_OIDC_CLIENT_SECRET_FILE = join(dir, 'secret');
  try {
    writeFileSync(HALDIR_OIDC_CLIENT_SECRET_FILE, 'of the file\n');
    const file = { ...least, HALDIR_OIDC_CLIENT_SECRET_FILE };
    expect(read(file)?.clientSecret).toBe('of the file');
    expect(read({ ...file, HALDIR_OIDC_CLIENT_SECRET: 'of the environment' })?.clientSecret).toBe('of the environment');
    writeFileSync(HALDIR_OIDC_CLIENT_SECRET_FILE, '\n');
    expect(refusal(file)).toMatch(/^HALDIR_OIDC_CLIENT_SECRET_FILE should/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

it.each([
  ['HALDIR_OIDC_ISSUER', 'issuer.test'],
  ['HALDIR_OIDC_ISSUER', 'http://login.example.com'],
  ['HALDIR_OIDC_ISSUER', 'ftp://login.example.com'],
  ['HALDIR_OIDC_ISSUER', 'https://user:password@login.example.com'],
  ['HALDIR_OIDC_ISSUER', 'https://login.example.com/?a=b'],
  ['HALDIR_OIDC_ISSUER', 'https://login.example.com/#a'],
  ['HALDIR_OIDC_ISSUER', 'https://login.example.com/.well-known/openid-configuration'],
  ['HALDIR_OIDC_ISSUER', undefined],
  ['HALDIR_OIDC_CLIENT_ID', undefined],
  ['HALDIR_OIDC_CLIENT_SECRET_FILE', '/nowhere'],
  ['HALDIR_OIDC_NAME', 'Example\u0007'],
  ['HALDIR_OIDC_NAME', 'a'.repeat(65)],
  ['HALDIR_OIDC_SCOPES', 'email profile'],
  ['HALDIR_OIDC_SCOPES', 'openid "email"'],
  ['HALDIR_OIDC_TENANT', 'acme'],
  ['HALDIR_OIDC_ROLES', 'admins'],
  ['HALDIR_OIDC_ROLES', 'admins='],
  ['HALDIR_OIDC_ROLES', '=owner'],
  ['HALDIR_OIDC_ROLES', 'admins=owner,admins=auditor'],
])('%s=%s stops the start with one line that names it and gives an example', (name, text) => {
  const roles = name === 'HALDIR_OIDC_ROLES' ? { HALDIR_OIDC_ROLE_CLAIM: 'groups' } : {};
  const message = refusal({ ...least, ...roles, [name]: text });
  expect(message.startsWith(name)).toBe(true);
  expect(message).toContain('for example');
  expect(message).not.toContain('\n');
  if (text !== undefined && text.length > 6) expect(message).not.toContain(text);
});

it('asks for the claim and the map together', () => {
  expect(refusal({ ...least, HALDIR_OIDC_ROLE_CLAIM: 'groups' })).toMatch(/^HALDIR_OIDC_ROLES is missing/);
  expect(refusal({ ...least, HALDIR_OIDC_ROLES: 'a=owner' })).toMatch(/^HALDIR_OIDC_ROLE_CLAIM is missing/);
});

it.each(['http://127.0.0.1:9000', 'http://localhost:9000/a', 'http://[::1]:9000'])(
  'an issuer on this machine may be at %s',
  (issuer) => {
    expect(refusal({ ...least, HALDIR_OIDC_ISSUER: issuer })).toBe('accepted');
  },
);
