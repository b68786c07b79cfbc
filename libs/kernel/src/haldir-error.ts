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

/**
 * A failure the caller can act on. Its message is for the caller and never holds a value that was sent,
 * a secret or an internal detail; `cause` is for the operator's log.
 */
export abstract class HaldirError extends Error {
  abstract readonly kind: ErrorKind;

  /** Machine-readable name in the answer's `code`; the kind unless a subclass is more precise. */
  get code(): string {
    return this.kind;
  }

  /** Further members of the error body, beside `error`, `code` and `request_id`. */
  get details(): Readonly<Record<string, unknown>> {
    return {};
  }

  /** Seconds after which trying again makes sense; sent as `Retry-After`. */
  get retryAfterSeconds(): number | null {
    return null;
  }

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** What a message names before its colon: a member, also of a member, or a header; or the body as a whole. */
const NAMED_FIELD = /^(?:request (body)|([A-Za-z_][\w.[\]-]*)): /;

/** A request that breaks the contract. The message names the field and what it expects, never its value: `field: expected …`. */
export class InvalidInput extends HaldirError {
  readonly kind = 'invalid';
  private readonly preciseCode: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.preciseCode = code;
  }

  override get code(): string {
    return this.preciseCode ?? 'invalid';
  }

  override get details(): Readonly<Record<string, unknown>> {
    const [, body, field = body] = NAMED_FIELD.exec(this.message) ?? [];
    return field === undefined ? {} : { field };
  }
}

/** Work was refused because too much of it is waiting, or because what it needs is not there right now. */
export class Unavailable extends HaldirError {
  readonly kind = 'unavailable';

  override get retryAfterSeconds(): number {
    return 1;
  }

  constructor(message = 'The service is busy; try again shortly', options?: ErrorOptions) {
    super(message, options);
  }
}
