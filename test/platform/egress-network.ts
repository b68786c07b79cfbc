import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/** What a honeypot answers, and must never be seen anywhere. */
export const INTERNAL = 'INTERNAL-4b1d';
export const PUBLIC = '93.184.216.34';

/** A port of loopback, both families, where something internal answers everyone. */
export interface Honeypot {
  port: number;
  accepted(): number;
  stop(): Promise<void>;
}

export async function startHoneypot(hosts: string[]): Promise<Honeypot> {
  let accepted = 0;
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { tools: [{ name: INTERNAL, inputSchema: {} }] } });
  const servers: Server[] = [];
  for (const host of hosts) {
    const server = createServer((socket) => {
      accepted++;
      socket.on('error', () => undefined);
      socket.end(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
    const port = (servers[0]?.address() as AddressInfo | undefined)?.port ?? 0;
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    servers.push(server);
  }
  return {
    port: (servers[0]?.address() as AddressInfo).port,
    accepted: () => accepted,
    stop: async () => {
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

/** The network as the tests have it: names answer what they are told, and what was tried is known. */
export class Network {
  private readonly dir = mkdtempSync(join(tmpdir(), 'haldir-egress-'));
  private readonly names = join(this.dir, 'names.json');
  private readonly attempts = join(this.dir, 'attempts');

  constructor() {
    this.resolve({});
    this.forget();
  }

  get environment(): Record<string, string> {
    return {
      NODE_OPTIONS: `--import ${new URL('./egress-recorder.mjs', import.meta.url).href}`,
      HALDIR_TEST_NAMES: this.names,
      HALDIR_TEST_ATTEMPTS: this.attempts,
    };
  }

  /** What names answer from now on, each look-up of a process in turn. */
  resolve(names: Record<string, readonly (readonly string[])[]>): void {
    const bySpelling = Object.entries(names).map(([name, answers]) => [new URL(`http://${name}/`).hostname, answers]);
    writeFileSync(this.names, JSON.stringify(Object.fromEntries(bySpelling)));
  }

  forget(): void {
    writeFileSync(this.attempts, '');
  }

  tried(): string[] {
    return readFileSync(this.attempts, 'utf8').split('\n').filter(Boolean);
  }

  remove(): void {
    rmSync(this.dir, { recursive: true });
  }
}

/** A peer that may be spoken to, on ::1, and does not mean well. */
export interface Peer {
  url(path: string): string;
  requests: string[];
  answer: (request: IncomingMessage, body: string, response: ServerResponse) => void;
  stop(): Promise<void>;
}

export async function startPeer(): Promise<Peer> {
  const requests: string[] = [];
  const peer: Peer = {
    url: () => '',
    requests,
    answer: (_request, _body, response) => response.writeHead(204).end(),
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  const server = createHttpServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    void text(request).then((body) => peer.answer(request, body, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '::1', resolve));
  const { port } = server.address() as AddressInfo;
  peer.url = (path) => `http://[::1]:${port}/${path}`;
  return peer;
}
