import { HaldirConfig } from '@haldir/runtime';
import { ForeignPage, OwnPages } from './own-pages.js';

const at = (publicUrl: string, host = '127.0.0.1', basePath = ''): OwnPages =>
  new OwnPages(
    new HaldirConfig({
      DATABASE_URL: 'postgresql://haldir:haldir@127.0.0.1:5432/haldir',
      HALDIR_ROOT_KEYS: `1:${Buffer.alloc(32, 7).toString('base64url')}`,
      ...{ HALDIR_PUBLIC_URL: publicUrl, HALDIR_BASE_PATH: basePath, PORT: '3000', HOST: host },
    }),
  );

it.each([
  ['', 'http://localhost:3000/welcome'],
  ['http://127.0.0.1:3001', 'http://localhost:3001/welcome'],
  ['http://[::1]:3001', 'http://localhost:3001/welcome'],
  ['https://haldir.example.com', 'https://haldir.example.com/welcome'],
  ['http://haldir.example.com', null],
])('people who reach Haldir at %j find its pages at %s', (publicUrl, page) => {
  expect(at(publicUrl).addressOf('/welcome')).toBe(page);
});

it.each([
  ['https://example.com', 'https://example.com/haldir/welcome'],
  ['http://127.0.0.1:3001', 'http://localhost:3001/haldir/welcome'],
  ['', 'http://localhost:3000/haldir/welcome'],
])('behind a proxy that takes a path away, with %j they are at %s', (publicUrl, page) => {
  expect(at(publicUrl, '127.0.0.1', '/haldir').addressOf('/welcome')).toBe(page);
});

it('listening to others without a public address it has no pages that it could name', () => {
  const pages = at('', '0.0.0.0');
  expect(pages.addressOf('/welcome')).toBeNull();
  const origin = 'http://localhost:3000';
  expect(() => pages.check({ headers: { origin }, socket: { localPort: 3000 } as never })).toThrow(ForeignPage);
});

it.each([
  ['', 'http://localhost:4000'],
  ['', 'http://127.0.0.1:4000'],
  ['', 'http://[::1]:4000'],
  ['http://127.0.0.1:3001', 'http://localhost:3001'],
  ['https://haldir.example.com', 'https://haldir.example.com'],
])('with %j a page of %s is one of its own', (publicUrl, origin) => {
  expect(() => at(publicUrl).check({ headers: { origin }, socket: { localPort: 4000 } as never })).not.toThrow();
});

it.each([
  ['', 'http://localhost:4001'],
  ['', 'https://localhost:4000'],
  ['', 'http://192.168.1.2:4000'],
  ['', 'http://localhost.evil.example:4000'],
  ['http://127.0.0.1:3001', 'http://localhost:4000'],
  ['https://haldir.example.com', 'http://localhost:4000'],
  ['http://haldir.example.com', 'http://haldir.example.com'],
  ['https://haldir.example.com', 'null'],
])('with %j a page of %s is not', (publicUrl, origin) => {
  const headers = { origin, host: new URL(origin === 'null' ? 'http://x' : origin).host };
  expect(() => at(publicUrl).check({ headers, socket: { localPort: 4000 } as never })).toThrow(ForeignPage);
});
