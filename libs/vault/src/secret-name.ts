const MAX_CHARACTERS = 255;

/** Control characters, lone surrogates and line separators: what nobody can type, see or put into a URL. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * Whether a secret of this name can be read back at `/v1/secrets/{name}`: 1 to 255 printable characters, as they are (no
 * normalization). `.` and `..` are refused because URL parsers take them, percent-encoded too, for steps in the path.
 */
export function isSecretName(name: string): boolean {
  if (name === '' || name === '.' || name === '..' || UNPRINTABLE.test(name)) return false;
  return name.length <= MAX_CHARACTERS || [...name].length <= MAX_CHARACTERS;
}
