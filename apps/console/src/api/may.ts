import { useQuery } from '@tanstack/react-query';
import { meQuery } from './me.ts';
import { may } from './scopes.ts';

/** Whether the role of whoever is signed in has a scope, as `proxy:write`. The API decides; this is for what to show. */
export function useMay(scope: string): boolean {
  const { data: me } = useQuery(meQuery);
  return me !== null && me !== undefined && may(me, scope);
}
