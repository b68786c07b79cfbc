import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { pageOf, tokenOf } from '../support/person.js';
import { type Client } from '@haldir/test-support';

/** Debian's; null where it is not installed. */
export const CHROMIUM = onPath('chromium');
/** Where it is missing the tests are skipped by name, unless they have to be run. */
export const canBrowse = CHROMIUM !== null || process.env.HALDIR_TEST_REQUIRE_CHROMIUM === 'true';

function onPath(name: string): string | null {
  for (const folder of (process.env.PATH ?? '').split(':')) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // In the next.
    }
  }
  return null;
}

export function launch(): Promise<Browser> {
  if (CHROMIUM === null) throw new Error('there is no chromium on the PATH (apt-get install chromium)');
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/** A browser of one person: their pages, their authenticator, and what went wrong in there. */
export class Visitor {
  /** Addresses that were asked for. */
  readonly asked: string[] = [];
  /** What a browser says of pages that do wrong: errors, and what their policy forbade. */
  readonly faults: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    /** With the path below which Haldir is served, if there is one. */
    readonly origin: string,
  ) {}

  static async of(
    browser: Browser,
    url: string,
    options: { width?: number; colorScheme?: 'light' | 'dark'; basePath?: string } = {},
  ): Promise<Visitor> {
    const { width = 1280, colorScheme = 'light', basePath = '' } = options;
    const context = await browser.newContext({
      ...{ colorScheme, viewport: { width, height: width < 600 ? 844 : 800 } },
      ...{ locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce' as const },
    });
    const page = await context.newPage();
    const visitor = new Visitor(context, page, pageOf(url) + basePath);
    context.on('request', (request) => visitor.asked.push(request.url()));
    page.on('pageerror', (error) => visitor.faults.push(error.message));
    page.on('console', (message) => {
      // That a request was refused is said there, too.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        visitor.faults.push(message.text());
    });
    const devtools = await context.newCDPSession(page);
    await devtools.send('WebAuthn.enable');
    await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true },
        ...{ hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
      },
    });
    return visitor;
  }

  /** Is invited, and comes in by the link. */
  async signIn(tenant: Client, role: string, email: string): Promise<void> {
    const { body } = await tenant.post<{ link: string }>('/v1/people', { email, role });
    await this.page.goto(`${this.origin}/welcome#${tokenOf(body.link)}`);
    await this.page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await this.page.getByText('You are signed in.').first().waitFor();
  }

  async open(path: string): Promise<void> {
    await this.page.goto(this.origin + path);
    await this.page.locator('main h1').first().waitFor();
  }

  /** Keeps a picture, where they are wanted (`npm run browsers`). */
  async picture(name: string): Promise<void> {
    const folder = process.env.HALDIR_SCREENSHOTS;
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${name}.png`) });
  }

  close(): Promise<void> {
    return this.context.close();
  }
}
