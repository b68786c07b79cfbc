import { UnfitDefinition } from './mcp-client.errors.js';

/** Of one pattern, and of all of a schema. */
const MAX_PATTERN_CHARS = 1_000;
const MAX_CHARS = 16_384;
/** `\p{…}` of a schema, each of which costs whoever compiles it up to half a millisecond. */
const MAX_PROPERTIES = 100;

/** A pair of a backslash and what it escapes; a property of characters as a whole, with its expression. */
const ESCAPED = /\\(?:[pP]\{([^}]*)\}|[^])/gu;

/** Properties of characters that there are: as many at most as Unicode names. */
const known = new Set<string>();

/**
 * The patterns of one schema, which clients compile with the flag for whole characters. They are compiled here without their
 * properties of characters, each of which is compiled once in a process: a class of them takes time that is noticed.
 */
export class SchemaPatterns {
  private chars = 0;
  private properties = 0;

  /**
   * @param at where it is in the schema
   * @throws UnfitDefinition when it does not compile, or takes long
   */
  check(pattern: string, at: string): void {
    this.chars += pattern.length;
    if (pattern.length > MAX_PATTERN_CHARS)
      throw new UnfitDefinition(`${at} is a pattern of more than ${MAX_PATTERN_CHARS} characters`);
    if (this.chars > MAX_CHARS) throw new UnfitDefinition(`has patterns of more than ${MAX_CHARS} characters together`);
    const plain = pattern.replace(ESCAPED, (pair: string, property: string | undefined) => {
      if (property === undefined) return pair;
      if (++this.properties > MAX_PROPERTIES)
        throw new UnfitDefinition(`has more than ${MAX_PROPERTIES} properties of characters (\\p) in its patterns`);
      if (!known.has(property)) {
        mustCompile(`\\p{${property}}`, at);
        known.add(property);
      }
      // It may stand where any of them may: within a class, and at no end of a range.
      return '\\d';
    });
    mustCompile(plain, at);
  }
}

function mustCompile(pattern: string, at: string): void {
  try {
    new RegExp(pattern, 'u');
  } catch {
    throw new UnfitDefinition(`${at} is no regular expression of ECMAScript`);
  }
}
