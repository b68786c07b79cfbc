// What somebody finds who opens the address of the API in a browser, or asks it with a program.
import { request as httpRequest } from 'node:http';
import { type AppProcess, startApi, testEnvironment } from '@haldir/test-support';
import { Client } from 'pg';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';

let api: AppProcess;
beforeAll(async () => {
  api = await startApi(await testEnvironment());
});
afterAll(() => api.stop());

const open = async (headers: Record<string, string> = { accept: BROWSER }): Promise<Response> =>
  fetch(`${api.url}/`, { headers });

it('a browser gets a page with the health of the instance, a way to the documentation, and what to do next', async () => {
  const answer = await open();
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  const html = await answer.text();
  expect(html).toMatch(/<p class="health ok"><strong>Ready: /);
  const links = [...html.matchAll(/<a href="([^"]+)"/g)].map(([, link]) => link);
  expect(links).toEqual(expect.arrayContaining(['/docs', '/openapi.json', '/readyz']));
  for (const link of links) expect((await fetch(new URL(String(link), api.url))).status, String(link)).toBe(200);
  expect(html).toContain('Your first governed call');
  expect(html).toContain(`curl -sS -X POST ${api.url}/v1/keys`);
});

it.each([['application/json'], ['*/*'], ['application/json, text/html;q=0.5'], ['']])(
  'a program that accepts %j gets the index of the API as JSON',
  async (accept) => {
    const answer = await open(accept === '' ? {} : { accept });
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('vary')).toMatch(/\bAccept\b/);
    expect(await answer.json()).toEqual(await (await fetch(`${api.url}/v1`)).json());
  },
);

it('the page runs no script, is framed by nobody and has no style but its own', async () => {
  const answer = await open();
  const policy = String(answer.headers.get('content-security-policy'));
  expect(policy).toContain("default-src 'none'; style-src 'self'");
  expect(policy).toContain("frame-ancestors 'none'");
  const html = await answer.text();
  expect(html).not.toMatch(/<script|\son\w+=|style=/i);
  const style = await fetch(new URL(String(/<link rel="stylesheet" href="([^"]+)"/.exec(html)?.[1]), api.url));
  expect([style.status, style.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8']);
});

it('the host that a request names is text in it, whatever it holds', async () => {
  const { port } = new URL(api.url);
  const html = await new Promise<string>((resolve, reject) => {
    const headers = { accept: BROWSER, host: `x"><img src=x onerror=alert(1)>.test:${port}` };
    httpRequest({ host: '127.0.0.1', port, headers }, (answer) => {
      let text = '';
      answer
        .setEncoding('utf8')
        .on('data', (part: string) => (text += part))
        .on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
  expect(html).not.toContain('<img');
});

it('the page says what is wrong when the instance is not ready', async () => {
  const environment = await testEnvironment();
  const sick = await startApi(environment);
  const owner = new Client({ connectionString: environment['DATABASE_OWNER_URL'] });
  await owner.connect();
  try {
    await owner.query(`DELETE FROM migration WHERE id = (SELECT max(id) FROM migration)`);
    const html = await (await fetch(`${sick.url}/`, { headers: { accept: BROWSER } })).text();
    expect(html).toContain('<p class="health wrong"><strong>Not ready: migrations (1 not run; run npm run migrate).');
  } finally {
    await owner.end();
    await sick.stop();
  }
});
