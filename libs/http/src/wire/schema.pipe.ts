import { type ArgumentMetadata, StandardSchemaValidationPipe } from '@nestjs/common';
import { type FastifyInstance } from 'fastify';
import { type z } from 'zod';
import { invalidInput } from './fields.js';
import { foreignMembers, warningsOf } from './members.js';
import { plainNumbers } from './plain-numbers.js';

/** What is to be said of bodies that were taken. */
const warnings = new WeakMap<object, string[]>();

/** Reads bodies and queries as their schemas have them. */
export class SchemaPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: (issues) => invalidInput(issues) });
  }

  override transform<Value>(value: Value, metadata: ArgumentMetadata): Promise<Value> {
    if (metadata.type !== 'body' || !metadata.schema || typeof value !== 'object' || value === null)
      return super.transform(value, metadata);
    const schema = metadata.schema as unknown as z.ZodType;
    const given = plainNumbers(schema, value);
    const foreign = foreignMembers(schema, given);
    if (foreign.length > 0) warnings.set(value, warningsOf(foreign));
    return super.transform(given as Value, metadata);
  }

  /** Bodies with members that could change a prototype are refused before; no other member is taken out of arguments. */
  protected override stripProtoKeys(): void {
    // As above.
  }
}

/** An answer to a body that had members nobody knows says so in `warnings`. */
export function useWarnings(fastify: FastifyInstance): void {
  fastify.addHook('preSerialization', ({ body }, reply, payload, done) => {
    const found = typeof body === 'object' && body !== null ? warnings.get(body) : undefined;
    if (found === undefined || reply.statusCode >= 400 || typeof payload !== 'object') done(null, payload);
    else done(null, { ...payload, warnings: found });
  });
}
