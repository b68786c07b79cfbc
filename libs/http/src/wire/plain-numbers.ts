import { exactNumber, JsonNumber } from '@haldir/kernel';
import { type z } from 'zod';
import { type Json } from './json-schema.js';

type Schema = z.core.$ZodType;
type ZodDef = z.core.$ZodTypes['_zod']['def'];

/**
 * The value with plain numbers for the members that the schema knows, where they are exactly that however they are written (1.0,
 * 1e2); what is exactly no plain number is none there, so that the schema refuses it. What the schema does not look into
 * (arguments, details) stays as it was written, and so does what a schema made by `decimal` looks at.
 */
export function plainNumbers(schema: Schema, value: unknown): unknown {
  const def = defOf(schema);
  if (value instanceof JsonNumber) return takesExact(def) ? value : (exactNumber(value) ?? NaN);
  if (typeof value !== 'object' || value === null) return value;
  if (def.type === 'union') return def.options.reduce((seen: unknown, option) => plainNumbers(option, seen), value);
  if (Array.isArray(value)) {
    if (def.type === 'array') return plainItems(def.element, value);
  } else if (def.type === 'object') {
    return plainMembers(value as Json, (key) => (Object.hasOwn(def.shape, key) ? def.shape[key] : undefined));
  } else if (def.type === 'record') return plainMembers(value as Json, () => def.valueType);
  const inner = innerOf(def);
  return inner ? plainNumbers(inner, value) : value;
}

function plainItems(schema: Schema, items: unknown[]): unknown[] {
  const plain = items.map((item) => plainNumbers(schema, item));
  return plain.every((item, i) => item === items[i]) ? items : plain;
}

function plainMembers(object: Json, schemaOf: (key: string) => Schema | undefined): Json {
  let changed: Json | null = null;
  for (const [key, member] of Object.entries(object)) {
    const schema = schemaOf(key);
    const plain = schema ? plainNumbers(schema, member) : member;
    if (!Object.is(plain, member)) (changed ??= { ...object })[key] = plain;
  }
  return changed ?? object;
}

/** Whether a schema looks at numbers as they were written, or not at all. */
function takesExact(def: ZodDef): boolean {
  if (def.type === 'unknown' || def.type === 'any') return true;
  if (def.type === 'pipe') return typeOf(def.in) === 'transform' || takesExact(defOf(def.in));
  if (def.type === 'union') return def.options.some((option) => takesExact(defOf(option)));
  const inner = innerOf(def);
  return inner ? takesExact(defOf(inner)) : false;
}

/** What a schema that only adds to another adds to. */
function innerOf(def: ZodDef): Schema | null {
  if (def.type === 'pipe') return typeOf(def.in) === 'transform' ? def.out : def.in;
  return 'innerType' in def ? def.innerType : null;
}

function defOf(schema: Schema): ZodDef {
  return (schema as z.core.$ZodTypes)._zod.def;
}

function typeOf(schema: Schema): ZodDef['type'] {
  return defOf(schema).type;
}
