// @ts-check
// What pages need of passkeys: the ceremonies of https://www.w3.org/TR/webauthn-3/ between the browser and Haldir.
(() => {
  'use strict';

  /**
   * @typedef {{ status: number, body: object }} Answer
   * @typedef {(method: 'POST', path: string, body: object) => Promise<Answer>} Ask
   */

  /** @param {string} text in base64url */
  function bytesOf(text) {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  }

  /** In base64url. @param {ArrayBuffer} buffer */
  function textOf(buffer) {
    const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join('');
    return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  }

  /** @param {PublicKeyCredentialDescriptorJSON[]} [list] */
  function descriptors(list) {
    return (list ?? []).map(({ id }) => ({ id: bytesOf(id), type: /** @type {const} */ ('public-key') }));
  }

  /** What browsers do themselves that know `parseCreationOptionsFromJSON`. @param {PublicKeyCredentialCreationOptionsJSON} json */
  function creationOptions(json) {
    if ('parseCreationOptionsFromJSON' in PublicKeyCredential)
      return PublicKeyCredential.parseCreationOptionsFromJSON(json);
    const { challenge, user, excludeCredentials, rp, pubKeyCredParams, timeout, authenticatorSelection } = json;
    return /** @type {PublicKeyCredentialCreationOptions} */ ({
      rp,
      pubKeyCredParams,
      timeout,
      authenticatorSelection,
      attestation: 'none',
      challenge: bytesOf(challenge),
      user: { ...user, id: bytesOf(user.id) },
      excludeCredentials: descriptors(excludeCredentials),
    });
  }

  /** @param {PublicKeyCredentialRequestOptionsJSON} json */
  function requestOptions(json) {
    if ('parseRequestOptionsFromJSON' in PublicKeyCredential)
      return PublicKeyCredential.parseRequestOptionsFromJSON(json);
    const { challenge, rpId, timeout, userVerification, allowCredentials } = json;
    return /** @type {PublicKeyCredentialRequestOptions} */ ({
      rpId,
      timeout,
      userVerification,
      challenge: bytesOf(challenge),
      allowCredentials: descriptors(allowCredentials),
    });
  }

  /** As much of a credential as Haldir reads. @param {Credential | null} credential */
  function jsonOf(credential) {
    if (!(credential instanceof PublicKeyCredential)) throw new Error('no credential');
    const { id, type, response } = credential;
    const clientDataJSON = textOf(response.clientDataJSON);
    if (response instanceof AuthenticatorAttestationResponse)
      return { id, type, response: { clientDataJSON, attestationObject: textOf(response.attestationObject) } };
    const { authenticatorData, signature, userHandle } = /** @type {AuthenticatorAssertionResponse} */ (response);
    return {
      id,
      type,
      response: {
        clientDataJSON,
        authenticatorData: textOf(authenticatorData),
        signature: textOf(signature),
        ...(userHandle && { userHandle: textOf(userHandle) }),
      },
    };
  }

  /** Why the browser did not do it, in words. @param {unknown} error */
  function refusal(error) {
    const name = error instanceof DOMException ? error.name : '';
    if (name === 'InvalidStateError') return 'There is a passkey for you on this device already.';
    if (name === 'NotAllowedError')
      return 'Nothing was done: it was cancelled, took too long, or there is no passkey here.';
    if (name === 'SecurityError') return 'The browser takes no passkeys at this address.';
    if (name === 'NotSupportedError') return 'This device cannot make a passkey that Haldir takes.';
    return 'The browser could not do it. Try again.';
  }

  /**
   * Options of Haldir's, what the browser makes of them, and what Haldir says to that.
   *
   * @param {Ask} ask @param {string} path @param {(options: object) => Promise<object>} work what is sent, by the options
   * @param {object} [asked] what the options are about, beside the path
   * @returns {Promise<Answer | string>} words where the browser refused
   */
  async function ceremony(ask, path, work, asked = {}) {
    const options = await ask('POST', `${path}/options`, asked);
    if (options.status !== 200) return options;
    let made;
    try {
      made = await work(options.body);
    } catch (error) {
      return refusal(error);
    }
    return ask('POST', path, made);
  }

  /** @param {object} options of Haldir's */
  async function assertionBy(options) {
    const publicKey = requestOptions(/** @type {PublicKeyCredentialRequestOptionsJSON} */ (options));
    return jsonOf(await navigator.credentials.get({ publicKey }));
  }

  Object.assign(window, {
    haldirPasskeys: {
      isThere: typeof PublicKeyCredential === 'function',
      /** @param {Ask} ask @param {string} name what the passkey is called */
      enrol: (ask, name) =>
        ceremony(ask, '/v1/me/passkeys', async (json) => {
          const credential = await navigator.credentials.create({
            publicKey: creationOptions(/** @type {PublicKeyCredentialCreationOptionsJSON} */ (json)),
          });
          return { credential: jsonOf(credential), name };
        }),
      /** @param {Ask} ask */
      signIn: (ask) => ceremony(ask, '/v1/sign-in/passkey', async (json) => ({ credential: await assertionBy(json) })),
      /**
       * Signs what the options of that path are about, and sends it there.
       *
       * @param {Ask} ask @param {string} path @param {{ grant?: object }} said beside it; what is granted is signed, too
       */
      sign: (ask, path, { grant, ...said }) => {
        const terms = grant === undefined ? {} : { grant };
        const work = async (/** @type {object} */ json) => ({ ...said, ...terms, assertion: await assertionBy(json) });
        return ceremony(ask, path, work, terms);
      },
    },
  });
})();
