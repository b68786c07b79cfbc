import { findUnstorable, JsonNumber, stringifyJson, visibleText } from '@haldir/kernel';
import { isObject, type JsonObject } from '@haldir/mcp';
import { z } from 'zod';
import { MAX_DEFINITION_CHARS, UnfitDefinition } from './mcp-client.errors.js';
import { type UpstreamTool } from './mcp-protocol.js';
import { isEmptyList, repairedSchema } from './schema-repair.js';

/** A definition that is not taken from its upstream, under a name in which hidden characters are visible. */
export interface RefusedDefinition {
  name: string;
  reason: string;
}

const MAX_REASON_CHARS = 200;
const MAX_NAME_CHARS = 256;
const HINTS = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'] as const;
const ROLES: readonly unknown[] = ['user', 'assistant'];
const Time = z.iso.datetime({ offset: true });

type Fits = (value: unknown) => boolean;
const isText: Fits = (value) => typeof value === 'string';
const isFlag: Fits = (value) => typeof value === 'boolean';
const isAmount: Fits = (value) => numberOf(value) !== null;

/** Says of each definition of a list that cannot be shown to clients which it is, and why not. */
export function refusedAs(name: unknown, place: number, reason: string): RefusedDefinition {
  const isNamed = typeof name === 'string' && name !== '';
  const shown = isNamed ? shownPart(name, MAX_NAME_CHARS, 2 * MAX_NAME_CHARS) : `(no name, the ${ordinal(place)} of its list)`; // prettier-ignore
  return { name: shown, reason: shownPart(reason, MAX_REASON_CHARS, MAX_REASON_CHARS) };
}

/** The beginning of a text, fit to be kept: half a character that was said, or is left by the cut, is U+FFFD. */
function shownPart(text: string, maxChars: number, maxShown: number): string {
  return visibleText(text.slice(0, maxChars).toWellFormed()).slice(0, maxShown).toWellFormed();
}

/**
 * A tool as both official clients can read it. What only describes (title, description, icons, annotations, `_meta`) is left out
 * where it is null or of a wrong type, its schemas are repaired as far as that is certain; it means what it meant.
 *
 * @throws UnfitDefinition when it is nothing that clients can read, or that Haldir can call
 */
export function repairedTool(tool: { name: string; [member: string]: unknown }): UpstreamTool {
  const { description, inputSchema, annotations, outputSchema, execution, ...others } = storable(tool);
  const { name, ...rest } = labelled(others);
  const hints = repairedAnnotations(annotations);
  const output = schemaIn('outputSchema', () => repairedOutput(outputSchema));
  const how = repairedExecution(execution);
  return short({
    ...rest,
    name: String(name),
    ...(isText(description) ? { description: String(description) } : {}),
    inputSchema: schemaIn('inputSchema', () => repairedInput(inputSchema)),
    ...(output && { outputSchema: output }),
    ...(hints && { annotations: hints }),
    ...(how && { execution: how }),
  });
}

/** @throws UnfitDefinition when it is nothing that clients can read */
export function repairedResource(item: JsonObject, id: string): JsonObject {
  const { size, annotations, ...rest } = labelled(storable(item));
  return short({
    ...without(rest, { description: isText, mimeType: isText }),
    // Older servers gave an address alone.
    name: isText(rest['name']) ? rest['name'] : id,
    ...(isAmount(size) ? { size } : {}),
    ...(isObject(annotations) ? { annotations: without(annotations, OF_RESOURCES) } : {}),
  });
}

/** @throws UnfitDefinition when it is nothing that clients can read */
export function repairedPrompt(item: JsonObject): JsonObject {
  const { arguments: args, ...rest } = without(labelled(storable(item)), { description: isText });
  if (args === undefined || args === null || (isObject(args) && Object.keys(args).length === 0)) return rest;
  if (!Array.isArray(args)) throw new UnfitDefinition('its arguments are no list');
  return short({ ...rest, arguments: args.map(repairedArgument) });
}

function repairedArgument(argument: unknown): JsonObject {
  if (!isObject(argument) || !isText(argument['name'])) throw new UnfitDefinition('one of its arguments has no name');
  const { required, ...rest } = without(argument, { title: isText, description: isText });
  if (required === undefined || required === null) return rest;
  if (!isFlag(required)) throw new UnfitDefinition('one of its arguments is neither required nor not');
  return { ...rest, required };
}

const OF_RESOURCES: Record<string, Fits> = {
  audience: (value) => Array.isArray(value) && value.every((role) => ROLES.includes(role)),
  priority: (value) => {
    const priority = numberOf(value);
    return priority !== null && priority >= 0 && priority <= 1;
  },
  lastModified: (value) => Time.safeParse(value).success,
};

/** What everything that is listed has in common, without what is of a wrong type. */
function labelled(item: JsonObject): JsonObject {
  const { icons, ...rest } = without(item, { title: isText, _meta: isObject });
  if (!Array.isArray(icons)) return rest;
  const shown = icons
    .filter((icon): icon is JsonObject => isObject(icon) && isText(icon['src']))
    .map((icon) => without(icon, OF_ICONS));
  return { ...rest, icons: shown };
}

const OF_ICONS: Record<string, Fits> = {
  mimeType: isText,
  sizes: (value) => Array.isArray(value) && value.every(isText),
  theme: (value) => value === 'light' || value === 'dark',
};

function repairedAnnotations(annotations: unknown): JsonObject | null {
  if (!isObject(annotations)) return null;
  return without(annotations, { title: isText, ...Object.fromEntries(HINTS.map((hint) => [hint, isFlag])) });
}

function repairedExecution(execution: unknown): JsonObject | null {
  if (execution === undefined || execution === null || isEmptyList(execution)) return null;
  if (!isObject(execution)) throw new UnfitDefinition('its execution is no object');
  const { taskSupport, ...rest } = execution;
  if (taskSupport === undefined || taskSupport === null) return rest;
  if (taskSupport === 'required')
    throw new UnfitDefinition(
      'it can be called as a task only (execution.taskSupport), and Haldir does not make tasks',
    );
  if (taskSupport !== 'optional' && taskSupport !== 'forbidden')
    throw new UnfitDefinition('its execution.taskSupport is none of required, optional and forbidden');
  return { ...rest, taskSupport };
}

function repairedInput(schema: unknown): JsonObject {
  if (schema === undefined || schema === null || schema === true || isEmptyList(schema)) return { type: 'object' };
  if (!isObject(schema)) throw new UnfitDefinition('is no schema of an object');
  const { type, properties } = schema;
  const types: unknown[] = Array.isArray(type) ? type : [type ?? 'object'];
  if (!types.includes('object')) throw new UnfitDefinition('is not of an object, as arguments are');
  // In the order it came in, but for a type that was not there.
  const whole = { ...(type === undefined || type === null ? { type: 'object' } : {}), ...schema, type: 'object' };
  return repairedSchema(isObject(properties) ? { ...whole, properties: asObjects(properties) } : whole, 'arguments');
}

/** Null for none, and for one that says nothing. */
function repairedOutput(schema: unknown): JsonObject | null {
  if (schema === undefined || schema === null || schema === true || isEmptyList(schema)) return null;
  if (!isObject(schema)) throw new UnfitDefinition('is no schema');
  if (Object.keys(schema).length === 0) return null;
  const { properties, type } = schema;
  const isOfObject = type === undefined || type === null ? isObject(properties) : Array.isArray(type) && type.length === 1 && type[0] === 'object'; // prettier-ignore
  return repairedSchema(
    {
      ...schema,
      ...(isOfObject ? { type: 'object' } : {}),
      ...(isObject(properties) ? { properties: asObjects(properties) } : {}),
    },
    'results',
  );
}

/** Properties whose schemas are true or false in the words that all clients take. */
function asObjects(properties: JsonObject): JsonObject {
  const written = Object.entries(properties).map(([name, schema]) => {
    if (typeof schema !== 'boolean') return [name, schema] as const;
    return [name, schema ? {} : { not: {} }] as const;
  });
  return Object.fromEntries(written);
}

function schemaIn<Repaired>(member: string, repair: () => Repaired): Repaired {
  try {
    return repair();
  } catch (error) {
    if (!(error instanceof UnfitDefinition)) throw error;
    throw new UnfitDefinition(`its ${member} ${error.message.startsWith('/') ? `at ${error.message}` : error.message}`);
  }
}

function storable<Item extends object>(item: Item): Item {
  if (findUnstorable(item) !== null) throw new UnfitDefinition('it has text that cannot be stored');
  short(item);
  if (hasEndlessNumber(item)) throw new UnfitDefinition('it has a number that is infinite to clients');
  return item;
}

function short<Item extends object>(item: Item): Item {
  if (stringifyJson(item).length > MAX_DEFINITION_CHARS)
    throw new UnfitDefinition(`its definition is longer than ${MAX_DEFINITION_CHARS} characters`);
  return item;
}

function hasEndlessNumber(value: unknown): boolean {
  if (value instanceof JsonNumber) return !Number.isFinite(Number(value.text));
  return typeof value === 'object' && value !== null && Object.values(value).some(hasEndlessNumber);
}

/** Without those of the members that are null, or not what they have to be. */
function without(item: JsonObject, members: Record<string, Fits>): JsonObject {
  const kept = Object.entries(item).filter(([name, value]) => {
    const fits = Object.hasOwn(members, name) ? members[name] : undefined;
    return fits ? fits(value) : true;
  });
  return kept.length === Object.keys(item).length ? item : Object.fromEntries(kept);
}

/** As clients read it; null for what is no number to them. */
function numberOf(value: unknown): number | null {
  const number = value instanceof JsonNumber ? Number(value.text) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

function ordinal(place: number): string {
  const last = place % 10;
  const isTeen = Math.floor(place / 10) % 10 === 1;
  const ending = isTeen ? 'th' : ({ 1: 'st', 2: 'nd', 3: 'rd' } as Record<number, string>)[last];
  return `${place}${ending ?? 'th'}`;
}
