import { InvalidInput, visibleText } from '@haldir/kernel';
import { type z } from 'zod';

/** Names longer than this are near nothing, and are not repeated whole. */
const MAX_NAME = 64;
/** So many foreign members are named; of the others only how many they are. */
const MAX_NAMED = 16;

/** What zod keeps of a schema, as far as members are found by it. */
interface Def {
  type: string;
  shape?: Record<string, z.ZodType>;
  catchall?: z.ZodType;
  innerType?: z.ZodType;
  element?: z.ZodType;
  options?: z.ZodType[];
  discriminator?: string;
  in?: z.ZodType;
  out?: z.ZodType;
}

const defOf = (schema: z.ZodType): Def => schema.def;

/** A name that is meant for another: a wish that would go unheard. */
class UnknownName extends InvalidInput {
  constructor(sent: string, what: string, meant: string | null, advice: string) {
    const details = { field: sent, ...(meant === null ? {} : { did_you_mean: meant }) };
    super(`${sent}: no ${what} of this name; ${advice}`, `unknown_${what}`, details);
  }
}

/**
 * The members of a body that its schema does not know, by their paths. Those are ignored, and the answer says so. One that
 * is a known name but for case, underscores, a plural s or one letter is refused: ignored, it would take the wish with it.
 * Maps of free members are left alone.
 *
 * @throws InvalidInput for a near miss
 */
export function foreignMembers(schema: z.ZodType, body: unknown): string[] {
  const found: string[] = [];
  search([schema], body, '', found);
  return found;
}

/** What an answer says of members that were ignored. */
export function warningsOf(foreign: readonly string[]): string[] {
  const named = foreign.slice(0, MAX_NAMED).map((path) => `${shown(path)}: no member of this name; ignored`);
  const others = foreign.length - named.length;
  return others === 0 ? named : [...named, `${others} more members are not known; ignored`];
}

/** @throws InvalidInput for a name in the query that the route does not know */
export function refuseUnknownQuery(known: ReadonlySet<string>, query: object): void {
  for (const [name, value] of Object.entries(query)) {
    if (known.has(name)) {
      if (value === '') throw new InvalidInput(`${name}: expected a value, or no such parameter`);
      continue;
    }
    const meant = nearest(name, known);
    const all = known.size === 0 ? 'none is taken here' : `known are ${[...known].join(', ')}`;
    throw new UnknownName(shown(name), 'parameter', meant, meant === null ? all : `did you mean ${meant}?`);
  }
}

/** The members of the objects that a schema takes. */
export function membersOf(schema: z.ZodType): ReadonlySet<string> {
  return new Set(objectsIn([schema]).flatMap((object) => Object.keys(defOf(object).shape ?? {})));
}

function search(schemas: readonly z.ZodType[], value: unknown, path: string, found: string[]): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    const elements = leavesOf(schemas).flatMap((schema) => defOf(schema).element ?? []);
    if (elements.length > 0) value.forEach((item, i) => search(elements, item, `${path}${i}.`, found));
    return;
  }
  const known = membersFor(schemas, value as Record<string, unknown>);
  if (known === null) return;
  for (const [name, member] of Object.entries(value)) {
    const taken = known.get(name);
    if (taken) search(taken, member, `${path}${name}.`, found);
    else notice(name, path, new Set(known.keys()), found);
  }
}

/** What is known of schemas that take the same members whatever their value is. */
const fixed = new WeakMap<z.ZodType, ReadonlyMap<string, z.ZodType[]> | null>();

/** The members that a value may have, with their schemas; null where it may have any, or is no object. */
function membersFor(
  schemas: readonly z.ZodType[],
  value: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, z.ZodType[]> | null {
  const [schema, ...others] = schemas;
  const isFixed = schema !== undefined && others.length === 0 && defOf(schema).discriminator === undefined;
  const before = isFixed ? fixed.get(schema) : undefined;
  if (before !== undefined) return before;
  const objects = objectsIn(schemas, value);
  let known: Map<string, z.ZodType[]> | null = null;
  if (objects.length > 0 && !objects.some(isFree)) {
    known = new Map();
    for (const object of objects)
      for (const [name, member] of Object.entries(defOf(object).shape ?? {}))
        known.set(name, [...(known.get(name) ?? []), member]);
  }
  if (isFixed) fixed.set(schema, known);
  return known;
}

/** Whether it may have any member; one that is strict may have none but its own. */
function isFree(object: z.ZodType): boolean {
  const { type, catchall } = defOf(object);
  return type === 'record' || (catchall !== undefined && defOf(catchall).type !== 'never');
}

function notice(name: string, path: string, known: ReadonlySet<string>, found: string[]): void {
  const meant = nearest(name, known);
  if (meant === null) found.push(path + name);
  else throw new UnknownName(shown(path + name), 'member', meant, `did you mean ${meant}?`);
}

/** The schemas that a schema is made of, without what is around them: defaults, absence, transformations, alternatives. */
function leavesOf(schemas: readonly z.ZodType[]): z.ZodType[] {
  return schemas.flatMap((schema): z.ZodType[] => {
    const { innerType, options, in: input, out } = defOf(schema);
    if (innerType) return leavesOf([innerType]);
    if (options) return leavesOf(options);
    if (input && out) return leavesOf([defOf(input).type === 'transform' ? out : input]);
    return [schema];
  });
}

/** The objects among the alternatives; of kinds that one member tells apart, the kind of this value. */
function objectsIn(schemas: readonly z.ZodType[], value: Readonly<Record<string, unknown>> = {}): z.ZodType[] {
  return schemas.flatMap((schema) => {
    const { discriminator, options = [] } = defOf(schema);
    const kind =
      discriminator !== undefined && discriminator in value
        ? options.find((option) => defOf(option).shape?.[discriminator]?.safeParse(value[discriminator]).success)
        : undefined;
    return leavesOf([kind ?? schema]).filter(
      (leaf) => defOf(leaf).shape !== undefined || defOf(leaf).type === 'record',
    );
  });
}

/** The known name that one was meant for, or null. */
function nearest(sent: string, known: ReadonlySet<string>): string | null {
  if (sent.length > MAX_NAME) return null;
  const plain = plainly(sent);
  const names = [...known];
  return (
    names.find((name) => plainly(name) === plain) ?? names.find((name) => isOneEditAway(plainly(name), plain)) ?? null
  );
}

const plainly = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/** Whether one letter was added, left out or replaced, or two neighbours were exchanged. */
function isOneEditAway(one: string, other: string): boolean {
  if (Math.abs(one.length - other.length) > 1) return false;
  const [short, long] = one.length <= other.length ? [one, other] : [other, one];
  let at = 0;
  while (at < short.length && short[at] === long[at]) at++;
  if (short.length < long.length) return short.slice(at) === long.slice(at + 1);
  const exchanged = short[at] === long[at + 1] && short[at + 1] === long[at];
  return short.slice(at + 1) === long.slice(at + 1) || (exchanged && short.slice(at + 2) === long.slice(at + 2));
}

function shown(name: string): string {
  const visible = visibleText(name.slice(0, 4 * MAX_NAME));
  return visible.length > 2 * MAX_NAME ? `${visible.slice(0, 2 * MAX_NAME)}…` : visible;
}
