import { ConfigError } from './config-error.js';
import { HaldirConfig } from './haldir-config.js';

const KEY = Buffer.alloc(32, 1).toString('base64url');
const valid = { DATABASE_URL: 'postgresql://haldir@127.0.0.1/haldir', HALDIR_ROOT_KEYS: `1:${KEY}` };

const refusal = (env: Record<string, string | undefined>): string => {
  try {
    new HaldirConfig({ ...valid, ...env });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'accepted';
};

it('has the documented defaults', () => {
  const config = new HaldirConfig(valid);
  expect(config.http).toEqual({ port: 3000, host: '127.0.0.1' });
  expect(config.tierLimits).toEqual({ free: 100, pro: 5000, enterprise: 50_000 });
  expect(config.redisUrl).toBeNull();
  expect(config.embedded).toBe(false);
});

it.each([
  ['PORT', '70000'],
  ['PORT', 'abc'],
  ['DATABASE_URL', undefined],
  ['DATABASE_URL', 'mysql://x'],
  ['WORKER_DATABASE_URL', 'localhost'],
  ['REDIS_URL', 'localhost:6379'],
  ['HALDIR_ROOT_KEYS', undefined],
  ['HALDIR_ROOT_KEYS', 'secret'],
  ['HALDIR_ROOT_KEYS', `1:${KEY},1:${KEY}`],
  ['HALDIR_ROOT_KEYS_FILE', '/nowhere'],
  ['HALDIR_KEY_PEPPER', 'short'],
  ['HALDIR_BOOTSTRAP_TOKEN', 'short'],
  ['HALDIR_EGRESS_ALLOW', 'everything'],
  ['HALDIR_LOG_ORIGIN', 'https://haldir.example'],
  ['HALDIR_TIER_LIMITS', 'free=many'],
  ['HALDIR_FX_RATES', 'EUR:1.08'],
  ['LOG_LEVEL', 'loud'],
  ['MCP_ALLOWED_HOSTS', 'https://haldir.example'],
  ['UPSTREAM_TIMEOUT_SECONDS', '601'],
  ['UPSTREAM_MAX_CALL_SECONDS', '0'],
  ['UPSTREAM_MAX_ANSWER_BYTES', '1023'],
  ['UPSTREAM_CONCURRENCY', '257'],
  ['HALDIR_BASE_PATH', 'below'],
  ['HALDIR_BASE_PATH', '/haldir/'],
  ['HALDIR_BASE_PATH', '//evil.test'],
  ['HALDIR_PUBLIC_URL', 'gate.test'],
  ['HALDIR_PUBLIC_URL', 'https://gate.test/haldir'],
  ['HALDIR_PUBLIC_URL', 'https://user@gate.test'],
  ['HALDIR_PUBLIC_URL', 'ftp://gate.test'],
  ['HALDIR_RP_ID', 'https://gate.test'],
  ['HALDIR_RP_ID', 'gate.test'],
])('%s=%s stops the start with one line that names it and gives an example', (name, text) => {
  const env = { [name]: text, ...(name === 'HALDIR_ROOT_KEYS_FILE' ? { HALDIR_ROOT_KEYS: undefined } : {}) };
  const message = refusal(env);
  expect(message.startsWith(name)).toBe(true);
  expect(message).toContain('for example');
  expect(message).not.toContain('\n');
  if (text !== undefined && text.length > 5) expect(message).not.toContain(text);
});

it('gives no upstream longer than the longest call', () => {
  const upstreams = { longestMs: 20_000, maxAnswerBytes: 4_194_304, concurrency: 32 };
  const config = new HaldirConfig({ ...valid, UPSTREAM_MAX_CALL_SECONDS: '20' });
  expect(config.upstreams).toEqual({ ...upstreams, timeoutMs: 20_000 });
});

it('refuses loopback egress in production, and takes it in development', () => {
  expect(refusal({ HALDIR_EGRESS_ALLOW: '127.0.0.0/8' })).toMatch(/^HALDIR_EGRESS_ALLOW/);
  expect(refusal({ HALDIR_EGRESS_ALLOW: '0.0.0.0/0' })).toMatch(/^HALDIR_EGRESS_ALLOW/);
  expect(refusal({ HALDIR_EGRESS_ALLOW: '::/0' })).toMatch(/^HALDIR_EGRESS_ALLOW/);
  for (const range of ['127.1.0.0/16', '::1/128', '::ffff:0:0/96', '::ffff:127.0.0.2/128', '::ffff:7f00:0/104'])
    expect([range, refusal({ HALDIR_EGRESS_ALLOW: range })]).toEqual([range, expect.stringMatching(/loopback/)]);
  for (const range of ['10.1.0.0', '10.1.0.0/08', '10.1.0.0/33', 'fd00::/129', '10.1.0.0/16/8', 'fe80::1%eth0/64'])
    expect([range, refusal({ HALDIR_EGRESS_ALLOW: range })]).toEqual([range, expect.stringMatching(/^HALDIR_EGRESS/)]);
  expect(refusal({ HALDIR_EGRESS_ALLOW: 'fd00::/8,::ffff:10.1.0.0/112' })).toBe('accepted');
  expect(refusal({ HALDIR_EGRESS_ALLOW: '127.0.0.0/8', HALDIR_EMBEDDED: 'true' })).toBe('accepted');
  expect(refusal({ HALDIR_EGRESS_ALLOW: '10.1.0.0/16' })).toBe('accepted');
});
