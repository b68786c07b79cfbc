"""The calls of a Python client of v1, in its order, with nothing but the standard library.

Usage: client.py BASE_URL KEY WEBHOOK_URL

Prints one JSON line for each call: its name, the status, and what was answered. A call that fails ends nothing: the caller
compares all of it.
"""

import json
import sys
import urllib.error
import urllib.parse
import urllib.request

BASE, KEY, HOOK = sys.argv[1:4]


def call(name, method, path, body=None, params=None, headers=None):
    """One request as `requests` makes it: a JSON body where there is one, parameters that are None left out."""
    given = {key: value for key, value in (params or {}).items() if value is not None}
    url = BASE + path + ("?" + urllib.parse.urlencode(given) if given else "")
    request = urllib.request.Request(
        url,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": "Bearer " + KEY,
            "Content-Type": "application/json",
            "User-Agent": "haldir-python/0.1.0",
            "Accept": "*/*",
            **(headers or {}),
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            status, text = reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    try:
        answer = json.loads(text)
    except ValueError:
        answer = text
    print(json.dumps({"name": name, "status": status, "body": answer}), flush=True)
    return answer


# A session, and what it may do.
session = call(
    "create_session",
    "POST",
    "/v1/sessions",
    {"agent_id": "py-sdk-test", "scopes": ["read", "write", "spend:50"], "ttl": 3600, "spend_limit": None},
)["session_id"]
call("get_session", "GET", "/v1/sessions/" + session)
call("check_permission", "POST", "/v1/sessions/" + session + "/check", {"scope": "read"})
call("check_permission_denied", "POST", "/v1/sessions/" + session + "/check", {"scope": "delete"})

# Secrets. The session goes in a header.
call("store_secret", "POST", "/v1/secrets", {"name": "py_key", "value": "s3cr\u00e9t", "scope_required": "read"})
call("get_secret", "GET", "/v1/secrets/py_key", headers={"X-Session-ID": session})
call("list_secrets", "GET", "/v1/secrets")
call("delete_secret", "DELETE", "/v1/secrets/py_key")
call("get_secret_missing", "GET", "/v1/secrets/py_key")

# Money, computed in floats as Python does.
call(
    "authorize_payment",
    "POST",
    "/v1/payments/authorize",
    {"session_id": session, "amount": 3 * 1.1, "currency": "usd", "description": ""},
)
call("authorize_payment_denied", "POST", "/v1/payments/authorize", {"session_id": session, "amount": 1000})

# The log.
logged = call(
    "log_action",
    "POST",
    "/v1/audit",
    {
        "session_id": session,
        "tool": "stripe",
        "action": "charge",
        "details": {"amount": 29.99, "customer": None},
        "cost_usd": 0.1 + 0.2,
    },
)["entry_id"]
call("get_audit_trail", "GET", "/v1/audit", params={"session_id": session, "agent_id": None, "tool": "stripe", "limit": 10})
call("get_audit_flagged", "GET", "/v1/audit", params={"flagged": "true", "limit": 5})
call("get_spend", "GET", "/v1/audit/spend", params={"session_id": session})
call("verify_audit", "GET", "/v1/audit/verify")
call("tree_head", "GET", "/v1/audit/tree-head")
call("inclusion_proof", "GET", "/v1/audit/inclusion-proof/" + logged)
call("consistency_proof", "GET", "/v1/audit/consistency-proof", params={"first": 1, "second": 2})
call("export_csv", "GET", "/v1/audit/export", params={"format": "csv", "tool": "stripe"})

# Approvals: rules, requests, decisions.
call("add_approval_rule", "POST", "/v1/approvals/rules", {"type": "spend_over", "threshold": 25.0})
call("add_tool_rule", "POST", "/v1/approvals/rules", {"type": "tool_blocked", "tools": ["wire"]})
call("list_approval_rules", "GET", "/v1/approvals/rules")
asked = [
    call(
        "request_approval",
        "POST",
        "/v1/approvals/request",
        {"session_id": session, "tool": "mail", "action": "send", "amount": 0.0, "reason": "newsletter", "ttl": 600},
    )["request_id"]
    for _ in range(2)
]
call("list_pending_approvals", "GET", "/v1/approvals/pending")
call("approve_request", "POST", "/v1/approvals/" + asked[0] + "/approve", {"decided_by": "ops", "note": "fine"})
call("deny_request", "POST", "/v1/approvals/" + asked[1] + "/deny", {"reason": "not today"})
call("get_approved", "GET", "/v1/approvals/" + asked[0])
call("get_denied", "GET", "/v1/approvals/" + asked[1])
call("approve_again", "POST", "/v1/approvals/" + asked[0] + "/approve", {})

# Webhooks.
hook = call("register_webhook", "POST", "/v1/webhooks", {"url": HOOK, "name": "py", "events": ["anomaly"]})
call("list_webhooks", "GET", "/v1/webhooks")
call("test_webhook", "POST", "/v1/webhooks/%d/test" % hook["webhook_id"])
call("list_deliveries", "GET", "/v1/webhooks/deliveries", params={"limit": 20, "event_id": None})
call(
    "rotate_secret",
    "POST",
    "/v1/webhooks/%d/rotate-secret" % hook["webhook_id"],
    params={"grace_seconds": 3600},
)
call("delete_webhook", "DELETE", "/v1/webhooks/%d" % hook["webhook_id"])

# What dashboards read.
call("usage", "GET", "/v1/usage")
call("metrics", "GET", "/v1/metrics")
call("status", "GET", "/v1/status")
call("overview", "GET", "/v1/admin/overview")
call("jwks", "GET", "/.well-known/jwks.json")
call("evidence", "GET", "/v1/compliance/evidence")

# What goes wrong, in the shapes that the client's exceptions are made of.
call("bad_request", "POST", "/v1/sessions", {"agent_id": ""})
call("not_found", "GET", "/v1/sessions/ses_none")
call("revoke_session", "DELETE", "/v1/sessions/" + session)
call("log_after_revoke", "POST", "/v1/audit", {"session_id": session, "action": "late"})
KEY = "hld_wrong"
call("unauthorized", "GET", "/v1/secrets")
