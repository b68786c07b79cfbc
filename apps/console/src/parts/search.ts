/** The members of an address's search that are texts; a router reads `tool=5` as a number. */
export function textsIn<Name extends string>(
  search: Record<string, unknown>,
  names: readonly Name[],
): { [name in Name]?: string } {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = search[name];
      return (typeof value === 'string' && value !== '') || typeof value === 'number' ? [[name, String(value)]] : [];
    }),
  ) as { [name in Name]?: string };
}

/** The members of an address's search that are switched on. */
export function flagsIn<Name extends string>(
  search: Record<string, unknown>,
  names: readonly Name[],
): { [name in Name]?: true } {
  return Object.fromEntries(names.filter((name) => search[name] === true).map((name) => [name, true])) as {
    [name in Name]?: true;
  };
}
