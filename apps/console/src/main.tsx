import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { meQuery } from './api/me.ts';
import { followPerson } from './api/person.ts';
import { Problem } from './api/problem.ts';
import { makeRouter } from './router.tsx';
import './style.css';

const TRIES = 2;

function begin(): void {
  const client = new QueryClient({
    queryCache: new QueryCache({
      // Whoever is signed in no more is asked to sign in, wherever they are.
      onError: (error) => {
        if (error instanceof Problem && error.status === 401) void client.invalidateQueries(meQuery);
      },
    }),
    defaultOptions: {
      queries: {
        // A browser may be wrong about being offline: it is asked, and what fails has failed.
        networkMode: 'always',
        refetchOnReconnect: true,
        staleTime: 5_000,
        // What was refused is refused again; what did not come may come.
        retry: (count, error) => count < TRIES && (!(error instanceof Problem) || error.status === 0 || error.status >= 500), // prettier-ignore
      },
      // Nothing is kept to be sent once the browser is online again: whoever decides may have thought better of it.
      mutations: { networkMode: 'always' },
    },
  });
  const place = document.getElementById('root');
  if (!place) throw new Error('the page has no root');
  const router = makeRouter(client);
  followPerson(client, () => void router.invalidate());
  createRoot(place).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
}

// Browsers keep people's sign-ins, and passkeys, apart by name: this machine is localhost.
if (['127.0.0.1', '[::1]'].includes(location.hostname)) {
  const address = new URL(location.href);
  address.hostname = 'localhost';
  location.replace(address);
} else begin();
