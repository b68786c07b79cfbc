import { RouteConfig } from '@nestjs/platform-fastify';
import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { findUnstorable, InvalidInput } from '@haldir/kernel';
import { type HaldirRequest } from '../auth/caller.js';

export const BODY_LIMIT_BYTES = 1024 * 1024;
const MAX_DEPTH = 64;

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
  // Only an escape can bring in what cannot be stored, and only an exponent a number out of range.
  if (!/\\u|\d[eE]/.test(text)) return null;
  const field = findUnstorable(value);
  return field === null ? null : new InvalidInput(`${field}: expected no NUL, lone surrogate or number out of range`);
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
