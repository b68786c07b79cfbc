import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnswerQueue } from './answer-queue.js';
import { ConnectorApi } from './connector-api.js';
import { Connector, type LocalServer } from './connector.js';
import { type Answer, type Asked, HaldirServer } from './haldir-server.for-spec.js';
import { type ServerCommand } from './server-process.js';

const PROGRAM = join(import.meta.dirname, '..', '..', '..', '..', 'test', 'support', 'stdio-server.mjs');

/** What a server is built with. */
export interface Building {
  instance: string;
  said: (line: string) => void;
  room: () => Promise<void> | null;
}

/** A connector at work between a Haldir and a server, both of the test. */
export class Stage {
  readonly haldir: HaldirServer;
  readonly instance = randomBytes(12).toString('hex');
  /** What the connector and its server said, in lines. */
  readonly said: string[] = [];
  /** How the connector ended; pending while it runs. */
  running: Promise<void> = Promise.resolve();
  private readonly ending = new AbortController();
  private readonly dir = mkdtempSync(join(tmpdir(), 'haldir-connect-'));
  private server: LocalServer | null = null;
  private ids = 0;

  private constructor(haldir: HaldirServer) {
    this.haldir = haldir;
  }

  static async open(): Promise<Stage> {
    return new Stage(await HaldirServer.start());
  }

  /** @param revision how the server of test/support is spoken to */
  command(revision: 'handshake' | 'stateless' | 'silent' | 'strict' | 'late' = 'handshake'): ServerCommand {
    return { program: process.execPath, args: [PROGRAM, revision, this.file], env: { PATH: process.env.PATH ?? '' } };
  }

  api(key = 'key'): ConnectorApi {
    return new ConnectorApi(this.haldir.url, key, 'up', this.instance);
  }

  /** Connects; the answers are waited for by `ask` and `answerTo`. */
  async connect(build: (building: Building) => LocalServer): Promise<void> {
    const answers = new AnswerQueue();
    const said = (line: string): void => void this.said.push(line);
    this.server = build({ instance: this.instance, said, room: () => answers.room() });
    await this.server.prepare();
    this.running = new Connector(this.api(), this.server, answers, said).run(this.ending.signal);
    this.running.catch(() => undefined);
  }

  /** What the server has seen, in lines. */
  seen(): string[] {
    try {
      return readFileSync(this.file, 'utf8').split('\n').slice(0, -1);
    } catch {
      return [];
    }
  }

  /** Sends a request in JSON-RPC, in a session where one is given. */
  post(method: string, params: object = {}, session?: string, headers: Record<string, string> = {}): Asked {
    const inSession: Record<string, string> = session === undefined ? {} : { 'mcp-session-id': session };
    return this.haldir.ask('POST', { ...inSession, ...headers }, { jsonrpc: '2.0', id: ++this.ids, method, params });
  }

  /** Begins a session and answers its id. */
  async begin(): Promise<string> {
    const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'spec', version: '1' } };
    const { headers } = await this.post('initialize', hello).whole;
    const session = headers['mcp-session-id'] ?? '';
    await this.haldir.ask(
      'POST',
      { 'mcp-session-id': session },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
    ).whole;
    return session;
  }

  /** Calls a tool and answers its text. */
  async call(session: string | undefined, name: string, args: object = {}, headers = {}): Promise<string> {
    return textIn(await this.post('tools/call', { name, arguments: args }, session, headers).whole);
  }

  /** Ends the connector, as a signal does. */
  end(): void {
    this.ending.abort();
  }

  async close(): Promise<void> {
    this.end();
    await this.running.catch(() => undefined);
    await this.server?.close();
    await this.haldir.stop();
    rmSync(this.dir, { recursive: true });
  }

  private get file(): string {
    return join(this.dir, 'seen');
  }
}

/** The messages of an answer, however it came. */
export function messagesIn({ headers, body }: Answer): Record<string, unknown>[] {
  const texts = headers['content-type'] === 'text/event-stream' ? eventsIn(body) : [body];
  return texts.map((text) => JSON.parse(text) as Record<string, unknown>);
}

/** The text that a tool answered. */
export function textIn(answer: Answer): string {
  const message = messagesIn(answer).at(-1) as { result?: { content?: { text: string }[] }; error?: unknown };
  return message.result?.content?.[0]?.text ?? JSON.stringify(message.error ?? message);
}

function eventsIn(body: string): string[] {
  return body.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice('data: '.length)] : []));
}

/** Whether a process is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Until it holds, on a machine of any speed. */
export function eventually<T>(holds: () => T | Promise<T>, everyMs = 20): Promise<T> {
  return vi.waitFor(holds, { timeout: 20_000, interval: everyMs });
}
