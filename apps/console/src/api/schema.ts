// Generated from the served document: test/console/types.e2e-spec.ts. Only the operations that the console asks for.
export interface paths {
    "/v1/admin/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an overview of the tenant
         * @description Usage, sessions, secrets, log, webhooks, approvals and health in one answer. The log is verified for it.
         */
        get: operations["getOverview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List agents
         * @description List the agents of the tenant by name, with their sessions, spending, flags, and whether they are frozen.
         */
        get: operations["listAgents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/proxy/upstreams": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List upstream servers
         * @description List all registered upstream MCP servers and their health status.
         */
        get: operations["listUpstreams"];
        put?: never;
        /**
         * Register an upstream MCP server
         * @description Register an upstream MCP server to proxy through Haldir. Haldir discovers the server's tools automatically.
         */
        post: operations["registerUpstream"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List approval rules
         * @description List the approval rules, oldest first. A `destructive` rule means tools that their MCP annotation marks so, and tools whose name contains one of: delete, drop, remove, destroy, wipe, erase, purge, truncate, uninstall, terminate, revoke, write, send, execute, transfer.
         */
        get: operations["listApprovalRules"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/people": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List people
         * @description List the people of the tenant in the order they were invited first.
         */
        get: operations["listPeople"];
        put?: never;
        /**
         * Invite a person
         * @description Make somebody a person of the tenant, and a link that signs them in once, within 24 hours. For one who is there already, another link, for who has lost what they sign in with.
         */
        post: operations["invitePerson"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents/{agent_id}/freeze": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Freeze an agent
         * @description Stop an agent until it is unfrozen: its calls, payments and reads are refused from the next step on, everywhere, what waits for approval is denied, and no session is opened for it.
         */
        post: operations["freezeAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/unfreeze": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Unfreeze every agent
         * @description Let the agents of the tenant go on; one that was frozen by itself stays so.
         */
        post: operations["unfreezeTenant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/agents/{agent_id}/unfreeze": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Unfreeze an agent
         * @description Let a frozen agent go on, with the sessions that still live, or new ones.
         */
        post: operations["unfreezeAgent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Query the audit trail
         * @description Retrieve audit log entries with optional filters by session, agent, tool, or flagged status.
         */
        get: operations["getAuditTrail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/proxy/tools": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List all proxied tools
         * @description List all tools available through the proxy, aggregated from all registered upstreams.
         */
        get: operations["listProxyTools"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/proxy/policies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List governance policies
         * @description List all active proxy governance policies.
         */
        get: operations["listProxyPolicies"];
        put?: never;
        /**
         * Add a governance policy
         * @description Add a policy to the proxy that controls which tools agents can use. Supported types: block_tool, allow_list, deny_list, spend_limit, rate_limit, time_window.
         */
        post: operations["addProxyPolicy"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/budgets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List budgets above sessions
         * @description List budgets with what was spent and is held under them in the period that is running.
         */
        get: operations["listBudgets"];
        put?: never;
        /**
         * Set a budget above sessions
         * @description Limit what the tenant spends in a UTC month, or an agent in a UTC day, over all its sessions. Takes the place of the budget there was, and counts what was spent in the period before.
         */
        post: operations["setBudget"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/{request_id}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Approve a pending request
         * @description Approve a pending approval request, allowing the agent to proceed.
         */
        post: operations["approveRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/{request_id}/deny": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Deny a pending request
         * @description Deny a pending approval request, blocking the agent's action.
         */
        post: operations["denyRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/{request_id}/details": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the details of an approval request
         * @description A part of the details, of which all can be read so, hidden characters as \u{…}: follow next_offset until it is null. Whoever may check the request may read them.
         */
        get: operations["readApprovalDetails"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/{request_id}/grant-preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Preview an approval grant
         * @description How many of the calls that waited in the last seven days a grant, given with the approval of this request, would have let through. Changes nothing.
         */
        post: operations["previewApprovalGrant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/pending": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List pending approvals
         * @description List all approval requests that are still pending a decision.
         */
        get: operations["listPendingApprovals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List approvals
         * @description List approval requests, decided ones included, newest first, by agent, tool, rule and status.
         */
        get: operations["listApprovals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/approvals/{request_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check approval status
         * @description Poll the status of a pending approval request.
         */
        get: operations["checkApproval"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/budgets/{budget_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove a budget
         * @description Remove a limit above sessions.
         */
        delete: operations["removeBudget"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/tree-head": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the signed tree head
         * @description The size and Merkle root of the log, signed by its own key. Holds every entry written before the request.
         */
        get: operations["getTreeHead"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/log-key": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the public key of the log
         * @description The key that signs checkpoints, as a C2SP verifier key and as a JWK set. Keep it where the log cannot reach.
         */
        get: operations["getLogKey"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/checkpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List checkpoints
         * @description Every tree head that was signed, newest first.
         */
        get: operations["listCheckpoints"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Verify the audit trail
         * @description Check every column of every entry, their links, and that they are what was signed. Takes a second for some ten thousand entries.
         */
        get: operations["verifyAuditTrail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit/export/manifest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the manifest of an export
         * @description What an export with these filters would end with: its count, digest and checkpoint.
         */
        get: operations["getExportManifest"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List API keys
         * @description List the keys of the tenant, oldest first, by kind, agent, prefix and status; never the keys themselves.
         */
        get: operations["listApiKeys"];
        put?: never;
        /**
         * Create an API key
         * @description Create a new API key. The very first key requires no authentication. Subsequent keys require either a valid API key or the HALDIR_BOOTSTRAP_TOKEN.
         */
        post: operations["createApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys/{prefix}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Rotate an API key
         * @description Make a new secret for the same principal: its session, quota and idempotency go on. The old secret is good until the overlap ends.
         */
        post: operations["rotateApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys/{prefix}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke an API key
         * @description End a key; every process refuses it from the next request on.
         */
        delete: operations["revokeApiKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/people/{person_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove a person
         * @description End everything of theirs at once: every sign-in, and the link. The last owner cannot be removed.
         */
        delete: operations["removePerson"];
        options?: never;
        head?: never;
        /**
         * Change a person's role
         * @description Give somebody another role; it holds from their next request on. The last owner stays one.
         */
        patch: operations["changePerson"];
        trace?: never;
    };
    "/v1/proxy/policies/{policy_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove a governance policy
         * @description Remove a policy; calls that begin afterwards are decided without it.
         */
        delete: operations["removeProxyPolicy"];
        options?: never;
        head?: never;
        /**
         * Change mode, scope or priority of a governance policy
         * @description Enforce a policy that was `log_only`, or give it another scope or priority; what is left out stays. Calls that begin afterwards are decided by it. A rate limit keeps what it has counted.
         */
        patch: operations["changeProxyPolicy"];
        trace?: never;
    };
    "/v1/proxy/simulate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Decide past calls again
         * @description What would the tenant's policies, or proposed ones, have decided over its past calls? Calls are decided again as the log recorded them, in the order of their time, rates included. Approval rules are those of today, and what a human approved then counts as approved. Reads of resources and prompts are not among them, and count towards no rate here. Nothing is written or called.
         */
        post: operations["simulatePolicies"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/proxy/upstreams/{name}/tools/{tool}/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Accept what an upstream says of a tool now
         * @description Accept the changed definition of a tool that is held back, so that it is shown and can be called again. The fingerprint says which definition was looked at: if the upstream has changed the tool once more, or the definition hides something, nothing is accepted (409).
         */
        post: operations["acceptTool"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/proxy/upstreams/{name}/tools/{tool}/price": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Give a tool a price
         * @description What each call of the tool costs. The price is held in the session's budget, its agent's of the day and the tenant's of the month before the call leaves, and spent with the tool's answer (one that says isError, too: the tool ran); without an answer it is given back. A call that a budget has no room for is refused (403, insufficient_budget).
         */
        put: operations["priceTool"];
        post?: never;
        /**
         * Take the price off a tool
         * @description Calls that begin afterwards cost nothing.
         */
        delete: operations["removeToolPrice"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/proxy/upstreams/{name}/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Discover the tools of an upstream again
         * @description Ask an upstream for its tools now. While it does not answer, the tools it had stay known.
         */
        post: operations["refreshUpstream"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/proxy/upstreams/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove an upstream server
         * @description Remove an upstream with its tools; calls that begin afterwards do not find them.
         */
        delete: operations["removeUpstream"];
        options?: never;
        head?: never;
        /**
         * Change settings of an upstream server
         * @description Change how an upstream is treated and what it may take; what is left out stays, and so do its address, its headers, its tools with their pins and prices, and its statistics. Calls that begin afterwards go by it. Another address or other headers are another registration.
         */
        patch: operations["changeUpstream"];
        trace?: never;
    };
    "/v1/secrets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List secret names
         * @description List all stored secret names (never values).
         */
        get: operations["listSecrets"];
        put?: never;
        /**
         * Store an encrypted secret
         * @description Store a secret in the Vault, encrypted at rest with AES. Optionally require a specific scope for retrieval.
         */
        post: operations["storeSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/secrets/{name}/versions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the versions of a secret
         * @description List the versions of a secret, newest first (never values).
         */
        get: operations["listSecretVersions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/deleted-secrets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List deleted secrets
         * @description List the secrets that were deleted and can still be restored, the last deleted first (never values).
         */
        get: operations["listDeletedSecrets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/secrets/{name}/rollback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Roll a secret back
         * @description Store the value of an earlier version again, as a new version. It keeps its expiry; the scope it requires is that of the version it takes the place of.
         */
        post: operations["rollBackSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/secrets/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete a secret
         * @description Permanently delete a secret from the Vault.
         */
        delete: operations["deleteSecret"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/deleted-secrets/{secret_id}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Restore a deleted secret
         * @description Bring a deleted secret back, with all its versions. Refused (409) while another secret has its name.
         */
        post: operations["restoreSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List sessions
         * @description List sessions, newest first, by agent, status and who opened them.
         */
        get: operations["listSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{session_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke a session
         * @description Immediately revoke a session, permanently disabling all permissions.
         */
        delete: operations["revokeSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/spend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get what was paid by day
         * @description What was paid in a period of UTC days, by day and by agent or tool, with what they come to: payments authorized and captured, converted to USD.
         */
        get: operations["getDailySpend"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the status of the service
         * @description How its parts are, and how requests went. No authentication required.
         */
        get: operations["getStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Health check
         * @description Returns service status. No authentication required.
         */
        get: operations["healthCheck"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/freeze": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Freeze every agent
         * @description Stop every agent of the tenant until it is unfrozen, those to come included.
         */
        post: operations["freezeTenant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List registered webhooks
         * @description List all webhooks registered for this account.
         */
        get: operations["listWebhooks"];
        put?: never;
        /**
         * Register a webhook
         * @description Register a URL to receive real-time event notifications (anomaly, approval_requested, budget_exhausted).
         */
        post: operations["registerWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List delivery attempts
         * @description List attempts to deliver events, newest first, by webhook, outcome and event type.
         */
        get: operations["listWebhookDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{webhook_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete a webhook
         * @description End a webhook. Nothing is sent to it any more, not even what was waiting.
         */
        delete: operations["deleteWebhook"];
        options?: never;
        head?: never;
        /**
         * Change a webhook
         * @description Change where a webhook is sent, what it hears of, or whether it is sent anything at all; what is left out stays, and so does its secret. While a webhook is disabled its events are kept (WEBHOOK_RETENTION_DAYS): switch it on, then recover them.
         */
        patch: operations["changeWebhook"];
        trace?: never;
    };
    "/v1/webhooks/{webhook_id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a test event
         * @description Send a webhook_test event to this webhook alone, signed and retried like any other.
         */
        post: operations["testWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{webhook_id}/rotate-secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Rotate a webhook secret
         * @description Make a new signing secret. During the grace period both the new and the previous secret sign.
         */
        post: operations["rotateWebhookSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/deliveries/{delivery_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry a delivery
         * @description Send the event again now, whatever became of it: the same bytes under the same webhook-id.
         */
        post: operations["retryWebhookDelivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/{webhook_id}/recover": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Recover what a webhook missed
         * @description Send what was not delivered: events that came while the webhook was disabled, and deliveries that were given up, the same bytes under the same webhook-id. What was delivered is not sent again. Up to 10,000 at once.
         */
        post: operations["recoverWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Overview: {
            tenant_id: string;
            tier: string;
            /** @description ISO 8601 */
            generated_at: string;
            usage: {
                /** @description Authenticated requests */
                actions_this_month: number;
                /** @description Cost that entries report */
                spend_usd_this_month: number;
            };
            sessions: {
                active_count: number;
            };
            vault: {
                secrets_count: number;
            };
            audit: {
                total_entries: number;
                /** @description At most 1,000 are counted */
                flagged_7d: number;
                /** @description ISO 8601 */
                last_entry_at: string | null;
                chain_verified: boolean;
            };
            webhooks: {
                /** @description At most 1,000 are counted */
                registered_count: number;
                deliveries_24h: number;
                /** @description From 0 to 1; 1 without deliveries */
                delivery_success_rate_24h: number;
                failed_24h: number;
            };
            approvals: {
                pending_count: number;
            };
            health: {
                status: string;
                components: {
                    name: string;
                    state: string;
                    message: string;
                }[];
            };
        };
        Agent: {
            agent_id: string;
            active_sessions: number;
            /** @description Entries of the log */
            actions: number;
            /** @description Of these, flagged */
            flagged: number;
            /** @description Payments authorized and captured so far */
            spent_usd: number;
            /** @description Unix timestamp of the last entry */
            last_seen: number;
            /** @description Null unless the agent is frozen by itself */
            frozen: components["schemas"]["Freeze"] | null;
        };
        Freeze: {
            reason: string;
            /** @description The principal that did it */
            by: string;
            /** @description Unix timestamp */
            at: number;
        };
        Upstream: {
            url: string;
            /** @description Headers that are sent to it: the references in them, *** for anything else */
            headers: {
                [key: string]: string;
            };
            /** @description How Haldir is authorized there */
            auth: {
                /** @constant */
                type: "client_credentials";
                token_origin: string;
                client_id: string;
            } | null;
            /** @description Whether agents are shown its tools with its name before theirs */
            prefix: boolean;
            /**
             * @description Between its name and that of a tool, as agents are shown them
             * @enum {string}
             */
            separator: "__" | ".";
            /** @description Seconds */
            tools_max_age: number;
            /** @description How long a call of it may take (seconds), its own or that of the settings */
            timeout: number;
            /** @description The largest answer to a call or read */
            max_answer_bytes: number;
            /** @description Calls that each API process sends it at once */
            concurrency: number;
            /** @description Of an upstream that `haldir connect` stands for */
            connector?: {
                /** @description Connectors that stand for it now */
                instances: number;
                /** @description Unix timestamp; null when none was there lately */
                last_seen: number | null;
            };
            /**
             * @description Sessions with it: none; own, one for each session of an agent; shared, one for all of the tenant, whose state every agent sees (of an upstream over an event stream, as in 2024-11-05, one in each process). Null while not known
             * @enum {string|null}
             */
            sessions: "none" | "own" | "shared" | null;
            /** @description Whether it answered when it was last asked */
            healthy: boolean;
            tools: number;
            /** @description Tools of these that are held back because the upstream has changed them */
            drifted: number;
            /** @description Tools, resources, templates and prompts that it offers besides and that are not taken */
            refused: number;
            /** @description Tools whose definition was not taken (the first 100): it misleads, clients could read nothing of a list that has it, or Haldir cannot call it. Absent when there are none */
            refused_tools?: {
                /** @description Its name, or address, with hidden characters made visible */
                name: string;
                /** @description Why it is neither shown nor called */
                reason: string;
            }[];
            /** @description Resources whose definition was not taken (the first 25): it misleads, clients could read nothing of a list that has it, or Haldir cannot call it. Absent when there are none */
            refused_resources?: {
                /** @description Its name, or address, with hidden characters made visible */
                name: string;
                /** @description Why it is neither shown nor called */
                reason: string;
            }[];
            /** @description Resource templates whose definition was not taken (the first 25): it misleads, clients could read nothing of a list that has it, or Haldir cannot call it. Absent when there are none */
            refused_resource_templates?: {
                /** @description Its name, or address, with hidden characters made visible */
                name: string;
                /** @description Why it is neither shown nor called */
                reason: string;
            }[];
            /** @description Prompts whose definition was not taken (the first 25): it misleads, clients could read nothing of a list that has it, or Haldir cannot call it. Absent when there are none */
            refused_prompts?: {
                /** @description Its name, or address, with hidden characters made visible */
                name: string;
                /** @description Why it is neither shown nor called */
                reason: string;
            }[];
            /** @description Calls that were let through to it */
            total_calls: number;
            /** @description Calls of these that ended without an answer of the tool */
            total_errors: number;
            /** @description Calls of these that the tool itself answered with isError */
            tool_errors: number;
            /** @description Time to its answer; 0 while there were no calls */
            avg_latency_ms: number;
            /** @description Unix timestamp */
            last_check: number | null;
            /** @description Why it is not healthy */
            error?: string;
            /**
             * @description closed: calls go to it; open: it is left alone after calls that failed or were slow; half_open: one call finds out
             * @enum {string}
             */
            circuit: "closed" | "open" | "half_open";
            /**
             * @description Why it is not closed
             * @enum {string}
             */
            circuit_reason?: "errors" | "slowness";
            /** @description Until when it is left alone; Unix timestamp */
            circuit_until?: number;
        };
        ApprovalRule: {
            id: string;
            /** @enum {string} */
            type: "spend_over" | "tool_blocked" | "destructive" | "all";
            /** @description USD; of spend_over rules */
            threshold?: number;
            /** @description Of tool_blocked rules */
            tools?: string[];
            /** @description Unix timestamp */
            created_at: number;
        };
        PersonDetail: {
            person_id: string;
            email: string;
            name: string;
            /** @enum {string} */
            role: "owner" | "operator" | "approver" | "auditor";
            /**
             * @description invited until they sign in for the first time
             * @enum {string}
             */
            status: "invited" | "active";
            /** @description Unix timestamp */
            created_at: number;
            /** @description When they signed in first: Unix timestamp */
            signed_in_at: number | null;
            /** @description Members of the request that are not known and were ignored; absent when there were none */
            warnings?: string[];
        };
        PersonInvited: {
            person_id: string;
            email: string;
            name: string;
            /** @enum {string} */
            role: "owner" | "operator" | "approver" | "auditor";
            /**
             * @description invited until they sign in for the first time
             * @enum {string}
             */
            status: "invited" | "active";
            /** @description Unix timestamp */
            created_at: number;
            /** @description When they signed in first: Unix timestamp */
            signed_in_at: number | null;
            /** @description Signs them in once; shown only once. Give it to them, and to nobody else */
            link: string;
            /** @description Unix timestamp */
            link_expires_at: number;
            /** @description Members of the request that are not known and were ignored; absent when there were none */
            warnings?: string[];
        };
        AuditEntry: {
            entry_id: string;
            session_id: string;
            agent_id: string;
            tool: string;
            action: string;
            cost_usd: number;
            flagged: boolean;
            flag_reason: string | null;
            /** @description Unix timestamp */
            timestamp: number;
            details?: string | null;
            /** @description Who wrote it: agent, proxy, session (Haldir, for what a session did) or haldir */
            source: string;
            /** @description Position in the log, from 0 */
            leaf_index: number;
            /** @description Hash of the entry before, hex */
            prev_hash: string;
            /** @description Hash of this entry, hex: its leaf in the Merkle tree */
            entry_hash: string;
            /** @description Of the entry: 2 names who acted, 1 was written before entries did */
            format: number;
            /** @description Who acted, as people are told; the bare id once that was erased */
            actor: string | null;
            /** @description Opaque id of who acted; haldir for Haldir itself */
            actor_id: string | null;
            /** @description JSON text: label, address of the client and trace_id (W3C Trace Context), as far as known; erased with the details */
            context: string | null;
        };
        Budget: {
            id: string;
            /** @enum {string} */
            scope: "tenant" | "agent";
            /** @description Null for the tenant, and for every agent without a budget of its own */
            agent_id: string | null;
            /**
             * @description UTC
             * @enum {string}
             */
            period: "month" | "day";
            limit: number;
            /** @description In the period that is running; null for a budget that stands for many agents */
            spent: number | null;
            /** @description Set aside for payments that may still be captured */
            held: number | null;
            remaining: number | null;
            /** @description Unix timestamp */
            created_at: number;
        };
        GrantTerms: {
            /** @description How many calls in all, the one that waits included */
            uses: number;
            /** @description For how long (seconds) */
            ttl: number;
            /**
             * @description Arguments that may be anything; all others are as in the call that waits, none more and none fewer
             * @default []
             */
            free_arguments: string[];
            /** @description What all of the calls may spend (USD), as rules see it; without it they may spend nothing */
            total_amount?: number | null;
        };
        ApprovalDetailsPart: {
            request_id: string;
            /** @description The part of the details; all of them, in their order, are what the approval is about */
            text: string;
            /** @description Where the part begins, in characters (Unicode code points) */
            offset: number;
            /** @description How many characters the details have */
            total: number;
            /** @description Where the next part begins; null after the last */
            next_offset: number | null;
            /** @description SHA-256 (hex) of all of the details, in UTF-8 */
            sha256: string;
            /** @description SHA-256 (hex) of the exact call the approval lets through; null when an agent asked of its own accord */
            digest: string | null;
        };
        PendingApproval: {
            request_id: string;
            agent_id: string;
            tool: string;
            action: string;
            amount: number;
            reason: string;
            /** @description Unix timestamp */
            created_at: number;
            /** @description What the request is about, for whoever decides: its first 16384 characters. Hidden characters here and above read \u{…} */
            details: string | null;
            /** @description Whether the details go on: read all of them at details_path before you approve the request */
            details_cut: boolean;
            /** @description Where all of the details are, part by part; null when these are all */
            details_path: string | null;
            /** @description SHA-256 (hex) of the exact call the approval lets through; null when an agent asked of its own accord */
            digest: string | null;
            /** @description Prefix of the API key that asked, or the id of the person */
            requested_key: string | null;
            /** @description Unix timestamp */
            expires_at: number;
        };
        ApprovalDetail: {
            request_id: string;
            /** @description pending, approved, or denied */
            status: string;
            agent_id: string;
            tool: string;
            action: string;
            amount: number;
            reason: string;
            decided_by?: string | null;
            decision_note?: string | null;
            /** @description What the request is about, for whoever decides: its first 16384 characters. Hidden characters here and above read \u{…} */
            details: string | null;
            /** @description Whether the details go on: read all of them at details_path before you approve the request */
            details_cut: boolean;
            /** @description Where all of the details are, part by part; null when these are all */
            details_path: string | null;
            /** @description SHA-256 (hex) of the exact call the approval lets through; null when an agent asked of its own accord */
            digest: string | null;
            /** @description Prefix of the API key that asked, or the id of the person */
            requested_key: string | null;
            /** @description Unix timestamp */
            created_at: number;
            /** @description Unix timestamp */
            expires_at: number;
            /** @description Unix timestamp */
            decided_at: number | null;
            /** @description Prefix of the API key that decided, or the id of the person */
            decided_key: string | null;
            /** @description Whether the person who decided signed it with a passkey; the entry of the log has what was signed */
            signed: boolean;
            /** @description Whether the call it stands for was let through */
            consumed: boolean;
            /** @description The policies and approval rules that hold it back */
            rule_ids: string[];
            /** @description Arguments of the call that others like it may have otherwise; null where this call alone can be approved */
            grantable_arguments: string[] | null;
            /** @description The grant by which it was approved, and which lets its call through */
            grant_id: string | null;
            /** @description How many webhooks and people, by e-mail, have taken the request so far; 0: nobody was told of it yet. Of a request that is asked for by itself */
            told?: number;
        };
        TreeHead: {
            /** @description Entries in the log */
            tree_size: number;
            /** @description Root of the RFC 6962 Merkle tree over them, hex */
            root_hash: string;
            /** @description Unix timestamp */
            signed_at: number;
            /** @description Ed25519 over the first three lines of the checkpoint, base64 */
            signature: string;
            algorithm: string;
            tenant_id: string;
            /** @description The name of the log, and of its key */
            origin: string;
            /** @description C2SP hash of the key, hex */
            key_id: string;
            /** @description The same as a C2SP checkpoint in a signed note */
            checkpoint: string;
        };
        AuditExportManifest: {
            /** @constant */
            type: "manifest";
            format_version: number;
            tenant_id: string;
            /** @description Unix timestamp */
            generated_at: number;
            filters: {
                [key: string]: string | boolean | number;
            };
            count: number;
            first_timestamp: number | null;
            last_timestamp: number | null;
            /** @description entry_hash of the last entry, hex */
            last_chain_hash: string | null;
            /** @description Over the entry ids in their order, each followed by a newline, hex */
            sha256: string;
            /** @description Entries in the log when it was exported */
            tree_size: number;
            /** @description C2SP verifier key of the log */
            verifier_key: string;
            /** @description C2SP checkpoint over the log as it was exported */
            checkpoint: string;
            /** @description Older checkpoints, oldest first, evenly spread when there are many */
            checkpoints: string[];
            /** @description C2SP signed note of the log over the digest of all other members */
            signature: string;
        };
        ApiKeyListItem: {
            prefix: string;
            name: string;
            tier: string;
            scopes: string[];
            /** @description Of an agent key, its ceiling; null for every other */
            agent: components["schemas"]["GrantedCeiling"] | null;
            /** @description Of a connector key, what it is good for; null for every other */
            connector: components["schemas"]["GrantedConnector"] | null;
            /** @description Unix timestamp */
            created_at: number;
            /** @description Unix timestamp, to the minute; null until first used */
            last_used: number | null;
            /** @description Unix timestamp; null for never */
            expires_at: number | null;
            /** @description Prefix of the first key of the same principal: another where a key was rotated */
            principal: string;
            revoked: boolean;
        };
        GrantedCeiling: {
            agent_id: string;
            scopes: string[];
            ttl: number;
            spend_limit: number;
            /** @enum {string} */
            spend_period: "day" | "month" | "total";
            upstreams: string[] | null;
            /** @enum {string} */
            catalogue: "full" | "search";
        };
        GrantedConnector: {
            upstream: string;
            secrets: string[];
        };
        AgentCeiling: {
            /** @description The agent that the key acts as */
            agent_id: string;
            /** @description What its sessions may hold */
            scopes: string[];
            /** @description Seconds that a session of its lives at most */
            ttl: number;
            /** @description USD that all its sessions together may spend in a period; 0 for nothing */
            spend_limit: number;
            /**
             * @description A UTC day, a UTC month, or the whole life of the key
             * @default day
             * @enum {string}
             */
            spend_period: "day" | "month" | "total";
            /** @description Upstreams that it may use; absent for every upstream */
            upstreams?: string[] | null;
            /**
             * @description How /mcp shows its sessions the tools of upstreams, where they do not say so themselves
             * @default full
             * @enum {string}
             */
            catalogue: "full" | "search";
        };
        ConnectorUse: {
            /** @description The one upstream that the connector stands for */
            upstream: string;
            /**
             * @description Names of the secrets that whoever holds the key may read
             * @default []
             */
            secrets: string[];
        };
        ProxyPolicy: {
            id: string;
            /** @enum {string} */
            type: "block_tool" | "allow_list" | "deny_list" | "spend_limit" | "rate_limit" | "time_window" | "require_approval";
            /** @description Of block_tool */
            tool?: string;
            /** @description Of allow_list and deny_list */
            tools?: string[];
            /** @description Of spend_limit, USD per call */
            max?: number;
            /** @description Of rate_limit, calls of one agent */
            max_per_minute?: number;
            /** @description Of time_window, UTC */
            start_hour?: number;
            /** @description Of time_window, UTC, exclusive */
            end_hour?: number;
            /** @enum {string} */
            mode: "enforce" | "log_only";
            /** @description An empty list matches all */
            scope: {
                upstreams: string[];
                agents: string[];
                tools: string[];
            };
            priority: number;
            /** @description Members of the request that are not known and were ignored; absent when there were none */
            warnings?: string[];
        };
        ProxyExplanation: {
            policy_id: string;
            /** @enum {string} */
            policy: "block_tool" | "allow_list" | "deny_list" | "spend_limit" | "rate_limit" | "time_window" | "require_approval";
            reason: string;
            remedy: {
                policy_id: string;
                /**
                 * @description What would have to happen to the policy; `wait`: nothing but time
                 * @enum {string}
                 */
                change: "raise" | "add_tool" | "remove_tool" | "wait" | "remove_policy";
                /**
                 * @description Of raise
                 * @enum {string}
                 */
                field?: "max" | "max_per_minute";
                /** @description Of raise */
                to?: number;
                /** @description Of add_tool */
                tool?: string;
                /** @description Of remove_tool */
                tools?: string[];
                /** @description Of wait, Unix seconds */
                until?: number;
                /** @description The same in words */
                text: string;
            };
        };
        SecretItem: {
            name: string;
            /** @description The newest */
            version: number;
            scope_required: string;
            /** @description When that version was stored (Unix timestamp) */
            created_at: number;
            /** @description When the value expires (Unix timestamp); null for never */
            expires_at: number | null;
            expired: boolean;
            /** @description Tools that the version may be used with by {{vault:name}} */
            bindings: {
                upstream: string;
                /** @description * for all that goes to the upstream */
                tool: string;
            }[];
        };
        SecretBinding: {
            /** @description Upstream, registered already or not yet */
            upstream: string;
            /**
             * @description A tool of it by its own name; * or left out for all that goes to the upstream
             * @default *
             */
            tool: string;
        };
        SessionListItem: {
            session_id: string;
            agent_id: string;
            scopes: string[];
            spend_limit: number | null;
            spent: number;
            /** @description Set aside for payments that may still be captured */
            held: number;
            /** @description Held for the sessions that were opened from it: what those may spend that are not over, and what the others have used up */
            delegated: number;
            /** @description What of the limit is neither spent nor held nor delegated */
            remaining_budget: number | null;
            /**
             * @description How /mcp shows it the tools of upstreams
             * @enum {string}
             */
            catalogue: "full" | "search";
            /** @description The session that it was opened from; null for one that was opened from none, and always for an agent key */
            parent_session_id: string | null;
            /** @description How many sessions it descends from: its parent, the parent of that, and so on */
            depth: number;
            /** @description How many sessions descend from it that are not over; noted within seconds */
            descendants: number;
            is_valid: boolean;
            /** @description Unix timestamp */
            created_at: number;
            /** @description Unix timestamp */
            expires_at: number;
            /** @enum {string} */
            status: "active" | "expired" | "revoked";
        };
        Status: {
            /**
             * @description ok while every component is
             * @enum {string}
             */
            status: "ok" | "down";
            /** @description Unix timestamp */
            checked_at: number;
            components: {
                name: string;
                /** @enum {string} */
                state: "ok" | "down";
                message: string;
                /** @description Unix timestamp */
                checked_at: number;
            }[];
            /** @description Of the process that answers, since it started */
            metrics: {
                success_rate: {
                    total: number;
                    /** @description Answered with a 5xx */
                    errors: number;
                    ratio: number;
                };
                /** @description Upper bounds; null while there were no requests, and over five seconds */
                latency_seconds: {
                    p50: number | null;
                    p95: number | null;
                    p99: number | null;
                };
            };
        };
        WebhookDeliveryAttempt: {
            /** @description The delivery; pass it to retry. Attempts of one delivery share it */
            id: string;
            delivery_id: string;
            webhook_id: number;
            url: string;
            event: string;
            /** @description The webhook-id header, the same at every attempt */
            event_id: string;
            /** @description From 1 */
            attempt: number;
            /**
             * @description Outcome of this attempt
             * @enum {string}
             */
            status: "delivered" | "failed";
            /** @description What the endpoint answered; null when no answer came */
            status_code: number | null;
            /** @description Kind of failure; null for a success */
            error: string | null;
            duration_ms: number;
            /** @description Unix timestamp of the attempt */
            created_at: number;
            /**
             * @description What has become of the delivery by now; pending means that another attempt is to come
             * @enum {string}
             */
            delivery_status: "pending" | "delivered" | "failed" | "cancelled";
            /** @description Unix timestamp of the next attempt; null when none is to come */
            next_attempt_at: number | null;
        };
        WebhookListItem: {
            webhook_id: number;
            name: string;
            url: string;
            events: string[];
            /**
             * @description What it is sent: the event as JSON, or a message for Slack or Teams
             * @enum {string}
             */
            format: "haldir" | "slack" | "teams";
            /** @description False once it was disabled: it answered 410, failed for five days, or was switched off */
            active: boolean;
            /** @enum {string|null} */
            disabled_reason: "gone" | "failing" | "requested" | null;
            /** @description Unix timestamp of the first failure since the last success */
            failing_since: number | null;
            /** @description Unix timestamp; deliveries wait until then after many failures */
            paused_until: number | null;
            /** @description Unix timestamp until which the previous secret signs too */
            secret_prev_expires_at: number | null;
            /** @description Unix timestamp */
            created_at: number;
            /** @description Members of the request that are not known and were ignored; absent when there were none */
            warnings?: string[];
        };
    };
    responses: never;
    parameters: {
        /** @description Session ID */
        SessionIdPath: string;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getOverview: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Overview */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "tenant_id": "tnt_01m8a0n4yy042z44fpt3fcp8g3",
                     *       "tier": "enterprise",
                     *       "generated_at": "2026-12-01T05:50:40.110Z",
                     *       "usage": {
                     *         "actions_this_month": 69,
                     *         "spend_usd_this_month": 1.002
                     *       },
                     *       "sessions": {
                     *         "active_count": 13
                     *       },
                     *       "vault": {
                     *         "secrets_count": 3
                     *       },
                     *       "audit": {
                     *         "total_entries": 61,
                     *         "flagged_7d": 0,
                     *         "last_entry_at": "2026-12-01T05:50:40.106Z",
                     *         "chain_verified": true
                     *       },
                     *       "webhooks": {
                     *         "registered_count": 2,
                     *         "deliveries_24h": 0,
                     *         "delivery_success_rate_24h": 1,
                     *         "failed_24h": 0
                     *       },
                     *       "approvals": {
                     *         "pending_count": 0
                     *       },
                     *       "health": {
                     *         "status": "ok",
                     *         "components": [
                     *           {
                     *             "name": "api",
                     *             "state": "ok",
                     *             "message": "answers"
                     *           },
                     *           {
                     *             "name": "database",
                     *             "state": "ok",
                     *             "message": "answers"
                     *           }
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Overview"];
                };
            };
        };
    };
    listAgents: {
        parameters: {
            query?: {
                /** @description That agent alone */
                agent_id?: string;
                /** @description Max agents to return */
                limit?: number;
                /** @description The next_cursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Agents */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "agents": [
                     *         {
                     *           "agent_id": "agent",
                     *           "active_sessions": 10,
                     *           "actions": 21,
                     *           "flagged": 0,
                     *           "spent_usd": 1,
                     *           "last_seen": 1796104239.994,
                     *           "frozen": null
                     *         },
                     *         {
                     *           "agent_id": "agent-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *           "active_sessions": 1,
                     *           "actions": 2,
                     *           "flagged": 0,
                     *           "spent_usd": 0,
                     *           "last_seen": 1796104239.866,
                     *           "frozen": null
                     *         }
                     *       ],
                     *       "count": 4,
                     *       "tenant_frozen": null,
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": {
                        agents: components["schemas"]["Agent"][];
                        count: number;
                        /** @description Null unless every agent is frozen */
                        tenant_frozen: components["schemas"]["Freeze"] | null;
                        /** @description Pass as cursor for the next page; null on the last */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    listUpstreams: {
        parameters: {
            query?: {
                /** @description Only upstreams that answered when they were asked last, or only those that did not */
                healthy?: "true" | "false";
                /** @description A text within the name, small and capital letters of ASCII alike */
                name_contains?: string;
                /** @description Max entries to return */
                limit?: number;
                /** @description The next_cursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Upstream server stats */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "upstreams": {
                     *         "up": {
                     *           "url": "http://127.0.0.1:3000/mcp",
                     *           "headers": {},
                     *           "auth": null,
                     *           "prefix": true,
                     *           "separator": "__",
                     *           "tools_max_age": 20,
                     *           "timeout": 30,
                     *           "max_answer_bytes": 4194304,
                     *           "concurrency": 32,
                     *           "sessions": "own",
                     *           "healthy": true,
                     *           "tools": 12,
                     *           "drifted": 0,
                     *           "refused": 1,
                     *           "refused_tools": [
                     *             {
                     *               "name": "simulate-research-query",
                     *               "reason": "it can be called as a task only (execution.taskSupport), and Haldir does not make tasks"
                     *             }
                     *           ],
                     *           "total_calls": 0,
                     *           "total_errors": 0,
                     *           "tool_errors": 0,
                     *           "avg_latency_ms": 0,
                     *           "last_check": 1796104236.658,
                     *           "circuit": "closed"
                     *         },
                     *         "upstream-0edaf7d1-268b-472a-a303-a945af66a9fe": {
                     *           "url": "http://127.0.0.1:3000/mcp",
                     *           "headers": {},
                     *           "auth": null,
                     *           "prefix": true,
                     *           "separator": "__",
                     *           "tools_max_age": 20,
                     *           "timeout": 30,
                     *           "max_answer_bytes": 4194304,
                     *           "concurrency": 32,
                     *           "sessions": "own",
                     *           "healthy": true,
                     *           "tools": 12,
                     *           "drifted": 0,
                     *           "refused": 1,
                     *           "refused_tools": [
                     *             {
                     *               "name": "simulate-research-query",
                     *               "reason": "it can be called as a task only (execution.taskSupport), and Haldir does not make tasks"
                     *             }
                     *           ],
                     *           "total_calls": 0,
                     *           "total_errors": 0,
                     *           "tool_errors": 0,
                     *           "avg_latency_ms": 0,
                     *           "last_check": 1796104239.373,
                     *           "circuit": "closed"
                     *         },
                     *         "upstream-93534d3a-cc08-4f56-91f9-1925679d70e1": {
                     *           "url": "http://127.0.0.1:3000/mcp",
                     *           "headers": {},
                     *           "auth": null,
                     *           "prefix": true,
                     *           "separator": "__",
                     *           "tools_max_age": 20,
                     *           "timeout": 30,
                     *           "max_answer_bytes": 4194304,
                     *           "concurrency": 32,
                     *           "sessions": "own",
                     *           "healthy": true,
                     *           "tools": 12,
                     *           "drifted": 0,
                     *           "refused": 1,
                     *           "refused_tools": [
                     *             {
                     *               "name": "simulate-research-query",
                     *               "reason": "it can be called as a task only (execution.taskSupport), and Haldir does not make tasks"
                     *             }
                     *           ],
                     *           "total_calls": 0,
                     *           "total_errors": 0,
                     *           "tool_errors": 0,
                     *           "avg_latency_ms": 0,
                     *           "last_check": 1796104239.672,
                     *           "circuit": "closed"
                     *         }
                     *       },
                     *       "total_tools": 36,
                     *       "policies": 1,
                     *       "count": 3,
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": {
                        /** @description By name */
                        upstreams: {
                            [key: string]: components["schemas"]["Upstream"];
                        };
                        /** @description Tools of all upstreams */
                        total_tools: number;
                        /** @description Number of active policies */
                        policies: number;
                        count: number;
                        /** @description Pass as cursor for the next page; null on the last */
                        next_cursor: string | null;
                    } & {
                        [key: string]: unknown;
                    };
                };
            };
        };
    };
    registerUpstream: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "everything",
                 *       "url": "http://127.0.0.1:3002/mcp"
                 *     }
                 */
                "application/json": {
                    /** @description Unique name for this upstream */
                    name: string;
                    /**
                     * Format: uri
                     * @description MCP server URL
                     */
                    url: string;
                    /**
                     * @description Whether agents are shown its tools with its name before theirs; false shows their own names
                     * @default true
                     */
                    prefix?: boolean;
                    /**
                     * @description Between its name and that of a tool, as agents are shown them: __ makes names that the APIs of models take, . those of policies and the log. Calls are taken by either
                     * @default __
                     * @enum {string}
                     */
                    separator?: "__" | ".";
                    /**
                     * @description A call asks the upstream for its tools again when the last answer is older (seconds); 0 before every call
                     * @default 20
                     */
                    tools_max_age?: number;
                    /** @description How long it may take to answer a call or to be discovered (seconds), at most UPSTREAM_MAX_CALL_SECONDS; null is UPSTREAM_TIMEOUT_SECONDS. Progress begins it anew */
                    timeout?: number | null;
                    /** @description The largest answer to a call or read, at most UPSTREAM_MAX_ANSWER_BYTES, which it is when null */
                    max_answer_bytes?: number | null;
                    /** @description Calls that each API process sends it at once, at most UPSTREAM_CONCURRENCY, which it is when null; others wait for their turn, as long as the timeout */
                    concurrency?: number | null;
                    /** @description Sent with every request to the upstream; {{vault:name}} stands for a secret that is bound to the whole upstream. Never shown again */
                    headers?: {
                        [key: string]: string;
                    } | null;
                    /** @description How Haldir is authorized there by OAuth 2.0; its access token is sent with every request */
                    auth?: {
                        /** @constant */
                        type: "client_credentials";
                        /**
                         * Format: uri
                         * @description Token endpoint
                         */
                        token_url: string;
                        client_id: string;
                        /** @description {{vault:name}} stands for a secret that is bound to the whole upstream. Never shown again */
                        client_secret: string;
                        scope?: string | null;
                        /** @description RFC 8707 resource indicator */
                        resource?: string | null;
                    } | null;
                };
            };
        };
        responses: {
            /** @description Upstream registered */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "registered": true,
                     *       "name": "upstream-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *       "url": "http://127.0.0.1:3000/mcp",
                     *       "healthy": true,
                     *       "tools_discovered": 12,
                     *       "tool_names": [
                     *         "echo",
                     *         "get-annotated-message"
                     *       ],
                     *       "refused_tools": [
                     *         {
                     *           "name": "simulate-research-query",
                     *           "reason": "it can be called as a task only (execution.taskSupport), and Haldir does not make tasks"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        registered: true;
                        name: string;
                        url: string;
                        healthy: boolean;
                        tools_discovered: number;
                        tool_names: string[];
                        /** @description Present if upstream had errors during discovery */
                        error?: string;
                        /** @description HTTP status from upstream (debug) */
                        upstream_status?: number;
                        /** @description Truncated response body from upstream (debug) */
                        upstream_body?: string;
                        /** @description Tools whose definition was not taken: it misleads, clients could read nothing of a list that has it, or Haldir cannot call it. Absent when there are none */
                        refused_tools?: {
                            /** @description Its name, or address, with hidden characters made visible */
                            name: string;
                            /** @description Why it is neither shown nor called */
                            reason: string;
                        }[];
                        /** @description Resources whose definition was not taken: it misleads, clients could read nothing of a list that has it, or Haldir cannot call it. Absent when there are none */
                        refused_resources?: {
                            /** @description Its name, or address, with hidden characters made visible */
                            name: string;
                            /** @description Why it is neither shown nor called */
                            reason: string;
                        }[];
                        /** @description Resource templates whose definition was not taken: it misleads, clients could read nothing of a list that has it, or Haldir cannot call it. Absent when there are none */
                        refused_resource_templates?: {
                            /** @description Its name, or address, with hidden characters made visible */
                            name: string;
                            /** @description Why it is neither shown nor called */
                            reason: string;
                        }[];
                        /** @description Prompts whose definition was not taken: it misleads, clients could read nothing of a list that has it, or Haldir cannot call it. Absent when there are none */
                        refused_prompts?: {
                            /** @description Its name, or address, with hidden characters made visible */
                            name: string;
                            /** @description Why it is neither shown nor called */
                            reason: string;
                        }[];
                        /** @description Tools that are held back because they are not as they were accepted; absent when there are none */
                        drifted_tools?: string[];
                        /** @description Members of the request that are not known and were ignored; absent when there were none */
                        warnings?: string[];
                    };
                };
            };
        };
    };
    listApprovalRules: {
        parameters: {
            query?: {
                /** @description Max entries to return */
                limit?: number;
                /** @description The next_cursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Approval rules */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "count": 3,
                     *       "rules": [
                     *         {
                     *           "id": "apl_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "type": "tool_blocked",
                     *           "tools": [
                     *             "upstream-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34.echo"
                     *           ],
                     *           "created_at": 1796104239.395
                     *         },
                     *         {
                     *           "id": "apl_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "type": "spend_over",
                     *           "threshold": 1000000,
                     *           "created_at": 1796104239.518
                     *         }
                     *       ],
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": {
                        count: number;
                        rules: components["schemas"]["ApprovalRule"][];
                        /** @description Pass as cursor for the next page; null on the last */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    listPeople: {
        parameters: {
            query?: {
                /** @description Max entries to return */
                limit?: number;
                /** @description The next_cursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description People */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "people": [
                     *         {
                     *           "person_id": "prs_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "email": "person-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34@example.com",
                     *           "name": "Alice",
                     *           "role": "auditor",
                     *           "status": "invited",
                     *           "created_at": 1796104240.289,
                     *           "signed_in_at": null
                     *         }
                     *       ],
                     *       "count": 1,
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": {
                        people: components["schemas"]["PersonDetail"][];
                        count: number;
                        /** @description Pass as cursor for the next page; null on the last */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    invitePerson: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "alice@example.com",
                 *       "role": "approver",
                 *       "name": "Alice"
                 *     }
                 */
                "application/json": {
                    /** @description E-mail address; until they have signed in, nothing is sent to it */
                    email: string;
                    /**
                     * @description What they may do: docs/people.md has the scopes of each
                     * @enum {string}
                     */
                    role: "owner" | "operator" | "approver" | "auditor";
                    /**
                     * @description As they are to be called
                     * @default
                     */
                    name?: string;
                };
            };
        };
        responses: {
            /** @description Person invited */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "person_id": "prs_01m8a0n4yy042z44fpt3fcp8g3",
                     *       "email": "person-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34@example.com",
                     *       "name": "Alice",
                     *       "role": "auditor",
                     *       "status": "invited",
                     *       "created_at": 1796104240.289,
                     *       "signed_in_at": null,
                     *       "link": "http://localhost:3000/welcome#A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0u1v",
                     *       "link_expires_at": 1796190640.294
                     *     }
                     */
                    "application/json": components["schemas"]["PersonInvited"];
                };
            };
        };
    };
    freezeAgent: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Agent identifier */
                agent_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "Calls that nobody asked for"
                 *     }
                 */
                "application/json": {
                    /** @description Why, for the log, the event and whoever asks later */
                    reason: string;
                };
            };
        };
        responses: {
            /** @description The agent is frozen */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "frozen": true,
                     *       "agent_id": "agent-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *       "changed": true,
                     *       "denied_approvals": 0,
                     *       "revoked_grants": 0
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        frozen: true;
                        /** @description Null for every agent of the tenant */
                        agent_id: string | null;
                        /** @description False when it was frozen already; the first reason stands */
                        changed: boolean;
                        /** @description Requests for approval that waited, and are denied */
                        denied_approvals: number;
                        /** @description Approvals of several calls that were not used up, and let nothing through any more */
                        revoked_grants: number;
                        /** @description Members of the request that are not known and were ignored; absent when there were none */
                        warnings?: string[];
                    };
                };
            };
        };
    };
    unfreezeTenant: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The tenant is not frozen */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "frozen": false,
                     *       "agent_id": null,
                     *       "changed": true
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        frozen: false;
                        /** @description Null for every agent of the tenant */
                        agent_id: string | null;
                        /** @description False when it was not frozen */
                        changed: boolean;
                    };
                };
            };
        };
    };
    unfreezeAgent: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Agent identifier */
                agent_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The agent is not frozen */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "frozen": false,
                     *       "agent_id": "agent-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *       "changed": true
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        frozen: false;
                        /** @description Null for every agent of the tenant */
                        agent_id: string | null;
                        /** @description False when it was not frozen */
                        changed: boolean;
                    };
                };
            };
        };
    };
    getAuditTrail: {
        parameters: {
            query?: {
                /** @description Filter by session */
                session_id?: string;
                /** @description Filter by agent */
                agent_id?: string;
                /** @description Filter by tool name */
                tool?: string;
                /** @description Only flagged entries */
                flagged?: "true" | "false";
                /** @description Max entries to return */
                limit?: number;
                /** @description A text within the tool name, small and capital letters of ASCII alike: `mail` finds `GMail.send` */
                tool_contains?: string;
                /** @description The whole action, as entries show it: `tool_call_blocked`, or what an agent wrote */
                action?: string;
                /** @description What was decided about a call, read or prompt of the proxy; no other entry has a decision */
                decision?: "allowed" | "blocked" | "approval_required" | "approval_denied";
                /** @description Id of a policy or approval rule: calls that it was the first to block, requests for approval that it made, and changes of itself. None once the details of the entry were erased */
                rule?: string;
                /** @description Name of an upstream: calls, reads and prompts whose tool is `<upstream>.…`, whatever was decided */
                upstream?: string;
                /** @description Who acted: `actor_id` as entries show it, or `actor`, which means the id in it: `key:hld_…`, `agent:my-agent (hld_…)` */
                actor?: string;
                /** @description Entries from then on: Unix seconds or ISO 8601 */
                since?: string;
                /** @description Entries up to then: Unix seconds or ISO 8601 */
                until?: string;
                /** @description The next_cursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Audit entries */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "count": 44,
                     *       "entries": [
                     *         {
                     *           "entry_id": "aud_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "session_id": "ses_01m8a0n4yy042z44fpt3fcp8g3k9q2x7v5",
                     *           "agent_id": "agent-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *           "tool": "browser",
                     *           "action": "open",
                     *           "cost_usd": 0.002,
                     *           "flagged": false,
                     *           "flag_reason": null,
                     *           "timestamp": 1796104239.866,
                     *           "details": "a page",
                     *           "source": "agent",
                     *           "leaf_index": 43,
                     *           "prev_hash": "832de17803e0ca138d9afad6193ac511069d0bcd19a7240be953011645d1571e",
                     *           "entry_hash": "f33aae15b14986fb6b0935f13b96fed086d4a8c8ee8c772d28713456c5411139",
                     *           "format": 2,
                     *           "actor": "key:hld_A1b2C3d4E5",
                     *           "actor_id": "hld_A1b2C3d4E5",
                     *           "context": "{\"address\":\"127.0.0.1\",\"label\":\"key:hld_A1b2C3d4E5\"}"
                     *         },
                     *         {
                     *           "entry_id": "aud_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "session_id": "ses_01m8a0n4yy042z44fpt3fcp8g3k9q2x7v5",
                     *           "agent_id": "agent-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *           "tool": "haldir.gate",
                     *           "action": "session_created",
                     *           "cost_usd": 0,
                     *           "flagged": false,
                     *           "flag_reason": null,
                     *           "timestamp": 1796104239.86,
                     *           "details": "{\"scopes\":[\"read\",\"browse\"],\"ttl\":3600,\"spend_limit\":null,\"by\":\"hld_A1b2C3d4E5\"}",
                     *           "source": "haldir",
                     *           "leaf_index": 42,
                     *           "prev_hash": "aa9b80082942a6e8dbf4a19d574fd6568cc47f3de2dca52e76ebec001a56d54b",
                     *           "entry_hash": "832de17803e0ca138d9afad6193ac511069d0bcd19a7240be953011645d1571e",
                     *           "format": 2,
                     *           "actor": "key:hld_A1b2C3d4E5",
                     *           "actor_id": "hld_A1b2C3d4E5",
                     *           "context": "{\"address\":\"127.0.0.1\",\"label\":\"key:hld_A1b2C3d4E5\"}"
                     *         }
                     *       ],
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": {
                        count: number;
                        entries: components["schemas"]["AuditEntry"][];
                        /** @description Pass as cursor for the next page; null on the last. With several filters a page may hold few entries, or none, and not be the last: one request looks at so many */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    listProxyTools: {
        parameters: {
            query?: {
                /** @description Only tools that are held back, or only those that are not */
                drifted?: "true" | "false";
                /** @description Filter by upstream */
                upstream?: string;
                /** @description A text within the name, small and capital letters of ASCII alike */
                name_contains?: string;
                /** @description Max entries to return */
                limit?: number;
                /** @description The next_cursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Proxied tools */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "count": 36,
                     *       "tools": [
                     *         {
                     *           "name": "echo",
                     *           "description": "Echoes back the input string",
                     *           "upstream": "up",
                     *           "qualified_name": "up.echo",
                     *           "model_name": "up__echo",
                     *           "input_schema": {
                     *             "$schema": "http://json-schema.org/draft-07/schema#",
                     *             "type": "object",
                     *             "properties": {
                     *               "message": {
                     *                 "type": "string",
                     *                 "description": "Message to echo"
                     *               }
                     *             },
                     *             "required": [
                     *               "message"
                     *             ]
                     *           },
                     *           "annotations": {
                     *             "readOnlyHint": true,
                     *             "destructiveHint": false,
                     *             "idempotentHint": true,
                     *             "openWorldHint": false
                     *           },
                     *           "fingerprint": "7f44ccc849658890126f40e521000825b08a7f09a6f290a43d02db4e8eec6e2b"
                     *         },
                     *         {
                     *           "name": "get-annotated-message",
                     *           "description": "Demonstrates how annotations can be used to provide metadata about content.",
                     *           "upstream": "up",
                     *           "qualified_name": "up.get-annotated-message",
                     *           "model_name": "up__get-annotated-message",
                     *           "input_schema": {
                     *             "$schema": "http://json-schema.org/draft-07/schema#",
                     *             "type": "object",
                     *             "properties": {
                     *               "messageType": {
                     *                 "type": "string",
                     *                 "enum": [
                     *                   "error",
                     *                   "success"
                     *                 ],
                     *                 "description": "Type of message to demonstrate different annotation patterns"
                     *               },
                     *               "includeImage": {
                     *                 "default": false,
                     *                 "description": "Whether to include an example image",
                     *                 "type": "boolean"
                     *               }
                     *             },
                     *             "required": [
                     *               "messageType"
                     *             ]
                     *           },
                     *           "annotations": {
                     *             "readOnlyHint": true,
                     *             "destructiveHint": false,
                     *             "idempotentHint": true,
                     *             "openWorldHint": false
                     *           },
                     *           "fingerprint": "694ee09edc2a7c37b56b990e92c05e58c43e9f46ce92790a8a55922787dec0b7"
                     *         }
                     *       ],
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": {
                        count: number;
                        tools: {
                            name: string;
                            description: string;
                            upstream: string;
                            /** @description upstream.tool: always answers to it */
                            qualified_name: string;
                            /** @description upstream__tool in what the APIs of models take (1 to 64 letters, digits, - and _): always answers to it */
                            model_name: string;
                            /** @description Why model_name ends in a hash */
                            warning?: string;
                            /** @description JSON Schema of the arguments */
                            input_schema: {
                                [key: string]: unknown;
                            };
                            /** @description Hints of the upstream, as it gave them */
                            annotations?: {
                                [key: string]: unknown;
                            };
                            /** @description SHA-256 (hex) of the accepted definition: of its RFC 8785 JSON with the sets of its schemas (required, enum, type) in one order */
                            fingerprint: string;
                            /** @description Of each call */
                            price_usd?: number;
                            /** @description Present while the tool is held back because its upstream has changed it */
                            drift?: {
                                /** @description Of what the upstream says of the tool now, which can be accepted */
                                fingerprint: string;
                                /** @description Unix timestamp */
                                seen_at: number;
                                /** @description What differs from what was accepted, with hidden characters made visible */
                                diff: {
                                    /** @description JSON pointer into the definition */
                                    path: string;
                                    was?: unknown;
                                    is?: unknown;
                                }[];
                            };
                        }[];
                        /** @description Pass as cursor for the next page; null on the last */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    listProxyPolicies: {
        parameters: {
            query?: {
                /** @description Filter by type */
                type?: "block_tool" | "allow_list" | "deny_list" | "spend_limit" | "rate_limit" | "time_window" | "require_approval";
                /** @description Filter by mode */
                mode?: "enforce" | "log_only";
                /** @description Those that hold for calls to the upstream: whose scope names it, or no upstream at all */
                upstream?: string;
                /** @description Max entries to return */
                limit?: number;
                /** @description The next_cursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Active policies */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "policies": [
                     *         {
                     *           "id": "pol_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "type": "block_tool",
                     *           "tool": "nobody-has-it",
                     *           "mode": "enforce",
                     *           "priority": 0,
                     *           "scope": {
                     *             "upstreams": [],
                     *             "agents": [],
                     *             "tools": []
                     *           }
                     *         },
                     *         {
                     *           "id": "pol_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "type": "block_tool",
                     *           "tool": "nobody-has-it",
                     *           "mode": "enforce",
                     *           "priority": 0,
                     *           "scope": {
                     *             "upstreams": [],
                     *             "agents": [],
                     *             "tools": []
                     *           }
                     *         }
                     *       ],
                     *       "count": 2,
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": {
                        policies: ({
                            id: string;
                            /** @enum {string} */
                            type: "block_tool" | "allow_list" | "deny_list" | "spend_limit" | "rate_limit" | "time_window" | "require_approval";
                            /** @description Of block_tool */
                            tool?: string;
                            /** @description Of allow_list and deny_list */
                            tools?: string[];
                            /** @description Of spend_limit, USD per call */
                            max?: number;
                            /** @description Of rate_limit, calls of one agent */
                            max_per_minute?: number;
                            /** @description Of time_window, UTC */
                            start_hour?: number;
                            /** @description Of time_window, UTC, exclusive */
                            end_hour?: number;
                            /** @enum {string} */
                            mode: "enforce" | "log_only";
                            /** @description An empty list matches all */
                            scope: {
                                upstreams: string[];
                                agents: string[];
                                tools: string[];
                            };
                            priority: number;
                        } & {
                            [key: string]: unknown;
                        })[];
                        count: number;
                        /** @description Pass as cursor for the next page; null on the last */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    addProxyPolicy: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "type": "block_tool",
                 *       "tool": "everything.get-env"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Policy type
                     * @enum {string}
                     */
                    type: "block_tool" | "allow_list" | "deny_list" | "spend_limit" | "rate_limit" | "time_window" | "require_approval";
                    /** @description Tool name (for block_tool) */
                    tool?: string;
                    /** @description Tool list (for allow_list / deny_list) */
                    tools?: string[];
                    /** @description Max USD (spend_limit) */
                    max?: number;
                    /** @description Max calls per minute (rate_limit) */
                    max_per_minute?: number;
                    /** @description Start hour UTC (time_window) */
                    start_hour?: number;
                    /** @description End hour UTC (time_window) */
                    end_hour?: number;
                    /**
                     * @description With `log_only` nothing is refused or held for the policy: what it would have done is in the audit entry of each call. Default `enforce`
                     * @enum {string}
                     */
                    mode?: "enforce" | "log_only";
                    /** @description The calls the policy is about: exact names, or patterns in which `*` stands for anything. All that are given must match; an empty or absent list matches all. */
                    scope?: {
                        /** @description Names of upstreams */
                        upstreams?: string[];
                        /** @description Agent IDs */
                        agents?: string[];
                        /** @description Tool names, bare or `upstream.tool` */
                        tools?: string[];
                    };
                    /** @description Of the policies that refuse a call, the one of the highest priority is named; then the oldest. Default 0 */
                    priority?: number;
                };
            };
        };
        responses: {
            /** @description Policy added */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "added": true,
                     *       "type": "block_tool",
                     *       "id": "pol_01m8a0n4yy042z44fpt3fcp8g3"
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        added: true;
                        type: string;
                        id: string;
                        /** @description Members of the request that are not known and were ignored; absent when there were none */
                        warnings?: string[];
                    };
                };
            };
        };
    };
    listBudgets: {
        parameters: {
            query?: {
                /** @description Max entries to return */
                limit?: number;
                /** @description The next_cursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Budgets */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "budgets": [
                     *         {
                     *           "id": "bud_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "scope": "agent",
                     *           "agent_id": "agent-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *           "period": "day",
                     *           "limit": 1000000,
                     *           "spent": 0,
                     *           "held": 0,
                     *           "remaining": 1000000,
                     *           "created_at": 1796104239.54
                     *         },
                     *         {
                     *           "id": "bud_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "scope": "agent",
                     *           "agent_id": "agent-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *           "period": "day",
                     *           "limit": 1000000,
                     *           "spent": 0,
                     *           "held": 0,
                     *           "remaining": 1000000,
                     *           "created_at": 1796104240.261
                     *         }
                     *       ],
                     *       "count": 2,
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": {
                        budgets: components["schemas"]["Budget"][];
                        count: number;
                        /** @description Pass as cursor for the next page; null on the last */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    setBudget: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "scope": "agent",
                 *       "limit": 100
                 *     }
                 */
                "application/json": {
                    /**
                     * @description tenant: what the tenant may spend in a UTC month; agent: what an agent may spend in a UTC day
                     * @enum {string}
                     */
                    scope: "tenant" | "agent";
                    /** @description Of an agent budget: the agent it is for; absent for every agent without one of its own */
                    agent_id?: string | null;
                    /** @description USD */
                    limit: number;
                };
            };
        };
        responses: {
            /** @description Budget set */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "set": true,
                     *       "id": "bud_01m8a0n4yy042z44fpt3fcp8g3"
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        set: true;
                        id: string;
                        /** @description Members of the request that are not known and were ignored; absent when there were none */
                        warnings?: string[];
                    };
                };
            };
        };
    };
    approveRequest: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The request id */
                request_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "decided_by": "dana",
                 *       "note": "Checked the list"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Who approved (e.g. human operator name)
                     * @default
                     */
                    decided_by?: string;
                    /**
                     * @description Optional note on the decision
                     * @default
                     */
                    note?: string;
                    /** @description Allows calls like this one, so many, so long, instead of this one once; the call that waits is one of them */
                    grant?: components["schemas"]["GrantTerms"];
                    /** @description What a person signed with a passkey, as JSON, by the options for this decision; pages of Haldir do that */
                    assertion?: {
                        id: string;
                        /** @constant */
                        type: "public-key";
                        /** @description Not read */
                        rawId?: unknown;
                        /** @description Not read */
                        authenticatorAttachment?: unknown;
                        /** @description Not read */
                        clientExtensionResults?: unknown;
                        response: {
                            clientDataJSON: string;
                            authenticatorData: string;
                            signature: string;
                            /** @description Not read */
                            userHandle?: unknown;
                        };
                    };
                };
            };
        };
        responses: {
            /** @description Request approved */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "approved": true,
                     *       "request_id": "apr_01m8a0n4yy042z44fpt3fcp8g3"
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        approved: true;
                        request_id: string;
                        /** @description With a grant */
                        grant_id?: string;
                        /** @description Members of the request that are not known and were ignored; absent when there were none */
                        warnings?: string[];
                    };
                };
            };
        };
    };
    denyRequest: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The request id */
                request_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "decided_by": "dana",
                 *       "note": "Wrong list"
                 *     }
                 */
                "application/json": {
                    /** @default  */
                    decided_by?: string;
                    /** @default  */
                    note?: string;
                    /** @description What a person signed with a passkey, as JSON, by the options for this decision; pages of Haldir do that */
                    assertion?: {
                        id: string;
                        /** @constant */
                        type: "public-key";
                        /** @description Not read */
                        rawId?: unknown;
                        /** @description Not read */
                        authenticatorAttachment?: unknown;
                        /** @description Not read */
                        clientExtensionResults?: unknown;
                        response: {
                            clientDataJSON: string;
                            authenticatorData: string;
                            signature: string;
                            /** @description Not read */
                            userHandle?: unknown;
                        };
                    };
                    /** @description The note under the name that some clients give it; a note goes before it */
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description Request denied */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "denied": true,
                     *       "request_id": "apr_01m8a0n4yy042z44fpt3fcp8g3"
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        denied: true;
                        request_id: string;
                        /** @description Members of the request that are not known and were ignored; absent when there were none */
                        warnings?: string[];
                    };
                };
            };
        };
    };
    readApprovalDetails: {
        parameters: {
            query?: {
                /** @description How many characters to leave out before */
                offset?: number;
                /** @description How many characters to answer at most */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The request id */
                request_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A part of the details */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "request_id": "apr_01m8a0n4yy042z44fpt3fcp8g3",
                     *       "text": "",
                     *       "offset": 0,
                     *       "total": 0,
                     *       "next_offset": null,
                     *       "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                     *       "digest": null
                     *     }
                     */
                    "application/json": components["schemas"]["ApprovalDetailsPart"];
                };
            };
        };
    };
    previewApprovalGrant: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description The request id */
                request_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    grant: components["schemas"]["GrantTerms"];
                };
            };
        };
        responses: {
            /** @description What the grant would have done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "days": 7,
                     *       "waited": 1,
                     *       "alike": 1,
                     *       "let_through": 1
                     *     }
                     */
                    "application/json": {
                        /** @description How many days back was looked */
                        days: number;
                        /** @description How many calls of the tool by this agent waited for a human then, of the newest 1,000 */
                        waited: number;
                        /** @description Of these, those with arguments like this call’s, which nothing else held back; whatever else has changed since */
                        alike: number;
                        /** @description Of these, those that the grant would have let through, oldest first */
                        let_through: number;
                        /** @description Members of the request that are not known and were ignored; absent when there were none */
                        warnings?: string[];
                    };
                };
            };
        };
    };
    listPendingApprovals: {
        parameters: {
            query?: {
                /** @description Filter by agent */
                agent_id?: string;
                /** @description Filter by tool, as requests show it */
                tool?: string;
                /** @description Id of the policy or approval rule that asked; none for what an agent asked of its own accord */
                rule?: string;
                /** @description Max entries to return */
                limit?: number;
                /** @description The next_cursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Pending approval requests */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "count": 3,
                     *       "requests": [
                     *         {
                     *           "request_id": "apr_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "agent_id": "agent",
                     *           "tool": "mail",
                     *           "action": "send",
                     *           "amount": 1,
                     *           "reason": "r",
                     *           "details": null,
                     *           "details_cut": false,
                     *           "details_path": null,
                     *           "digest": null,
                     *           "requested_key": "hld_A1b2C3d4E5",
                     *           "created_at": 1796104239.925,
                     *           "expires_at": 1796104839.925
                     *         },
                     *         {
                     *           "request_id": "apr_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "agent_id": "agent",
                     *           "tool": "mail",
                     *           "action": "send",
                     *           "amount": 1,
                     *           "reason": "r",
                     *           "details": null,
                     *           "details_cut": false,
                     *           "details_path": null,
                     *           "digest": null,
                     *           "requested_key": "hld_A1b2C3d4E5",
                     *           "created_at": 1796104239.912,
                     *           "expires_at": 1796104839.912
                     *         }
                     *       ],
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": {
                        count: number;
                        requests: components["schemas"]["PendingApproval"][];
                        /** @description Pass as cursor for the next page; null on the last */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    listApprovals: {
        parameters: {
            query?: {
                /** @description Filter by agent */
                agent_id?: string;
                /** @description Filter by tool, as requests show it */
                tool?: string;
                /** @description Id of the policy or approval rule that asked; none for what an agent asked of its own accord */
                rule?: string;
                /** @description Filter by status */
                status?: "pending" | "approved" | "denied" | "expired";
                /** @description Max entries to return */
                limit?: number;
                /** @description The next_cursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Approval requests */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "count": 6,
                     *       "requests": [
                     *         {
                     *           "request_id": "apr_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "agent_id": "agent",
                     *           "tool": "mail",
                     *           "action": "send",
                     *           "amount": 1,
                     *           "reason": "r",
                     *           "details": null,
                     *           "details_cut": false,
                     *           "details_path": null,
                     *           "digest": null,
                     *           "requested_key": "hld_A1b2C3d4E5",
                     *           "created_at": 1796104239.976,
                     *           "expires_at": 1796104839.976,
                     *           "status": "denied",
                     *           "decided_by": "dana",
                     *           "decision_note": "seen",
                     *           "decided_at": 1796104239.99,
                     *           "decided_key": "hld_A1b2C3d4E5",
                     *           "signed": false,
                     *           "consumed": false,
                     *           "rule_ids": [],
                     *           "grantable_arguments": null,
                     *           "grant_id": null
                     *         },
                     *         {
                     *           "request_id": "apr_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "agent_id": "agent",
                     *           "tool": "mail",
                     *           "action": "send",
                     *           "amount": 1,
                     *           "reason": "r",
                     *           "details": null,
                     *           "details_cut": false,
                     *           "details_path": null,
                     *           "digest": null,
                     *           "requested_key": "hld_A1b2C3d4E5",
                     *           "created_at": 1796104239.948,
                     *           "expires_at": 1796104839.948,
                     *           "status": "approved",
                     *           "decided_by": "dana",
                     *           "decision_note": "seen",
                     *           "decided_at": 1796104239.958,
                     *           "decided_key": "hld_A1b2C3d4E5",
                     *           "signed": false,
                     *           "consumed": false,
                     *           "rule_ids": [],
                     *           "grantable_arguments": null,
                     *           "grant_id": null
                     *         }
                     *       ],
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": {
                        count: number;
                        requests: components["schemas"]["ApprovalDetail"][];
                        /** @description Pass as cursor for the next page; null on the last */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    checkApproval: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The request id */
                request_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Approval status */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "request_id": "apr_01m8a0n4yy042z44fpt3fcp8g3",
                     *       "agent_id": "agent",
                     *       "tool": "mail",
                     *       "action": "send",
                     *       "amount": 1,
                     *       "reason": "r",
                     *       "details": null,
                     *       "details_cut": false,
                     *       "details_path": null,
                     *       "digest": null,
                     *       "requested_key": "hld_A1b2C3d4E5",
                     *       "created_at": 1796104239.925,
                     *       "expires_at": 1796104839.925,
                     *       "status": "pending",
                     *       "decided_by": null,
                     *       "decision_note": null,
                     *       "decided_at": null,
                     *       "decided_key": null,
                     *       "signed": false,
                     *       "consumed": false,
                     *       "rule_ids": [],
                     *       "grantable_arguments": null,
                     *       "grant_id": null,
                     *       "told": 0
                     *     }
                     */
                    "application/json": components["schemas"]["ApprovalDetail"];
                };
            };
        };
    };
    removeBudget: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The budget id */
                budget_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Budget removed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "deleted": true,
                     *       "id": "bud_01m8a0n4yy042z44fpt3fcp8g3"
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        deleted: true;
                        id: string;
                    };
                };
            };
        };
    };
    getTreeHead: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Signed tree head */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "tree_size": 121,
                     *       "root_hash": "f68a7c951340d8cf5acedf18c7a2b27f51d0daef9605c1ebe291f713a0231bbf",
                     *       "signed_at": 1796104241.034,
                     *       "signature": "RRKgLVOE1T9cMJm75G3xwT+Juntel6PHU0OYSNFDC72BfxkMW+Kzobt9MBcEE/YfckbjWlMnYwlxJFusS40wCQ==",
                     *       "algorithm": "Ed25519",
                     *       "tenant_id": "tnt_01m8a0n4yy042z44fpt3fcp8g3",
                     *       "origin": "haldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3",
                     *       "key_id": "f067d142",
                     *       "checkpoint": "haldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3\n121\n9op8lRNA2M9azt8Yx6Kyf1HQ2u+WBcHr4pH3E6AjG78=\n\n— haldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3 8GfRQkUSoC1ThNU/XDCZu+Rt8cE/ibp7Xpejx1NDmEjRQwu9gX8ZDFvis6G7fTAXBBP2H3JG41pTJ2MJcSRbrEuNMAk=\n"
                     *     }
                     */
                    "application/json": components["schemas"]["TreeHead"];
                };
            };
        };
    };
    getLogKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Public key */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "origin": "haldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3",
                     *       "verifier_key": "haldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3+f067d142+Aaju/XsBuODi3+oZG0Wu3w2oRAIlAFPbSh6pCTQvFXbP",
                     *       "jwks": {
                     *         "keys": [
                     *           {
                     *             "kty": "OKP",
                     *             "crv": "Ed25519",
                     *             "alg": "EdDSA",
                     *             "use": "sig",
                     *             "kid": "f067d142",
                     *             "x": "qO79ewG44OLf6hkbRa7fDahEAiUAU9tKHqkJNC8Vds8"
                     *           }
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": {
                        origin: string;
                        /** @description C2SP: name+hash+base64(type ‖ key) */
                        verifier_key: string;
                        jwks: {
                            keys: {
                                kty: string;
                                crv: string;
                                alg: string;
                                use: string;
                                kid: string;
                                x: string;
                            }[];
                        };
                    };
                };
            };
        };
    };
    listCheckpoints: {
        parameters: {
            query?: {
                /** @description Max entries to return */
                limit?: number;
                /** @description The next_cursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Signed tree heads */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "checkpoints": [
                     *         {
                     *           "tree_size": 121,
                     *           "root_hash": "f68a7c951340d8cf5acedf18c7a2b27f51d0daef9605c1ebe291f713a0231bbf",
                     *           "signed_at": 1796104241.034,
                     *           "signature": "RRKgLVOE1T9cMJm75G3xwT+Juntel6PHU0OYSNFDC72BfxkMW+Kzobt9MBcEE/YfckbjWlMnYwlxJFusS40wCQ==",
                     *           "algorithm": "Ed25519",
                     *           "tenant_id": "tnt_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "origin": "haldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "key_id": "f067d142",
                     *           "checkpoint": "haldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3\n121\n9op8lRNA2M9azt8Yx6Kyf1HQ2u+WBcHr4pH3E6AjG78=\n\n— haldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3 8GfRQkUSoC1ThNU/XDCZu+Rt8cE/ibp7Xpejx1NDmEjRQwu9gX8ZDFvis6G7fTAXBBP2H3JG41pTJ2MJcSRbrEuNMAk=\n"
                     *         },
                     *         {
                     *           "tree_size": 61,
                     *           "root_hash": "a114812b94cc08cf3fe291698a201b4ae68ab544c809335531a09e48ece32cde",
                     *           "signed_at": 1796104240.154,
                     *           "signature": "DJOKUyVsRSgms/EH/fgfeWe2dTjEjDaj4p28HzlXqajIWdMkKQTkrur8lARmSnXjLZNly8pyD+7gyhckE6ekDg==",
                     *           "algorithm": "Ed25519",
                     *           "tenant_id": "tnt_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "origin": "haldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "key_id": "f067d142",
                     *           "checkpoint": "haldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3\n61\noRSBK5TMCM8/4pFpiiAbSuaKtUTICTNVMaCeSOzjLN4=\n\n— haldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3 8GfRQgyTilMlbEUoJrPxB/34H3lntnU4xIw2o+KdvB85V6moyFnTJCkE5K7q/JQEZkp14y2TZcvKcg/u4MoXJBOnpA4=\n"
                     *         }
                     *       ],
                     *       "count": 3,
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": {
                        checkpoints: components["schemas"]["TreeHead"][];
                        count: number;
                        /** @description Pass as cursor for the next page; null on the last */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    verifyAuditTrail: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What the check found */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "verified": true,
                     *       "entries_checked": 121,
                     *       "message": "Every entry is as it was written, and in its place"
                     *     }
                     */
                    "application/json": {
                        verified: boolean;
                        entries_checked: number;
                        /** @description When the log is in order */
                        message?: string;
                        /** @description Position of the first entry that is wrong or missing, from 0 */
                        broken_at?: number;
                        /** @description What is wrong with it */
                        error?: string;
                    };
                };
            };
        };
    };
    getExportManifest: {
        parameters: {
            query?: {
                /** @description Filter by session */
                session_id?: string;
                /** @description Filter by agent */
                agent_id?: string;
                /** @description Filter by tool name */
                tool?: string;
                /** @description A text within the tool name, small and capital letters of ASCII alike: `mail` finds `GMail.send` */
                tool_contains?: string;
                /** @description The whole action, as entries show it: `tool_call_blocked`, or what an agent wrote */
                action?: string;
                /** @description What was decided about a call, read or prompt of the proxy; no other entry has a decision */
                decision?: "allowed" | "blocked" | "approval_required" | "approval_denied";
                /** @description Id of a policy or approval rule: calls that it was the first to block, requests for approval that it made, and changes of itself. None once the details of the entry were erased */
                rule?: string;
                /** @description Name of an upstream: calls, reads and prompts whose tool is `<upstream>.…`, whatever was decided */
                upstream?: string;
                /** @description Who acted: `actor_id` as entries show it, or `actor`, which means the id in it: `key:hld_…`, `agent:my-agent (hld_…)` */
                actor?: string;
                /** @description Only flagged entries, or only those that are not */
                flagged?: "true" | "false";
                /** @description Entries from then on: Unix seconds or ISO 8601 */
                since?: string;
                /** @description Entries up to then: Unix seconds or ISO 8601 */
                until?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Manifest */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "manifest",
                     *       "format_version": 2,
                     *       "tenant_id": "tnt_01m8a0n4yy042z44fpt3fcp8g3",
                     *       "generated_at": 1796104241.055,
                     *       "filters": {},
                     *       "count": 121,
                     *       "first_timestamp": 1796104236.471,
                     *       "last_timestamp": 1796104241.024,
                     *       "last_chain_hash": "c8b65d2008c7f26df2c9c1d6f4e42f4fac53c95641d801f33512fb6fd058f228",
                     *       "sha256": "ef0a07302e80f1864bb25de21f00e5ebb87851c5386bd7bec22749e3541ccc61",
                     *       "tree_size": 121,
                     *       "verifier_key": "haldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3+f067d142+Aaju/XsBuODi3+oZG0Wu3w2oRAIlAFPbSh6pCTQvFXbP",
                     *       "checkpoint": "haldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3\n121\n9op8lRNA2M9azt8Yx6Kyf1HQ2u+WBcHr4pH3E6AjG78=\n\n— haldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3 8GfRQkUSoC1ThNU/XDCZu+Rt8cE/ibp7Xpejx1NDmEjRQwu9gX8ZDFvis6G7fTAXBBP2H3JG41pTJ2MJcSRbrEuNMAk=\n",
                     *       "checkpoints": [
                     *         "haldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3\n3\ndFJEV9qkttLwkAU4z85fYVpz+ygCFqpRbnDtHanpZGk=\n\n— haldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3 8GfRQqms6nEgDPOT4z9eUq8T/pSJQbZ/6ajk1YAAqSgffk5vK5FPqvVmoDQ8JfdEAosVXneong0cv9baHgHDP6PDxAA=\n",
                     *         "haldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3\n61\noRSBK5TMCM8/4pFpiiAbSuaKtUTICTNVMaCeSOzjLN4=\n\n— haldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3 8GfRQgyTilMlbEUoJrPxB/34H3lntnU4xIw2o+KdvB85V6moyFnTJCkE5K7q/JQEZkp14y2TZcvKcg/u4MoXJBOnpA4=\n"
                     *       ],
                     *       "signature": "haldir export manifest v1\nhaldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3\nWXseoGVy93ln3hMjwBD8PzHKs2FTFAOxbnmHE+dWJRs=\n\n— haldir.local/log/tnt_01m8a0n4yy042z44fpt3fcp8g3 8GfRQh6U9ECBt1t+cbaVH9NPQmsjKfGE8e+9GPcB0GJssy7cFFiHeGwAFq8wduZcWAr+nZ8MHxQgNa10yhskr6oQwA0=\n"
                     *     }
                     */
                    "application/json": components["schemas"]["AuditExportManifest"];
                };
            };
        };
    };
    listApiKeys: {
        parameters: {
            query?: {
                /** @description Only agent keys (agent), only connector keys (connector), or only those that are neither (key) */
                kind?: "key" | "agent" | "connector";
                /** @description Filter by the agent that a key acts as */
                agent_id?: string;
                /** @description The key of that prefix alone */
                prefix?: string;
                /** @description active: neither revoked nor past its end; a key that is both is revoked */
                status?: "active" | "expired" | "revoked";
                /** @description Max entries to return */
                limit?: number;
                /** @description The next_cursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description API keys */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "keys": [
                     *         {
                     *           "prefix": "hld_A1b2C3d4E5",
                     *           "name": "default",
                     *           "tier": "enterprise",
                     *           "scopes": [
                     *             "*"
                     *           ],
                     *           "agent": null,
                     *           "connector": null,
                     *           "created_at": 1796104236.469,
                     *           "last_used": 1796104236.952,
                     *           "expires_at": null,
                     *           "principal": "hld_A1b2C3d4E5",
                     *           "revoked": false
                     *         },
                     *         {
                     *           "prefix": "hld_A1b2C3d4E5",
                     *           "name": "default",
                     *           "tier": "free",
                     *           "scopes": [
                     *             "sessions:read",
                     *             "sessions:write"
                     *           ],
                     *           "agent": {
                     *             "agent_id": "agent-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *             "scopes": [
                     *               "read"
                     *             ],
                     *             "ttl": 600,
                     *             "spend_limit": 0,
                     *             "spend_period": "day",
                     *             "upstreams": null,
                     *             "catalogue": "full"
                     *           },
                     *           "connector": null,
                     *           "created_at": 1796104239.271,
                     *           "last_used": null,
                     *           "expires_at": null,
                     *           "principal": "hld_A1b2C3d4E5",
                     *           "revoked": false
                     *         }
                     *       ],
                     *       "count": 3,
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": {
                        keys: components["schemas"]["ApiKeyListItem"][];
                        count: number;
                        /** @description Pass as cursor for the next page; null on the last */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    createApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "name": "ci",
                 *       "tier": "free",
                 *       "scopes": [
                 *         "sessions:*",
                 *         "audit:read"
                 *       ]
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Human-readable name for this key
                     * @default default
                     */
                    name?: string;
                    /**
                     * @description Pricing tier (affects rate limits)
                     * @default free
                     * @enum {string}
                     */
                    tier?: "free" | "pro" | "enterprise";
                    /** @description HALDIR_BOOTSTRAP_TOKEN value, required when creating additional keys without an existing API key */
                    bootstrap_token?: string;
                    /**
                     * @description What the key may do: resource:action, with * for either, or one of proxy:call, approvals:request and approvals:decide, which write includes. An agent key holds what acting takes, and no more can be asked for
                     * @default [
                     *       "*"
                     *     ]
                     */
                    scopes?: string[];
                    /** @description Makes an agent key: it acts as that agent, through sessions of that agent, within this ceiling, and does nothing else */
                    agent?: components["schemas"]["AgentCeiling"];
                    /** @description Makes a connector key: `haldir connect` stands for that upstream with it, and it does nothing else */
                    connector?: components["schemas"]["ConnectorUse"];
                    /** @description From then on the key is refused: Unix seconds or ISO 8601; null for never */
                    expires_at?: number | string | null;
                };
            };
        };
        responses: {
            /** @description API key created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "key": "hld_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0u1v42GkB5",
                     *       "prefix": "hld_A1b2C3d4E5",
                     *       "name": "ci",
                     *       "tier": "free",
                     *       "scopes": [
                     *         "audit:read"
                     *       ],
                     *       "expires_at": null,
                     *       "message": "Store this key now: it is not shown again."
                     *     }
                     */
                    "application/json": {
                        /** @description Full API key (shown only once) */
                        key: string;
                        /** @description Key prefix for identification */
                        prefix: string;
                        name: string;
                        tier: string;
                        message: string;
                        scopes: string[];
                        /** @description Of an agent key, its ceiling */
                        agent?: components["schemas"]["GrantedCeiling"];
                        /** @description Of a connector key, what it is good for */
                        connector?: components["schemas"]["GrantedConnector"];
                        /** @description Unix timestamp; null for never */
                        expires_at: number | null;
                        /** @description Members of the request that are not known and were ignored; absent when there were none */
                        warnings?: string[];
                    };
                };
            };
        };
    };
    rotateApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Prefix of the key, as the list shows it */
                prefix: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "overlap_seconds": 3600
                 *     }
                 */
                "application/json": {
                    /**
                     * @description How long the old secret is good beside the new one; 0 ends it at once
                     * @default 86400
                     */
                    overlap_seconds?: number;
                    /** @description When the new secret ends: Unix seconds or ISO 8601; null for never. Left out: when the old one would have */
                    expires_at?: number | string | null;
                };
            };
        };
        responses: {
            /** @description API key rotated */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "key": "hld_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0u1v42GkB5",
                     *       "prefix": "hld_A1b2C3d4E5",
                     *       "name": "default",
                     *       "tier": "free",
                     *       "scopes": [
                     *         "*"
                     *       ],
                     *       "expires_at": null,
                     *       "message": "Store this key now: it is not shown again.",
                     *       "principal": "hld_A1b2C3d4E5",
                     *       "replaces": "hld_A1b2C3d4E5",
                     *       "replaced_until": 1796190640.234
                     *     }
                     */
                    "application/json": {
                        /** @description Full API key (shown only once) */
                        key: string;
                        /** @description Key prefix for identification */
                        prefix: string;
                        name: string;
                        tier: string;
                        message: string;
                        scopes: string[];
                        /** @description Of an agent key, its ceiling */
                        agent?: components["schemas"]["GrantedCeiling"];
                        /** @description Of a connector key, what it is good for */
                        connector?: components["schemas"]["GrantedConnector"];
                        /** @description Unix timestamp; null for never */
                        expires_at: number | null;
                        /** @description Prefix of the first key of the same principal */
                        principal: string;
                        /** @description Prefix of the old key */
                        replaces: string;
                        /** @description Until when the old key is good: Unix timestamp */
                        replaced_until: number;
                        /** @description Members of the request that are not known and were ignored; absent when there were none */
                        warnings?: string[];
                    };
                };
            };
        };
    };
    revokeApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Prefix of the key, as the list shows it */
                prefix: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description API key revoked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "revoked": true,
                     *       "prefix": "hld_A1b2C3d4E5"
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        revoked: true;
                        prefix: string;
                    };
                };
            };
        };
    };
    removePerson: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The person id */
                person_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Person removed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "removed": true,
                     *       "person_id": "prs_01m8a0n4yy042z44fpt3fcp8g3"
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        removed: true;
                        person_id: string;
                    };
                };
            };
        };
    };
    changePerson: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The person id */
                person_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "role": "operator"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description What they may do: docs/people.md has the scopes of each
                     * @enum {string}
                     */
                    role: "owner" | "operator" | "approver" | "auditor";
                };
            };
        };
        responses: {
            /** @description Role changed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "person_id": "prs_01m8a0n4yy042z44fpt3fcp8g3",
                     *       "email": "person-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34@example.com",
                     *       "name": "Alice",
                     *       "role": "approver",
                     *       "status": "invited",
                     *       "created_at": 1796104240.305,
                     *       "signed_in_at": null
                     *     }
                     */
                    "application/json": components["schemas"]["PersonDetail"];
                };
            };
        };
    };
    removeProxyPolicy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Policy ID */
                policy_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Policy removed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "deleted": true,
                     *       "id": "pol_01m8a0n4yy042z44fpt3fcp8g3"
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        deleted: true;
                        id: string;
                    };
                };
            };
        };
    };
    changeProxyPolicy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Policy ID */
                policy_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "mode": "enforce"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description With `log_only` nothing is refused or held for the policy: what it would have done is in the audit entry of each call. Default `enforce`
                     * @enum {string}
                     */
                    mode?: "enforce" | "log_only";
                    /** @description The calls the policy is about: exact names, or patterns in which `*` stands for anything. All that are given must match; an empty or absent list matches all. */
                    scope?: {
                        /** @description Names of upstreams */
                        upstreams?: string[];
                        /** @description Agent IDs */
                        agents?: string[];
                        /** @description Tool names, bare or `upstream.tool` */
                        tools?: string[];
                    };
                    /** @description Of the policies that refuse a call, the one of the highest priority is named; then the oldest. Default 0 */
                    priority?: number;
                };
            };
        };
        responses: {
            /** @description The policy as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "pol_01m8a0n4yy042z44fpt3fcp8g3",
                     *       "type": "block_tool",
                     *       "tool": "nobody-has-it",
                     *       "mode": "log_only",
                     *       "priority": 0,
                     *       "scope": {
                     *         "upstreams": [],
                     *         "agents": [],
                     *         "tools": []
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["ProxyPolicy"];
                };
            };
        };
    };
    simulatePolicies: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "policies": [
                 *         {
                 *           "type": "spend_limit",
                 *           "max": 50
                 *         }
                 *       ],
                 *       "from": "2026-01-01T00:00:00Z"
                 *     }
                 */
                "application/json": {
                    /** @description The policies to try, as they would be added; absent: those that stand */
                    policies?: {
                        /**
                         * @description Policy type
                         * @enum {string}
                         */
                        type: "block_tool" | "allow_list" | "deny_list" | "spend_limit" | "rate_limit" | "time_window" | "require_approval";
                        /** @description Tool name (for block_tool) */
                        tool?: string | null;
                        /** @description Tool list (for allow_list / deny_list) */
                        tools?: string[] | null;
                        /** @description Max USD (spend_limit) */
                        max?: number | null;
                        /** @description Max calls per minute (rate_limit) */
                        max_per_minute?: number | null;
                        /** @description Start hour UTC (time_window) */
                        start_hour?: number | null;
                        /** @description End hour UTC (time_window) */
                        end_hour?: number | null;
                        /**
                         * @description With `log_only` nothing is refused or held for the policy: what it would have done is in the audit entry of each call. Default `enforce`
                         * @enum {string}
                         */
                        mode?: "enforce" | "log_only";
                        /** @description The calls the policy is about: exact names, or patterns in which `*` stands for anything. All that are given must match; an empty or absent list matches all. */
                        scope?: {
                            /** @description Names of upstreams */
                            upstreams?: string[];
                            /** @description Agent IDs */
                            agents?: string[];
                            /** @description Tool names, bare or `upstream.tool` */
                            tools?: string[];
                        };
                        /** @description Of the policies that refuse a call, the one of the highest priority is named; then the oldest. Default 0 */
                        priority?: number;
                    }[];
                    /** @description Calls logged from then on: Unix seconds or ISO 8601 */
                    from?: number | string | null;
                    /** @description Calls logged before then: Unix seconds or ISO 8601 */
                    to?: number | string | null;
                    /** @description Calls of one agent only */
                    agent_id?: string;
                    /**
                     * @description Max changed calls to name; all are counted
                     * @default 100
                     */
                    limit?: number;
                };
            };
        };
        responses: {
            /** @description What would have been decided */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "calls": 5,
                     *       "verdicts": {
                     *         "allowed": 1,
                     *         "blocked": 0,
                     *         "held": 4,
                     *         "undecidable": 0
                     *       },
                     *       "changes": 0,
                     *       "changed": [],
                     *       "by_policy": {
                     *         "proposed_1": {
                     *           "type": "block_tool",
                     *           "mode": "enforce",
                     *           "blocked": 0,
                     *           "held": 0
                     *         }
                     *       },
                     *       "truncated": false
                     *     }
                     */
                    "application/json": {
                        calls: number;
                        verdicts: {
                            allowed: number;
                            blocked: number;
                            /** @description For approval */
                            held: number;
                            /** @description Their entries do not say enough: details were erased, or are older than this */
                            undecidable: number;
                        };
                        /** @description How many calls would be decided otherwise than they were */
                        changes: number;
                        changed: {
                            entry_id: string;
                            /** @description Unix seconds */
                            at: number;
                            agent_id: string;
                            tool: string;
                            /** @enum {string} */
                            was: "allowed" | "blocked" | "held";
                            /** @enum {string} */
                            would_be: "allowed" | "blocked" | "held";
                            /** @description Of a call that would be blocked */
                            explanation?: components["schemas"]["ProxyExplanation"][];
                            /** @description The policy or approval rule, of a call that would be held */
                            held_by?: string;
                        }[];
                        by_policy: {
                            [key: string]: {
                                /** @enum {string} */
                                type: "block_tool" | "allow_list" | "deny_list" | "spend_limit" | "rate_limit" | "time_window" | "require_approval";
                                /** @enum {string} */
                                mode: "enforce" | "log_only";
                                blocked: number;
                                held: number;
                            };
                        };
                        /** @description Whether there was more than is decided at once (a million calls): go on with `from` */
                        truncated: boolean;
                        /** @description Of a truncated answer: when the last call that was read was logged */
                        covered_until?: number;
                        /** @description Members of the request that are not known and were ignored; absent when there were none */
                        warnings?: string[];
                    };
                };
            };
        };
    };
    acceptTool: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Upstream name */
                name: string;
                /** @description The tool's own name */
                tool: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "fingerprint": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
                 *     }
                 */
                "application/json": {
                    /** @description Of the definition that was looked at, as listProxyTools shows it in drift */
                    fingerprint: string;
                };
            };
        };
        responses: {
            /** @description What is accepted now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accepted": true,
                     *       "upstream": "upstream-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *       "tool": "tool-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *       "fingerprint": "153a105061151692471bc4fb5c8bacbc3e9132c89b11dbc2ff9fb827b26cc276"
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        accepted: true;
                        upstream: string;
                        tool: string;
                        fingerprint: string;
                        /** @description Members of the request that are not known and were ignored; absent when there were none */
                        warnings?: string[];
                    };
                };
            };
        };
    };
    priceTool: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Upstream name */
                name: string;
                /** @description The tool's own name */
                tool: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "price_usd": 0.5
                 *     }
                 */
                "application/json": {
                    /** @description Of each call, in whole cents */
                    price_usd: number;
                };
            };
        };
        responses: {
            /** @description The price */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "upstream": "upstream-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *       "tool": "echo",
                     *       "price_usd": 0.5
                     *     }
                     */
                    "application/json": {
                        upstream: string;
                        tool: string;
                        price_usd: number;
                        /** @description Members of the request that are not known and were ignored; absent when there were none */
                        warnings?: string[];
                    };
                };
            };
        };
    };
    removeToolPrice: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Upstream name */
                name: string;
                /** @description The tool's own name */
                tool: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Price removed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "deleted": true,
                     *       "upstream": "upstream-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *       "tool": "tool-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34"
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        deleted: true;
                        upstream: string;
                        tool: string;
                    };
                };
            };
        };
    };
    refreshUpstream: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Upstream name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was discovered */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "refreshed": true,
                     *       "name": "upstream-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *       "url": "http://127.0.0.1:3000/mcp",
                     *       "healthy": true,
                     *       "tools_discovered": 12,
                     *       "tool_names": [
                     *         "echo",
                     *         "get-annotated-message"
                     *       ],
                     *       "refused_tools": [
                     *         {
                     *           "name": "simulate-research-query",
                     *           "reason": "it can be called as a task only (execution.taskSupport), and Haldir does not make tasks"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        refreshed: true;
                        name: string;
                        url: string;
                        healthy: boolean;
                        tools_discovered: number;
                        tool_names: string[];
                        /** @description Present if upstream had errors during discovery */
                        error?: string;
                        /** @description HTTP status from upstream (debug) */
                        upstream_status?: number;
                        /** @description Tools whose definition was not taken: it misleads, clients could read nothing of a list that has it, or Haldir cannot call it. Absent when there are none */
                        refused_tools?: {
                            /** @description Its name, or address, with hidden characters made visible */
                            name: string;
                            /** @description Why it is neither shown nor called */
                            reason: string;
                        }[];
                        /** @description Resources whose definition was not taken: it misleads, clients could read nothing of a list that has it, or Haldir cannot call it. Absent when there are none */
                        refused_resources?: {
                            /** @description Its name, or address, with hidden characters made visible */
                            name: string;
                            /** @description Why it is neither shown nor called */
                            reason: string;
                        }[];
                        /** @description Resource templates whose definition was not taken: it misleads, clients could read nothing of a list that has it, or Haldir cannot call it. Absent when there are none */
                        refused_resource_templates?: {
                            /** @description Its name, or address, with hidden characters made visible */
                            name: string;
                            /** @description Why it is neither shown nor called */
                            reason: string;
                        }[];
                        /** @description Prompts whose definition was not taken: it misleads, clients could read nothing of a list that has it, or Haldir cannot call it. Absent when there are none */
                        refused_prompts?: {
                            /** @description Its name, or address, with hidden characters made visible */
                            name: string;
                            /** @description Why it is neither shown nor called */
                            reason: string;
                        }[];
                        /** @description Tools that are held back because they are not as they were accepted; absent when there are none */
                        drifted_tools?: string[];
                    };
                };
            };
        };
    };
    removeUpstream: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Upstream name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Upstream removed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "deleted": true,
                     *       "name": "upstream-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34"
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        deleted: true;
                        name: string;
                    };
                };
            };
        };
    };
    changeUpstream: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Upstream name */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "timeout": 120,
                 *       "concurrency": 4
                 *     }
                 */
                "application/json": {
                    /** @description Whether agents are shown its tools with its name before theirs; false shows their own names */
                    prefix?: boolean;
                    /**
                     * @description Between its name and that of a tool, as agents are shown them: __ makes names that the APIs of models take, . those of policies and the log. Calls are taken by either
                     * @enum {string}
                     */
                    separator?: "__" | ".";
                    /** @description A call asks the upstream for its tools again when the last answer is older (seconds); 0 before every call */
                    tools_max_age?: number;
                    /** @description How long it may take to answer a call or to be discovered (seconds), at most UPSTREAM_MAX_CALL_SECONDS; null is UPSTREAM_TIMEOUT_SECONDS. Progress begins it anew */
                    timeout?: number | null;
                    /** @description The largest answer to a call or read, at most UPSTREAM_MAX_ANSWER_BYTES, which it is when null */
                    max_answer_bytes?: number | null;
                    /** @description Calls that each API process sends it at once, at most UPSTREAM_CONCURRENCY, which it is when null; others wait for their turn, as long as the timeout */
                    concurrency?: number | null;
                };
            };
        };
        responses: {
            /** @description The settings as they are now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "name": "upstream-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *       "prefix": true,
                     *       "separator": "__",
                     *       "tools_max_age": 20,
                     *       "timeout": 20,
                     *       "max_answer_bytes": 65536,
                     *       "concurrency": 32
                     *     }
                     */
                    "application/json": {
                        name: string;
                        /** @description Whether agents are shown its tools with its name before theirs */
                        prefix: boolean;
                        /**
                         * @description Between its name and that of a tool, as agents are shown them
                         * @enum {string}
                         */
                        separator: "__" | ".";
                        /** @description Seconds */
                        tools_max_age: number;
                        /** @description How long a call of it may take (seconds), its own or that of the settings */
                        timeout: number;
                        /** @description The largest answer to a call or read */
                        max_answer_bytes: number;
                        /** @description Calls that each API process sends it at once */
                        concurrency: number;
                        /** @description Members of the request that are not known and were ignored; absent when there were none */
                        warnings?: string[];
                    };
                };
            };
        };
    };
    listSecrets: {
        parameters: {
            query?: {
                /** @description Max entries to return */
                limit?: number;
                /** @description The next_cursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List of secret names */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "secrets": [
                     *         "secret-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *         "secret-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34"
                     *       ],
                     *       "details": [
                     *         {
                     *           "name": "secret-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *           "version": 1,
                     *           "scope_required": "read",
                     *           "created_at": 1796104239.553,
                     *           "expires_at": null,
                     *           "expired": false,
                     *           "bindings": []
                     *         },
                     *         {
                     *           "name": "secret-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *           "version": 1,
                     *           "scope_required": "read",
                     *           "created_at": 1796104239.806,
                     *           "expires_at": null,
                     *           "expired": false,
                     *           "bindings": []
                     *         }
                     *       ],
                     *       "count": 2,
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": {
                        secrets: string[];
                        count: number;
                        /** @description What there is to say of each, in the same order */
                        details: components["schemas"]["SecretItem"][];
                        /** @description Pass as cursor for the next page; null on the last */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    storeSecret: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "stripe_key",
                 *       "value": "not-a-real-key",
                 *       "scope_required": "read",
                 *       "expires_at": "2099-12-31T00:00:00Z"
                 *     }
                 */
                "application/json": {
                    /** @description Unique secret name */
                    name: string;
                    /** @description Secret value to encrypt */
                    value: string;
                    /**
                     * @description Minimum scope a session must hold to read this secret
                     * @default read
                     */
                    scope_required?: string;
                    /** @description From then on the value is refused, and soon after destroyed: Unix seconds or ISO 8601; null for never */
                    expires_at?: number | string | null;
                    /** @description Tools that agents may use the secret with, as {{vault:name}} in an argument, without seeing it. Left out or null: those of the version before, and none for a new name */
                    bindings?: components["schemas"]["SecretBinding"][] | null;
                };
            };
        };
        responses: {
            /** @description Secret stored */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "stored": true,
                     *       "name": "secret-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *       "version": 1,
                     *       "expires_at": null,
                     *       "bindings": []
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        stored: true;
                        name: string;
                        /** @description 1 for a new name, one more each time it is stored again */
                        version: number;
                        /** @description When the value expires (Unix timestamp); null for never */
                        expires_at: number | null;
                        /** @description Tools that the version may be used with by {{vault:name}} */
                        bindings: {
                            upstream: string;
                            /** @description * for all that goes to the upstream */
                            tool: string;
                        }[];
                        /** @description Members of the request that are not known and were ignored; absent when there were none */
                        warnings?: string[];
                    };
                };
            };
        };
    };
    listSecretVersions: {
        parameters: {
            query?: {
                /** @description Max entries to return */
                limit?: number;
                /** @description The next_cursor of the page before */
                cursor?: string;
            };
            header?: never;
            path: {
                /** @description Secret name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Versions of the secret */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "name": "secret-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *       "versions": [
                     *         {
                     *           "version": 2,
                     *           "scope_required": "read",
                     *           "created_at": 1796104240.361,
                     *           "expires_at": null,
                     *           "expired": false,
                     *           "newest": true,
                     *           "bindings": []
                     *         },
                     *         {
                     *           "version": 1,
                     *           "scope_required": "read",
                     *           "created_at": 1796104240.352,
                     *           "expires_at": null,
                     *           "expired": false,
                     *           "newest": false,
                     *           "bindings": []
                     *         }
                     *       ],
                     *       "count": 2,
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": {
                        name: string;
                        versions: {
                            version: number;
                            scope_required: string;
                            /** @description Unix timestamp */
                            created_at: number;
                            /** @description When the value expires (Unix timestamp); null for never */
                            expires_at: number | null;
                            expired: boolean;
                            /** @description Whether the name stands for it */
                            newest: boolean;
                            /** @description Tools that the version may be used with by {{vault:name}} */
                            bindings: {
                                upstream: string;
                                /** @description * for all that goes to the upstream */
                                tool: string;
                            }[];
                        }[];
                        count: number;
                        /** @description Pass as cursor for the next page; null on the last */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    listDeletedSecrets: {
        parameters: {
            query?: {
                /** @description Filter by name */
                name?: string;
                /** @description Max entries to return */
                limit?: number;
                /** @description The next_cursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted secrets */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "deleted": [
                     *         {
                     *           "secret_id": "sec_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "name": "secret-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *           "versions": 1,
                     *           "deleted_at": 1796104239.838,
                     *           "restorable_until": 1796709039.838
                     *         },
                     *         {
                     *           "secret_id": "sec_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "name": "secret-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *           "versions": 1,
                     *           "deleted_at": 1796104239.506,
                     *           "restorable_until": 1796709039.506
                     *         }
                     *       ],
                     *       "count": 2,
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": {
                        deleted: {
                            secret_id: string;
                            name: string;
                            versions: number;
                            /** @description Unix timestamp */
                            deleted_at: number;
                            /** @description From then on it is gone (Unix timestamp) */
                            restorable_until: number;
                        }[];
                        count: number;
                        /** @description Pass as cursor for the next page; null on the last */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    rollBackSecret: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Secret name */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "version": 1
                 *     }
                 */
                "application/json": {
                    /** @description The version whose value is to be the newest again */
                    version: number;
                };
            };
        };
        responses: {
            /** @description Secret rolled back */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "rolled_back": true,
                     *       "name": "secret-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *       "version": 2,
                     *       "from_version": 1,
                     *       "expires_at": null,
                     *       "bindings": []
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        rolled_back: true;
                        name: string;
                        /** @description The new version */
                        version: number;
                        from_version: number;
                        /** @description When the value expires (Unix timestamp); null for never */
                        expires_at: number | null;
                        /** @description Those that both versions have */
                        bindings: {
                            upstream: string;
                            /** @description * for all that goes to the upstream */
                            tool: string;
                        }[];
                        /** @description Members of the request that are not known and were ignored; absent when there were none */
                        warnings?: string[];
                    };
                };
            };
        };
    };
    deleteSecret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Secret name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Secret deleted */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "deleted": true,
                     *       "name": "secret-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34"
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        deleted: true;
                        name: string;
                    };
                };
            };
        };
    };
    restoreSecret: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description secret_id of a deleted secret */
                secret_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Secret restored */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "restored": true,
                     *       "secret_id": "sec_01m8a0n4yy042z44fpt3fcp8g3",
                     *       "name": "secret-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *       "version": 1
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        restored: true;
                        secret_id: string;
                        name: string;
                        /** @description The version the name stands for again */
                        version: number;
                    };
                };
            };
        };
    };
    listSessions: {
        parameters: {
            query?: {
                /** @description Filter by agent */
                agent_id?: string;
                /** @description Filter by status */
                status?: "active" | "expired" | "revoked";
                /** @description Filter by who opened it: the principal, as listApiKeys shows it of each key */
                opened_by?: string;
                /** @description Max entries to return */
                limit?: number;
                /** @description The next_cursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Sessions */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "count": 4,
                     *       "sessions": [
                     *         {
                     *           "session_id": "ses_01m8a0n4yy042z44fpt3fcp8g3k9q2x7v5",
                     *           "agent_id": "agent",
                     *           "scopes": [
                     *             "read",
                     *             "execute"
                     *           ],
                     *           "spend_limit": 5,
                     *           "spent": 0,
                     *           "held": 0,
                     *           "delegated": 0,
                     *           "remaining_budget": 5,
                     *           "catalogue": "full",
                     *           "parent_session_id": null,
                     *           "depth": 0,
                     *           "descendants": 0,
                     *           "is_valid": true,
                     *           "created_at": 1796104239.605,
                     *           "expires_at": 1796104839.605,
                     *           "status": "active"
                     *         },
                     *         {
                     *           "session_id": "ses_01m8a0n4yy042z44fpt3fcp8g3k9q2x7v5",
                     *           "agent_id": "agent",
                     *           "scopes": [
                     *             "read",
                     *             "browse"
                     *           ],
                     *           "spend_limit": 5,
                     *           "spent": 0,
                     *           "held": 1,
                     *           "delegated": 0,
                     *           "remaining_budget": 4,
                     *           "catalogue": "full",
                     *           "parent_session_id": null,
                     *           "depth": 0,
                     *           "descendants": 0,
                     *           "is_valid": true,
                     *           "created_at": 1796104239.559,
                     *           "expires_at": 1796107839.559,
                     *           "status": "active"
                     *         }
                     *       ],
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": {
                        count: number;
                        sessions: components["schemas"]["SessionListItem"][];
                        /** @description Pass as cursor for the next page; null on the last */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    revokeSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Session ID */
                session_id: components["parameters"]["SessionIdPath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Session revoked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "revoked": true,
                     *       "session_id": "ses_01m8a0n4yy042z44fpt3fcp8g3k9q2x7v5"
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        revoked: true;
                        session_id: string;
                    };
                };
            };
        };
    };
    getDailySpend: {
        parameters: {
            query?: {
                /** @description First UTC day; by default so that there are seven */
                from?: string;
                /** @description Last UTC day, itself included; by default today. 366 days at most */
                to?: string;
                /** @description What each day is divided by */
                by?: "agent" | "tool";
                /** @description Payments of that agent alone */
                agent_id?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was paid */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "from": "2026-11-25",
                     *       "to": "2026-12-01",
                     *       "by": "agent",
                     *       "total_usd": 2.5,
                     *       "count": 3,
                     *       "names": [
                     *         {
                     *           "name": "agent",
                     *           "total_usd": 1.5,
                     *           "count": 2
                     *         },
                     *         {
                     *           "name": "agent-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *           "total_usd": 1,
                     *           "count": 1
                     *         }
                     *       ],
                     *       "days": [
                     *         {
                     *           "day": "2026-12-01",
                     *           "total_usd": 2.5,
                     *           "count": 3,
                     *           "names": [
                     *             {
                     *               "name": "agent",
                     *               "total_usd": 1.5,
                     *               "count": 2
                     *             },
                     *             {
                     *               "name": "agent-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *               "total_usd": 1,
                     *               "count": 1
                     *             }
                     *           ]
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        from: string;
                        to: string;
                        /** @enum {string} */
                        by: "agent" | "tool";
                        total_usd: number;
                        /** @description Payments */
                        count: number;
                        /** @description What each agent, or tool, comes to, the most first; at most 8 are named */
                        names: {
                            /** @description An agent, or a tool (haldir.vault for a payment that is no price of a call); null for all others together */
                            name: string | null;
                            total_usd: number;
                            /** @description Payments */
                            count: number;
                        }[];
                        /** @description Days on which something was paid, the first first */
                        days: {
                            /** @description UTC, YYYY-MM-DD */
                            day: string;
                            total_usd: number;
                            /** @description Payments */
                            count: number;
                            names: {
                                /** @description An agent, or a tool (haldir.vault for a payment that is no price of a call); null for all others together */
                                name: string | null;
                                total_usd: number;
                                /** @description Payments */
                                count: number;
                            }[];
                        }[];
                    };
                };
            };
        };
    };
    getStatus: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Status */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok",
                     *       "checked_at": 1796104240.211,
                     *       "components": [
                     *         {
                     *           "name": "api",
                     *           "state": "ok",
                     *           "message": "answers",
                     *           "checked_at": 1796104240.211
                     *         },
                     *         {
                     *           "name": "database",
                     *           "state": "ok",
                     *           "message": "answers",
                     *           "checked_at": 1796104240.211
                     *         }
                     *       ],
                     *       "metrics": {
                     *         "success_rate": {
                     *           "total": 92,
                     *           "errors": 0,
                     *           "ratio": 1
                     *         },
                     *         "latency_seconds": {
                     *           "p50": 0.01,
                     *           "p95": 0.1,
                     *           "p99": 0.25
                     *         }
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    healthCheck: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Service healthy */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok",
                     *       "service": "haldir",
                     *       "version": "0.1.0"
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        status: "ok";
                        /** @constant */
                        service: "haldir";
                        version: string;
                    };
                };
            };
        };
    };
    freezeTenant: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "reason": "Incident 17"
                 *     }
                 */
                "application/json": {
                    /** @description Why, for the log, the event and whoever asks later */
                    reason: string;
                };
            };
        };
        responses: {
            /** @description Every agent is frozen */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "frozen": true,
                     *       "agent_id": null,
                     *       "changed": true,
                     *       "denied_approvals": 3,
                     *       "revoked_grants": 1
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        frozen: true;
                        /** @description Null for every agent of the tenant */
                        agent_id: string | null;
                        /** @description False when it was frozen already; the first reason stands */
                        changed: boolean;
                        /** @description Requests for approval that waited, and are denied */
                        denied_approvals: number;
                        /** @description Approvals of several calls that were not used up, and let nothing through any more */
                        revoked_grants: number;
                        /** @description Members of the request that are not known and were ignored; absent when there were none */
                        warnings?: string[];
                    };
                };
            };
        };
    };
    listWebhooks: {
        parameters: {
            query?: {
                /** @description Max entries to return */
                limit?: number;
                /** @description The next_cursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Webhook list */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "webhooks": [
                     *         {
                     *           "webhook_id": 2,
                     *           "name": "on-call",
                     *           "url": "https://example.com/hook",
                     *           "events": [
                     *             "anomaly"
                     *           ],
                     *           "format": "haldir",
                     *           "active": true,
                     *           "disabled_reason": null,
                     *           "failing_since": null,
                     *           "paused_until": null,
                     *           "secret_prev_expires_at": null,
                     *           "created_at": 1796104240.007
                     *         },
                     *         {
                     *           "webhook_id": 1,
                     *           "name": "",
                     *           "url": "https://example.com/hook",
                     *           "events": [
                     *             "all"
                     *           ],
                     *           "format": "haldir",
                     *           "active": true,
                     *           "disabled_reason": null,
                     *           "failing_since": null,
                     *           "paused_until": null,
                     *           "secret_prev_expires_at": null,
                     *           "created_at": 1796104239.476
                     *         }
                     *       ],
                     *       "count": 2,
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": {
                        webhooks: {
                            webhook_id: number;
                            name: string;
                            url: string;
                            events: string[];
                            /**
                             * @description What it is sent: the event as JSON, or a message for Slack or Teams
                             * @enum {string}
                             */
                            format: "haldir" | "slack" | "teams";
                            /** @description False once it was disabled: it answered 410, failed for five days, or was switched off */
                            active: boolean;
                            /** @enum {string|null} */
                            disabled_reason: "gone" | "failing" | "requested" | null;
                            /** @description Unix timestamp of the first failure since the last success */
                            failing_since: number | null;
                            /** @description Unix timestamp; deliveries wait until then after many failures */
                            paused_until: number | null;
                            /** @description Unix timestamp until which the previous secret signs too */
                            secret_prev_expires_at: number | null;
                            /** @description Unix timestamp */
                            created_at: number;
                        }[];
                        count: number;
                        /** @description Pass as cursor for the next page; null on the last */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    registerWebhook: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "url": "https://example.com/hooks/haldir",
                 *       "name": "on-call",
                 *       "events": [
                 *         "anomaly",
                 *         "approval_requested"
                 *       ]
                 *     }
                 */
                "application/json": {
                    /**
                     * Format: uri
                     * @description Webhook endpoint URL
                     */
                    url: string;
                    /**
                     * @description Human-readable name
                     * @default
                     */
                    name?: string;
                    /** @description Events to subscribe to (defaults to all) */
                    events?: ("all" | "anomaly" | "approval_requested" | "budget_exhausted" | "agent_frozen" | "agent_unfrozen" | "budget_threshold" | "key_expiring" | "webhook_disabled")[] | null;
                    /**
                     * @description haldir: the event as JSON; slack: a message for an incoming webhook of Slack; teams: a message with an Adaptive Card, for a workflow of Microsoft Teams. All are signed and retried alike
                     * @default haldir
                     * @enum {string}
                     */
                    format?: "haldir" | "slack" | "teams";
                };
            };
        };
        responses: {
            /** @description Webhook registered */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "registered": true,
                     *       "url": "https://example.com/hook",
                     *       "events": [
                     *         "anomaly"
                     *       ],
                     *       "webhook_id": 2,
                     *       "name": "on-call",
                     *       "format": "haldir",
                     *       "secret": "whsec_YW4gZXhhbXBsZSwgYW5kIG5vIHNlY3JldCBhdCBhbGw=",
                     *       "created_at": 1796104240.007
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        registered: true;
                        url: string;
                        events: string[] | null;
                        /** @description Names the webhook in other calls and in X-Haldir-Webhook-Id */
                        webhook_id: number;
                        name: string;
                        /** @enum {string} */
                        format: "haldir" | "slack" | "teams";
                        /** @description Signs every delivery (Standard Webhooks); shown only here */
                        secret: string;
                        /** @description Unix timestamp */
                        created_at: number;
                        /** @description Members of the request that are not known and were ignored; absent when there were none */
                        warnings?: string[];
                    };
                };
            };
        };
    };
    listWebhookDeliveries: {
        parameters: {
            query?: {
                /** @description Filter by webhook */
                webhook_id?: number;
                /** @description Filter by outcome of the attempt */
                status?: "delivered" | "failed";
                /** @description Filter by event type */
                event?: "agent_frozen" | "agent_unfrozen" | "anomaly" | "approval_requested" | "budget_exhausted" | "budget_threshold" | "key_expiring" | "webhook_disabled" | "webhook_test";
                /** @description Filter by event, as webhook-id names it */
                event_id?: string;
                /** @description Max entries to return */
                limit?: number;
                /** @description The next_cursor of the page before */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Delivery attempts */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "deliveries": [],
                     *       "count": 0,
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": {
                        deliveries: components["schemas"]["WebhookDeliveryAttempt"][];
                        count: number;
                        /** @description Pass as cursor for the next page; null on the last */
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    deleteWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Webhook ID */
                webhook_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Webhook deleted */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "deleted": true,
                     *       "webhook_id": 5
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        deleted: true;
                        webhook_id: number;
                    };
                };
            };
        };
    };
    changeWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Webhook ID */
                webhook_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "active": true
                 *     }
                 */
                "application/json": {
                    /** @description false: sent nothing, while its events are kept; true: switched on again, also after a 410 */
                    active?: boolean;
                    /**
                     * Format: uri
                     * @description Where it is sent from now on, what waits included
                     */
                    url?: string;
                    name?: string;
                    /** @description Events to subscribe to from now on; null for all */
                    events?: ("all" | "agent_frozen" | "agent_unfrozen" | "anomaly" | "approval_requested" | "budget_exhausted" | "budget_threshold" | "key_expiring" | "webhook_disabled")[] | null;
                    /**
                     * @description haldir: the event as JSON; slack: a message for an incoming webhook of Slack; teams: a message with an Adaptive Card, for a workflow of Microsoft Teams. All are signed and retried alike
                     * @enum {string}
                     */
                    format?: "haldir" | "slack" | "teams";
                };
            };
        };
        responses: {
            /** @description The webhook as it is now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "webhook_id": 4,
                     *       "name": "",
                     *       "url": "https://example.com/hook",
                     *       "events": [
                     *         "anomaly"
                     *       ],
                     *       "format": "haldir",
                     *       "active": true,
                     *       "disabled_reason": null,
                     *       "failing_since": null,
                     *       "paused_until": null,
                     *       "secret_prev_expires_at": null,
                     *       "created_at": 1796104241.204
                     *     }
                     */
                    "application/json": components["schemas"]["WebhookListItem"];
                };
            };
        };
    };
    testWebhook: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Webhook ID */
                webhook_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Test event queued */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "queued": true,
                     *       "webhook_id": 8,
                     *       "event_id": "evt_01m8a0n4yy042z44fpt3fcp8g3",
                     *       "delivery_id": "dlv_01m8r2fg3sbxvcy28gf2rw7cfw_8"
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        queued: true;
                        webhook_id: number;
                        event_id: string;
                        delivery_id: string;
                    };
                };
            };
        };
    };
    rotateWebhookSecret: {
        parameters: {
            query?: {
                /** @description How long the previous secret signs too, clamped to 60 to 604800 */
                grace_seconds?: number;
            };
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Webhook ID */
                webhook_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Secret rotated */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "webhook_id": 7,
                     *       "secret": "whsec_YW4gZXhhbXBsZSwgYW5kIG5vIHNlY3JldCBhdCBhbGw=",
                     *       "secret_prev": "whsec_YW4gZXhhbXBsZSwgYW5kIG5vIHNlY3JldCBhdCBhbGw=",
                     *       "secret_prev_expires_at": 1796190641.259,
                     *       "grace_seconds": 86400,
                     *       "message": "Both secrets sign every delivery until secret_prev_expires_at"
                     *     }
                     */
                    "application/json": {
                        webhook_id: number;
                        /** @description Shown only here */
                        secret: string;
                        secret_prev: string;
                        /** @description Unix timestamp */
                        secret_prev_expires_at: number;
                        grace_seconds: number;
                        message: string;
                    };
                };
            };
        };
    };
    retryWebhookDelivery: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Delivery ID */
                delivery_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Delivery queued */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "queued": true,
                     *       "delivery_id": "dlv_01m8r2fg164f3vnanq8kp3jskv_3"
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        queued: true;
                        delivery_id: string;
                    };
                };
            };
        };
    };
    recoverWebhook: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: the same key and body get the first answer again, for a day */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description Webhook ID */
                webhook_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "since": "2026-11-29T00:00:00Z"
                 *     }
                 */
                "application/json": {
                    /** @description Recovers events from then on: Unix seconds, or ISO 8601 */
                    since: number | string;
                };
            };
        };
        responses: {
            /** @description Deliveries queued */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "webhook_id": 6,
                     *       "recovered": 0,
                     *       "more": false
                     *     }
                     */
                    "application/json": {
                        webhook_id: number;
                        /** @description Deliveries that are due again, oldest event first */
                        recovered: number;
                        /** @description Whether there may be more: ask again with the same since */
                        more: boolean;
                        /** @description Members of the request that are not known and were ignored; absent when there were none */
                        warnings?: string[];
                    };
                };
            };
        };
    };
}
