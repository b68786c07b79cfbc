/** What went wrong with a request, in words for whoever made it. */
export class Problem extends Error {
  constructor(
    message: string,
    /** Of the answer; 0 where none came. */
    readonly status: number,
    readonly code: string = '',
    /** What the log has of the request. */
    readonly requestId: string = '',
    /** The scope that was missing. */
    readonly required: string = '',
    /** The member of the request that was not taken. */
    readonly field: string = '',
  ) {
    super(message);
  }
}

export const UNREACHABLE = 'Haldir could not be reached, or did not answer. Check your connection and try again.';

/** @param body what was answered, parsed; anything */
export function problemOf({ status, headers }: Response, body: unknown): Problem {
  const { error, code, request_id, required, field } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>; // prettier-ignore
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  const message =
    status === 429
      ? `Too many requests. Try again in ${headers.get('retry-after') ?? 'some'} seconds.`
      : text(error) || `Haldir answered ${status}, which this page does not understand.`;
  return new Problem(message, status, text(code), text(request_id), text(required), text(field));
}
