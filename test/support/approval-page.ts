import { webcrypto } from 'node:crypto';
import { createRequire } from 'node:module';
import { Agent } from 'undici';
import { eventually } from './eventually.js';
import { giveAuthenticator } from './page-authenticator.js';
import { type BrowserTokens } from './person.js';
import { type SoftwareAuthenticator } from './software-authenticator.js';

/** As much of a browser's DOM as the tests look at; its own types would bring the globals of browsers into every file. */
export interface PageNode {
  nodeType: number;
  textContent: string | null;
  childNodes: Iterable<PageNode>;
}
export interface PageElement extends PageNode {
  tagName: string;
  id: string;
  value: string;
  disabled: boolean;
  attributes: Iterable<{ name: string; value: string }>;
  getAttribute(name: string): string | null;
  click(): void;
  parentElement: PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
}
export interface PageWindow {
  document: {
    title: string;
    cookie: string;
    readyState: string;
    activeElement: PageElement | null;
    getElementById(id: string): PageElement | null;
    querySelectorAll(selector: string): Iterable<PageElement>;
  };
  location: { href: string };
  history: { length: number; state: unknown };
  localStorage: { length: number; setItem(name: string, value: string): void };
  sessionStorage: { length: number };
  getComputedStyle(element: PageElement): { display: string };
  fetch: typeof fetch;
  crypto: object;
  close(): void;
}
interface Dom {
  window: PageWindow;
  serialize(): string;
}
interface Jsdom {
  JSDOM: { fromURL(url: string, options: Record<string, unknown>): Promise<Dom> };
  VirtualConsole: new () => { on(event: 'jsdomError', listener: (error: Error) => void): void };
}

const TEXT = 3;
const ELEMENT = 1;

/** What a human does and sees on the page where requests for approval are decided. */
export class ApprovalPage {
  constructor(
    private readonly dom: Dom,
    /** What its script asked for, as `GET /path`. */
    readonly asked: readonly string[],
    /** What went wrong in it that a human would not see. */
    readonly failures: readonly Error[],
    private readonly dispatcher: Agent,
    private readonly jar: Jar,
  ) {}

  /** A cookie that the browser was given by another page. */
  keep(cookie: string): void {
    this.jar.cookie = cookie;
  }

  get window(): PageWindow {
    return this.dom.window;
  }

  /** The whole document as it is now. */
  get source(): string {
    return this.dom.serialize();
  }

  /** Types the key in and asks for the request. */
  async enter(key: string): Promise<void> {
    this.type('key', key);
    await this.press('Show the request');
  }

  async approve(words: { by?: string; note?: string } = {}): Promise<void> {
    await this.decide('Approve', words);
  }

  async deny(words: { by?: string; note?: string } = {}): Promise<void> {
    await this.decide('Deny', words);
  }

  /** What the page says happened, or went wrong. */
  outcome(): string {
    return this.find('message').textContent ?? '';
  }

  /** The text that a human sees, line by line; nothing of what is hidden. */
  shown(): string {
    const [body] = this.window.document.querySelectorAll('body');
    return body ? this.textOf(body).replace(/\n\s*\n+/g, '\n') : '';
  }

  /** Whether a human could press it. */
  hasButton(button: string): boolean {
    return this.buttons().some((each) => each.textContent === button && !each.disabled && this.isVisible(each));
  }

  /** The id of what has the focus. */
  focused(): string {
    return this.window.document.activeElement?.id ?? '';
  }

  /** Presses a button and waits until the page has done what that leads to. */
  async press(name: string): Promise<void> {
    this.pressWithoutWaiting(name);
    await this.settled();
  }

  pressWithoutWaiting(name: string): void {
    const button = this.buttons().find(({ textContent }) => textContent === name);
    if (!button || !this.hasButton(name)) throw new Error(`nobody could press ${name} here: ${this.shown()}`);
    button.click();
  }

  async settled(): Promise<void> {
    await eventually(() => {
      if (this.find('main').getAttribute('aria-busy') === 'true') throw new Error('the page is still busy');
    });
  }

  async close(): Promise<void> {
    this.window.close();
    await this.dispatcher.destroy();
  }

  private async decide(button: string, { by = '', note = '' }: { by?: string; note?: string }): Promise<void> {
    this.type('decided-by', by);
    this.type('note', note);
    await this.press(button);
  }

  type(id: string, text: string): void {
    const field = this.find(id);
    if (!this.isVisible(field)) throw new Error(`nobody sees ${id} here: ${this.shown()}`);
    field.value = text;
  }

  private find(id: string): PageElement {
    const found = this.window.document.getElementById(id);
    if (!found) throw new Error(`the page has no ${id}`);
    return found;
  }

  private buttons(): PageElement[] {
    return [...this.window.document.querySelectorAll('button')];
  }

  private isVisible(element: PageElement): boolean {
    return this.isShown(element) && (element.parentElement === null || this.isVisible(element.parentElement));
  }

  /** By the page's own style. */
  private isShown(element: PageElement): boolean {
    return this.window.getComputedStyle(element).display !== 'none';
  }

  private textOf(node: PageNode): string {
    if (node.nodeType === TEXT) return node.textContent ?? '';
    if (node.nodeType !== ELEMENT) return '';
    const element = node as PageElement;
    if (['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(element.tagName) || !this.isShown(element)) return '';
    const inside = [...element.childNodes].map((child) => this.textOf(child)).join('');
    return ['SPAN', 'CODE', 'STRONG'].includes(element.tagName) ? inside : `${inside}\n`;
  }
}

/**
 * Loads the page at `url` from the API that serves it, with its script and its style, as a browser would; but jsdom keeps to no
 * Content-Security-Policy.
 *
 * @param person who is signed in in that browser
 * @param device with passkeys that the browser can use; without one it knows none
 */
export async function openApprovalPage(
  url: string,
  person?: BrowserTokens,
  device?: SoftwareAuthenticator,
): Promise<ApprovalPage> {
  const { JSDOM, VirtualConsole } = createRequire(import.meta.url)('jsdom') as Jsdom;
  const asked: string[] = [];
  const failures: Error[] = [];
  const jar: Jar = { cookie: person?.cookie ?? null };
  const dispatcher = new Agent();
  const virtualConsole = new VirtualConsole();
  virtualConsole.on('jsdomError', (error) => failures.push(error));
  // Where it leads at 127.0.0.1; jsdom goes nowhere by itself.
  const dom = await JSDOM.fromURL(url.replace('//127.0.0.1:', '//localhost:'), {
    runScripts: 'dangerously',
    // Of its own: the one that Node has given all of the process is of another version of undici.
    resources: { dispatcher },
    pretendToBeVisual: true,
    virtualConsole,
    beforeParse: (window: PageWindow) => {
      if (person) window.localStorage.setItem('haldir.page', person.pageToken);
      Object.defineProperty(window.crypto, 'subtle', { value: webcrypto.subtle });
      if (device) giveAuthenticator(window, device);
      // jsdom has no fetch of its own, and its signals are not those that Node's knows.
      window.fetch = (input, init) => {
        const target = new URL(input, window.location.href);
        asked.push(`${init?.method} ${target.pathname}`);
        return asBrowser(jar, window.location.href, target, { ...init, signal: AbortSignal.timeout(30_000) });
      };
    },
  });
  await eventually(() => {
    if (dom.window.document.readyState !== 'complete') throw new Error('the page is still loading');
  });
  return new ApprovalPage(dom, asked, failures, dispatcher, jar);
}

/** What a browser keeps of answers, and no page sees. */
interface Jar {
  cookie: string | null;
}

/** Adds what a browser does to requests of a page of the same origin: that, and its cookies unless it is told to leave them. */
async function asBrowser(jar: Jar, page: string, target: URL, init: RequestInit): Promise<Response> {
  const isOmitted = init.credentials === 'omit';
  const headers = new Headers(init.headers);
  if (init.method !== 'GET') headers.set('origin', new URL(page).origin);
  if (jar.cookie !== null && !isOmitted) headers.set('cookie', jar.cookie);
  const answer = await fetch(target, { ...init, headers });
  const set = isOmitted ? undefined : answer.headers.getSetCookie().find((each) => each.startsWith('__Host-haldir='));
  if (set !== undefined) jar.cookie = /Max-Age=0\b/.test(set) ? null : (set.split(';')[0] ?? null);
  return answer;
}

/** Opens pages; after each test those that it opened are closed, and nothing has gone wrong in any of them. */
export function pagesOfTests(): typeof openApprovalPage {
  const opened: ApprovalPage[] = [];
  afterEach(async () => {
    const pages = opened.splice(0);
    await Promise.all(pages.map((page) => page.close()));
    expect(pages.flatMap(({ failures }) => failures)).toEqual([]);
  });
  return async (url, person, device) => {
    const page = await openApprovalPage(url, person, device);
    opened.push(page);
    return page;
  };
}
