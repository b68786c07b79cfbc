import { HaldirConfig } from '@haldir/runtime';
import { Origins } from './origins.js';

const config = new HaldirConfig({
  DATABASE_URL: 'postgresql://haldir:haldir@127.0.0.1:5432/haldir',
  HALDIR_ROOT_KEYS: `1:${Buffer.alloc(32, 7).toString('base64url')}`,
  HALDIR_PUBLIC_URL: 'https://haldir.example.com:8443',
  MCP_ALLOWED_HOSTS: 'tools.example.com',
});

it.each([
  'https://evil.example',
  'null',
  '',
  'nonsense',
  'http://localhost.evil.example',
  'http://evil-localhost',
  'chrome-extension://localhost',
  'https://haldir.example.com',
  'https://haldir.example.com:8444',
  'http://haldir.example.com:8443',
])('%s is foreign', (origin) => {
  expect(new Origins(config).isForeign(origin)).toBe(true);
});

it.each([
  undefined,
  'http://localhost:5173',
  'https://127.0.0.1',
  'http://[::1]:3000',
  'https://haldir.example.com:8443',
  'https://tools.example.com',
])('%s is not', (origin) => {
  expect(new Origins(config).isForeign(origin)).toBe(false);
});
