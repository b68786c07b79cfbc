export { type ApprovalPage, openApprovalPage, pagesOfTests } from './approval-page.js';
export { decidePending, pendingRequest } from './approvals.js';
export { type Balancer, startBalancer } from './balancer.js';
export { type ChangingUpstream, startChangingUpstream } from './changing-upstream.js';
export { cli, type RunningCommand, startCli } from './cli.js';
export { Client, type Reply, textOf } from './client.js';
export { type ConnectCommand, startConnectCommand } from './connect-command.js';
export { startConformanceUpstream } from './conformance-upstream.js';
export { freshDatabaseUrl, testDatabase } from './database.js';
export { type RevisionUpstream, startRevisionUpstream } from './revision-upstream.js';
export { EgressWorld, failureOf } from './egress-world.js';
export { eventOf, type EventStreamUpstream, startEventStreamUpstream } from './event-stream-upstream.js';
export { eventually } from './eventually.js';
export { growthOf, LINEAR } from './growth.js';
export { type Launched, npmStart } from './launcher.js';
export { HOSTILE_NAMES, hostileAnswer, hostileUrls } from './hostile-urls.js';
export { type ArrivedMail, LOCALHOST_CERTIFICATE, type MailServer, startMailServer } from './mail-server.js';
export { type PushBrowser, type PushService, startPushService } from './push-service.js';
export {
  BareMcp,
  connectMcp,
  connectOldMcp,
  type McpRevision,
  type McpParty,
  type McpReply,
  type RpcMessage,
  saidBy,
  STATELESS_VERSION,
} from './mcp.js';
export { type McpUpstream, startMcpUpstream } from './mcp-upstream.js';
export { type AppProcess, type Environment, startApi, startWorker, testEnvironment } from './processes.js';
export { byStatus, type CallResult, Scenario, saying } from './scenario.js';
export { startTestPostgres, type TestPostgres } from './postgres.js';
export { type Arrival, type Receiver, type ReceiverAnswer, startReceiver } from './receiver.js';
export { startTestRedis, type TestRedis, testRedisUrl } from './redis.js';
export {
  type EverythingServer,
  type FakeUpstream,
  RpcFailure,
  startEverything,
  startFakeUpstream,
  startHungUpstream,
  text,
} from './upstreams.js';
export { type NotifyingUpstream, startNotifyingUpstream } from './notifying-upstream.js';
export { OidcBrowser, type Returned } from './oidc-browser.js';
export { ISSUER_CLIENT, type RealIssuer, startRealIssuer } from './real-issuer.js';
export { ScriptedIssuer } from './scripted-issuer.js';
export { type OddAnswer, type OddUpstream, startOddUpstream, withHandshake } from './odd-upstream.js';
export { type ResourceUpstream, startResourceUpstream } from './resource-upstream.js';
export { StandingStream } from './standing-stream.js';
export { type StatefulUpstream, startStatefulUpstream } from './stateful-upstream.js';
export { type ClaimedExchange, type SentPart, startConnector, type TestConnector } from './test-connector.js';
export { startTaskingUpstream, type TaskingUpstream, type TaskState } from './tasking-upstream.js';
export { startTextUpstream, type TextUpstream } from './text-upstream.js';
export { times } from './times.js';
export { copyTree } from './tree.js';
export { serveHttp, serveMcp, type Upstream } from './upstream-server.js';
export { verifiedExport } from './verified-export.js';
export { BOOTSTRAP_TOKEN, sharedWorld, startWorld, type World } from './world.js';
export { type Otherwise, type PasskeyOptionsJson, SoftwareAuthenticator } from './software-authenticator.js';
export {
  asSignedIn,
  cookieOf,
  enrolPasskey,
  pageOf,
  peopleEntries,
  Person,
  personOf,
  signInByLink,
  tokenOf,
} from './person.js';
