/**
 * Whether a role's scopes have one, as `proxy:write`: `*` stands for either part, and to write includes to act. As `grantsKeyScope` of
 * the API has it, which decides; this is for what to show.
 */
export function may({ scopes }: { scopes: readonly string[] }, scope: string): boolean {
  const [resource = '', action = ''] = scope.split(':');
  const actions = ['*', action, ...(['read', 'write'].includes(action) ? [] : ['write'])];
  return scopes.some((held) => {
    const [heldResource = '', heldAction = ''] = held.split(':');
    return held === '*' || (['*', resource].includes(heldResource) && actions.includes(heldAction));
  });
}
