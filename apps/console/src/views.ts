interface View {
  /** What it stands under in the navigation; by itself where it is empty. */
  group: '' | 'Activity' | 'Money' | 'Vault' | 'Proxy' | 'Webhooks' | 'Settings';
  path: `/${string}`;
  /** In the navigation. */
  label: string;
  /** Of the page. */
  title: string;
  /** The scope that its first question to the API takes: whoever lacks it is not offered the view. */
  reads: `${string}:read`;
}

/**
 * Every view, in the order of the navigation, which is made of this list. The router has a route for each, and the API serves its address
 * (`apps/api/src/platform/console-views.ts`).
 */
export const VIEWS = [
  { group: '', path: '/approvals', label: 'Approvals', title: 'Approvals', reads: 'approvals:read' },
  { group: '', path: '/grants', label: 'Grants', title: 'Grants', reads: 'approvals:read' },
  { group: '', path: '/overview', label: 'Overview', title: 'Overview', reads: 'admin:read' },
  { group: 'Activity', path: '/audit', label: 'Audit log', title: 'Audit log', reads: 'audit:read' },
  { group: 'Activity', path: '/flags', label: 'Flags', title: 'Flags', reads: 'audit:read' },
  { group: 'Activity', path: '/sessions', label: 'Sessions', title: 'Sessions', reads: 'sessions:read' },
  { group: 'Activity', path: '/agents', label: 'Agents', title: 'Agents', reads: 'audit:read' },
  { group: 'Money', path: '/spend', label: 'Spend', title: 'Spend', reads: 'payments:read' },
  { group: 'Money', path: '/budgets', label: 'Budgets', title: 'Budgets', reads: 'payments:read' },
  { group: 'Vault', path: '/secrets', label: 'Secrets', title: 'Secrets', reads: 'vault:read' },
  { group: 'Proxy', path: '/upstreams', label: 'Upstreams', title: 'Upstreams', reads: 'proxy:read' },
  { group: 'Proxy', path: '/tools', label: 'Tools', title: 'Tools', reads: 'proxy:read' },
  { group: 'Proxy', path: '/policies', label: 'Policies', title: 'Policies', reads: 'proxy:read' },
  { group: 'Webhooks', path: '/webhooks', label: 'Endpoints', title: 'Webhooks', reads: 'webhooks:read' },
  { group: 'Webhooks', path: '/deliveries', label: 'Deliveries', title: 'Deliveries', reads: 'webhooks:read' },
  { group: 'Settings', path: '/keys', label: 'API keys', title: 'API keys', reads: 'admin:read' },
  { group: 'Settings', path: '/people', label: 'People & roles', title: 'People & roles', reads: 'admin:read' },
  { group: 'Settings', path: '/integrity', label: 'Integrity', title: 'Integrity', reads: 'audit:read' },
  { group: 'Settings', path: '/system', label: 'System', title: 'System', reads: 'audit:read' },
] as const satisfies readonly View[];

export type ViewPath = (typeof VIEWS)[number]['path'];

export function viewAt(path: ViewPath): View {
  const found: View | undefined = VIEWS.find((view) => view.path === path);
  if (!found) throw new Error('a path of a view is in the list');
  return found;
}

/** The views that somebody may read, under their groups. */
export function groupsOf(may: (scope: string) => boolean): { group: View['group']; views: (typeof VIEWS)[number][] }[] {
  const groups: { group: View['group']; views: (typeof VIEWS)[number][] }[] = [];
  for (const view of VIEWS.filter(({ reads }) => may(reads))) {
    const last = groups.at(-1);
    if (last?.group === view.group) last.views.push(view);
    else groups.push({ group: view.group, views: [view] });
  }
  return groups;
}
