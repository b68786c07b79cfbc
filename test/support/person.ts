import { Client, type Reply } from './client.js';
import { type AppProcess } from './processes.js';
import { type PasskeyOptionsJson, SoftwareAuthenticator } from './software-authenticator.js';

/** What a browser and the page in it have of somebody who is signed in. */
export interface BrowserTokens {
  cookie: string;
  pageToken: string;
}

export interface SignedInBody {
  page_token: string;
  person: { person_id: string; email: string; role: string };
  sign_in: { sign_in_id: string };
  scopes: string[];
}

/** A page of Haldir's own, in the browser of a person who is signed in. */
export class Person extends Client {
  constructor(
    url: string,
    readonly tokens: BrowserTokens,
    readonly id: string,
  ) {
    super(url, null);
  }

  override at(app: AppProcess): Person {
    return new Person(app.url, this.tokens, this.id);
  }

  override send<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    signal?: AbortSignal,
  ): Promise<Reply<Body>> {
    const { cookie, pageToken } = this.tokens;
    // Its pages are at the address that it was signed in at.
    const own = { cookie, 'x-haldir-page': pageToken, origin: pageOf(this.url) };
    return super.send<Body>(method, path, body, { ...own, ...headers }, signal);
  }
}

/** The origin of the pages that a process on this machine serves. */
export function pageOf(url: string): string {
  return `http://localhost:${new URL(url).port}`;
}

/** What the `Set-Cookie` of an answer has the browser send. */
export function cookieOf({ headers }: Pick<Reply, 'headers'>): string {
  return (headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

/** What stands behind the # of a link. */
export function tokenOf(link: string): string {
  return new URL(link).hash.slice(1);
}

export function signInByLink(
  url: string,
  token: string,
  more: object = {},
  headers = {},
): Promise<Reply<SignedInBody>> {
  const page = { origin: pageOf(url), ...headers };
  return new Client(url, null).post<SignedInBody>('/v1/sign-in/link', { token, ...more }, page);
}

/** Somebody whom the tenant invites, and who signs in. */
export async function personOf(tenant: Client, role: string, email = `${role}@example.com`): Promise<Person> {
  const invited = await tenant.post<{ link: string }>('/v1/people', { email, role });
  if (invited.status !== 201) throw new Error(`not invited: ${invited.status} ${JSON.stringify(invited.body)}`);
  return asSignedIn(tenant.url, await signInByLink(tenant.url, tokenOf(invited.body.link)));
}

export function asSignedIn(url: string, answer: Reply<SignedInBody>): Person {
  if (answer.status !== 200) throw new Error(`not signed in: ${answer.status} ${JSON.stringify(answer.body)}`);
  const { page_token: pageToken, person } = answer.body;
  return new Person(url, { cookie: cookieOf(answer), pageToken }, person.person_id);
}

/** A passkey that the person makes with the device. */
export async function enrolPasskey(
  person: Person,
  device = new SoftwareAuthenticator(pageOf(person.url)),
): Promise<SoftwareAuthenticator> {
  const { body } = await person.post<PasskeyOptionsJson>('/v1/me/passkeys/options');
  const made = await person.post('/v1/me/passkeys', { credential: device.create(body) });
  if (made.status !== 201) throw new Error(`no passkey: ${made.status} ${JSON.stringify(made.body)}`);
  return device;
}

/** The entries of the log about people, oldest first, their details parsed. */
export async function peopleEntries(
  tenant: Client,
): Promise<{ action: string; details: Record<string, unknown>; actor?: string }[]> {
  type Entry = { action: string; details: string | null; tool: string };
  const { body } = await tenant.get<{ entries: Entry[] }>('/v1/audit?limit=1000&tool=haldir.people');
  return body.entries
    .map((entry) => ({ ...entry, details: JSON.parse(entry.details ?? '{}') as Record<string, unknown> }))
    .reverse();
}
