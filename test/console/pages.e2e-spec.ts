// The console as it is served: what somebody gets who opens an address of Haldir in a browser, or asks it with a program.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type AppProcess, sharedWorld } from '@haldir/test-support';
import { VIEWS } from '../../apps/console/src/views.js';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** Of the first view: every script and style that the page asks for before it shows anything. */
const FIRST_VIEW_BYTES = 160 * 1024;

let api: AppProcess;
beforeAll(async () => {
  api = (await sharedWorld()).apis[0] as AppProcess;
});

const open = (path: string, accept = BROWSER): Promise<Response> => fetch(api.url + path, { headers: { accept } });
/** What a page asks for, as whole addresses. */
async function filesOf(path: string): Promise<string[]> {
  const html = await (await open(path)).text();
  return [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(
    ([, address]) => new URL(String(address), api.url + path).href,
  );
}

const ADDRESSES = ['/', '/approvals/', '/audit?tool=up.pay', ...VIEWS.map(({ path }) => path)];

it.each(ADDRESSES)('a browser gets the console at %s', async (path) => {
  const answer = await open(path);
  const { status, headers } = answer;
  expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('content-security-policy')).toBe(POLICY);
  expect(headers.get('x-frame-options')).toBe('DENY');
  const html = await answer.text();
  expect(html).not.toMatch(/<script(?![^>]* src=)|\son\w+=|style=|https?:/i);
  const files = await filesOf(path);
  expect(files.length).toBeGreaterThan(3);
  for (const file of files) expect([file, (await fetch(file)).status]).toEqual([file, 200]);
}); // prettier-ignore

it.each([['application/json'], ['*/*'], ['application/json, text/html;q=0.5'], ['']])(
  'a program that accepts %j gets the index of the API at /',
  async (accept) => {
    const answer = await fetch(`${api.url}/`, { headers: accept === '' ? {} : { accept } });
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('vary')).toMatch(/\bAccept\b/);
    expect(await answer.json()).toEqual(await (await fetch(`${api.url}/v1`)).json());
  },
);

it.each(['/aproval', '/approvals/a/b', '/a/b/c'])('a browser that comes to %s is shown where to go', async (path) => {
  const answer = await open(path);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
  expect(answer.headers.get('content-security-policy')).toBe(POLICY);
  for (const file of await filesOf(path)) expect([file, (await fetch(file)).status]).toEqual([file, 200]);
});

it.each(['/v1/nothing', '/v1', '/mcp/nothing', '/console/nothing.js', '/docs/nothing', '/.well-known/nothing'])(
  'below %s nothing is a page',
  async (path) => expect((await open(path)).headers.get('content-type')).toMatch(/^application\/json/),
);

it('whoever is no browser is told 404 as ever', async () => {
  const answer = await open('/aproval', '*/*');
  expect(await answer.json()).toMatchObject({ code: 'not_found' });
  expect((await fetch(`${api.url}/approvals`, { method: 'POST', headers: { accept: BROWSER } })).status).toBe(405);
});

it('files whose names have a digest are kept for good, and come compressed', async () => {
  const files = (await filesOf('/')).filter((file) => /-[\w-]{8}\.\w+$/.test(file));
  expect(files.length).toBeGreaterThan(1);
  for (const file of files) {
    const { headers } = await fetch(file, { headers: { 'accept-encoding': 'gzip' } });
    expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect([headers.get('content-encoding'), headers.get('vary')]).toEqual(['gzip', 'Accept-Encoding']);
    const plain = await fetch(file, { headers: { 'accept-encoding': 'identity' } });
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(await plain.text()).toBe(await (await fetch(file)).text());
  }
  expect((await fetch(`${api.url}/console/theme.js`)).headers.get('cache-control')).toBe('no-store');
});

it('the first view is 160 KB at most, compressed', async () => {
  const files = [...(await filesOf('/')), `${api.url}/`];
  let bytes = 0;
  for (const file of files) {
    const body = await (await fetch(file, { headers: { accept: BROWSER } })).arrayBuffer();
    bytes += gzipSync(Buffer.from(body)).length;
  }
  expect(bytes).toBeGreaterThan(20_000);
  expect(bytes).toBeLessThan(FIRST_VIEW_BYTES);
});

it('nothing of it asks another origin, or makes markup of a text', () => {
  const sources = join(import.meta.dirname, '../../apps/console/src');
  const code = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(?:tsx?|css)$/.test(file) && !/spec\.ts$|schema\.ts$/.test(file))
    .map((file) => readFileSync(join(sources, file), 'utf8'))
    .join('\n');
  expect(code.length).toBeGreaterThan(10_000);
  expect(code).not.toMatch(/dangerouslySetInnerHTML|innerHTML|insertAdjacent|document\.write|\beval\b|(?<!placeholder=")https?:\/\/(?!localhost)/);
}); // prettier-ignore
