import { type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { EgressWorld, failureOf } from '@haldir/test-support';
import { afterEach, describe, expect, it } from 'vitest';

const world = new EgressWorld();
afterEach(() => world.close());

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

const limits = { deadlineMs: 2_000, maxResponseBytes: 64 * 1024 };

describe('Egress.request', () => {
  it('sends method, headers, body and Host, and answers status, headers and body', async () => {
    const { url } = await world.serve(async (req, res) => {
      res.setHeader(
        'X-Seen',
        `${req.method} ${req.url} ${String(req.headers['x-a'])} ${req.headers.host?.split(':')[0]}`,
      );
      res.statusCode = 201;
      res.end(await textOf(req));
    });
    const answer = await world.egress().request({
      ...limits,
      method: 'POST',
      url: `${url}/p?q=1`,
      headers: { 'x-a': 'b' },
      body: 'hello',
    });
    expect(answer).toMatchObject({ status: 201, truncated: false });
    expect(answer.headers['x-seen']).toBe('POST /p?q=1 b 127.0.0.1');
    expect(answer.body.toString()).toBe('hello');
    expect(answer.durationMs).toBeGreaterThan(0);
  });

  it('keeps the host name in Host while connecting to the checked address', async () => {
    const { url } = await world.serve((req, res) => res.end(req.headers.host));
    const port = new URL(url).port;
    const egress = world.egress({ resolver: () => Promise.resolve(['127.0.0.1']) });
    const answer = await egress.request({ ...limits, method: 'GET', url: `http://name.example:${port}/` });
    expect(answer.body.toString()).toBe(`name.example:${port}`);
  });

  it.each([301, 302, 303, 307, 308])('answers a %i as it is and follows nothing', async (status) => {
    const seen: (string | undefined)[] = [];
    const { url } = await world.serve((req, res) => {
      seen.push(req.url);
      res.writeHead(status, { location: '/elsewhere' }).end();
    });
    const answer = await world.egress().request({ ...limits, method: 'POST', url: `${url}/start`, body: '{}' });
    expect(answer.status).toBe(status);
    expect(seen).toEqual(['/start']);
  });

  it('shares kept connections between requests', async () => {
    const { url, connections } = await world.serve((_req, res) => res.end('ok'));
    const egress = world.egress();
    for (let i = 0; i < 20; i++) await egress.request({ ...limits, method: 'GET', url });
    // The next request may start before the pool has the first connection back.
    expect(connections()).toBeLessThanOrEqual(2);
  });

  it('takes no proxy from the environment', async () => {
    const proxied: string[] = [];
    const proxy = await world.serve((req, res) => {
      proxied.push(req.url ?? '');
      res.end('proxy');
    });
    const { url } = await world.serve((_req, res) => res.end('direct'));
    const before = { HTTP_PROXY: process.env['HTTP_PROXY'], http_proxy: process.env['http_proxy'] };
    process.env['HTTP_PROXY'] = process.env['http_proxy'] = proxy.url;
    try {
      const answer = await world.egress().request({ ...limits, method: 'GET', url });
      expect(answer.body.toString()).toBe('direct');
      expect(proxied).toEqual([]);
    } finally {
      for (const [name, value] of Object.entries(before)) {
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
    }
  });

  it('ends a slow drip at the deadline, however regularly a byte comes', async () => {
    const { url } = await world.serve((_req, res) => {
      const drip = setInterval(() => res.write('x'), 10);
      res.on('close', () => {
        clearInterval(drip);
      });
    });
    // Nothing else would ever end it.
    const failure = await failureOf(world.egress().request({ ...limits, method: 'GET', url, deadlineMs: 200 }));
    expect(failure).toMatchObject({ reason: 'timeout', sent: true });
  });

  it('fails an oversize answer, announced or not', async () => {
    const announced = await world.serve((_req, res) => res.end(Buffer.alloc(100_000)));
    const chunked = await world.serve((_req, res) => {
      for (let i = 0; i < 10; i++) res.write(Buffer.alloc(10_000));
      res.end();
    });
    const egress = world.egress();
    for (const { url } of [announced, chunked]) {
      expect((await failureOf(egress.request({ ...limits, method: 'GET', url }))).reason).toBe('too_large');
    }
  });

  it('cuts an endless answer where asked to, and says so', async () => {
    const { url } = await world.serve((_req, res) => {
      const flood = (): void =>
        void (res.writableEnded || res.destroyed || res.write(Buffer.alloc(4_096, 'a'), () => setImmediate(flood)));
      flood();
    });
    const answer = await world.egress().request({
      ...limits,
      method: 'GET',
      url,
      maxResponseBytes: 10_000,
      onOverflow: 'truncate',
    });
    expect(answer).toMatchObject({ status: 200, truncated: true });
    expect(answer.body).toHaveLength(10_000);
  });

  it('ends at once when its signal aborts, and leaves no listener behind', async () => {
    const { url } = await world.serve((req, res) => void (req.url === '/hang' || res.end('ok')));
    const controller = new AbortController();
    const egress = world.egress();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
    signal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove(...args));
    await egress.request({ ...limits, method: 'GET', url, signal });
    expect(listeners).toBe(0);
    const pending = failureOf(egress.request({ ...limits, method: 'GET', url: `${url}/hang`, signal }));
    setTimeout(() => {
      controller.abort();
    }, 30);
    expect((await pending).reason).toBe('aborted');
    expect((await failureOf(egress.request({ ...limits, method: 'GET', url, signal }))).sent).toBe(false);
  });

  it('tells each failure apart, with a fixed message', async () => {
    const egress = world.egress({
      resolver: (name) =>
        name === 'gone.example' ? Promise.reject(new Error('ENOTFOUND internal-dns')) : new Promise(() => undefined),
      dnsTimeoutMs: 50,
    });
    const closed = await world.serveRaw('');
    const garbage = await world.serveRaw('SSH-2.0-OpenSSH_9.2 internal banner\r\n');
    const half = await world.serveRaw('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
    const plain = (await world.serve((_req, res) => res.end())).url;
    const cases: [string, string][] = [
      ['http://gone.example/', 'dns'],
      ['http://slow.example/', 'dns'],
      ['http://127.0.0.1:1025/', 'connect'],
      [plain.replace('http:', 'https:'), 'tls'],
      [closed, 'reset'],
      [half, 'reset'],
      [garbage, 'protocol'],
    ];
    for (const [url, reason] of cases) {
      const failure = await failureOf(egress.request({ ...limits, method: 'GET', url }));
      expect(failure.reason, url).toBe(reason);
      expect(failure.message, url).not.toMatch(/internal|127\.0|banner|ECONN/);
      expect(failure.sent, url).toBe(['reset', 'protocol'].includes(reason));
    }
  });

  it('sends nothing for a request whose deadline passed while the connection was made', async () => {
    let requests = 0;
    const { url } = await world.serve((_req, res) => {
      requests++;
      res.end();
    });
    const port = new URL(url).port;
    const egress = world.egress({ resolver: () => sleep(150).then(() => ['127.0.0.1']) });
    const failure = await failureOf(
      egress.request({ ...limits, method: 'POST', url: `http://slow.example:${port}/`, deadlineMs: 50 }),
    );
    expect(failure).toMatchObject({ reason: 'timeout', sent: false });
    await sleep(250);
    expect(requests).toBe(0);
  });

  it('refuses to have its Host overridden', async () => {
    await expect(
      world.egress().request({ ...limits, method: 'GET', url: 'http://127.0.0.1:9999/', headers: { HOST: 'x' } }),
    ).rejects.toThrow('Host');
  });
});

describe('Egress.open', () => {
  it('hands on chunks as they come', async () => {
    const { url } = await world.serve(async (_req, res) => {
      for (const part of ['one', 'two', 'three']) {
        res.write(part);
        await sleep(20);
      }
      res.end();
    });
    const stream = await world.egress().open({ ...limits, method: 'GET', url });
    const parts: string[] = [];
    for await (const chunk of stream.body) parts.push(chunk.toString());
    expect(parts).toEqual(['one', 'two', 'three']);
  });

  it('counts deadline and bytes for the body too', async () => {
    const { url } = await world.serve((req, res) => {
      res.write('x'.repeat(100));
      if (req.url === '/big') res.write('y'.repeat(100_000));
    });
    const egress = world.egress();
    const drained = async (path: string): Promise<void> => {
      const stream = await egress.open({ ...limits, method: 'GET', url: url + path, deadlineMs: 200 });
      for await (const chunk of stream.body) expect(chunk.length).toBeGreaterThan(0);
    };
    expect((await failureOf(drained('/'))).reason).toBe('timeout');
    expect((await failureOf(drained('/big'))).reason).toBe('too_large');
  });

  it('closes the connection of an answer that is given up', async () => {
    let closed = false;
    const { url } = await world.serve((_req, res) => {
      res.write('x');
      res.on('close', () => (closed = true));
    });
    const stream = await world.egress().open({ ...limits, method: 'GET', url });
    for await (const chunk of stream.body) {
      expect(chunk.toString()).toBe('x');
      break;
    }
    await sleep(50);
    expect(closed).toBe(true);
  });
});
