import { ApiBody } from '@nestjs/swagger';
import { type z } from 'zod';

/** Documents the body of a route by the schema that reads it. */
export const JsonBody = (schema: z.ZodType, { required = true } = {}): MethodDecorator =>
  // Its type does not know of the member, which its implementation takes.
  ApiBody({ required, standardSchema: schema } as never);
