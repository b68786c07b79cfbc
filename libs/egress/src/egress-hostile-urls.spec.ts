import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Egress } from './egress.js';
import type { Connector, ConnectTarget } from './egress-connector.js';
import { EgressFailed, EgressRefused } from './egress.errors.js';
import { EgressPolicy } from './egress-policy.js';

/** Hosts that are loopback, private or metadata addresses in some disguise. */
const LITERALS = [
  '127.0.0.1', '127.1', '127.0.1', '127.255.255.254', '2130706433', '0x7f000001', '0x7f.0.0.1', '0x7f.1', '017700000001',
  '0177.0.0.1', '0177.0.0.01', '0x7F.0x0.0x0.0x1', '127.0.0.1.', '127.0.0.0x1', '0', '0.0.0.0', '0x0', '00.00.00.00',
  '１２７.０.０.１', '①②⑦.⓪.⓪.①', '127。0。0。1', '127．0．0．1', '%31%32%37.0.0.1', '10.0.0.1', '0xa000001', '167772161', '012.0.0.1',
  '172.16.0.1', '172.31.255.255', '192.168.0.1', '192.168.257', '3232235521', '169.254.169.254', '0xa9fea9fe', '2852039166',
  '0251.0376.0251.0376', '169.254.43518', '100.64.0.1', '198.18.0.1', '192.0.0.170', '224.0.0.1', '255.255.255.255', '240.0.0.1',
  '[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[0000::0001]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::FFFF:127.0.0.1]',
  '[0:0:0:0:0:ffff:7f00:0001]', '[::127.0.0.1]', '[::ffff:0:127.0.0.1]', '[::ffff:169.254.169.254]', '[::ffff:10.0.0.1]',
  '[64:ff9b::7f00:1]', '[64:ff9b::127.0.0.1]', '[64:ff9b::169.254.169.254]', '[64:ff9b:1::7f00:1]', '[2002:7f00:1::]',
  '[2002:a9fe:a9fe::]', '[2002:c0a8:1::1]', '[2001:0:0:0:0:0:80ff:fffe]', '[2001::1]', '[fe80::1]', '[fe80::1%25lo]', '[fe80::1%lo]',
  '[fd00:ec2::254]', '[fc00::1]', '[fec0::1]', '[ff02::1]', '[100::1]', '[2001:db8::1]', '[3fff::1]', '[5f00::1]', '[4000::1]',
]; // prettier-ignore

/** Whole URLs that are dangerous by form. */
const FORMS = [
  'http://user@127.0.0.1:PORT/', 'http://user:pass@example.com:PORT/', 'http://example.com@127.0.0.1:PORT/', 'http://127.0.0.1:PORT#@example.com/',
  'http://127.0.0.1:PORT\\@example.com/', 'http:\\\\127.0.0.1:PORT/', 'http:127.0.0.1:PORT', 'http:/127.0.0.1:PORT/', '//127.0.0.1:PORT/',
  'http://127.0.0.1:PORT\t/', 'http://127.0.0.1\n:PORT/', 'gopher://127.0.0.1:PORT/', 'file://127.0.0.1/etc/passwd', 'ftp://127.0.0.1:PORT/',
  'dict://127.0.0.1:PORT/', 'ws://127.0.0.1:PORT/', 'unix:///var/run/docker.sock', 'http+unix://%2Fvar%2Frun%2Fdocker.sock/', 'data:text/plain,x',
  'javascript:fetch("http://127.0.0.1:PORT")', 'http://example.com:22/', 'http://example.com:25/', 'http://example.com:0/', 'http://exa mple.com/',
]; // prettier-ignore

/** Names, and what a hostile DNS answers for them. */
const NAMES: Record<string, string[]> = {
  localhost: ['127.0.0.1'],
  'localhost.': ['127.0.0.1'],
  'loopback6.example': ['::1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'nat64.example': ['64:ff9b::7f00:1'],
  'sixtofour.example': ['2002:7f00:1::'],
  'teredo.example': ['2001:0:0:0:0:0:80ff:fffe'],
  'zone.example': ['fe80::1%lo'],
  'metadata.google.internal': ['169.254.169.254'],
  'metadata6.example': ['fd00:ec2::254'],
  '127.0.0.1.nip.example': ['127.0.0.1'],
  'second-private.example': ['93.184.216.34', '127.0.0.1'],
  'first-private.example': ['10.0.0.1', '93.184.216.34'],
  'mixed-family.example': ['2606:4700::1111', '::1'],
  'unspecified.example': ['0.0.0.0'],
  'garbage.example': ['not-an-address'],
  LOCALHOST: ['127.0.0.1'],
  ｌｏｃａｌｈｏｓｔ: ['127.0.0.1'],
};

let honeypots: Server[];
let port: number;
let accepts = 0;
let attempts: ConnectTarget[] = [];

/** Records where a connection would go; nothing leaves the machine. */
const recording: Connector = (target) => {
  attempts.push(target);
  return Promise.reject<Socket>(Object.assign(new Error('recorded, not made'), { code: 'ECONNREFUSED' }));
};

const resolver = (hostname: string): Promise<string[]> => {
  const key = Object.keys(NAMES).find((name) => new URL(`http://${name}/`).hostname === hostname);
  return key ? Promise.resolve(NAMES[key] ?? []) : Promise.reject(new Error('unknown name'));
};

async function listen(host: string, onPort: number): Promise<Server> {
  const server = createServer((socket) => {
    accepts++;
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nINTERNAL');
  });
  await new Promise<void>((resolve) => server.listen(onPort, host, resolve));
  return server;
}

beforeAll(async () => {
  const first = await listen('127.0.0.1', 0);
  port = (first.address() as AddressInfo).port;
  honeypots = [first, await listen('::1', port)];
});

afterAll(async () => {
  await Promise.all(honeypots.map((server) => new Promise((resolve) => server.close(resolve))));
});

beforeEach(() => {
  accepts = 0;
  attempts = [];
});

const urls = (): string[] =>
  [
    ...LITERALS.flatMap((host) => [`http://${host}:PORT/`]),
    ...FORMS,
    ...Object.keys(NAMES).map((name) => `http://${name}:PORT/hook`),
  ].map((url) => url.replaceAll('PORT', String(port)));

describe('hostile URLs', () => {
  it('are at least eighty', () => {
    expect(new Set(urls()).size).toBeGreaterThanOrEqual(80);
  });

  it('are all refused at registration, without a connection', async () => {
    const egress = new Egress(new EgressPolicy(), { resolver });
    for (const url of urls()) await expect(egress.vet(url), url).rejects.toBeInstanceOf(EgressRefused);
    expect(accepts).toBe(0);
    await egress.close();
  });

  it.each(['real connections', 'recorded connections'])(
    'are all refused at delivery (%s), without a connection',
    async (mode) => {
      const egress = new Egress(
        new EgressPolicy(),
        mode === 'real connections' ? { resolver } : { resolver, connector: recording },
      );
      for (const url of urls()) {
        const outcome = await egress
          .request({ method: 'POST', url, body: '{}', deadlineMs: 2_000, maxResponseBytes: 1_024 })
          .catch((error: unknown) => error);
        expect(outcome, url).toBeInstanceOf(EgressRefused);
        expect(String(outcome), url).not.toContain('INTERNAL');
        expect(String(outcome), url).not.toContain(String(port));
      }
      expect(accepts).toBe(0);
      expect(attempts).toEqual([]);
      await egress.close();
    },
  );
});

describe('a name that changes its mind', () => {
  const changing = (...answers: string[][]): (() => Promise<string[]>) => {
    let call = 0;
    return () => Promise.resolve(answers[Math.min(call++, answers.length - 1)] ?? []);
  };

  it('is connected to as checked, and refused once it answers with loopback', async () => {
    const egress = new Egress(new EgressPolicy(), {
      resolver: changing(['93.184.216.34'], ['127.0.0.1']),
      connector: recording,
    });
    const send = (): Promise<unknown> =>
      egress
        .request({
          method: 'POST',
          url: `http://rebind.example:${port}/`,
          body: '{}',
          deadlineMs: 2_000,
          maxResponseBytes: 1_024,
        })
        .catch((error: unknown) => error);

    expect(await send()).toMatchObject({ reason: 'connect', sent: false });
    expect(await send()).toBeInstanceOf(EgressRefused);
    expect(attempts.map(({ address }) => address)).toEqual(['93.184.216.34']);
    expect(attempts[0]).toMatchObject({
      host: `rebind.example:${port}`,
      servername: 'rebind.example',
      secure: false,
      port,
    });
    expect(accepts).toBe(0);
    await egress.close();
  });

  it('gains nothing between registration and delivery', async () => {
    const egress = new Egress(new EgressPolicy(), { resolver: changing(['93.184.216.34'], ['127.0.0.1']) });
    const url = `http://rebind.example:${port}/`;
    await egress.vet(url);
    await expect(
      egress.request({ method: 'POST', url, deadlineMs: 2_000, maxResponseBytes: 1_024 }),
    ).rejects.toBeInstanceOf(EgressRefused);
    expect(accepts).toBe(0);
    await egress.close();
  });

  it('is cut off when the socket turns out to lead elsewhere', async () => {
    const { connect } = await import('node:net');
    let bytes = 0;
    const internal = createServer((socket) =>
      socket.on('data', (chunk) => (bytes += chunk.length)).on('error', () => undefined),
    );
    await new Promise<void>((resolve) => internal.listen(0, '127.0.0.1', resolve));
    const diverted: Connector = () =>
      new Promise((resolve) => {
        const socket = connect((internal.address() as AddressInfo).port, '127.0.0.1', () => {
          resolve(socket);
        });
      });
    const egress = new Egress(new EgressPolicy(), { resolver: changing(['93.184.216.34']), connector: diverted });
    await expect(
      egress.request({
        method: 'POST',
        url: 'http://diverted.example/',
        body: 'secret',
        deadlineMs: 2_000,
        maxResponseBytes: 1_024,
      }),
    ).rejects.toBeInstanceOf(EgressRefused);
    expect(bytes).toBe(0);
    await egress.close();
    await new Promise((resolve) => internal.close(resolve));
  });

  it('tries its next address when one does not answer', async () => {
    const egress = new Egress(new EgressPolicy(), {
      resolver: changing(['93.184.216.34', '93.184.216.35']),
      connector: recording,
    });
    await expect(
      egress.request({ method: 'GET', url: 'https://two.example/', deadlineMs: 2_000, maxResponseBytes: 1_024 }),
    ).rejects.toBeInstanceOf(EgressFailed);
    expect(attempts.map(({ address, secure, port: to }) => [address, secure, to])).toEqual([
      ['93.184.216.34', true, 443],
      ['93.184.216.35', true, 443],
    ]);
    await egress.close();
  });
});
