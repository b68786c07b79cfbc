import { type QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  type ErrorComponentProps,
  lazyRouteComponent,
  Link,
  redirect,
} from '@tanstack/react-router';
import { type ReactNode } from 'react';
import { may } from './api/scopes.ts';
import { meQuery } from './api/me.ts';
import { ApprovalsPage } from './approvals/inbox.tsx';
import { type Status, STATUSES } from './approvals/requests.ts';
import { readFilter } from './audit/filter.ts';
import { readFlagsSearch } from './flags/search.ts';
import { readGrantsSearch } from './grants/search.ts';
import { readKeysSearch } from './keys/search.ts';
import { textsIn } from './parts/search.ts';
import { readSessionsSearch } from './sessions/search.ts';
import { readSpendSearch } from './spend/search.ts';
import { BASE } from './base.ts';
import { readPoliciesSearch } from './policies/search.ts';
import { Empty, Failed } from './parts/states.tsx';
import { readToolsSearch, readUpstreamsSearch } from './proxy/search.ts';
import { Shell } from './shell.tsx';
import { viewAt, type ViewPath } from './views.ts';
import { readDeliveriesSearch, readWebhooksSearch } from './webhooks/search.ts';

declare module '@tanstack/react-router' {
  interface StaticDataRouteOption {
    title?: string;
    /** The scope that it takes to read the view. */
    reads?: string;
  }
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}

const root = createRootRouteWithContext<{ client: QueryClient }>()({
  component: Shell,
  notFoundComponent: NotFound,
  errorComponent: Broken,
});

/** Whoever decides comes to what waits, everybody else to the overview. */
const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  staticData: { title: 'Home' },
  beforeLoad: async ({ context: { client } }) => {
    const me = await client.ensureQueryData(meQuery).catch(() => null);
    // Whoever is not signed in yet is asked to, here.
    if (me)
      redirect({
        to: may(me, 'approvals:decide') ? '/approvals' : '/overview',
        search: {},
        replace: true,
        throw: true,
      });
  },
});

/** What routes of views have in common. */
const view = <Path extends ViewPath>(path: Path) => {
  const { title, reads } = viewAt(path);
  return { getParentRoute: () => root, path, staticData: { title, reads } };
};

/** What `/approvals` shown is kept in its address. */
interface ApprovalsSearch {
  status?: Status;
  request?: string;
}

const approvals = createRoute({
  ...view('/approvals'),
  validateSearch: ({ status, request }: Record<string, unknown>): ApprovalsSearch => ({
    ...(STATUSES.includes(status as Status) && status !== 'pending' ? { status: status as Status } : {}),
    ...(typeof request === 'string' && /^apr_[0-9a-z]{1,64}$/.test(request) ? { request } : {}),
  }),
  component: ApprovalsPage,
});

const grants = createRoute({
  ...view('/grants'),
  validateSearch: readGrantsSearch,
  component: lazyRouteComponent(() => import('./grants/grants-page.tsx'), 'GrantsPage'),
});

const audit = createRoute({
  ...view('/audit'),
  validateSearch: readFilter,
  component: lazyRouteComponent(() => import('./audit/explorer.tsx'), 'AuditPage'),
});

const overview = createRoute({
  ...view('/overview'),
  component: lazyRouteComponent(() => import('./overview.tsx'), 'OverviewPage'),
});

const upstreams = createRoute({
  ...view('/upstreams'),
  validateSearch: readUpstreamsSearch,
  component: lazyRouteComponent(() => import('./proxy/upstreams-page.tsx'), 'UpstreamsPage'),
});

const tools = createRoute({
  ...view('/tools'),
  validateSearch: readToolsSearch,
  component: lazyRouteComponent(() => import('./proxy/tools-page.tsx'), 'ToolsPage'),
});

const policies = createRoute({
  ...view('/policies'),
  validateSearch: readPoliciesSearch,
  component: lazyRouteComponent(() => import('./policies/policies-page.tsx'), 'PoliciesPage'),
});

const webhooks = createRoute({
  ...view('/webhooks'),
  validateSearch: readWebhooksSearch,
  component: lazyRouteComponent(() => import('./webhooks/webhooks-page.tsx'), 'WebhooksPage'),
});

const deliveries = createRoute({
  ...view('/deliveries'),
  validateSearch: readDeliveriesSearch,
  component: lazyRouteComponent(() => import('./webhooks/deliveries-page.tsx'), 'DeliveriesPage'),
});

const integrity = createRoute({
  ...view('/integrity'),
  component: lazyRouteComponent(() => import('./integrity/integrity-page.tsx'), 'IntegrityPage'),
});

const system = createRoute({
  ...view('/system'),
  component: lazyRouteComponent(() => import('./system/system-page.tsx'), 'SystemPage'),
});

/** What is set up: upstreams and what may be called, who is told, and the installation. */
const settings = [upstreams, tools, policies, webhooks, deliveries, integrity, system] as const;

const flags = createRoute({
  ...view('/flags'),
  validateSearch: readFlagsSearch,
  component: lazyRouteComponent(() => import('./flags/flags-page.tsx'), 'FlagsPage'),
});

const sessions = createRoute({
  ...view('/sessions'),
  validateSearch: readSessionsSearch,
  component: lazyRouteComponent(() => import('./sessions/sessions-page.tsx'), 'SessionsPage'),
});

const agents = createRoute({
  ...view('/agents'),
  validateSearch: (search: Record<string, unknown>) => textsIn(search, ['agent']),
  component: lazyRouteComponent(() => import('./agents/agents-page.tsx'), 'AgentsPage'),
});

const spend = createRoute({
  ...view('/spend'),
  validateSearch: readSpendSearch,
  component: lazyRouteComponent(() => import('./spend/spend-page.tsx'), 'SpendPage'),
});

const budgets = createRoute({
  ...view('/budgets'),
  component: lazyRouteComponent(() => import('./budgets/budgets-page.tsx'), 'BudgetsPage'),
});

const secrets = createRoute({
  ...view('/secrets'),
  validateSearch: (search: Record<string, unknown>) => textsIn(search, ['secret']),
  component: lazyRouteComponent(() => import('./secrets/secrets-page.tsx'), 'SecretsPage'),
});

const keys = createRoute({
  ...view('/keys'),
  validateSearch: readKeysSearch,
  component: lazyRouteComponent(() => import('./keys/keys-page.tsx'), 'KeysPage'),
});

const people = createRoute({
  ...view('/people'),
  component: lazyRouteComponent(() => import('./people/people-page.tsx'), 'PeoplePage'),
});

export function makeRouter(client: QueryClient) {
  return createRouter({
    routeTree: root.addChildren([
      ...([home, approvals, grants, overview, audit, flags, sessions, agents, spend, budgets, secrets] as const),
      ...([keys, people] as const),
      ...settings,
    ]),
    basepath: BASE === '' ? '/' : BASE,
    context: { client },
    scrollRestoration: true,
  });
}

function NotFound(): ReactNode {
  return (
    <Empty title="There is nothing at this address.">
      <p>
        <Link to="/">Go to the start</Link>, or look for it in the{' '}
        <Link to="/audit" search={{}}>
          audit log
        </Link>
        .
      </p>
    </Empty>
  );
}

function Broken({ error, reset }: ErrorComponentProps): ReactNode {
  return (
    <main className="page">
      <Failed error={error} again={reset} />
      <p>
        <a href={`${BASE}/`}>Go to the start</a>
      </p>
    </main>
  );
}
