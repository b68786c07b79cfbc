/**
 * What a JSON text says; undefined where reading it would lose something, or it is none: a member that stands there twice, a number that
 * JavaScript rounds or writes otherwise.
 */
export function readLossless(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    const bare = text.replace(/"(?:[^"\\]|\\.)*"?|\s+/g, (part) => (part[0] === '"' ? part : ''));
    return JSON.stringify(value) === bare ? value : undefined;
  } catch {
    return undefined;
  }
}
