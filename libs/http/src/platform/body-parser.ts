import { RouteConfig } from '@nestjs/platform-fastify';
import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { findUnstorable, InvalidInput } from '@haldir/kernel';
import { type HaldirRequest } from '../auth/caller.js';

export const BODY_LIMIT_BYTES = 1024 * 1024;
const MAX_DEPTH = 64;
/** Only an escape can bring in what cannot be stored, and only an exponent, or 309 digits, a number out of range. */
const MAY_BE_UNSTORABLE = /\\u|\d[eE]|(?:^|\D)\d{309}/;

/** The route answers itself for a body it cannot use: it is given any JSON value, or the refusal in place of a body that is none. */
export const JudgesBody = () => RouteConfig({ judgesBody: true });

function judgesBody({ routeOptions }: FastifyRequest): boolean {
  return (routeOptions.config as { judgesBody?: boolean }).judgesBody === true;
}

/**
 * JSON bodies: an absent or empty one is `undefined`; anything but an object is refused, as are `__proto__` members, nesting over
 * 64 levels, and what Postgres cannot store (NUL, lone surrogates, numbers out of range), each naming its field.
 */
export function useJsonBodies(fastify: FastifyInstance): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    ['application/json', '*'],
    { parseAs: 'string', bodyLimit: BODY_LIMIT_BYTES },
    (request, body, done) => {
      const text = body as string;
      if (text.trim() === '') {
        done(null, undefined);
        return;
      }
      const isJudged = judgesBody(request);
      const refuse = (refusal: InvalidInput): void => (isJudged ? done(null, refusal) : done(refusal));
      if (isTooDeep(text)) {
        refuse(new InvalidInput(`request body: expected at most ${MAX_DEPTH} levels of nesting`));
        return;
      }
      void parseJson(request, text, (error: Error | null, value?: unknown) => {
        const refusal = error
          ? new InvalidInput('request body: expected valid JSON')
          : checkBody(text, value, isJudged);
        (request as HaldirRequest).rawBody = value;
        if (refusal) refuse(refusal);
        else done(null, value);
      });
    },
  );
}

function checkBody(text: string, value: unknown, mayBeAny: boolean): InvalidInput | null {
  if (!mayBeAny && (typeof value !== 'object' || value === null || Array.isArray(value))) {
    return new InvalidInput('request body: expected a JSON object');
  }
  if (!MAY_BE_UNSTORABLE.test(text)) return null;
  const field = findUnstorable(value);
  return field === null ? null : new InvalidInput(`${field}: expected no NUL, lone surrogate or number out of range`);
}

/**
 * JSON that came within a text of a request, on the terms of bodies.
 *
 * @throws Error for what is no JSON, or no JSON that a body may hold
 */
export function readInnerJson(text: string): unknown {
  if (isTooDeep(text)) throw new InvalidInput(`expected at most ${MAX_DEPTH} levels of nesting`);
  const value: unknown = JSON.parse(text, (key, member: unknown) => {
    if (key === '__proto__') throw new InvalidInput('expected no member named __proto__');
    return member;
  });
  const refusal = checkBody(text, value, false);
  if (refusal) throw refusal;
  return value;
}

function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 0x5c) i++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > MAX_DEPTH) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
}
