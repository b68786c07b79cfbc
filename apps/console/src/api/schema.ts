// Generated from the served document: test/console/types.e2e-spec.ts. Only the operations that the console asks for.
export interface paths {
    "/v1/agents": {
        parameters: {
        };
        get: operations["listAgents"];
    };
    "/v1/agents/{agent_id}/freeze": {
        parameters: {
        };
        post: operations["freezeAgent"];
    };
    "/v1/unfreeze": {
        parameters: {
        };
        post: operations["unfreezeTenant"];
    };
    "/v1/agents/{agent_id}/unfreeze": {
        parameters: {
        };
        post: operations["unfreezeAgent"];
    };
    "/v1/audit": {
        parameters: {
        };
        get: operations["getAuditTrail"];
    };
    "/v1/proxy/tools": {
        parameters: {
        };
        get: operations["listProxyTools"];
    };
    "/v1/proxy/policies": {
        parameters: {
        };
        get: operations["listProxyPolicies"];
        post: operations["addProxyPolicy"];
    };
    "/v1/approvals/rules": {
        parameters: {
        };
        get: operations["listApprovalRules"];
    };
    "/v1/budgets": {
        parameters: {
        };
        get: operations["listBudgets"];
        post: operations["setBudget"];
    };
    "/v1/approvals/{request_id}/approve": {
        parameters: {
        };
        post: operations["approveRequest"];
    };
    "/v1/approvals/{request_id}/deny": {
        parameters: {
        };
        post: operations["denyRequest"];
    };
    "/v1/approvals/{request_id}/details": {
        parameters: {
        };
        get: operations["readApprovalDetails"];
    };
    "/v1/approvals/{request_id}/grant-preview": {
        parameters: {
        };
        post: operations["previewApprovalGrant"];
    };
    "/v1/approvals/pending": {
        parameters: {
        };
        get: operations["listPendingApprovals"];
    };
    "/v1/approvals": {
        parameters: {
        };
        get: operations["listApprovals"];
    };
    "/v1/approvals/{request_id}": {
        parameters: {
        };
        get: operations["checkApproval"];
    };
    "/v1/budgets/{budget_id}": {
        parameters: {
        };
        delete: operations["removeBudget"];
    };
    "/v1/approval-grants": {
        parameters: {
        };
        get: operations["listApprovalGrants"];
    };
    "/v1/approval-grants/{grant_id}": {
        parameters: {
        };
        delete: operations["revokeApprovalGrant"];
    };
    "/v1/audit/tree-head": {
        parameters: {
        };
        get: operations["getTreeHead"];
    };
    "/v1/audit/log-key": {
        parameters: {
        };
        get: operations["getLogKey"];
    };
    "/v1/audit/checkpoints": {
        parameters: {
        };
        get: operations["listCheckpoints"];
    };
    "/v1/audit/verify": {
        parameters: {
        };
        get: operations["verifyAuditTrail"];
    };
    "/v1/audit/export/manifest": {
        parameters: {
        };
        get: operations["getExportManifest"];
    };
    "/v1/keys": {
        parameters: {
        };
        get: operations["listApiKeys"];
        post: operations["createApiKey"];
    };
    "/v1/keys/{prefix}/rotate": {
        parameters: {
        };
        post: operations["rotateApiKey"];
    };
    "/v1/keys/{prefix}": {
        parameters: {
        };
        delete: operations["revokeApiKey"];
    };
    "/v1/admin/overview": {
        parameters: {
        };
        get: operations["getOverview"];
    };
    "/v1/proxy/upstreams": {
        parameters: {
        };
        get: operations["listUpstreams"];
        post: operations["registerUpstream"];
    };
    "/v1/people": {
        parameters: {
        };
        get: operations["listPeople"];
        post: operations["invitePerson"];
    };
    "/v1/people/{person_id}": {
        parameters: {
        };
        delete: operations["removePerson"];
        patch: operations["changePerson"];
    };
    "/v1/proxy/policies/{policy_id}": {
        parameters: {
        };
        delete: operations["removeProxyPolicy"];
        patch: operations["changeProxyPolicy"];
    };
    "/v1/proxy/simulate": {
        parameters: {
        };
        post: operations["simulatePolicies"];
    };
    "/v1/audit/inclusion-proof/{entry_id}": {
        parameters: {
        };
        get: operations["getInclusionProof"];
    };
    "/v1/proxy/upstreams/{name}/tools/{tool}/accept": {
        parameters: {
        };
        post: operations["acceptTool"];
    };
    "/v1/proxy/upstreams/{name}/tools/{tool}/price": {
        parameters: {
        };
        put: operations["priceTool"];
        delete: operations["removeToolPrice"];
    };
    "/v1/proxy/upstreams/{name}/refresh": {
        parameters: {
        };
        post: operations["refreshUpstream"];
    };
    "/v1/proxy/upstreams/{name}": {
        parameters: {
        };
        delete: operations["removeUpstream"];
        patch: operations["changeUpstream"];
    };
    "/v1/secrets": {
        parameters: {
        };
        get: operations["listSecrets"];
        post: operations["storeSecret"];
    };
    "/v1/secrets/{name}/versions": {
        parameters: {
        };
        get: operations["listSecretVersions"];
    };
    "/v1/deleted-secrets": {
        parameters: {
        };
        get: operations["listDeletedSecrets"];
    };
    "/v1/secrets/{name}/rollback": {
        parameters: {
        };
        post: operations["rollBackSecret"];
    };
    "/v1/secrets/{name}": {
        parameters: {
        };
        delete: operations["deleteSecret"];
    };
    "/v1/deleted-secrets/{secret_id}/restore": {
        parameters: {
        };
        post: operations["restoreSecret"];
    };
    "/v1/sessions": {
        parameters: {
        };
        get: operations["listSessions"];
    };
    "/v1/sessions/{session_id}": {
        parameters: {
        };
        delete: operations["revokeSession"];
    };
    "/v1/spend": {
        parameters: {
        };
        get: operations["getDailySpend"];
    };
    "/v1/status": {
        parameters: {
        };
        get: operations["getStatus"];
    };
    "/healthz": {
        parameters: {
        };
        get: operations["healthCheck"];
    };
    "/v1/freeze": {
        parameters: {
        };
        post: operations["freezeTenant"];
    };
    "/v1/webhooks": {
        parameters: {
        };
        get: operations["listWebhooks"];
        post: operations["registerWebhook"];
    };
    "/v1/webhooks/deliveries": {
        parameters: {
        };
        get: operations["listWebhookDeliveries"];
    };
    "/v1/webhooks/{webhook_id}": {
        parameters: {
        };
        delete: operations["deleteWebhook"];
        patch: operations["changeWebhook"];
    };
    "/v1/webhooks/{webhook_id}/test": {
        parameters: {
        };
        post: operations["testWebhook"];
    };
    "/v1/webhooks/{webhook_id}/rotate-secret": {
        parameters: {
        };
        post: operations["rotateWebhookSecret"];
    };
    "/v1/webhooks/deliveries/{delivery_id}/retry": {
        parameters: {
        };
        post: operations["retryWebhookDelivery"];
    };
    "/v1/webhooks/{webhook_id}/recover": {
        parameters: {
        };
        post: operations["recoverWebhook"];
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Agent: {
            agent_id: string;
            active_sessions: number;
            actions: number;
            flagged: number;
            spent_usd: number;
            last_seen: number;
            frozen: components["schemas"]["Freeze"] | null;
        };
        Freeze: {
            reason: string;
            by: string;
            at: number;
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
            timestamp: number;
            details?: string | null;
            source: string;
            leaf_index: number;
            prev_hash: string;
            entry_hash: string;
            format: number;
            actor: string | null;
            actor_id: string | null;
            context: string | null;
        };
        ApprovalRule: {
            id: string;
            /** @enum {string} */
            type: "spend_over" | "tool_blocked" | "destructive" | "all";
            threshold?: number;
            tools?: string[];
            created_at: number;
        };
        Budget: {
            id: string;
            /** @enum {string} */
            scope: "tenant" | "agent";
            agent_id: string | null;
            /** @enum {string} */
            period: "month" | "day";
            limit: number;
            spent: number | null;
            held: number | null;
            remaining: number | null;
            created_at: number;
        };
        GrantTerms: {
            uses: number;
            ttl: number;
            /** @default [] */
            free_arguments: string[];
            total_amount?: number | null;
        };
        ApprovalDetailsPart: {
            request_id: string;
            text: string;
            offset: number;
            total: number;
            next_offset: number | null;
            sha256: string;
            digest: string | null;
        };
        PendingApproval: {
            request_id: string;
            agent_id: string;
            tool: string;
            action: string;
            amount: number;
            reason: string;
            created_at: number;
            details: string | null;
            details_cut: boolean;
            details_path: string | null;
            digest: string | null;
            requested_key: string | null;
            expires_at: number;
        };
        ApprovalDetail: {
            request_id: string;
            status: string;
            agent_id: string;
            tool: string;
            action: string;
            amount: number;
            reason: string;
            decided_by?: string | null;
            decision_note?: string | null;
            details: string | null;
            details_cut: boolean;
            details_path: string | null;
            digest: string | null;
            requested_key: string | null;
            created_at: number;
            expires_at: number;
            decided_at: number | null;
            decided_key: string | null;
            signed: boolean;
            /** @enum {string|null} */
            outcome: "performed" | "failed" | "unknown" | "input_required" | "expired" | null;
            consumed: boolean;
            rule_ids: string[];
            grantable_arguments: string[] | null;
            grant_id: string | null;
            told?: number;
            /** @enum {string} */
            notified?: "pending" | "somebody" | "nobody";
        };
        ApprovalGrant: {
            grant_id: string;
            request_id: string;
            agent_id: string;
            tool: string;
            arguments: string[];
            free_arguments: string[];
            /** @enum {string} */
            state: "live" | "used" | "expired" | "revoked";
            uses: number;
            used: number;
            total_amount: number | null;
            spent: number;
            granted_by: string;
            granted_key: string;
            created_at: number;
            expires_at: number;
            revoked_at: number | null;
            revoked_key: string | null;
        };
        TreeHead: {
            tree_size: number;
            root_hash: string;
            signed_at: number;
            signature: string;
            algorithm: string;
            tenant_id: string;
            origin: string;
            key_id: string;
            checkpoint: string;
        };
        AuditExportManifest: {
            /** @constant */
            type: "manifest";
            format_version: number;
            tenant_id: string;
            generated_at: number;
            filters: {
                [key: string]: string | boolean | number;
            };
            count: number;
            first_timestamp: number | null;
            last_timestamp: number | null;
            last_chain_hash: string | null;
            sha256: string;
            tree_size: number;
            verifier_key: string;
            checkpoint: string;
            checkpoints: string[];
            signature: string;
        };
        ApiKeyListItem: {
            prefix: string;
            name: string;
            tier: string;
            scopes: string[];
            agent: components["schemas"]["GrantedCeiling"] | null;
            connector: components["schemas"]["GrantedConnector"] | null;
            created_at: number;
            last_used: number | null;
            expires_at: number | null;
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
            agent_id: string;
            scopes: string[];
            ttl: number;
            spend_limit: number;
            /**
             * @default day
             * @enum {string}
             */
            spend_period: "day" | "month" | "total";
            upstreams?: string[] | null;
            /**
             * @default full
             * @enum {string}
             */
            catalogue: "full" | "search";
        };
        ConnectorUse: {
            upstream: string;
            /** @default [] */
            secrets: string[];
        };
        Overview: {
            tenant_id: string;
            tier: string;
            generated_at: string;
            usage: {
                actions_this_month: number;
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
                flagged_7d: number;
                last_entry_at: string | null;
                chain_verified: boolean;
            };
            webhooks: {
                registered_count: number;
                deliveries_24h: number;
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
        Upstream: {
            url: string;
            headers: {
                [key: string]: string;
            };
            auth: {
                /** @constant */
                type: "client_credentials";
                token_origin: string;
                client_id: string;
            } | null;
            prefix: boolean;
            /** @enum {string} */
            separator: "__" | ".";
            tools_max_age: number;
            timeout: number;
            max_answer_bytes: number;
            concurrency: number;
            connector?: {
                instances: number;
                last_seen: number | null;
            };
            /** @enum {string|null} */
            sessions: "none" | "own" | "shared" | null;
            healthy: boolean;
            tools: number;
            drifted: number;
            refused: number;
            refused_tools?: {
                name: string;
                reason: string;
            }[];
            refused_resources?: {
                name: string;
                reason: string;
            }[];
            refused_resource_templates?: {
                name: string;
                reason: string;
            }[];
            refused_prompts?: {
                name: string;
                reason: string;
            }[];
            total_calls: number;
            total_errors: number;
            tool_errors: number;
            avg_latency_ms: number;
            last_check: number | null;
            error?: string;
            /** @enum {string} */
            circuit: "closed" | "open" | "half_open";
            /** @enum {string} */
            circuit_reason?: "errors" | "slowness";
            circuit_until?: number;
        };
        PersonDetail: {
            person_id: string;
            email: string;
            name: string;
            /** @enum {string} */
            role: "owner" | "operator" | "approver" | "auditor";
            /** @enum {string} */
            status: "invited" | "active";
            created_at: number;
            signed_in_at: number | null;
            warnings?: string[];
        };
        PersonInvited: {
            person_id: string;
            email: string;
            name: string;
            /** @enum {string} */
            role: "owner" | "operator" | "approver" | "auditor";
            /** @enum {string} */
            status: "invited" | "active";
            created_at: number;
            signed_in_at: number | null;
            link: string;
            link_expires_at: number;
            warnings?: string[];
        };
        ProxyPolicy: {
            id: string;
            /** @enum {string} */
            type: "block_tool" | "allow_list" | "deny_list" | "spend_limit" | "rate_limit" | "time_window" | "require_approval";
            tool?: string;
            tools?: string[];
            max?: number;
            max_per_minute?: number;
            start_hour?: number;
            end_hour?: number;
            /** @enum {string} */
            mode: "enforce" | "log_only";
            scope: {
                upstreams: string[];
                agents: string[];
                tools: string[];
            };
            priority: number;
            warnings?: string[];
        };
        ProxyExplanation: {
            policy_id: string;
            /** @enum {string} */
            policy: "block_tool" | "allow_list" | "deny_list" | "spend_limit" | "rate_limit" | "time_window" | "require_approval";
            reason: string;
            remedy: {
                policy_id: string;
                /** @enum {string} */
                change: "raise" | "add_tool" | "remove_tool" | "wait" | "remove_policy";
                /** @enum {string} */
                field?: "max" | "max_per_minute";
                to?: number;
                tool?: string;
                tools?: string[];
                until?: number;
                text: string;
            };
        };
        SecretItem: {
            name: string;
            version: number;
            scope_required: string;
            created_at: number;
            expires_at: number | null;
            expired: boolean;
            bindings: {
                upstream: string;
                tool: string;
            }[];
        };
        SecretBinding: {
            upstream: string;
            /** @default * */
            tool: string;
        };
        SessionListItem: {
            session_id: string;
            agent_id: string;
            scopes: string[];
            spend_limit: number | null;
            spent: number;
            held: number;
            delegated: number;
            remaining_budget: number | null;
            /** @enum {string} */
            catalogue: "full" | "search";
            parent_session_id: string | null;
            depth: number;
            descendants: number;
            is_valid: boolean;
            created_at: number;
            expires_at: number;
            /** @enum {string} */
            status: "active" | "expired" | "revoked";
        };
        Status: {
            /** @enum {string} */
            status: "ok" | "down";
            checked_at: number;
            components: {
                name: string;
                /** @enum {string} */
                state: "ok" | "down";
                message: string;
                checked_at: number;
            }[];
            metrics: {
                success_rate: {
                    total: number;
                    errors: number;
                    ratio: number;
                };
                latency_seconds: {
                    p50: number | null;
                    p95: number | null;
                    p99: number | null;
                };
            };
        };
        WebhookDeliveryAttempt: {
            id: string;
            delivery_id: string;
            webhook_id: number;
            url: string;
            event: string;
            event_id: string;
            attempt: number;
            /** @enum {string} */
            status: "delivered" | "failed";
            status_code: number | null;
            error: string | null;
            duration_ms: number;
            created_at: number;
            /** @enum {string} */
            delivery_status: "pending" | "delivered" | "failed" | "cancelled";
            next_attempt_at: number | null;
        };
        WebhookListItem: {
            webhook_id: number;
            name: string;
            url: string;
            events: string[];
            /** @enum {string} */
            format: "haldir" | "slack" | "teams";
            active: boolean;
            /** @enum {string|null} */
            disabled_reason: "gone" | "failing" | "requested" | null;
            failing_since: number | null;
            paused_until: number | null;
            secret_prev_expires_at: number | null;
            created_at: number;
            warnings?: string[];
        };
    };
    responses: never;
    parameters: {
        SessionIdPath: string;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listAgents: {
        parameters: {
            query?: {
                agent_id?: string;
                limit?: number;
                cursor?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        agents: components["schemas"]["Agent"][];
                        count: number;
                        tenant_frozen: components["schemas"]["Freeze"] | null;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    freezeAgent: {
        parameters: {
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                agent_id: string;
            };
        };
        requestBody: {
            content: {
                "application/json": {
                    reason: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        frozen: true;
                        agent_id: string | null;
                        changed: boolean;
                        denied_approvals: number;
                        revoked_grants: number;
                        warnings?: string[];
                    };
                };
            };
        };
    };
    unfreezeTenant: {
        parameters: {
            header?: {
                "Idempotency-Key"?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        frozen: false;
                        agent_id: string | null;
                        changed: boolean;
                    };
                };
            };
        };
    };
    unfreezeAgent: {
        parameters: {
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                agent_id: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        frozen: false;
                        agent_id: string | null;
                        changed: boolean;
                    };
                };
            };
        };
    };
    getAuditTrail: {
        parameters: {
            query?: {
                session_id?: string;
                agent_id?: string;
                tool?: string;
                flagged?: "true" | "false";
                limit?: number;
                tool_contains?: string;
                action?: string;
                decision?: "allowed" | "blocked" | "approval_required" | "approval_denied";
                rule?: string;
                upstream?: string;
                actor?: string;
                since?: string;
                until?: string;
                cursor?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        count: number;
                        entries: components["schemas"]["AuditEntry"][];
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    listProxyTools: {
        parameters: {
            query?: {
                drifted?: "true" | "false";
                upstream?: string;
                name_contains?: string;
                limit?: number;
                cursor?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        count: number;
                        tools: {
                            name: string;
                            description: string;
                            upstream: string;
                            qualified_name: string;
                            model_name: string;
                            warning?: string;
                            input_schema: {
                                [key: string]: unknown;
                            };
                            annotations?: {
                                [key: string]: unknown;
                            };
                            fingerprint: string;
                            price_usd?: number;
                            drift?: {
                                fingerprint: string;
                                seen_at: number;
                                diff: {
                                    path: string;
                                    was?: unknown;
                                    is?: unknown;
                                }[];
                            };
                        }[];
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    listProxyPolicies: {
        parameters: {
            query?: {
                type?: "block_tool" | "allow_list" | "deny_list" | "spend_limit" | "rate_limit" | "time_window" | "require_approval";
                mode?: "enforce" | "log_only";
                upstream?: string;
                limit?: number;
                cursor?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        policies: ({
                            id: string;
                            /** @enum {string} */
                            type: "block_tool" | "allow_list" | "deny_list" | "spend_limit" | "rate_limit" | "time_window" | "require_approval";
                            tool?: string;
                            tools?: string[];
                            max?: number;
                            max_per_minute?: number;
                            start_hour?: number;
                            end_hour?: number;
                            /** @enum {string} */
                            mode: "enforce" | "log_only";
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
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    addProxyPolicy: {
        parameters: {
            header?: {
                "Idempotency-Key"?: string;
            };
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    type: "block_tool" | "allow_list" | "deny_list" | "spend_limit" | "rate_limit" | "time_window" | "require_approval";
                    tool?: string;
                    tools?: string[];
                    max?: number;
                    max_per_minute?: number;
                    start_hour?: number;
                    end_hour?: number;
                    /** @enum {string} */
                    mode?: "enforce" | "log_only";
                    scope?: {
                        upstreams?: string[];
                        agents?: string[];
                        tools?: string[];
                    };
                    priority?: number;
                };
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        added: true;
                        type: string;
                        id: string;
                        warnings?: string[];
                    };
                };
            };
        };
    };
    listApprovalRules: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        count: number;
                        rules: components["schemas"]["ApprovalRule"][];
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    listBudgets: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        budgets: components["schemas"]["Budget"][];
                        count: number;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    setBudget: {
        parameters: {
            header?: {
                "Idempotency-Key"?: string;
            };
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    scope: "tenant" | "agent";
                    agent_id?: string | null;
                    limit: number;
                };
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        set: true;
                        id: string;
                        warnings?: string[];
                    };
                };
            };
        };
    };
    approveRequest: {
        parameters: {
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                request_id: string;
            };
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @default  */
                    decided_by?: string;
                    /** @default  */
                    note?: string;
                    grant?: components["schemas"]["GrantTerms"];
                    assertion?: {
                        id: string;
                        /** @constant */
                        type: "public-key";
                        rawId?: unknown;
                        authenticatorAttachment?: unknown;
                        clientExtensionResults?: unknown;
                        response: {
                            clientDataJSON: string;
                            authenticatorData: string;
                            signature: string;
                            userHandle?: unknown;
                        };
                    };
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        approved: true;
                        request_id: string;
                        grant_id?: string;
                        warnings?: string[];
                    };
                };
            };
        };
    };
    denyRequest: {
        parameters: {
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                request_id: string;
            };
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @default  */
                    decided_by?: string;
                    /** @default  */
                    note?: string;
                    assertion?: {
                        id: string;
                        /** @constant */
                        type: "public-key";
                        rawId?: unknown;
                        authenticatorAttachment?: unknown;
                        clientExtensionResults?: unknown;
                        response: {
                            clientDataJSON: string;
                            authenticatorData: string;
                            signature: string;
                            userHandle?: unknown;
                        };
                    };
                    reason?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        denied: true;
                        request_id: string;
                        warnings?: string[];
                    };
                };
            };
        };
    };
    readApprovalDetails: {
        parameters: {
            query?: {
                offset?: number;
                limit?: number;
            };
            path: {
                request_id: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovalDetailsPart"];
                };
            };
        };
    };
    previewApprovalGrant: {
        parameters: {
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                request_id: string;
            };
        };
        requestBody: {
            content: {
                "application/json": {
                    grant: components["schemas"]["GrantTerms"];
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        days: number;
                        waited: number;
                        alike: number;
                        let_through: number;
                        warnings?: string[];
                    };
                };
            };
        };
    };
    listPendingApprovals: {
        parameters: {
            query?: {
                agent_id?: string;
                tool?: string;
                rule?: string;
                limit?: number;
                cursor?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        count: number;
                        requests: components["schemas"]["PendingApproval"][];
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    listApprovals: {
        parameters: {
            query?: {
                agent_id?: string;
                tool?: string;
                rule?: string;
                status?: "pending" | "approved" | "denied" | "expired";
                limit?: number;
                cursor?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        count: number;
                        requests: components["schemas"]["ApprovalDetail"][];
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    checkApproval: {
        parameters: {
            path: {
                request_id: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApprovalDetail"];
                };
            };
        };
    };
    removeBudget: {
        parameters: {
            path: {
                budget_id: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        deleted: true;
                        id: string;
                    };
                };
            };
        };
    };
    listApprovalGrants: {
        parameters: {
            query?: {
                agent_id?: string;
                state?: "live" | "ended";
                limit?: number;
                cursor?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        count: number;
                        grants: components["schemas"]["ApprovalGrant"][];
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    revokeApprovalGrant: {
        parameters: {
            path: {
                grant_id: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        revoked: true;
                        grant_id: string;
                    };
                };
            };
        };
    };
    getTreeHead: {
        parameters: {
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TreeHead"];
                };
            };
        };
    };
    getLogKey: {
        parameters: {
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        origin: string;
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
                limit?: number;
                cursor?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        checkpoints: components["schemas"]["TreeHead"][];
                        count: number;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    verifyAuditTrail: {
        parameters: {
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        verified: boolean;
                        entries_checked: number;
                        message?: string;
                        broken_at?: number;
                        error?: string;
                    };
                };
            };
        };
    };
    getExportManifest: {
        parameters: {
            query?: {
                session_id?: string;
                agent_id?: string;
                tool?: string;
                tool_contains?: string;
                action?: string;
                decision?: "allowed" | "blocked" | "approval_required" | "approval_denied";
                rule?: string;
                upstream?: string;
                actor?: string;
                flagged?: "true" | "false";
                since?: string;
                until?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditExportManifest"];
                };
            };
        };
    };
    listApiKeys: {
        parameters: {
            query?: {
                kind?: "key" | "agent" | "connector";
                agent_id?: string;
                prefix?: string;
                status?: "active" | "expired" | "revoked";
                limit?: number;
                cursor?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        keys: components["schemas"]["ApiKeyListItem"][];
                        count: number;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    createApiKey: {
        parameters: {
            header?: {
                "Idempotency-Key"?: string;
            };
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @default default */
                    name?: string;
                    /**
                     * @default free
                     * @enum {string}
                     */
                    tier?: "free" | "pro" | "enterprise";
                    bootstrap_token?: string;
                    /**
                     * @default [
                     *       "*"
                     *     ]
                     */
                    scopes?: string[];
                    agent?: components["schemas"]["AgentCeiling"];
                    connector?: components["schemas"]["ConnectorUse"];
                    expires_at?: number | string | null;
                };
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        key: string;
                        prefix: string;
                        name: string;
                        tier: string;
                        message: string;
                        scopes: string[];
                        agent?: components["schemas"]["GrantedCeiling"];
                        connector?: components["schemas"]["GrantedConnector"];
                        expires_at: number | null;
                        warnings?: string[];
                    };
                };
            };
        };
    };
    rotateApiKey: {
        parameters: {
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                prefix: string;
            };
        };
        requestBody?: {
            content: {
                "application/json": {
                    /** @default 86400 */
                    overlap_seconds?: number;
                    expires_at?: number | string | null;
                };
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        key: string;
                        prefix: string;
                        name: string;
                        tier: string;
                        message: string;
                        scopes: string[];
                        agent?: components["schemas"]["GrantedCeiling"];
                        connector?: components["schemas"]["GrantedConnector"];
                        expires_at: number | null;
                        principal: string;
                        replaces: string;
                        replaced_until: number;
                        warnings?: string[];
                    };
                };
            };
        };
    };
    revokeApiKey: {
        parameters: {
            path: {
                prefix: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        revoked: true;
                        prefix: string;
                    };
                };
            };
        };
    };
    getOverview: {
        parameters: {
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Overview"];
                };
            };
        };
    };
    listUpstreams: {
        parameters: {
            query?: {
                healthy?: "true" | "false";
                name_contains?: string;
                limit?: number;
                cursor?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        upstreams: {
                            [key: string]: components["schemas"]["Upstream"];
                        };
                        total_tools: number;
                        policies: number;
                        count: number;
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
            header?: {
                "Idempotency-Key"?: string;
            };
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                    /** Format: uri */
                    url: string;
                    /** @default true */
                    prefix?: boolean;
                    /**
                     * @default __
                     * @enum {string}
                     */
                    separator?: "__" | ".";
                    /** @default 20 */
                    tools_max_age?: number;
                    timeout?: number | null;
                    max_answer_bytes?: number | null;
                    concurrency?: number | null;
                    headers?: {
                        [key: string]: string;
                    } | null;
                    auth?: {
                        /** @constant */
                        type: "client_credentials";
                        /** Format: uri */
                        token_url: string;
                        client_id: string;
                        client_secret: string;
                        scope?: string | null;
                        resource?: string | null;
                    } | null;
                };
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        registered: true;
                        name: string;
                        url: string;
                        healthy: boolean;
                        tools_discovered: number;
                        tool_names: string[];
                        error?: string;
                        upstream_status?: number;
                        upstream_body?: string;
                        refused_tools?: {
                            name: string;
                            reason: string;
                        }[];
                        refused_resources?: {
                            name: string;
                            reason: string;
                        }[];
                        refused_resource_templates?: {
                            name: string;
                            reason: string;
                        }[];
                        refused_prompts?: {
                            name: string;
                            reason: string;
                        }[];
                        drifted_tools?: string[];
                        warnings?: string[];
                    };
                };
            };
        };
    };
    listPeople: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        people: components["schemas"]["PersonDetail"][];
                        count: number;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    invitePerson: {
        parameters: {
            header?: {
                "Idempotency-Key"?: string;
            };
        };
        requestBody: {
            content: {
                "application/json": {
                    email: string;
                    /** @enum {string} */
                    role: "owner" | "operator" | "approver" | "auditor";
                    /** @default  */
                    name?: string;
                };
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonInvited"];
                };
            };
        };
    };
    removePerson: {
        parameters: {
            path: {
                person_id: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
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
            path: {
                person_id: string;
            };
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    role: "owner" | "operator" | "approver" | "auditor";
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonDetail"];
                };
            };
        };
    };
    removeProxyPolicy: {
        parameters: {
            path: {
                policy_id: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
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
            path: {
                policy_id: string;
            };
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    mode?: "enforce" | "log_only";
                    scope?: {
                        upstreams?: string[];
                        agents?: string[];
                        tools?: string[];
                    };
                    priority?: number;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProxyPolicy"];
                };
            };
        };
    };
    simulatePolicies: {
        parameters: {
            header?: {
                "Idempotency-Key"?: string;
            };
        };
        requestBody: {
            content: {
                "application/json": {
                    policies?: {
                        /** @enum {string} */
                        type: "block_tool" | "allow_list" | "deny_list" | "spend_limit" | "rate_limit" | "time_window" | "require_approval";
                        tool?: string | null;
                        tools?: string[] | null;
                        max?: number | null;
                        max_per_minute?: number | null;
                        start_hour?: number | null;
                        end_hour?: number | null;
                        /** @enum {string} */
                        mode?: "enforce" | "log_only";
                        scope?: {
                            upstreams?: string[];
                            agents?: string[];
                            tools?: string[];
                        };
                        priority?: number;
                    }[];
                    from?: number | string | null;
                    to?: number | string | null;
                    agent_id?: string;
                    /** @default 100 */
                    limit?: number;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        calls: number;
                        verdicts: {
                            allowed: number;
                            blocked: number;
                            held: number;
                            undecidable: number;
                        };
                        changes: number;
                        changed: {
                            entry_id: string;
                            at: number;
                            agent_id: string;
                            tool: string;
                            /** @enum {string} */
                            was: "allowed" | "blocked" | "held";
                            /** @enum {string} */
                            would_be: "allowed" | "blocked" | "held";
                            explanation?: components["schemas"]["ProxyExplanation"][];
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
                        truncated: boolean;
                        covered_until?: number;
                        warnings?: string[];
                    };
                };
            };
        };
    };
    getInclusionProof: {
        parameters: {
            path: {
                entry_id: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        algorithm: "RFC6962-SHA256";
                        entry_id: string;
                        leaf_index: number;
                        leaf_hash: string;
                        tree_size: number;
                        root_hash: string;
                        audit_path: string[];
                        sth: components["schemas"]["TreeHead"];
                        entry: {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
    };
    acceptTool: {
        parameters: {
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                name: string;
                tool: string;
            };
        };
        requestBody: {
            content: {
                "application/json": {
                    fingerprint: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        accepted: true;
                        upstream: string;
                        tool: string;
                        fingerprint: string;
                        warnings?: string[];
                    };
                };
            };
        };
    };
    priceTool: {
        parameters: {
            path: {
                name: string;
                tool: string;
            };
        };
        requestBody: {
            content: {
                "application/json": {
                    price_usd: number;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        upstream: string;
                        tool: string;
                        price_usd: number;
                        warnings?: string[];
                    };
                };
            };
        };
    };
    removeToolPrice: {
        parameters: {
            path: {
                name: string;
                tool: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
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
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                name: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        refreshed: true;
                        name: string;
                        url: string;
                        healthy: boolean;
                        tools_discovered: number;
                        tool_names: string[];
                        error?: string;
                        upstream_status?: number;
                        refused_tools?: {
                            name: string;
                            reason: string;
                        }[];
                        refused_resources?: {
                            name: string;
                            reason: string;
                        }[];
                        refused_resource_templates?: {
                            name: string;
                            reason: string;
                        }[];
                        refused_prompts?: {
                            name: string;
                            reason: string;
                        }[];
                        drifted_tools?: string[];
                    };
                };
            };
        };
    };
    removeUpstream: {
        parameters: {
            path: {
                name: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
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
            path: {
                name: string;
            };
        };
        requestBody: {
            content: {
                "application/json": {
                    prefix?: boolean;
                    /** @enum {string} */
                    separator?: "__" | ".";
                    tools_max_age?: number;
                    timeout?: number | null;
                    max_answer_bytes?: number | null;
                    concurrency?: number | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        name: string;
                        prefix: boolean;
                        /** @enum {string} */
                        separator: "__" | ".";
                        tools_max_age: number;
                        timeout: number;
                        max_answer_bytes: number;
                        concurrency: number;
                        warnings?: string[];
                    };
                };
            };
        };
    };
    listSecrets: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        secrets: string[];
                        count: number;
                        details: components["schemas"]["SecretItem"][];
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    storeSecret: {
        parameters: {
            header?: {
                "Idempotency-Key"?: string;
            };
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                    value: string;
                    /** @default read */
                    scope_required?: string;
                    expires_at?: number | string | null;
                    bindings?: components["schemas"]["SecretBinding"][] | null;
                };
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        stored: true;
                        name: string;
                        version: number;
                        expires_at: number | null;
                        bindings: {
                            upstream: string;
                            tool: string;
                        }[];
                        warnings?: string[];
                    };
                };
            };
        };
    };
    listSecretVersions: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
            path: {
                name: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        name: string;
                        versions: {
                            version: number;
                            scope_required: string;
                            created_at: number;
                            expires_at: number | null;
                            expired: boolean;
                            newest: boolean;
                            bindings: {
                                upstream: string;
                                tool: string;
                            }[];
                        }[];
                        count: number;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    listDeletedSecrets: {
        parameters: {
            query?: {
                name?: string;
                limit?: number;
                cursor?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        deleted: {
                            secret_id: string;
                            name: string;
                            versions: number;
                            deleted_at: number;
                            restorable_until: number;
                        }[];
                        count: number;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    rollBackSecret: {
        parameters: {
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                name: string;
            };
        };
        requestBody: {
            content: {
                "application/json": {
                    version: number;
                };
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        rolled_back: true;
                        name: string;
                        version: number;
                        from_version: number;
                        expires_at: number | null;
                        bindings: {
                            upstream: string;
                            tool: string;
                        }[];
                        warnings?: string[];
                    };
                };
            };
        };
    };
    deleteSecret: {
        parameters: {
            path: {
                name: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
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
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                secret_id: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        restored: true;
                        secret_id: string;
                        name: string;
                        version: number;
                    };
                };
            };
        };
    };
    listSessions: {
        parameters: {
            query?: {
                agent_id?: string;
                status?: "active" | "expired" | "revoked";
                opened_by?: string;
                limit?: number;
                cursor?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        count: number;
                        sessions: components["schemas"]["SessionListItem"][];
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    revokeSession: {
        parameters: {
            path: {
                session_id: components["parameters"]["SessionIdPath"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
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
                from?: string;
                to?: string;
                by?: "agent" | "tool";
                agent_id?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        from: string;
                        to: string;
                        /** @enum {string} */
                        by: "agent" | "tool";
                        total_usd: number;
                        count: number;
                        names: {
                            name: string | null;
                            total_usd: number;
                            count: number;
                        }[];
                        days: {
                            day: string;
                            total_usd: number;
                            count: number;
                            names: {
                                name: string | null;
                                total_usd: number;
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
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    healthCheck: {
        parameters: {
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
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
            header?: {
                "Idempotency-Key"?: string;
            };
        };
        requestBody: {
            content: {
                "application/json": {
                    reason: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        frozen: true;
                        agent_id: string | null;
                        changed: boolean;
                        denied_approvals: number;
                        revoked_grants: number;
                        warnings?: string[];
                    };
                };
            };
        };
    };
    listWebhooks: {
        parameters: {
            query?: {
                limit?: number;
                cursor?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        webhooks: {
                            webhook_id: number;
                            name: string;
                            url: string;
                            events: string[];
                            /** @enum {string} */
                            format: "haldir" | "slack" | "teams";
                            active: boolean;
                            /** @enum {string|null} */
                            disabled_reason: "gone" | "failing" | "requested" | null;
                            failing_since: number | null;
                            paused_until: number | null;
                            secret_prev_expires_at: number | null;
                            created_at: number;
                        }[];
                        count: number;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    registerWebhook: {
        parameters: {
            header?: {
                "Idempotency-Key"?: string;
            };
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: uri */
                    url: string;
                    /** @default  */
                    name?: string;
                    events?: ("all" | "anomaly" | "approval_requested" | "budget_exhausted" | "agent_frozen" | "agent_unfrozen" | "approval_outcome" | "budget_threshold" | "key_expiring" | "webhook_disabled")[] | null;
                    /**
                     * @default haldir
                     * @enum {string}
                     */
                    format?: "haldir" | "slack" | "teams";
                };
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        registered: true;
                        url: string;
                        events: string[] | null;
                        webhook_id: number;
                        name: string;
                        /** @enum {string} */
                        format: "haldir" | "slack" | "teams";
                        secret: string;
                        created_at: number;
                        warnings?: string[];
                    };
                };
            };
        };
    };
    listWebhookDeliveries: {
        parameters: {
            query?: {
                webhook_id?: number;
                status?: "delivered" | "failed";
                event?: "agent_frozen" | "agent_unfrozen" | "anomaly" | "approval_outcome" | "approval_requested" | "budget_exhausted" | "budget_threshold" | "key_expiring" | "webhook_disabled" | "webhook_test";
                event_id?: string;
                limit?: number;
                cursor?: string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        deliveries: components["schemas"]["WebhookDeliveryAttempt"][];
                        count: number;
                        next_cursor: string | null;
                    };
                };
            };
        };
    };
    deleteWebhook: {
        parameters: {
            path: {
                webhook_id: number;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
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
            path: {
                webhook_id: number;
            };
        };
        requestBody: {
            content: {
                "application/json": {
                    active?: boolean;
                    /** Format: uri */
                    url?: string;
                    name?: string;
                    events?: ("all" | "agent_frozen" | "agent_unfrozen" | "anomaly" | "approval_outcome" | "approval_requested" | "budget_exhausted" | "budget_threshold" | "key_expiring" | "webhook_disabled")[] | null;
                    /** @enum {string} */
                    format?: "haldir" | "slack" | "teams";
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookListItem"];
                };
            };
        };
    };
    testWebhook: {
        parameters: {
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                webhook_id: number;
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
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
                grace_seconds?: number;
            };
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                webhook_id: number;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        webhook_id: number;
                        secret: string;
                        secret_prev: string;
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
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                delivery_id: string;
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
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
            header?: {
                "Idempotency-Key"?: string;
            };
            path: {
                webhook_id: number;
            };
        };
        requestBody: {
            content: {
                "application/json": {
                    since: number | string;
                };
            };
        };
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        webhook_id: number;
                        recovered: number;
                        more: boolean;
                        warnings?: string[];
                    };
                };
            };
        };
    };
}
