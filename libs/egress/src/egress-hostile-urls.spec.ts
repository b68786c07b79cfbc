import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { hostileAnswer, hostileUrls } from '@haldir/test-support';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Egress } from './egress.js';
import type { Connector, ConnectTarget } from './egress-connector.js';
import { EgressFailed, EgressRefused } from './egress.errors.js';
import { EgressPolicy } from './egress-policy.js';

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
  const answer = hostileAnswer(hostname);
  return answer ? Promise.resolve(answer) : Promise.reject(new Error('unknown name'));
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

const urls = (): string[] => hostileUrls(port);

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
