import { applyDecorators, HttpCode, type HttpStatus } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { type z } from 'zod';

/** Documents one answer of a route, without making it the route's status. */
export const Answers = (status: HttpStatus, schema: z.ZodType, description: string) =>
  ApiResponse({ status, description, standardSchema: schema as never });

/** The route's success: its status, and the documented shape of its body. */
export const Returns = (status: HttpStatus, schema: z.ZodType, description: string) =>
  applyDecorators(HttpCode(status), Answers(status, schema, description));

type SharedAnswer =
  'BadRequest' | 'Unauthorized' | 'Forbidden' | 'NotFound' | 'RateLimited' | 'Unprocessable' | 'Conflict';
const STATUS: Readonly<Record<SharedAnswer, number>> = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  Conflict: 409,
  Unprocessable: 422,
  RateLimited: 429,
};

/** Documents refusals by reference to the document's shared responses. */
export const Refuses = (...answers: SharedAnswer[]) =>
  applyDecorators(
    ...answers.map((name) => ApiResponse({ status: STATUS[name], $ref: `#/components/responses/${name}` } as never)),
  );
