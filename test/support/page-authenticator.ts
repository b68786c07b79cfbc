import { type SoftwareAuthenticator } from './software-authenticator.js';

/** What a page asks `navigator.credentials.get` for. */
interface Asked {
  publicKey: { challenge: Uint8Array; rpId: string; allowCredentials: { id: Uint8Array }[] };
}

/** Gives a page an authenticator as browsers do: as much of https://www.w3.org/TR/webauthn-3/ as signing takes. */
export function giveAuthenticator(window: object, device: SoftwareAuthenticator): void {
  class PublicKeyCredential {
    readonly type = 'public-key';
    constructor(
      readonly id: string,
      readonly response: Record<string, Uint8Array>,
    ) {}
  }
  class AuthenticatorAttestationResponse {}
  const { DOMException: OwnDomException } = window as { DOMException: typeof DOMException };
  const get = ({ publicKey: { challenge, rpId, allowCredentials } }: Asked): Promise<PublicKeyCredential> => {
    const isAllowed = allowCredentials.some(({ id }) => device.credentialId.equals(Buffer.from(id)));
    // As browsers say it, whatever the reason.
    if (!isAllowed) return Promise.reject(new OwnDomException('refused', 'NotAllowedError'));
    const { id, response } = device.get({ challenge: Buffer.from(challenge).toString('base64url'), rpId });
    const bytes = Object.entries(response).map(([name, value]) => [
      name,
      Uint8Array.from(Buffer.from(value, 'base64url')),
    ]);
    return Promise.resolve(new PublicKeyCredential(id, Object.fromEntries(bytes) as Record<string, Uint8Array>));
  };
  Object.assign(window, { PublicKeyCredential, AuthenticatorAttestationResponse });
  Object.defineProperty((window as { navigator: object }).navigator, 'credentials', { value: { get } });
}
