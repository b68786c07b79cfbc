import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Command, UsageError } from '../command.js';
import { answeredWith, DEFAULT_URL, haldirUrl } from '../haldir-url.js';
import { Progress } from '../progress.js';

const LOOK_EVERY_MS = 500;
/** What breaks off so often without another byte is given up. */
const MAX_TRIES = 10;

export const evidenceCreateCommand: Command = {
  help: `Usage: haldir evidence create --from TIME [--to TIME] --out FILE [--url URL]

Has Haldir make a package of evidence for an auditor, of what happened in a period, and downloads it. How far it is stands on standard
error. A download that breaks off goes on where it was. The package stays at Haldir for 7 days.

  --from TIME  the first moment of the period: Unix seconds, or ISO 8601, which is UTC without an offset
  --to TIME    the last moment, which has passed; default: now
  --out FILE   where the package goes; a file that is there is not written over
  --url URL    where Haldir is; default: HALDIR_URL, else ${DEFAULT_URL}

Environment
  HALDIR_API_KEY  a key with audit:read, admin:read, approvals:read and proxy:read; required
  HALDIR_URL      where Haldir is

Exit codes
  0   FILE is there, and has the digest that Haldir says
  1   it could not be made, or not be downloaded
  64  the command line makes no sense

Example
  HALDIR_API_KEY=hld_… haldir evidence create --from 2026-07-01 --to 2026-09-30T23:59:59.999Z --out q3.zip
`,
  async run(args, env) {
    const values = parse(args);
    const { from, to, out } = values;
    if (from === undefined) throw new UsageError('--from is missing: the first moment of the period');
    if (out === undefined) throw new UsageError('--out is missing: where the package goes');
    if (existsSync(out)) throw new UsageError(`${out} is there already`);
    const key = env['HALDIR_API_KEY'] ?? '';
    if (key === '') throw new UsageError('HALDIR_API_KEY is missing');
    const haldir = new Haldir(haldirUrl(values.url ?? (env['HALDIR_URL'] || DEFAULT_URL)), key);
    const made = await madeOf(haldir, { from, ...(to === undefined ? {} : { to }) });
    const part = `${out}.part`;
    await rm(part, { force: true });
    await download(haldir, made, part);
    if ((await digestOf(part)) !== made.sha256) {
      await rm(part, { force: true });
      throw new Error('what was downloaded is not what Haldir made; try again');
    }
    await rename(part, out);
    process.stdout.write(`${out}: ${made.size} bytes, sha256 ${made.sha256}\n`);
    return 0;
  },
};

function parse(args: string[]) {
  try {
    const options = {
      from: { type: 'string' },
      to: { type: 'string' },
      out: { type: 'string' },
      url: { type: 'string' },
    } as const;
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

interface Detail {
  evidence_id: string;
  state: 'queued' | 'running' | 'done' | 'failed';
  progress: { done: number; total: number | null };
  size: number;
  sha256: string;
  reason: string | null;
}

/** Haldir's API, asked with a key. Redirects are not followed: the key would go to where nobody has sent it. */
class Haldir {
  constructor(
    private readonly url: URL,
    private readonly key: string,
  ) {}

  /** @throws Error with what Haldir says of a refusal */
  async ask(method: string, path: string, body?: unknown): Promise<Detail> {
    const response = await this.send(method, path, {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      body: body === undefined ? null : JSON.stringify(body),
    });
    return (await response.json()) as Detail;
  }

  async send(
    method: string,
    path: string,
    { body = null, ...headers }: Record<string, string | null> = {},
  ): Promise<Response> {
    const given = Object.entries(headers).filter((header): header is [string, string] => header[1] !== null);
    const response = await fetch(new URL(path, this.url), {
      method,
      body,
      redirect: 'manual',
      headers: { authorization: `Bearer ${this.key}`, ...Object.fromEntries(given) },
    });
    if (response.ok) return response;
    const said = saidIn(await response.text()) ?? answeredWith(response.status);
    throw response.status >= 500 || response.status === 429 ? new Error(said) : new Refusal(said);
  }
}

/** Haldir has said no; trying again would not help. */
class Refusal extends Error {}

function saidIn(text: string): string | null {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === 'string' ? `Haldir refuses: ${error}` : null;
  } catch {
    return null;
  }
}

/** Has it made, and waits. @throws Refusal */
async function madeOf(haldir: Haldir, period: Record<string, string>): Promise<Detail> {
  let detail = await haldir.ask('POST', 'v1/evidence', period);
  process.stderr.write(`${detail.evidence_id} is made\n`);
  let progress: Progress | null = null;
  while (detail.state === 'queued' || detail.state === 'running') {
    detail = await look(haldir, detail.evidence_id);
    const { done, total } = detail.progress;
    if (total !== null) (progress ??= new Progress(total, 'entries')).show(done);
  }
  progress?.end();
  if (detail.state === 'failed') throw new Refusal(`the evidence could not be made: ${detail.reason ?? ''}`);
  return detail;
}

/** How far it is, also when Haldir is away for a moment. */
async function look(haldir: Haldir, id: string): Promise<Detail> {
  for (let tries = 1; ; tries++) {
    await pause(LOOK_EVERY_MS * tries);
    try {
      return await haldir.ask('GET', `v1/evidence/${id}`);
    } catch (error) {
      if (error instanceof Refusal || tries === MAX_TRIES) throw error;
    }
  }
}

/** Goes on with what is there, as long as more comes. */
async function download(haldir: Haldir, { evidence_id: id, size, sha256 }: Detail, part: string): Promise<void> {
  const progress = new Progress(size, 'bytes');
  for (let tries = 1; ; tries++) {
    const before = await lengthOf(part);
    if (before === size) break;
    const file = await open(part, before < size ? 'a' : 'w');
    try {
      const headers: Record<string, string> =
        before < size && before > 0 ? { range: `bytes=${before}-`, 'if-range': `"${sha256}"` } : {};
      const response = await haldir.send('GET', `v1/evidence/${id}/download`, headers);
      let at = response.status === 206 ? before : 0;
      if (at === 0) await file.truncate(0);
      for await (const bytes of response.body ?? []) {
        await file.write(bytes as Uint8Array);
        progress.show((at += (bytes as Uint8Array).length));
      }
    } catch (error) {
      if (error instanceof Refusal) throw error;
      if ((await lengthOf(part)) > before) tries = 1;
      if (tries === MAX_TRIES) throw new Error('the download broke off too often; try again', { cause: error });
      await pause(LOOK_EVERY_MS * tries);
    } finally {
      await file.close();
    }
  }
  progress.end();
}

const lengthOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  );

async function digestOf(file: string): Promise<string> {
  const sha256 = createHash('sha256');
  for await (const bytes of createReadStream(file)) sha256.update(bytes as Buffer);
  return sha256.digest('hex');
}
