import { type LoggerService } from '@nestjs/common';
import { type Logger, pino, stdTimeFunctions } from 'pino';
import { LineOutput } from './line-output.js';

type Fact = { event: string } & Readonly<Record<string, string | number | boolean | null | undefined>>;

/**
 * Structured log lines, one JSON object per fact, with an `event` name and ids. Callers name the fields they log;
 * secrets, keys, session ids and payloads are never among them.
 */
export abstract class Log {
  abstract debug(fact: Fact): void;
  abstract info(fact: Fact): void;
  abstract warn(fact: Fact): void;
  /** An unexpected failure, logged once, at the edge. */
  abstract error(fact: Fact, error?: unknown): void;
  /** Nest's own messages. */
  abstract readonly nest: LoggerService;
  /** Writes out what is buffered. @param done called when that is done, or there is nobody to read it */
  abstract flush(done: () => void): void;
}

class PinoLog extends Log {
  constructor(
    private readonly logger: Logger,
    private readonly output: LineOutput,
  ) {
    super();
  }

  debug(fact: Fact): void {
    this.logger.debug(fact);
  }
  info(fact: Fact): void {
    this.logger.info(fact);
  }
  warn(fact: Fact): void {
    this.logger.warn(fact);
  }
  error(fact: Fact, error?: unknown): void {
    this.logger.error(error === undefined ? fact : { ...fact, err: describe(error) });
  }
  flush(done: () => void): void {
    this.output.flush(done);
  }

  readonly nest: LoggerService = {
    log: (message: unknown, context?: unknown) =>
      this.logger.debug({ event: 'nest', context: String(context) }, String(message)),
    warn: (message: unknown, context?: unknown) =>
      this.logger.warn({ event: 'nest', context: String(context) }, String(message)),
    error: (message: unknown, ...rest: unknown[]) =>
      this.logger.error({ event: 'nest', context: String(rest.at(-1)), err: describe(message) }, 'framework error'),
    fatal: (message: unknown) => this.logger.fatal({ event: 'nest', err: describe(message) }, 'framework error'),
  };
}

/** Name, message, code and stack frames of an error and its causes; never the values a driver attaches to it. */
function describe(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: typeof error === 'string' ? error : 'not an Error' };
  const { code } = error as { code?: unknown };
  // Postgres quotes the value in the message of a data exception (SQLSTATE class 22).
  const quotesValue = typeof code === 'string' && /^22[0-9A-Z]{3}$/.test(code);
  return {
    type: error.name,
    message: quotesValue ? 'data exception' : error.message,
    ...(typeof code === 'string' ? { code } : {}),
    frames: (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at ')),
    ...(error.cause === undefined ? {} : { cause: describe(error.cause) }),
  };
}

/** @param level a pino level; lines go to standard output, buffered for at most a quarter of a second */
export function createLogger(level: string): Log {
  const output = new LineOutput(1);
  return new PinoLog(pino({ level, base: null, timestamp: stdTimeFunctions.isoTime }, output), output);
}
