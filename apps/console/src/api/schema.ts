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
        post?: never;
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
        post?: never;
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
        post?: never;
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
        post?: never;
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
            /** @description Arguments of the call that others like it may have otherwise; null where this call alone can be approved */
            grantable_arguments: string[] | null;
            /** @description The grant by which it was approved, and which lets its call through */
            grant_id: string | null;
        };
    };
    responses: never;
    parameters: never;
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
                     *       "generated_at": "2026-12-01T04:10:48.825Z",
                     *       "usage": {
                     *         "actions_this_month": 74,
                     *         "spend_usd_this_month": 1.002
                     *       },
                     *       "sessions": {
                     *         "active_count": 13
                     *       },
                     *       "vault": {
                     *         "secrets_count": 3
                     *       },
                     *       "audit": {
                     *         "total_entries": 59,
                     *         "flagged_7d": 0,
                     *         "last_entry_at": "2026-12-01T04:10:48.779Z",
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
                     *           "last_seen": 1796098247.424,
                     *           "frozen": null
                     *         },
                     *         {
                     *           "agent_id": "agent-5b0a4c1e-6a0f-4a53-9d0e-0a8d7c2f1b34",
                     *           "active_sessions": 2,
                     *           "actions": 8,
                     *           "flagged": 0,
                     *           "spent_usd": 1,
                     *           "last_seen": 1796098241.253,
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
                     *           "last_check": 1796098240.362,
                     *           "circuit": "closed"
                     *         },
                     *         "upstream-1c72f8d8-0266-427f-8d30-c609082c7fc7": {
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
                     *           "last_check": 1796098242.416,
                     *           "circuit": "closed"
                     *         },
                     *         "upstream-21fc434b-d1bf-4d2b-b825-f66d08f66fc0": {
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
                     *           "last_check": 1796098240.972,
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
                     *           "created_at": 1796098241.042
                     *         },
                     *         {
                     *           "id": "apl_01m8a0n4yy042z44fpt3fcp8g3",
                     *           "type": "spend_over",
                     *           "threshold": 1000000,
                     *           "created_at": 1796098241.434
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
                     *           "created_at": 1796098250.585,
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
                     *       "count": 42,
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
                     *           "timestamp": 1796098246.254,
                     *           "details": "a page",
                     *           "source": "agent",
                     *           "leaf_index": 41,
                     *           "prev_hash": "abfdc38be84bd98797871c17b87118c32463347c569f8140d00a0abd814ed265",
                     *           "entry_hash": "58decba0da49a368dc988bedd94afe05addbd4a9c7c54bf5ba6f12e7bdecc60b",
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
                     *           "timestamp": 1796098246.209,
                     *           "details": "{\"scopes\":[\"read\",\"browse\"],\"ttl\":3600,\"spend_limit\":null,\"by\":\"hld_A1b2C3d4E5\"}",
                     *           "source": "haldir",
                     *           "leaf_index": 40,
                     *           "prev_hash": "afc1287cc4b61f9764a1bccf1448edd6063a6ebe51ead2430e028f498019257f",
                     *           "entry_hash": "abfdc38be84bd98797871c17b87118c32463347c569f8140d00a0abd814ed265",
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
                     *           "created_at": 1796098241.523
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
                     *           "created_at": 1796098250.093
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
                     *           "created_at": 1796098246.967,
                     *           "expires_at": 1796098846.967
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
                     *           "created_at": 1796098246.84,
                     *           "expires_at": 1796098846.84
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
                     *           "created_at": 1796098247.278,
                     *           "expires_at": 1796098847.278,
                     *           "status": "denied",
                     *           "decided_by": "dana",
                     *           "decision_note": "seen",
                     *           "decided_at": 1796098247.417,
                     *           "decided_key": "hld_A1b2C3d4E5",
                     *           "signed": false,
                     *           "consumed": false,
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
                     *           "created_at": 1796098247.113,
                     *           "expires_at": 1796098847.113,
                     *           "status": "approved",
                     *           "decided_by": "dana",
                     *           "decision_note": "seen",
                     *           "decided_at": 1796098247.192,
                     *           "decided_key": "hld_A1b2C3d4E5",
                     *           "signed": false,
                     *           "consumed": false,
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
                     *       "created_at": 1796098246.967,
                     *       "expires_at": 1796098846.967,
                     *       "status": "pending",
                     *       "decided_by": null,
                     *       "decision_note": null,
                     *       "decided_at": null,
                     *       "decided_key": null,
                     *       "signed": false,
                     *       "consumed": false,
                     *       "grantable_arguments": null,
                     *       "grant_id": null
                     *     }
                     */
                    "application/json": components["schemas"]["ApprovalDetail"];
                };
            };
        };
    };
}
