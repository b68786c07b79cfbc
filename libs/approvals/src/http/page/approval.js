// @ts-check
// The page on which a human decides on a request for approval: a person who is signed in in this browser, or whoever has an API key. It
// knows nothing of the request before, and puts whatever it is told into the page as text, never as markup.
(() => {
  'use strict';

  /**
   * @typedef {{ request_id: string, status: string, tool: string, action: string, agent_id: string, amount: number,
   *   reason: string, details: string | null, details_cut: boolean, digest: string | null, requested_key: string | null, created_at: number,
   *   expires_at: number, decided_by: string | null, decision_note: string | null, decided_at: number | null,
   *   decided_key: string | null, consumed: boolean }} Approval
   * @typedef {{ text: string, offset: number, total: number, next_offset: number | null }} Part of the details, in characters
   * @typedef {Partial<Approval & Part & { error: string, code: string, required: string, approved: true, denied: true, page_token: string }>} Body
   * @typedef {{ status: number, retryAfter: string | null, body: Body }} Answer status 0: none came
   * @typedef {{ isThere: boolean, signIn: (by: typeof send) => Promise<Answer | string>,
   *   sign: (by: typeof send, path: string, said: object) => Promise<Answer | string> }} Passkeys of the page of sign-in
   */

  const ANSWER_MS = 30_000;
  /** The path below which Haldir is served, as a proxy takes it away: this script is two levels below it. */
  const BASE =
    document.currentScript instanceof HTMLScriptElement
      ? new URL('../..', document.currentScript.src).pathname.replace(/\/$/, '')
      : '';
  /** Of details that are too long for one answer, as many are read at a time. */
  const PART_CHARS = 65_536;
  /** What `visibleText` of the kernel takes for hidden. */
  const HIDDEN = /[\p{Cf}\p{DI}\p{Zl}\p{Zp}\u2800]|(?![\t\n\r])\p{Cc}/gu;
  /** The request that the address of the page names; empty when it names none. */
  const id = /^\/approvals\/(apr_[0-9a-z]{1,64})\/?$/.exec(location.pathname.slice(BASE.length))?.[1] ?? '';
  /** Where what goes with each request of a person is kept, also by the page of sign-in. */
  const KEPT = 'haldir.page';
  /** Kept here and nowhere else; empty while a person decides. */
  let key = '';
  /** @type {Approval | null} as last shown */
  let shown = null;
  /** Details that come in parts, as far as they have been read; `next` is null once all of them are there. */
  const long = { box: document.createElement('dd'), parts: 0, next: /** @type {number | null} */ (null), total: 0 };
  /** By how many milliseconds the server's clock is ahead of this one. */
  let ahead = 0;

  const main = element('main', HTMLElement);
  const request = element('request', HTMLElement);
  const rows = element('rows', HTMLElement);
  const decision = element('decision', HTMLElement);
  const decider = element('decider', HTMLElement);
  const by = element('decided-by', HTMLInputElement);
  const note = element('note', HTMLTextAreaElement);
  const message = element('message', HTMLElement);
  const approve = element('approve', HTMLButtonElement);
  const unread = element('unread', HTMLElement);
  const keyForm = element('key-form', HTMLElement);
  const keyField = element('key', HTMLInputElement);
  const byPasskey = element('by-passkey', HTMLElement);
  const passkeys = /** @type {{ haldirPasskeys: Passkeys }} */ (/** @type {unknown} */ (window)).haldirPasskeys;
  const more = document.createElement('button');
  const timeLeft = document.createElement('span');

  /** @template {HTMLElement} T @param {string} name @param {new () => T} kind */
  function element(name, kind) {
    const found = document.getElementById(name);
    if (found instanceof kind) return found;
    throw new Error(`the page has no ${name}`);
  }

  /** Of the request. @param {'GET' | 'POST'} method @param {object} [body] */
  function ask(method, step = '', body) {
    return send(method, pathOf(step), body);
  }

  /** @param {string} step */
  function pathOf(step) {
    return `/v1/approvals/${encodeURIComponent(id)}${step}`;
  }

  /** @param {'GET' | 'POST'} method @param {string} path @param {object} [body] @returns {Promise<Answer>} */
  async function send(method, path, body) {
    try {
      const answer = await fetch(BASE + path, {
        method,
        headers: {
          ...(key === '' ? { 'x-haldir-page': localStorage.getItem(KEPT) ?? '' } : { authorization: `Bearer ${key}` }),
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        credentials: key === '' ? 'same-origin' : 'omit',
        cache: 'no-store',
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      ahead = Date.parse(answer.headers.get('date') ?? '') - Date.now() || 0;
      /** @type {unknown} */
      const said = await answer.json().catch(() => null);
      const { status, headers } = answer;
      return { status, retryAfter: headers.get('retry-after'), body: /** @type {Body} */ (said ?? {}) };
    } catch {
      return { status: 0, retryAfter: null, body: {} };
    }
  }

  /** What went wrong. @param {Answer} answer */
  function inWords({ status, retryAfter, body: { code, required, error } }) {
    if (status === 0) return 'Haldir could not be reached, or did not answer. Check your connection and try again.';
    const isPerson = key === '';
    const [one, lacks, another] = isPerson
      ? ['Whoever is signed in here', 'their role lacks', 'person']
      : ['This API key', 'it lacks', 'key'];
    if (status === 401)
      return isPerson
        ? 'You are not signed in any more. Use your passkey, open a link that was made for you, or use an API key.'
        : 'Haldir does not take this API key: it is mistyped, revoked, or of another Haldir.';
    if (code === 'self_approval')
      return `${one} asked for the approval, or opened the session of the agent, and may not decide. Another ${another} can.`;
    if (code === 'signature_required')
      return `This request is approved by a person who signs with a passkey. ${isPerson ? 'This browser cannot: use one that knows passkeys' : 'An API key cannot: sign in here'}. You can deny without.`;
    if (code === 'no_passkey')
      return 'This request is approved with a passkey, and you have none yet. Make one at /welcome, in this browser, and come back. You can deny without.';
    if (code === 'signature_not_good')
      return 'Haldir did not take what was signed: it took too long, or another page of yours asked meanwhile. Decide again.';
    if (required === 'approvals:read') return `${one} may not see requests: ${lacks} the scope approvals:read.`;
    if (required)
      return `${one} may see the request, but cannot decide: ${lacks} the scope ${required}. Another ${another} can.`;
    if (status === 404)
      return `There is no such request for ${isPerson ? 'the tenant you are signed in to' : 'this API key'}. Perhaps it belongs to another tenant.`;
    if (status === 429)
      return `Too many requests${isPerson ? '' : ' with this API key'}. Try again in ${retryAfter ?? 'some'} seconds.`;
    return `Haldir answered ${status}: ${error ?? 'nothing that this page understands'}. You can try again.`;
  }

  /** Whoever signs in was not signed in before: Haldir says what was wrong with the passkey. @param {Answer} answer */
  function refusalOf(answer) {
    return answer.status === 401 ? (answer.body.error ?? inWords(answer)) : inWords(answer);
  }

  /** @param {string} text @param {HTMLElement} focused what the human does next, or reads */
  function say(text, focused = message) {
    message.textContent = text;
    keyForm.hidden = focused !== keyField;
    byPasskey.hidden = keyForm.hidden || !passkeys.isThere;
    focused.focus();
  }

  /** Nothing is left to decide. @param {string} text */
  function settle(text) {
    key = '';
    decision.hidden = true;
    say(text);
  }

  /** Reads the request with the key, and shows it. @returns {Promise<boolean>} whether it could */
  async function load() {
    const answer = await ask('GET');
    const isRead = answer.status === 200 && answer.body.request_id === id;
    long.box.replaceChildren();
    Object.assign(long, { parts: 0, next: isRead && answer.body.details_cut ? 0 : null, total: 0 });
    const failed = isRead ? long.next === 0 && (await readOn()) : answer;
    request.hidden = Boolean(failed);
    if (failed) say(inWords(failed), keyField);
    else show(/** @type {Approval} */ (answer.body));
    return !failed;
  }

  /** Reads the next part of long details, and shows it below the others, which fold. @returns {Promise<Answer | null>} what went wrong */
  async function readOn() {
    const answer = await ask('GET', `/details?offset=${long.next}&limit=${PART_CHARS}`);
    const { text, offset, total, next_offset: next } = /** @type {Part} */ (answer.body);
    if (answer.status !== 200 || offset !== long.next || typeof text !== 'string') return answer;
    for (const part of long.box.querySelectorAll('details')) part.open = false;
    const [part, name] = [document.createElement('details'), document.createElement('summary')];
    const body = document.createElement('div');
    Object.assign(long, { parts: long.parts + 1, next, total });
    name.textContent = `Part ${long.parts} of ${partsOf(total)}: characters ${inGroups(offset + 1)} to ${inGroups(next ?? total)} of ${inGroups(total)}`;
    body.textContent = text;
    body.className = 'said';
    part.open = true;
    part.append(name, body);
    long.box.append(part, more);
    tellUnread();
    if (long.parts > 1) name.focus();
    return null;
  }

  /** @param {number} chars */
  function partsOf(chars) {
    return Math.ceil(chars / PART_CHARS);
  }

  /** @param {number} count */
  function inGroups(count) {
    return count.toLocaleString('en');
  }

  /** What was not shown cannot be approved. */
  function tellUnread() {
    const isAll = long.next === null;
    more.hidden = isAll;
    unread.hidden = isAll;
    approve.disabled = !isAll;
    more.textContent = `Show part ${long.parts + 1} of ${partsOf(long.total)}`;
    unread.textContent = isAll
      ? ''
      : `The details are long: you have been shown ${inGroups(long.next ?? 0)} of ${inGroups(long.total)} characters. You can approve once you have been shown all of them, and deny at any time.`;
  }

  /** @param {Approval} approval */
  function show(approval) {
    const { details, status, decided_at: decidedAt } = approval;
    shown = approval;
    rows.replaceChildren();
    row('Tool', approval.tool, 'said');
    row('Action', approval.action, 'said');
    row('Agent', visible(approval.agent_id), 'said');
    row('Amount', `${approval.amount} USD`);
    row('Reason', approval.reason, 'said');
    if (approval.details_cut) row('Details', '').replaceWith(long.box);
    else row('Details', readable(details ?? ''), 'said');
    row('Digest of the call', approval.digest ?? 'none: the agent asked of its own accord, and no call waits for this');
    row('Asked', `${localTime(approval.created_at)}, ${whose(approval.requested_key) ?? 'not known by whom'}`);
    row('Expires', `${localTime(approval.expires_at)} `).append(timeLeft);
    row('Status', status + (approval.consumed ? ', and its call was let through' : ''));
    if (decidedAt !== null) {
      row('Decided', `${localTime(decidedAt)}, ${whose(approval.decided_key) ?? 'not known by whom'}`);
      row('Decided by, in their own words', visible(approval.decided_by));
      row('Note', visible(approval.decision_note));
    }
    tick();
    tellUnread();
    decision.hidden = status !== 'pending';
  }

  /** @param {string} name @param {string} value */
  function row(name, value, kind = '') {
    const [term, description] = [document.createElement('dt'), document.createElement('dd')];
    term.textContent = name;
    description.textContent = value === '' ? '–' : value;
    description.className = value === '' ? '' : kind;
    rows.append(term, description);
    return description;
  }

  /** @param {string | null | undefined} id of a key or a person */
  function whose(id) {
    return id && `${id.startsWith('prs_') ? 'by the person' : 'with the key'} ${id}`;
  }

  /** For what, unlike the rest, comes as it was written. @param {string | null} text */
  function visible(text) {
    return (text ?? '').replace(HIDDEN, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  }

  /** JSON in lines where that changes white space alone (a member may stand there twice), else as it is. @param {string} details */
  function readable(details) {
    try {
      const value = /** @type {unknown} */ (JSON.parse(details));
      const isSame =
        JSON.stringify(value) === details.replace(/"(?:[^"\\]|\\.)*"?|\s+/g, (part) => (part[0] === '"' ? part : ''));
      return isSame ? JSON.stringify(value, null, 2) : details;
    } catch {
      return details;
    }
  }

  /** @param {number} seconds since 1970 */
  function localTime(seconds) {
    return new Date(seconds * 1000).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' });
  }

  function tick() {
    const left = Math.floor((shown?.expires_at ?? 0) - (Date.now() + ahead) / 1000);
    const [days, hours, minutes] = [left / 86_400, (left / 3600) % 24, (left / 60) % 60].map(Math.floor);
    const inParts = `in ${days} d ${hours} h ${minutes} min ${left % 60} s`.replace(/\b0 \w+ /g, '');
    timeLeft.textContent = shown?.status !== 'pending' ? '' : left > 0 ? `(${inParts})` : '(its time is up)';
  }

  /** @param {'approve' | 'deny'} step */
  async function decide(step) {
    const answer = await submit(step, { decided_by: key === '' ? '' : by.value.trim(), note: note.value.trim() });
    if (typeof answer === 'string') return say(answer);
    const { approved, denied, code } = answer.body;
    if (shown && answer.status === 200 && (step === 'approve' ? approved : denied)) {
      show({ ...shown, status: step === 'approve' ? 'approved' : 'denied' });
      settle(`${step === 'approve' ? 'Approved' : 'Denied'}. You can go back to your agent.`);
    } else if (code === 'already_decided' || code === 'approval_expired') {
      if (await load()) settle(standing());
    } else if ([401, 403, 404].includes(answer.status)) say(inWords(answer), keyField);
    else if (['no_passkey', 'signature_not_good'].includes(code ?? '')) say(inWords(answer));
    else say(`${inWords(answer)} Deciding again does no harm, whether or not the first decision arrived.`);
  }

  /** Where it has to be signed, a person signs it. @param {'approve' | 'deny'} step @param {object} said @returns {Promise<Answer | string>} */
  async function submit(step, said) {
    const answer = await ask('POST', `/${step}`, said);
    if (key !== '' || answer.body.code !== 'signature_required' || !passkeys.isThere) return answer;
    return passkeys.sign(send, pathOf(`/${step}`), said);
  }

  function standing() {
    if (shown?.status === 'expired') return 'This request has expired. If the agent still wants it, it can ask again.';
    return `This request was already ${shown?.status}, ${whose(shown?.decided_key) ?? 'by somebody'}.`;
  }

  async function enter() {
    key = keyField.value.trim();
    if (!/^hld_[0-9A-Za-z]+$/.test(key)) return say('An API key is hld_ with letters and digits after it.', keyField);
    decider.hidden = false;
    if (!(await load())) return;
    keyField.value = '';
    begin();
  }

  /** Whoever is signed in in this browser needs no key. */
  async function enterAsPerson() {
    decider.hidden = true;
    if (await load()) begin();
  }

  async function signIn() {
    key = '';
    const answer = await passkeys.signIn(send);
    const pageToken = typeof answer === 'string' || answer.status !== 200 ? undefined : answer.body.page_token;
    if (pageToken === undefined) return say(typeof answer === 'string' ? answer : refusalOf(answer), keyField);
    localStorage.setItem(KEPT, pageToken);
    await enterAsPerson();
  }

  /** What was read can be decided, or is decided already. */
  function begin() {
    if (shown?.status === 'pending') say('', element('request-title', HTMLElement));
    else settle(standing());
  }

  /** One thing at a time: what is pressed meanwhile does nothing. @param {() => Promise<void>} work */
  async function alone(work) {
    if (main.getAttribute('aria-busy') === 'true') return;
    const buttons = document.querySelectorAll('button');
    main.setAttribute('aria-busy', 'true');
    for (const button of buttons) button.disabled = true;
    await work().finally(() => {
      for (const button of buttons) button.disabled = button === approve && long.next !== null;
      main.setAttribute('aria-busy', 'false');
    });
  }

  keyForm.addEventListener('submit', (event) => {
    event.preventDefault();
    void alone(enter);
  });
  element('use-passkey', HTMLElement).addEventListener('click', () => void alone(signIn));
  more.type = 'button';
  more.addEventListener(
    'click',
    () =>
      void alone(async () => {
        const failed = await readOn();
        if (failed) say(inWords(failed), failed.status === 401 ? keyField : message);
      }),
  );
  approve.addEventListener('click', () => void alone(() => decide('approve')));
  element('deny', HTMLElement).addEventListener('click', () => void alone(() => decide('deny')));
  // Browsers keep people's sign-ins, and passkeys, apart by name: this machine is localhost.
  if (['127.0.0.1', '[::1]'].includes(location.hostname)) {
    const address = new URL(location.href);
    address.hostname = 'localhost';
    location.replace(address);
    return;
  }
  // A page that the browser brings back as it was left would still have its key.
  addEventListener('pagehide', () => (key = ''));
  addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
  setInterval(tick, 1000);
  if (id && localStorage.getItem(KEPT) !== null) void alone(enterAsPerson);
  else if (id) say('', keyField);
  else say('This is not the address of a request. Open the link that your agent gave you, whole.');
})();
