import { createDecipheriv, createECDH, createPublicKey, type ECDH, hkdfSync, randomBytes, verify } from 'node:crypto';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A browser that subscribed at a push service: its keys, private half included. */
export interface PushBrowser {
  /** As `PushSubscription.toJSON()` gives it. */
  subscription: { endpoint: string; keys: { p256dh: string; auth: string } };
  /** What arrived for it, decrypted, in order. */
  readonly told: PushArrival[];
}

export interface PushArrival {
  /** As the browser reads it. */
  text: string;
  /** As it came. */
  raw: Buffer;
  headers: Readonly<Record<string, string | undefined>>;
  /** Claims of the VAPID token, whose signature was checked by the key that it names. */
  claims: { aud: string; sub: string; exp: number };
  key: string;
}

/** A push service on loopback, which answers as it is told to. It reads nothing; the browsers of the test do. */
export interface PushService {
  url: string;
  browser(): PushBrowser;
  /** 201 unless told otherwise; null: no answer ever comes. */
  answer(how: (browser: PushBrowser) => number | null | Promise<number | null>): void;
  /** What was wrong with what arrived; empty when nothing was. */
  readonly faults: string[];
  stop(): Promise<void>;
}

export async function startPushService(): Promise<PushService> {
  const browsers = new Map<string, { browser: PushBrowser; curve: ECDH; auth: Buffer }>();
  const faults: string[] = [];
  let how: (browser: PushBrowser) => number | null | Promise<number | null> = () => 201;
  const server = createServer((request, response) => {
    void buffer(request).then(async (raw) => {
      const known = browsers.get(request.url ?? '');
      if (!known) return response.writeHead(404).end();
      const { browser, curve, auth } = known;
      const headers = request.headers as Record<string, string | undefined>;
      try {
        browser.told.push({ text: decrypted(raw, curve, auth), raw, headers, ...checked(headers['authorization']) });
      } catch (error) {
        faults.push(String(error));
      }
      const status = await how(browser);
      return status === null ? undefined : response.writeHead(status).end('what the service says');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    browser: () => {
      const path = `/push/${randomBytes(16).toString('hex')}`;
      const [curve, auth] = [createECDH('prime256v1'), randomBytes(16)];
      const keys = { p256dh: curve.generateKeys('base64url'), auth: auth.toString('base64url') };
      const browser: PushBrowser = { subscription: { endpoint: url + path, keys }, told: [] };
      browsers.set(path, { browser, curve, auth });
      return browser;
    },
    answer: (next) => {
      how = next;
    },
    faults,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** RFC 8291 on RFC 8188, of one record. */
function decrypted(body: Buffer, curve: ECDH, auth: Buffer): string {
  const salt = body.subarray(0, 16);
  const length = body.readUInt8(20);
  const sender = body.subarray(21, 21 + length);
  const sealed = body.subarray(21 + length);
  const derive = (key: Uint8Array, by: Uint8Array, info: Buffer, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', key, by, info, bytes));
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), curve.getPublicKey(), sender]);
  const input = derive(curve.computeSecret(sender), auth, info, 32);
  const key = derive(input, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16);
  const nonce = derive(input, salt, Buffer.from('Content-Encoding: nonce\0'), 12);
  const cipher = createDecipheriv('aes-128-gcm', key, nonce).setAuthTag(sealed.subarray(-16));
  const padded = Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
  const end = padded.lastIndexOf(2);
  if (end < 0 || padded.subarray(end + 1).some((byte) => byte !== 0)) throw new Error('not the last record');
  return padded.subarray(0, end).toString('utf8');
}

/** RFC 8292. */
function checked(authorization = ''): Pick<PushArrival, 'claims' | 'key'> {
  const [, token = '', key = ''] = /^vapid t=([\w.-]+), ?k=([\w-]+)$/.exec(authorization) ?? [];
  const [head = '', claims = '', signature = ''] = token.split('.');
  const point = Buffer.from(key, 'base64url');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString('base64url'));
  const publicKey = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' } });
  const by = { key: publicKey, dsaEncoding: 'ieee-p1363' as const };
  if (!verify('sha256', Buffer.from(`${head}.${claims}`), by, Buffer.from(signature, 'base64url')))
    throw new Error('the token is not signed by its key');
  return { claims: JSON.parse(Buffer.from(claims, 'base64url').toString()) as PushArrival['claims'], key };
}
