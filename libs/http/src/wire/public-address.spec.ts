import { PublicAddress } from './public-address.js';
import { type HaldirConfig } from '@haldir/runtime';

const addressOf = (publicUrl: string | null, host: string, basePath = ''): string =>
  new PublicAddress({ publicUrl, basePath } as HaldirConfig).of({ protocol: 'http', host }, '/mcp');

it.each([
  [null, 'haldir.test:3000', 'http://haldir.test:3000/mcp'],
  ['https://haldir.example.com', '127.0.0.1:3000', 'https://haldir.example.com/mcp'],
  // Whoever says localhost goes on saying so.
  ['http://127.0.0.1:3000', 'localhost:3000', 'http://localhost:3000/mcp'],
  ['http://127.0.0.1:3000', '[::1]:3000', 'http://[::1]:3000/mcp'],
  ['http://127.0.0.1:3000', 'localhost:3001', 'http://127.0.0.1:3000/mcp'],
  ['https://localhost:3000', 'localhost:3000', 'https://localhost:3000/mcp'],
  ['http://127.0.0.1:3000', 'haldir.test:3000', 'http://127.0.0.1:3000/mcp'],
  ['http://127.0.0.1:3000', 'no host', 'http://127.0.0.1:3000/mcp'],
])('known as %s, a request to %s is told %s', (publicUrl, host, told) => {
  expect(addressOf(publicUrl, host)).toBe(told);
});

it('is below the path that a proxy takes away', () => {
  expect(addressOf('https://example.com', 'haldir:3000', '/haldir')).toBe('https://example.com/haldir/mcp');
  expect(addressOf(null, 'haldir.test:3000', '/haldir')).toBe('http://haldir.test:3000/haldir/mcp');
});
