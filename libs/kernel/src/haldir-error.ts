/** What went wrong, in the caller's terms. `libs/http` maps each kind to one HTTP status. */
export type ErrorKind =
  | 'invalid'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'unprocessable'
  | 'too_large'
  | 'unsupported_media'
  | 'limited'
  | 'unavailable'
  | 'bad_gateway';

/** What an error says beside its message. */
export interface ErrorTerms {
  /** Machine-readable name in the answer's `code`; the kind, unless it is more precise. */
  code?: string;
  /** Further members of the error body, beside `error`, `code` and `request_id`. */
  details?: Readonly<Record<string, unknown>>;
  /** Seconds after which trying again makes sense; sent as `Retry-After`. */
  retryAfterSeconds?: number;
  /** What is behind it, for the operator's log. */
  cause?: unknown;
}

/**
 * A failure the caller can act on. Its message is for the caller and never holds a value that was sent,
 * a secret or an internal detail; `cause` is for the operator's log.
 */
export abstract class HaldirError extends Error {
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Null when nothing is to be said of that. */
  readonly retryAfterSeconds: number | null;

  constructor(
    readonly kind: ErrorKind,
    message: string,
    { code = kind, details = {}, retryAfterSeconds, cause }: ErrorTerms = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.details = details;
    this.retryAfterSeconds = retryAfterSeconds ?? null;
  }
}

/** What a message names before its colon: a member, also of a member, or a header; or the body as a whole. */
const NAMED_FIELD = /^(?:request (body)|([A-Za-z_][\w.[\]-]*)): /;

/** A request that breaks the contract. The message names the field and what it expects, never its value: `field: expected …`. */
export class InvalidInput extends HaldirError {
  constructor(message: string, code?: string, details: ErrorTerms['details'] = fieldNamedIn(message)) {
    super('invalid', message, { ...(code === undefined ? {} : { code }), details });
  }
}

function fieldNamedIn(message: string): { field?: string } {
  const [, body, field = body] = NAMED_FIELD.exec(message) ?? [];
  return field === undefined ? {} : { field };
}

/** Work was refused because too much of it is waiting, or because what it needs is not there right now. */
export class Unavailable extends HaldirError {
  constructor(message = 'The service is busy; try again shortly', { cause }: Pick<ErrorTerms, 'cause'> = {}) {
    super('unavailable', message, { retryAfterSeconds: 1, cause });
  }
}
