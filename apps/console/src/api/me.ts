import { queryOptions } from '@tanstack/react-query';
import { askPage, keepPageToken, pageToken } from './client.ts';
import { Problem } from './problem.ts';

/** Who is signed in, as `GET /v1/me` answers. */
export interface Me {
  person: { person_id: string; email: string; name: string; role: string };
  scopes: string[];
}

/** Null while nobody is signed in in this browser. */
export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: async (): Promise<Me | null> => {
    const token = pageToken();
    if (token === null) return null;
    try {
      return await askPage<Me>('GET', '/v1/me');
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
      // Another tab may have signed in meanwhile.
      if (pageToken() === token) keepPageToken(null);
      return null;
    }
  },
  staleTime: Infinity,
});

export async function signOut(): Promise<void> {
  try {
    await askPage('POST', '/v1/me/sign-out', {});
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error;
  }
  keepPageToken(null);
}
