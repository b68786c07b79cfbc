import { ConfigError } from './config-error.js';
import { HaldirConfig } from './haldir-config.js';

const valid = {
  DATABASE_URL: 'postgresql://haldir@127.0.0.1/haldir',
  HALDIR_ROOT_KEYS: `1:${Buffer.alloc(32, 1).toString('base64url')}`,
};
const from = { HALDIR_MAIL_FROM: 'haldir@example.com' };

function serverOf(url: string): unknown {
  return new HaldirConfig({ ...valid, ...from, HALDIR_SMTP_URL: url }).mail?.server;
}

function refusal(env: Record<string, string>): string {
  try {
    new HaldirConfig({ ...valid, ...env });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'accepted';
}

it('sends no e-mail unless a server is set', () => {
  expect(new HaldirConfig(valid).mail).toBeNull();
  expect(new HaldirConfig({ ...valid, HALDIR_SMTP_URL: '', HALDIR_MAIL_FROM: '' }).mail).toBeNull();
});

it.each([
  [
    'smtps://u:p@smtp.example.com',
    { host: 'smtp.example.com', port: 465, tls: 'implicit', auth: { user: 'u', pass: 'p' } },
  ],
  [
    'smtp://u%40x:p%2F%3A@smtp.example.com',
    { host: 'smtp.example.com', port: 587, tls: 'starttls', auth: { user: 'u@x', pass: 'p/:' } },
  ],
  ['smtp://10.0.0.7:25', { host: '10.0.0.7', port: 25, tls: 'starttls', auth: null }],
  ['smtp://relay.internal:25?tls=off', { host: 'relay.internal', port: 25, tls: 'none', auth: null }],
  ['smtp://127.0.0.1:1025', { host: '127.0.0.1', port: 1025, tls: 'none', auth: null }],
  ['smtp://localhost:1025', { host: 'localhost', port: 1025, tls: 'none', auth: null }],
  ['smtp://[::1]:1025', { host: '::1', port: 1025, tls: 'none', auth: null }],
  ['smtp://localhost:1025?tls=required', { host: 'localhost', port: 1025, tls: 'starttls', auth: null }],
  ['smtps://localhost:1465', { host: 'localhost', port: 1465, tls: 'implicit', auth: null }],
])('%s asks for TLS unless the server is on this machine or the setting says otherwise', (url, server) => {
  expect(serverOf(url)).toEqual(server);
});

it.each([
  ...['smtp.gate.test', 'http://smtp.gate.test', 'smtp:gate.test', 'smtp:///gate.test', 'smtps://u@smtp.gate.test'],
  ...['smtp://:p@smtp.gate.test', 'smtp://smtp.gate.test/path', 'smtp://smtp.gate.test?tls=on'],
  ...['smtps://smtp.gate.test?tls=off', 'smtp://smtp.gate.test#x', 'smtp://smtp.gate.test:99999'],
  ...['smtp://u:%E0@smtp.gate.test', 'smtp://a b.gate.test', 'smtps://smtp.gate.test\r\nX: y'],
])('HALDIR_SMTP_URL=%j stops the start with one line that says nothing of it', (url) => {
  const message = refusal({ ...from, HALDIR_SMTP_URL: url });
  expect(message).toMatch(/^HALDIR_SMTP_URL should be .* for example /);
  expect(message).not.toContain('gate.test');
});

it.each(['haldir', 'Haldir <haldir@example.com>', 'a@b, c@d', 'a@b\r\nBcc: c@d', 'ä@example.com'])(
  'HALDIR_MAIL_FROM=%j stops the start',
  (address) => {
    const env = { HALDIR_SMTP_URL: 'smtps://u:secret-of-smtp@smtp.example.com', HALDIR_MAIL_FROM: address };
    expect(refusal(env)).toMatch(/^HALDIR_MAIL_FROM should be an e-mail address/);
    expect(refusal(env)).not.toContain('secret-of-smtp');
  },
);

it('wants both, or neither', () => {
  expect(refusal(from)).toMatch(/^HALDIR_SMTP_URL is missing/);
  const alone = refusal({ HALDIR_SMTP_URL: 'smtps://u:secret-of-smtp@smtp.example.com' });
  expect(alone).toMatch(/^HALDIR_MAIL_FROM is missing/);
  expect(alone).not.toContain('secret-of-smtp');
});
