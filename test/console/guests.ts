import { type Browser } from 'playwright-core';
import { type Client } from '@haldir/test-support';
import { Visitor } from './browser.js';

/** People of a tenant, each in a browser of their own. */
export class Guests {
  private readonly here: Visitor[] = [];
  private count = 0;

  constructor(private readonly browser: Browser) {}

  /** Somebody who is invited with a role, and signed in. @param at where people reach the tenant's Haldir, if not directly */
  async invite(
    tenant: Client,
    role: string,
    { at = tenant.url, ...options }: Parameters<typeof Visitor.of>[2] & { at?: string } = {},
  ): Promise<Visitor> {
    const visitor = await Visitor.of(this.browser, at, options);
    this.here.push(visitor);
    await visitor.signIn(tenant, role, `${role}${++this.count}@example.com`);
    return visitor;
  }

  /** Closes their browsers. Nothing went wrong in them, and nothing was asked of anybody else. */
  async leave(): Promise<void> {
    const gone = this.here.splice(0);
    await Promise.all(gone.map((visitor) => visitor.close()));
    expect(gone.flatMap(({ faults }) => faults)).toEqual([]);
    for (const { asked, origin } of gone)
      expect(asked.filter((url) => !url.startsWith(`${origin}/`) && !url.startsWith('blob:'))).toEqual([]);
  }
}

/** What a request of this person's page is answered with. */
export function statusOf({ page }: Visitor, method: string, path: string, body: object = {}): Promise<number> {
  return page.evaluate(`fetch(${JSON.stringify(path)}, { method: ${JSON.stringify(method)}, body: ${JSON.stringify(JSON.stringify(body))},
    headers: { 'content-type': 'application/json', 'x-haldir-page': localStorage.getItem('haldir.page') } })
    .then((answer) => answer.status)`);
}
