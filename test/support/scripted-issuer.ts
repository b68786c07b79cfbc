import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';

interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body: string;
}

const json = (value: unknown): Answer => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});
const key = () => generateKeyPairSync('rsa', { modulusLength: 2048 });

/** An issuer that says what a test has it say, however wrong, and takes any code as often as it is sent. */
export class ScriptedIssuer {
  private readonly pair = key();
  /** Answers in place of its own, by path. */
  readonly answers = new Map<string, Answer>();
  /** What it says of itself besides. */
  metadata: Record<string, unknown> = {};
  /** What was asked of it, by path. */
  readonly asked: string[] = [];
  url = '';
  private readonly server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', this.url).pathname;
    this.asked.push(path);
    const { status = 200, headers = {}, body } = this.answers.get(path) ?? this.own(path);
    request.resume().on('end', () => response.writeHead(status, headers).end(body));
  });

  async start(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Has the next codes stand for somebody with these claims. */
  signsIn(
    claims: Record<string, unknown>,
    header: Record<string, unknown> = {},
    by: KeyObject | null = this.pair.privateKey,
  ): void {
    const now = Math.floor(Date.now() / 1000);
    const payload = { iss: this.url, aud: 'haldir', iat: now, exp: now + 300, ...claims };
    this.answers.set(
      '/token',
      json({ access_token: 'access-token', token_type: 'Bearer', id_token: signed(payload, header, by) }),
    );
  }

  strangersKey(): KeyObject {
    return key().privateKey;
  }

  private own(path: string): Answer {
    const { url } = this;
    switch (path) {
      case '/.well-known/openid-configuration':
        return json({
          ...{ issuer: url, authorization_endpoint: `${url}/authorize`, token_endpoint: `${url}/token` },
          ...{ jwks_uri: `${url}/keys`, userinfo_endpoint: `${url}/userinfo`, response_types_supported: ['code'] },
          ...{ subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'] },
          ...this.metadata,
        });
      case '/keys':
        return json({
          keys: [{ ...this.pair.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }],
        });
      default:
        return { status: 404, body: '' };
    }
  }
}

/** A JWT; without a key one that nobody signed. */
function signed(payload: object, header: object, by: KeyObject | null): string {
  const parts = [{ alg: by === null ? 'none' : 'RS256', kid: 'one', typ: 'JWT', ...header }, payload];
  const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${by === null ? '' : createSign('RSA-SHA256').update(text).sign(by, 'base64url')}`;
}
