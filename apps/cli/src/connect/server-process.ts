import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseJson, stringifyJson } from '@haldir/kernel';
import { isObject, type JsonObject } from '@haldir/mcp';
import { linesOf } from '../lines.js';

/** How a server is started. */
export interface ServerCommand {
  program: string;
  args: readonly string[];
  /** All that it is given of an environment. */
  env: Readonly<Record<string, string>>;
}

export interface ServerListener {
  /** Told of each message, in order. */
  heard(message: JsonObject): void;
  /** Told of a line of its standard error. */
  said(line: string): void;
  /** Null, or resolves once more may be read. */
  room(): Promise<void> | null;
  /** Told when it has taken all that it was sent. */
  drained(): void;
}

/** Once it was asked to end, by the end of its standard input. */
const TERM_AFTER_MS = 2_000;
const KILL_AFTER_MS = 5_000;
/** What it wrote before it exited is read; what a child of its holds open is not waited for. */
const LAST_WORDS_MS = 1_000;
/** What it has not taken yet, beyond which it should be sent no more. */
const FULL_BYTES = 16 * 1024 * 1024;
/** No message is longer; what never ends is not kept in memory. */
const MAX_LINE_CHARS = 64 * 1024 * 1024;

/**
 * An MCP server that speaks lines of JSON on its standard streams, in a process group of its own, which ends with it. When this
 * process is killed, its standard input ends.
 */
export class ServerProcess {
  /** Resolves when it has exited, or could not be started, with words for that. */
  readonly exited: Promise<string>;
  /** Null when it could not be started. */
  private readonly child: ChildProcess | null;
  private readonly closing = new AbortController();

  constructor(
    command: ServerCommand,
    private readonly listener: ServerListener,
  ) {
    const child = startedBy(command);
    if (child instanceof Error) {
      this.child = null;
      this.exited = Promise.resolve(cannotStart(child));
      return;
    }
    this.child = child;
    // One that has exited takes nothing more; where no pipes could be made there are none.
    child.stdin?.on('error', () => undefined);
    child.stdin?.on('drain', () => listener.drained());
    this.exited = this.exit(child);
    void this.read(child);
    void this.readErrors(child);
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Whether it does not read as fast as it is sent. */
  get isFull(): boolean {
    return (this.child?.stdin?.writableLength ?? 0) >= FULL_BYTES;
  }

  send(message: JsonObject): void {
    this.child?.stdin?.write(`${stringifyJson(message)}\n`);
  }

  /** Ends it and what it has started: asked to first, made to after a while. */
  async end(): Promise<void> {
    this.child?.stdin?.end();
    if (!(await this.exitsWithin(TERM_AFTER_MS))) {
      this.signal('SIGTERM');
      if (!(await this.exitsWithin(KILL_AFTER_MS - TERM_AFTER_MS))) this.kill();
    }
    await this.exited;
  }

  /** Ends it and what it has started, at once. */
  kill(): void {
    this.signal('SIGKILL');
  }

  private async exit(child: ChildProcess): Promise<string> {
    const closed = new Promise((resolve) => child.once('close', resolve));
    const words = await new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(cannotStart(error)));
      child.once('exit', (code, signal) => resolve(signal === null ? `exited with ${code}` : `ended by ${signal}`));
    });
    if (child.pid === undefined) return words;
    await Promise.race([closed, sleep(LAST_WORDS_MS)]);
    this.closing.abort();
    // Whatever it has left running.
    this.kill();
    return words;
  }

  private async exitsWithin(ms: number): Promise<boolean> {
    const timer = new AbortController();
    const late = sleep(ms, false, { signal: timer.signal }).catch(() => false);
    const inTime = await Promise.race([this.exited.then(() => true), late]);
    timer.abort();
    return inTime;
  }

  /** To its process group; where there are none, to it. */
  private signal(name: NodeJS.Signals): void {
    const pid = this.child?.pid;
    if (pid === undefined) return;
    try {
      if (process.platform === 'win32') this.child?.kill(name);
      else process.kill(-pid, name);
    } catch {
      // Nothing of it is left.
    }
  }

  private async read({ stdout }: ChildProcess): Promise<void> {
    if (!stdout) return;
    try {
      for await (const line of linesOf(stdout, this.closing.signal, MAX_LINE_CHARS)) {
        if (line.trim() === '') continue;
        const message = this.parsed(line);
        if (message) this.listener.heard(message);
        const room = this.listener.room();
        if (room) await room;
      }
    } catch (error) {
      this.listener.said(`its standard output cannot be read: ${(error as Error).message}`);
      this.kill();
    }
  }

  /** Null for what is no message, which is said. */
  private parsed(line: string): JsonObject | null {
    try {
      const message = parseJson(line);
      if (isObject(message)) return message;
    } catch {
      const refusal = unreadable(line);
      if (refusal) return refusal;
    }
    this.listener.said(`(no message on its standard output) ${line}`);
    return null;
  }

  private async readErrors({ stderr }: ChildProcess): Promise<void> {
    if (!stderr) return;
    try {
      for await (const line of linesOf(stderr, this.closing.signal, MAX_LINE_CHARS)) this.listener.said(line);
    } catch {
      // Nobody needs to hear why it says no more.
    }
  }
}

/** A process, or why there is none: some failures are thrown (ETXTBSY, ENOEXEC, E2BIG), others are told later (ENOENT, EMFILE). */
function startedBy({ program, args, env }: ServerCommand): ChildProcess | Error {
  try {
    return spawn(program, args, { env, stdio: 'pipe', detached: process.platform !== 'win32' });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

const cannotStart = (error: NodeJS.ErrnoException): string => `cannot be started (${error.code ?? error.message})`;

/** In place of an answer that is nested too deeply to be passed on; null for what is none. */
function unreadable(line: string): JsonObject | null {
  try {
    const { id, method } = JSON.parse(line) as { id?: unknown; method?: unknown };
    if (typeof id !== 'number' || method !== undefined) return null;
    return { jsonrpc: '2.0', id, error: { code: -32_603, message: 'The answer of the server is nested too deeply' } };
  } catch {
    return null;
  }
}
