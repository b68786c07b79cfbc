// @ts-check
// What pages need to sign people in by an issuer (OpenID Connect): a button that leads there, and what is done when the browser is back.
(() => {
  'use strict';

  /**
   * @typedef {{ status: number, body: object }} Answer
   * @typedef {(method: 'POST', path: string, body: object) => Promise<Answer>} Ask
   */

  /** As people know the issuer; Haldir writes it here, and leaves it empty where none is set. */
  const NAME = /** @type {string} */ ('%NAME%');
  /** The path below which Haldir is served, as a proxy takes it away: this script is two levels below it. */
  const BASE =
    document.currentScript instanceof HTMLScriptElement
      ? new URL('../..', document.currentScript.src).pathname.replace(/\/$/, '')
      : '';
  /** What the page keeps of its own: the cookie of a sign-in that is under way is shared by all programs of this machine. */
  const KEPT = 'haldir.oidc';
  const isThere = NAME !== '' && 'subtle' in crypto;

  /** In base64url. @param {Uint8Array} bytes */
  function textOf(bytes) {
    const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
    return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  }

  /** The same for all tabs, so that none spoils another's. */
  function secret() {
    const kept = localStorage.getItem(KEPT);
    if (kept !== null) return kept;
    const made = textOf(crypto.getRandomValues(new Uint8Array(32)));
    localStorage.setItem(KEPT, made);
    return made;
  }

  /** This page with its query, written as `return_to` takes it; without the query where it cannot be. */
  function here() {
    const path = location.pathname.slice(BASE.length).replace(/(.)\/$/, '$1');
    const query = location.search
      .slice(1)
      .replaceAll('+', '%20')
      .replace(/[^\w.~=&%-]/g, encodeURIComponent);
    const whole = `${path}?${query}`;
    return /^[\w.~=&%-]+$/.test(query) && whole.length <= 512 ? whole : path;
  }

  /** Makes buttons of the page that are for it lead to the issuer, and from there back to this page. */
  async function showButtons() {
    if (!isThere) return;
    const bytes = Uint8Array.from(secret(), (character) => character.charCodeAt(0));
    const page = textOf(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
    const asked = new URLSearchParams({ page, return_to: here() });
    const address = `${BASE}/v1/sign-in/oidc?${asked}`;
    for (const button of document.querySelectorAll('button[data-oidc]')) {
      if (!(button instanceof HTMLButtonElement)) continue;
      button.textContent = `Sign in with ${NAME}`;
      button.dataset['oidc'] = address;
      button.addEventListener('click', () => location.assign(address));
      button.hidden = false;
    }
  }

  /**
   * Changes what the browser came back with into a sign-in.
   *
   * @param {Ask} ask
   * @param {URLSearchParams} returned what stands behind the # of the address
   * @returns {Promise<Answer | string>} words where nothing was asked
   */
  async function finish(ask, returned) {
    const kept = localStorage.getItem(KEPT);
    if (returned.has('away'))
      return 'Where you sign in cannot be reached, or does not answer as it should. Try again shortly.';
    if (kept === null || !returned.has('state') || (!returned.has('code') && !returned.has('error')))
      return 'This sign-in was begun in another browser, or is not whole. Sign in again.';
    return ask('POST', '/v1/sign-in/oidc', { ...Object.fromEntries(returned), page_secret: kept });
  }

  Object.assign(window, { haldirOidc: { isThere, finish } });
  void showButtons();
})();
