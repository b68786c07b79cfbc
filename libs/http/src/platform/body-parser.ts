import { isUtf8 } from 'node:buffer';
import { type FastifyInstance, type FastifyRequest } from 'fastify';
import {
  findUnstorable,
  HaldirError,
  InvalidInput,
  JsonNumber,
  parseJson,
  stringifyJson,
  TooDeep,
  TooManyValues,
} from '@haldir/kernel';
import { type HaldirRequest } from '../auth/caller.js';
import { onRoute, type RouteSettings, settingsOf } from './route-settings.js';

export const BODY_LIMIT_BYTES = 1024 * 1024;
const MAX_DEPTH = 64;
/** What is done with a body takes time by its values as much as by its length; it is tens of milliseconds for so many. */
const MAX_VALUES = 50_000;
/** Only an escape can bring in what cannot be stored. */
const MAY_BE_FORBIDDEN = /\\u|__proto__/;
const CHARSET = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;]*))/i;

/** The route answers itself for what it cannot use, and says refusals in its own way. */
export const AnswersBadBody = (refusal: NonNullable<RouteSettings['refusal']>) =>
  onRoute({ answersBadBody: true, refusal });

/** The body is in an encoding that is not read here. */
export class UnsupportedMedia extends HaldirError {
  constructor(message: string) {
    super('unsupported_media', message);
  }
}

/**
 * JSON bodies in UTF-8, numbers as they were written: an absent or empty one is `undefined`; anything but an object is refused, as
 * are nesting over 64 levels, over 50,000 values, members named `__proto__`, and what Postgres cannot store (NUL, lone surrogates), each naming its
 * field. Answers are written by the counterpart.
 */
export function useJsonBodies(fastify: FastifyInstance): void {
  fastify.setReplySerializer(stringifyJson);
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    ['application/json', '*'],
    { parseAs: 'buffer', bodyLimit: BODY_LIMIT_BYTES },
    (request, body, done) => {
      const answersItself = settingsOf(request).answersBadBody === true;
      try {
        const value = readBody(request, body as Buffer, answersItself);
        (request as HaldirRequest).rawBody = value;
        done(null, value);
      } catch (error) {
        if (answersItself && error instanceof HaldirError) done(null, error);
        else done(error as Error);
      }
    },
  );
}

function readBody({ headers }: FastifyRequest, bytes: Buffer, mayBeAny: boolean): unknown {
  if ((headers['content-encoding'] ?? 'identity').trim().toLowerCase() !== 'identity')
    throw new UnsupportedMedia('Content-Encoding: expected none');
  const [, quoted, bare = 'utf-8'] = CHARSET.exec(headers['content-type'] ?? '') ?? [];
  if (!/^utf-?8$/i.test(quoted ?? bare)) throw new UnsupportedMedia('Content-Type: expected no charset but utf-8');
  if (!isUtf8(bytes)) throw new InvalidInput('request body: expected UTF-8');
  const text = bytes.toString('utf8');
  // One byte order mark is no part of the text.
  const json = text.startsWith('\ufeff') ? text.slice(1) : text;
  return json.trim() === '' ? undefined : read(json, mayBeAny);
}

/** @throws InvalidInput */
function read(text: string, mayBeAny: boolean): unknown {
  let value: unknown;
  try {
    value = parseJson(text, { maxDepth: MAX_DEPTH, maxValues: MAX_VALUES });
  } catch (error) {
    if (error instanceof TooDeep)
      throw new InvalidInput(`request body: expected at most ${MAX_DEPTH} levels of nesting`);
    if (error instanceof TooManyValues)
      throw new InvalidInput(`request body: expected at most ${MAX_VALUES} values, those within others included`);
    throw new InvalidInput('request body: expected valid JSON');
  }
  if (!mayBeAny && (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof JsonNumber))
    throw new InvalidInput('request body: expected a JSON object');
  const field = MAY_BE_FORBIDDEN.test(text) ? findUnstorable(value) : null;
  if (field !== null) throw new InvalidInput(`${field}: expected no NUL, lone surrogate or member named __proto__`);
  return value;
}

/**
 * JSON that came within a text of a request, on the terms of bodies.
 *
 * @throws InvalidInput for what is no JSON, or no JSON that a body may hold
 */
export function readInnerJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new InvalidInput('expected UTF-8');
  return read(bytes.toString('utf8'), false);
}
