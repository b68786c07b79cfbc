import { type QueryClient } from '@tanstack/react-query';
import { isPageToken } from './client.ts';
import { type Me, meQuery } from './me.ts';

/**
 * Forgets what was read as one person once there is another or none, in this tab or, of the same sign-in, in another.
 *
 * @param onSwitched told once it is known who is signed in now, after another tab changed it
 */
export function followPerson(client: QueryClient, onSwitched: () => void): void {
  const [me] = meQuery.queryKey;
  const forget = (): void => {
    client.removeQueries({ predicate: ({ queryKey: [what] }) => what !== me });
    client.getMutationCache().clear();
  };
  let last: string | null | undefined;
  client.getQueryCache().subscribe(({ type, query }) => {
    const [what] = query.queryKey as readonly unknown[];
    const data = query.state.data as Me | null | undefined;
    if (type !== 'updated' || what !== me || data === undefined) return;
    const now = data?.person.person_id ?? null;
    if (last !== undefined && last !== now) forget();
    last = now;
  });
  addEventListener('storage', ({ key }) => {
    if (!isPageToken(key)) return;
    // Nothing of it is shown until that is known.
    void client.resetQueries(meQuery).then(onSwitched);
    forget();
  });
}
