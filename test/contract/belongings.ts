import { randomUUID } from 'node:crypto';
import { Client, eventually, startFakeUpstream } from '@haldir/test-support';
import { type Json, type Operation } from './api-document.js';
import { type Input } from './contract-client.js';

/** Where a tenant's upstream and webhooks are. */
export interface Neighbours {
  upstreamUrl: string;
  receiverUrl: string;
}

/** A tenant that makes what its calls need, so that each operation can be asked for something that is there. */
export class Belongings {
  /** A connector key, and a secret that it may read; made when it is first needed. */
  private connector: Promise<Client> | null = null;
  /** Fingerprint of what the tool that was changed last is now. */
  private changed = '';
  /** A package of evidence that can be downloaded. */
  private evidence: string | null = null;

  private constructor(
    readonly client: Client,
    private readonly neighbours: Neighbours,
  ) {}

  /** With an upstream named `up` whose tool `echo` takes a message. */
  static async of(client: Client, neighbours: Neighbours): Promise<Belongings> {
    const belongings = new Belongings(client, neighbours);
    const { healthy } = await belongings.make('/v1/proxy/upstreams', { name: 'up', url: neighbours.upstreamUrl });
    if (healthy !== true) throw new Error('the upstream is not there');
    return belongings;
  }

  /** What makes the operation succeed; each time of something that was not used before. */
  async input(operationId: string): Promise<Input> {
    const path = await this.path(operationId);
    const body = await this.body(operationId);
    const query = await this.query(operationId);
    return { ...(path && { path }), ...(query && { query }), ...(body && { body }) };
  }

  private async query(operationId: string): Promise<Input['query']> {
    if (operationId === 'getConsistencyProof') return this.treeSizes();
    // From the beginning of the log, so that something is told at once.
    return operationId === 'followAuditTrail' ? { since: 0 } : undefined;
  }

  /** Who may ask for the operation: those of connectors take no other key than theirs. */
  async asker(operation: Pick<Operation, 'id' | 'tags'>): Promise<Client> {
    if (!isForConnectors(operation)) return this.client;
    const connector = await (this.connector ??= this.newConnector());
    if (operation.id === 'claimExchanges') {
      // A lease that is new has the upstream asked for its tools: there is something to claim.
      await connector.send('DELETE', `/v1/connectors/${CONNECTED}/lease`, { instance: INSTANCE });
      await connector.put(`/v1/connectors/${CONNECTED}/lease`, { instance: INSTANCE });
    }
    return connector;
  }

  private async newConnector(): Promise<Client> {
    await this.make('/v1/secrets', { name: CONNECTED, value: 'correct horse' });
    const made = await this.make('/v1/keys', {
      tier: 'enterprise',
      connector: { upstream: CONNECTED, secrets: [CONNECTED] },
    });
    return new Client(this.client.url, String(made['key']));
  }

  /** A value for each parameter in the operation's path, of something that is there. */
  private async path(operationId: string): Promise<Record<string, string> | undefined> {
    switch (operationId) {
      case 'getSession':
      case 'revokeSession':
      case 'checkPermission':
        return { session_id: await this.client.session() };
      case 'getSecret':
      case 'deleteSecret':
      case 'rollBackSecret':
        return { name: await this.secret() };
      case 'listSecretVersions': {
        const name = await this.secret();
        await this.make('/v1/secrets', { name, value: 'battery staple' });
        return { name };
      }
      case 'getSecretVersion':
        return { name: await this.secret(), version: '1' };
      case 'restoreSecret':
      case 'purgeSecret':
        return { secret_id: await this.deletedSecret() };
      case 'removeBudget':
        return { budget_id: String((await this.make('/v1/budgets', this.lavishBudget()))['id']) };
      case 'getPayment':
      case 'capturePayment':
      case 'voidPayment':
        return { payment_id: await this.hold() };
      case 'eraseAuditDetails':
        return { entry_id: String((await this.make('/v1/audit', await this.action()))['entry_id']) };
      case 'checkApproval':
      case 'readApprovalDetails':
      case 'approveRequest':
      case 'denyRequest':
        return { request_id: String((await this.make('/v1/approvals/request', await this.request()))['request_id']) };
      case 'previewApprovalGrant':
        return { request_id: await this.heldCall() };
      case 'getApprovalGrant':
      case 'revokeApprovalGrant': {
        const path = `/v1/approvals/${await this.heldCall()}/approve`;
        return { grant_id: String((await this.make(path, { grant: SMALL_GRANT }))['grant_id']) };
      }
      case 'revokeApiKey':
      case 'rotateApiKey':
        return { prefix: String((await this.make('/v1/keys', {}))['prefix']) };
      case 'changePerson':
      case 'removePerson':
        return { person_id: String((await this.make('/v1/people', this.invitation()))['person_id']) };
      case 'removeApprovalRule':
        return { rule_id: String((await this.make('/v1/approvals/rules', HARMLESS_RULE))['id']) };
      case 'removeAuditRule':
        return { rule_id: String((await this.make('/v1/audit/rules', HARMLESS_FLAG))['id']) };
      case 'removeProxyPolicy':
      case 'changeProxyPolicy':
        return { policy_id: String((await this.make('/v1/proxy/policies', HARMLESS_POLICY))['id']) };
      case 'freezeAgent':
        return { agent_id: this.name('agent') };
      case 'unfreezeAgent': {
        const agent_id = this.name('agent');
        await this.make(`/v1/agents/${agent_id}/freeze`, { reason: 'x' });
        return { agent_id };
      }
      case 'downloadEvidencePackage':
        return { evidence_id: this.evidence ?? (await this.evidencePackage()) };
      case 'getEvidencePackage':
      case 'deleteEvidencePackage':
        return { evidence_id: await this.evidencePackage() };
      case 'getInclusionProof':
        return { entry_id: String((await this.make('/v1/audit', await this.action()))['entry_id']) };
      case 'deleteWebhook':
      case 'changeWebhook':
      case 'recoverWebhook':
      case 'rotateWebhookSecret':
      case 'testWebhook':
        return { webhook_id: await this.webhook() };
      case 'retryWebhookDelivery': {
        const path = `/v1/webhooks/${await this.webhook()}/test`;
        return { delivery_id: String((await this.make(path))['delivery_id']) };
      }
      case 'removeUpstream':
      case 'changeUpstream':
      case 'refreshUpstream': {
        const name = this.name('upstream');
        await this.make('/v1/proxy/upstreams', { name, url: this.neighbours.upstreamUrl });
        return { name };
      }
      case 'priceTool':
      case 'removeToolPrice': {
        const name = this.name('upstream');
        await this.make('/v1/proxy/upstreams', { name, url: this.neighbours.upstreamUrl });
        if (operationId === 'priceTool') return { name, tool: 'echo' };
        const tool = this.name('tool');
        await this.client.put(`/v1/proxy/upstreams/${name}/tools/${tool}/price`, { price_usd: 0.5 });
        return { name, tool };
      }
      case 'holdConnectorLease':
      case 'endConnectorLease':
      case 'claimExchanges':
      case 'answerExchanges':
      case 'readConnectorSecrets':
        return { name: CONNECTED };
      case 'acceptTool':
        return this.changedTool();
      default:
        return undefined;
    }
  }

  private async body(operationId: string): Promise<Json | undefined> {
    switch (operationId) {
      case 'createApiKey':
        return { name: 'ci', tier: 'free', scopes: ['audit:read'] };
      case 'invitePerson':
        return this.invitation();
      case 'changePerson':
        return { role: 'approver' };
      case 'createSession':
        return { agent_id: 'agent', scopes: ['read', 'execute'], ttl: 600, spend_limit: 5 };
      case 'checkPermission':
        return { scope: 'read' };
      case 'storeSecret':
        return { name: this.name('secret'), value: 'correct horse', scope_required: 'read' };
      case 'rollBackSecret':
        return { version: 1 };
      case 'authorizePayment':
        return this.payment();
      case 'holdPayment':
        return { ...(await this.payment()), ttl: 600 };
      case 'capturePayment':
        return { amount: 0.5 };
      case 'setBudget':
        return this.lavishBudget();
      case 'logAction':
        return this.action();
      case 'createEvidencePackage':
        return PERIOD;
      case 'addApprovalRule':
        return HARMLESS_RULE;
      case 'setApprovalSettings':
        return { forbid_self_approval: false };
      case 'requestApproval':
        return this.request();
      case 'approveRequest':
      case 'denyRequest':
        return { decided_by: 'dana', note: 'seen' };
      case 'previewApprovalGrant':
        return { grant: SMALL_GRANT };
      case 'registerWebhook':
        return { url: this.neighbours.receiverUrl, name: 'on-call', events: ['anomaly'] };
      case 'freezeAgent':
        return { reason: 'x' };
      case 'freezeTenant':
        return { reason: 'x' };
      case 'changeWebhook':
        return { events: ['anomaly'], active: true };
      case 'recoverWebhook':
        return { since: 0 };
      case 'registerUpstream':
        return { name: this.name('upstream'), url: this.neighbours.upstreamUrl };
      case 'changeUpstream':
        return { timeout: 20, max_answer_bytes: 65536, concurrency: null };
      case 'proxyCall':
        return {
          tool: 'up.echo',
          arguments: { message: 'hello' },
          session_id: await this.client.session({ scopes: ['execute'] }),
        };
      case 'acceptTool':
        return { fingerprint: this.changed };
      case 'addProxyPolicy':
        return HARMLESS_POLICY;
      case 'changeProxyPolicy':
        return { mode: 'log_only' };
      case 'priceTool':
        return { price_usd: 0.5 };
      case 'simulatePolicies':
        return { policies: [HARMLESS_POLICY] };
      case 'addAuditRule':
        return HARMLESS_FLAG;
      case 'holdConnectorLease':
        return { instance: INSTANCE, per_session: true, version: '1' };
      case 'endConnectorLease':
        return { instance: INSTANCE };
      case 'claimExchanges':
        return { instance: INSTANCE, max: 1, wait_seconds: 20 };
      case 'answerExchanges':
        return { instance: INSTANCE, parts: [{ id: 'cex_nobodys', seq: 0, status: 200, data: '{}', last: true }] };
      case 'readConnectorSecrets':
        return { names: [CONNECTED] };
      default:
        return undefined;
    }
  }

  /** A value for each filter of a list, of something that every list has an item of. */
  async filters(): Promise<Record<string, string>> {
    const [agent_id, tool] = [this.name('agent'), this.name('tool')];
    const session_id = await this.client.session({ agent_id, scopes: ['read', 'execute', 'spend'] });
    await this.make('/v1/audit', { session_id, tool, action: 'open', cost_usd: 1 });
    await this.make('/v1/keys', { agent: { agent_id, scopes: ['read'], ttl: 600, spend_limit: 0 } });
    await this.make('/v1/payments/authorize', { session_id, amount: 1 });
    await this.make('/v1/approvals/request', { session_id, tool, action: 'send' });
    await this.make(`/v1/approvals/${await this.heldCall(agent_id)}/approve`, { grant: SMALL_GRANT });
    const webhook_id = await this.webhook();
    await this.make(`/v1/webhooks/${webhook_id}/test`);
    await this.deletedSecret();
    return { agent_id, session_id, webhook_id, tool };
  }

  /** A tool that its upstream has changed, so that it waits to be accepted. */
  private async changedTool(): Promise<{ name: string; tool: string }> {
    const [name, tool] = [this.name('upstream'), this.name('tool')];
    const upstream = await startFakeUpstream(tool);
    await this.make('/v1/proxy/upstreams', { name, url: upstream.url });
    upstream.tools = [{ name: tool, description: 'Has changed' }];
    await this.make(`/v1/proxy/upstreams/${name}/refresh`);
    await upstream.stop();
    const { body } = await this.client.get<{ tools: { name: string; drift: { fingerprint: string } }[] }>(
      '/v1/proxy/tools?drifted=true',
    );
    this.changed = String(body.tools.find((found) => found.name === tool)?.drift.fingerprint);
    return { name, tool };
  }

  /** The request that a call waits for. */
  private async heldCall(agent_id = this.name('agent')): Promise<string> {
    const name = this.name('upstream');
    await this.make('/v1/proxy/upstreams', { name, url: this.neighbours.upstreamUrl });
    const tool = `${name}.echo`;
    await this.make('/v1/approvals/rules', { type: 'tool_blocked', tools: [tool] });
    const session_id = await this.client.session({ agent_id, scopes: ['execute'] });
    const { content } = await this.make('/v1/proxy/call', { tool, arguments: {}, session_id });
    const [said] = content as { text: string }[];
    return String((JSON.parse(said?.text ?? '') as Json)['request_id']);
  }

  /** Has a package made that can be downloaded, where there is a worker. */
  async makeEvidence(): Promise<void> {
    const id = await this.evidencePackage();
    await eventually(async () => {
      const { body } = await this.client.get(`/v1/evidence/${id}`);
      if (body['state'] !== 'done') throw new Error(`no evidence: ${JSON.stringify(body)}`);
    }, 60_000);
    this.evidence = id;
  }

  private async evidencePackage(): Promise<string> {
    return String((await this.make('/v1/evidence', PERIOD))['evidence_id']);
  }

  /** The name of a stored secret. */
  private async secret(): Promise<string> {
    const name = this.name('secret');
    await this.make('/v1/secrets', { name, value: 'correct horse' });
    return name;
  }

  /** The id of a secret that was deleted. */
  private async deletedSecret(): Promise<string> {
    const name = await this.secret();
    await this.client.delete(`/v1/secrets/${name}`);
    const { body } = await this.client.get<{ deleted: { secret_id: string }[] }>(`/v1/deleted-secrets?name=${name}`);
    return String(body.deleted[0]?.secret_id);
  }

  private async webhook(): Promise<string> {
    const { webhook_id: id } = await this.make('/v1/webhooks', { url: this.neighbours.receiverUrl });
    return String(id);
  }

  private async request(): Promise<Json> {
    return { session_id: await this.client.session(), tool: 'mail', action: 'send', amount: 1, reason: 'r', ttl: 600 };
  }

  private async action(): Promise<Json> {
    const session_id = await this.client.session({ agent_id: this.name('agent') });
    return { session_id, tool: 'browser', action: 'open', details: 'a page', cost_usd: 0.002 };
  }

  private async payment(): Promise<Json> {
    const session_id = await this.client.session({ spend_limit: 5 });
    return { session_id, amount: 1, currency: 'USD', description: 'x' };
  }

  private lavishBudget(): Json {
    return { scope: 'agent', agent_id: this.name('agent'), limit: 1_000_000 };
  }

  private async hold(): Promise<string> {
    return String((await this.make('/v1/payments/hold', await this.payment()))['authorization_id']);
  }

  private async treeSizes(): Promise<Record<string, string>> {
    const { body } = await this.client.get('/v1/audit/tree-head');
    return { first: '1', second: String(body['tree_size']) };
  }

  private invitation(): Json {
    return { email: `${this.name('person')}@example.com`, role: 'auditor', name: 'Alice' };
  }

  private name(what: string): string {
    return `${what}-${randomUUID()}`;
  }

  private async make(path: string, body?: Json): Promise<Json> {
    const reply = await this.client.post(path, body);
    if (reply.status >= 300) throw new Error(`POST ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
    return reply.body;
  }
}

/** Whether the operation is one that connectors alone ask for. */
export const isForConnectors = ({ tags }: Pick<Operation, 'tags'>): boolean => tags.includes('connectors');

const CONNECTED = 'connected';
const INSTANCE = 'instance0of0belongings';
const SMALL_GRANT = { uses: 1, ttl: 60 };
/** Of which one package is made, however often it is asked for. */
const PERIOD = { from: 0, to: 1 };
const HARMLESS_RULE = { type: 'spend_over', threshold: 1_000_000 };
const HARMLESS_POLICY = { type: 'block_tool', tool: 'nobody-has-it' };
const HARMLESS_FLAG = { type: 'high_cost', max_usd: 1_000_000 };
