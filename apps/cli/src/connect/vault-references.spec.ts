import { UsageError } from '../command.js';
import { filled, secretsIn, withoutSecrets } from './vault-references.js';

const values = new Map([
  ['token', 'ghp_$&secret'],
  ['a b', 'two'],
]);

it('are found, each once', () => {
  expect(secretsIn(['Bearer {{vault:token}}', '{{vault:a b}}/{{vault:token}}', 'none'])).toEqual(['token', 'a b']);
});

it.each(['{{ vault:token}}', '{{Vault:token}}', '{{vault:}}', '{{vault:token}', '{{vault:{{vault:token}}}}x{{vault'])(
  '%s is a mistake, and is no text',
  (text) => {
    expect(() => secretsIn([text])).toThrow(UsageError);
  },
);

it('are replaced by the values as they are', () => {
  expect(filled('a {{vault:token}} b {{vault:a b}}', values)).toBe('a ghp_$&secret b two');
});

it('a line that has a value in it is shown without', () => {
  expect(withoutSecrets('token=ghp_$&secret, twice: ghp_$&secret', values)).toBe(
    'token={{vault:token}}, twice: {{vault:token}}',
  );
});

it('so is one that has a line of a value, and one value that is part of another', () => {
  const key = '-----BEGIN KEY-----\nMIIEvQIBADAN\r\nab\n';
  const secrets = new Map([
    ['short', 'MIIE'],
    ['key', key],
  ]);
  expect(withoutSecrets('of MIIEvQIBADAN', secrets)).toBe('of {{vault:key}}');
  expect(withoutSecrets(JSON.stringify(key), secrets)).toBe('"{{vault:key}}\\n{{vault:key}}\\r\\nab\\n"');
  expect(withoutSecrets('ab', secrets)).toBe('ab');
});
