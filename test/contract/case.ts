import { type Operation, pathOf } from './api-document.js';
import { type Input } from './contract-client.js';

/** A request that a client should not have made, and what it is due. */
export interface Case {
  title: string;
  operation: Operation;
  /** As it is sent, with its query. */
  path: string;
  headers: Record<string, string>;
  body?: string;
  /** The only status that is right; any documented one is where there is none. */
  expected?: number;
  /** What a 400 has to name. */
  field?: string;
  /** Whether its path may be none that anybody serves. */
  strays?: boolean;
}

export const JSON_TYPE = { 'content-type': 'application/json' };

/** The operation asked as it should be, but for `rest`. */
export function makeCase(operation: Operation, input: Input, title: string, rest: Partial<Case>): Case {
  const query = new URLSearchParams(input.query as Record<string, string> | undefined).toString();
  return {
    title: `${operation.id}: ${title}`,
    operation,
    path: pathOf(operation, input.path ?? {}) + (query === '' ? '' : `?${query}`),
    headers: { ...(input.body !== undefined && JSON_TYPE), ...input.headers },
    ...(input.body !== undefined && { body: JSON.stringify(input.body) }),
    ...rest,
  };
}
