// @ts-check
// The page on which people sign in. The token of a link stands behind the # of the address, which goes to no server; it is taken from
// there at once. What it is told goes into the page as text, never as markup.
(() => {
  'use strict';

  /**
   * @typedef {{ email: string, name: string, role: string }} Person
   * @typedef {{ passkey_id: string, name: string, created_at: number, used_at: number | null }} Passkey
   * @typedef {Partial<{ error: string, code: string, field: string, page_token: string, person: Person, passkeys: Passkey[], return_to: string }>} Body
   * @typedef {{ status: number, retryAfter: string | null, body: Body }} Answer status 0: none came
   * @typedef {{ isThere: boolean, signIn: (by: typeof ask) => Promise<Answer | string>, enrol: (by: typeof ask, name: string) => Promise<Answer | string> }} Passkeys of passkey.js
   * @typedef {{ isThere: boolean, finish: (by: typeof ask, returned: URLSearchParams) => Promise<Answer | string> }} Oidc of oidc.js
   */

  const ANSWER_MS = 30_000;
  /** The path below which Haldir is served, as a proxy takes it away: this script is two levels below it. */
  const BASE =
    document.currentScript instanceof HTMLScriptElement
      ? new URL('../..', document.currentScript.src).pathname.replace(/\/$/, '')
      : '';
  /** What the page keeps for its requests, beside the cookie that it cannot see. Other programs of this machine share the cookie. */
  const KEPT = 'haldir.page';

  const main = element('main', HTMLElement);
  const message = element('message', HTMLElement);
  const linkForm = element('link-form', HTMLElement);
  const who = element('who', HTMLElement);
  const email = element('email', HTMLInputElement);
  const personName = element('person-name', HTMLInputElement);
  const signedIn = element('signed-in', HTMLElement);
  const rows = element('rows', HTMLElement);
  const byPasskey = element('by-passkey', HTMLElement);
  const byOidc = element('by-oidc', HTMLElement);
  const list = element('passkeys', HTMLElement);
  const makePasskey = element('make-passkey', HTMLElement);
  const passkeys = /** @type {{ haldirPasskeys: Passkeys }} */ (/** @type {unknown} */ (window)).haldirPasskeys;
  const oidc = /** @type {{ haldirOidc: Oidc }} */ (/** @type {unknown} */ (window)).haldirOidc;

  /** @template {HTMLElement} T @param {string} name @param {new () => T} kind */
  function element(name, kind) {
    const found = document.getElementById(name);
    if (found instanceof kind) return found;
    throw new Error(`the page has no ${name}`);
  }

  /** @param {'GET' | 'POST' | 'DELETE'} method @param {string} path @param {object} [body] @returns {Promise<Answer>} */
  async function ask(method, path, body) {
    const kept = localStorage.getItem(KEPT);
    try {
      const answer = await fetch(BASE + path, {
        method,
        headers: {
          ...(kept === null ? {} : { 'x-haldir-page': kept }),
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        credentials: 'same-origin',
        cache: 'no-store',
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      /** @type {unknown} */
      const said = await answer.json().catch(() => null);
      return {
        status: answer.status,
        retryAfter: answer.headers.get('retry-after'),
        body: /** @type {Body} */ (said ?? {}),
      };
    } catch {
      return { status: 0, retryAfter: null, body: {} };
    }
  }

  /** What went wrong. @param {Answer | string} answer */
  function inWords(answer) {
    if (typeof answer === 'string') return answer;
    const { status, retryAfter, body } = answer;
    const { error } = body;
    if (status === 0) return 'Haldir could not be reached, or did not answer. Check your connection and try again.';
    if (status === 429) return `Too many attempts. Try again in ${retryAfter ?? 'some'} seconds.`;
    return error ?? `Haldir answered ${status}, which this page does not understand.`;
  }

  /** @param {string} text @param {HTMLElement} focused */
  function say(text, focused = message) {
    message.textContent = text;
    focused.focus();
  }

  /** @param {Person} person */
  async function show(person) {
    linkForm.hidden = true;
    byPasskey.hidden = true;
    byOidc.hidden = true;
    signedIn.hidden = false;
    rows.replaceChildren();
    for (const [name, value] of [
      ['E-mail', person.email],
      ['Name', person.name],
      ['Role', person.role],
    ]) {
      const [term, description] = [document.createElement('dt'), document.createElement('dd')];
      term.textContent = name ?? '';
      description.textContent = value || '–';
      rows.append(term, description);
    }
    await showPasskeys();
  }

  async function showPasskeys() {
    const { status, body } = await ask('GET', '/v1/me/passkeys');
    if (status !== 200 || !body.passkeys) return;
    list.replaceChildren(...body.passkeys.map(itemOf));
  }

  /** @param {Passkey} passkey */
  function itemOf({ passkey_id: id, name, created_at: createdAt, used_at: usedAt }) {
    const [item, text, remove] = [
      document.createElement('li'),
      document.createElement('span'),
      document.createElement('button'),
    ];
    const used = usedAt === null ? 'not used yet' : `used last on ${dayOf(usedAt)}`;
    text.textContent = `${name || 'A passkey'}, made on ${dayOf(createdAt)}, ${used}`;
    remove.type = 'button';
    remove.textContent = 'Remove';
    remove.setAttribute('aria-label', `Remove ${text.textContent}`);
    remove.addEventListener('click', () => void busy(() => removePasskey(id)));
    item.append(text, remove);
    return item;
  }

  /** @param {number} seconds since 1970 */
  function dayOf(seconds) {
    return new Date(seconds * 1000).toLocaleDateString(undefined, { dateStyle: 'medium' });
  }

  function showNobody() {
    signedIn.hidden = true;
    byPasskey.hidden = token !== '' || !passkeys.isThere;
    byOidc.hidden = token !== '' || !oidc.isThere;
    linkForm.hidden = token === '';
  }

  /** While something is done nothing else can be begun. @param {() => Promise<void>} work */
  async function busy(work) {
    if (main.getAttribute('aria-busy') === 'true') return;
    main.setAttribute('aria-busy', 'true');
    try {
      await work();
    } finally {
      main.removeAttribute('aria-busy');
    }
  }

  async function signInByLink() {
    const told = who.hidden ? {} : { email: email.value.trim(), name: personName.value.trim() };
    const answer = await ask('POST', '/v1/sign-in/link', { token, ...told });
    if (answer.status === 400 && answer.body.field === 'email' && who.hidden) {
      who.hidden = false;
      say('Say who you are.', email);
    } else if (await enter(answer)) {
      token = '';
      const isFirst = passkeys.isThere && list.childElementCount === 0;
      say(isFirst ? 'You are signed in. Make a passkey, and you need no link the next time.' : 'You are signed in.');
    } else say(inWords(answer));
  }

  async function signInByPasskey() {
    const answer = await passkeys.signIn(ask);
    say((await enter(answer)) ? 'You are signed in.' : inWords(answer));
  }

  /** Whether the answer signed somebody in, who is shown then. @param {Answer | string} answer */
  async function enter(answer) {
    if (typeof answer === 'string' || answer.status !== 200) return false;
    const { page_token: pageToken, person } = answer.body;
    if (pageToken === undefined || person === undefined) return false;
    localStorage.setItem(KEPT, pageToken);
    await show(person);
    return true;
  }

  async function addPasskey() {
    // To be told from the person's others.
    const answer = await passkeys.enrol(ask, navigator.platform.slice(0, 64));
    const isMade = typeof answer !== 'string' && answer.status === 201;
    if (isMade) await showPasskeys();
    say(isMade ? 'The passkey is made. It signs you in from now on.' : inWords(answer));
  }

  /** @param {string} id */
  async function removePasskey(id) {
    const answer = await ask('DELETE', `/v1/me/passkeys/${encodeURIComponent(id)}`);
    if (answer.status === 200 || answer.status === 404) await showPasskeys();
    say(answer.status === 200 ? 'Removed: it signs nobody in any more.' : inWords(answer));
  }

  async function signOut() {
    const answer = await ask('POST', '/v1/me/sign-out', {});
    if (answer.status !== 200 && answer.status !== 401) {
      say(inWords(answer));
      return;
    }
    localStorage.removeItem(KEPT);
    showNobody();
    say('You are signed out.');
  }

  /** What went wrong, in words; nothing where whoever came back is signed in, and goes on where they were. @param {URLSearchParams} from */
  async function comeBack(from) {
    const answer = await oidc.finish(ask, from);
    if (!(await enter(answer)) || typeof answer === 'string') return inWords(answer);
    const { return_to: returnTo = '/welcome' } = answer.body;
    if (returnTo !== '/welcome') location.replace(BASE + returnTo);
    say('You are signed in.');
    return null;
  }

  async function begin() {
    const from = returned;
    returned = null;
    const wrong = from === null ? '' : await comeBack(from);
    if (wrong === null) return;
    if (localStorage.getItem(KEPT) !== null) {
      const { status, body } = await ask('GET', '/v1/me');
      if (status === 200 && body.person) {
        await show(body.person);
        linkForm.hidden = token === '';
        say(
          token === ''
            ? wrong || 'You are signed in.'
            : `You are signed in as ${body.person.email}. This link may sign you in as somebody else, and ends that.`,
        );
        return;
      }
      if (status === 401) localStorage.removeItem(KEPT);
    }
    showNobody();
    say(
      token === ''
        ? wrong ||
            `To sign in, ${passkeys.isThere ? 'use your passkey, or ' : ''}open a link that was made for you. An owner makes one.`
        : 'This link signs you in, once.',
    );
  }

  // Browsers keep cookies, and what pages keep, apart by name: this machine is localhost.
  if (['127.0.0.1', '[::1]'].includes(location.hostname)) {
    const address = new URL(location.href);
    address.hostname = 'localhost';
    location.replace(address);
    return;
  }
  let token = '';
  /** @type {URLSearchParams | null} what an issuer has sent the browser back with */
  let returned = null;
  /** Also of a link that is opened where the page is open already. */
  function take() {
    const said = location.hash.slice(1);
    if (said === '') return;
    if (said.startsWith('oidc&')) returned = new URLSearchParams(said.slice('oidc&'.length));
    else token = said;
    history.replaceState(null, '', location.pathname);
  }
  take();
  window.addEventListener('hashchange', () => {
    take();
    if (token !== '' || returned !== null) void busy(begin);
  });
  linkForm.addEventListener('submit', (event) => {
    event.preventDefault();
    void busy(signInByLink);
  });
  makePasskey.hidden = !passkeys.isThere;
  element('no-passkeys', HTMLElement).hidden = passkeys.isThere;
  makePasskey.addEventListener('click', () => void busy(addPasskey));
  element('use-passkey', HTMLElement).addEventListener('click', () => void busy(signInByPasskey));
  element('sign-out', HTMLButtonElement).addEventListener('click', () => void busy(signOut));
  void busy(begin);
})();
