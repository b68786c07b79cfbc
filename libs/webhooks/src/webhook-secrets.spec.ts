import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { legacySignature, newSecret, standardSignature } from './webhook-secrets.js';

it('signs as Standard Webhooks publishes it', () => {
  expect(
    standardSignature(
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      1_614_265_330,
      '{"test": 2432232314}',
    ),
  ).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

it('makes secrets of 32 random bytes that the standard’s library takes', () => {
  const secrets = Array.from({ length: 50 }, newSecret);
  expect(new Set(secrets).size).toBe(50);
  for (const secret of secrets) {
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const seconds = Math.floor(Date.now() / 1000);
    const body = '{"ünïcödé":"🔑"}';
    const headers = {
      'webhook-id': 'evt_1',
      'webhook-timestamp': String(seconds),
      'webhook-signature': standardSignature(secret, 'evt_1', seconds, body),
    };
    expect(new Webhook(secret).verify(body, headers)).toEqual({ ünïcödé: '🔑' });
    expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow();
    expect(() => new Webhook(secret).verify(body, { ...headers, 'webhook-id': 'evt_2' })).toThrow();
  }
});

it('signs for older receivers under the secret’s text, over timestamp and body', () => {
  const expected = createHmac('sha256', 'whsec_abc').update('17.{"a":1}').digest('hex');
  expect(legacySignature('whsec_abc', 17, '{"a":1}')).toBe(`sha256=${expected}`);
});
