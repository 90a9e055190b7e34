# A stand-in of ours for the admin API of a MinIO-compatible server, which cannot be had here. It is strict: it verifies
# every signature (header and token signed, body hashed), decrypts bodies and encrypts answers as `madmin-go` documents,
# with Python's `cryptography`, which shares no code with the client under test. It keeps accounts in memory.
# `/test/state` tells what it has understood; no real server has that.
import hashlib
import hmac
import json
import os
import re
import sys
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

KEY, SECRET = os.environ["ADMIN_KEY"], os.environ["ADMIN_SECRET"]
TEMPORARY = {"key": os.environ["TEMPORARY_KEY"], "secret": os.environ["TEMPORARY_SECRET"]}
TOKEN = os.environ["TEMPORARY_TOKEN"]
PREFIX = "/minio/admin/v3/"
FRAGMENT = 1 << 14
BODY_MAX = 1 << 20

lock = threading.Lock()
state = {"users": {}, "groups": {}, "policies": {"readwrite": {"Version": "2012-10-17", "Statement": []}},
         "accounts": {}, "heals": {}, "tokens_seen": 0, "dead": False}


class Refused(Exception):
    def __init__(self, status, code, message="said by the fixture"):
        self.status, self.code, self.message = status, code, message


def key_of(secret, salt):
    return Argon2id(salt=salt, length=32, iterations=1, lanes=4, memory_cost=64 * 1024).derive(secret.encode())


def nonce(prefix, number):
    return prefix + number.to_bytes(4, "little")


def decrypt(secret, data):
    if len(data) < 41 + 16:
        raise Refused(400, "XMinioAdminConfigBadJSON", "not encrypted")
    salt, suite, prefix, rest = data[:32], data[32], data[33:41], data[41:]
    cipher = {0: AESGCM, 1: ChaCha20Poly1305}[suite](key_of(secret, salt))
    tag = cipher.encrypt(nonce(prefix, 0), b"", b"")
    plain, number = b"", 1
    while True:
        fragment, rest = rest[: FRAGMENT + 16], rest[FRAGMENT + 16 :]
        last = not rest
        plain += cipher.decrypt(nonce(prefix, number), fragment, (b"\x80" if last else b"\0") + tag)
        if last:
            return plain
        number += 1


def encrypt(secret, plain):
    salt, prefix = os.urandom(32), os.urandom(8)
    # The other cipher than the client's, so that both are exercised.
    cipher = ChaCha20Poly1305(key_of(secret, salt))
    tag = cipher.encrypt(nonce(prefix, 0), b"", b"")
    out, pieces = salt + b"\x01" + prefix, [plain[i : i + FRAGMENT] for i in range(0, len(plain), FRAGMENT)] or [b""]
    for number, piece in enumerate(pieces, 1):
        flag = b"\x80" if number == len(pieces) else b"\0"
        out += cipher.encrypt(nonce(prefix, number), piece, flag + tag)
    return out


def verify(method, target, headers, body):
    """Signature Version 4 by hand; answers the secret key that signed."""
    found = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})",
        headers.get("authorization", ""),
    )
    if not found:
        raise Refused(403, "AccessDenied", "no signature")
    key, day, region, names, signature = found.groups()
    names = names.split(";")
    if key == KEY:
        secret = SECRET
        if "x-amz-security-token" in headers:
            raise Refused(403, "InvalidTokenId")
    elif key == TEMPORARY["key"]:
        secret = TEMPORARY["secret"]
        if headers.get("x-amz-security-token") != TOKEN or "x-amz-security-token" not in names:
            raise Refused(403, "InvalidTokenId")
        state["tokens_seen"] += 1
    else:
        raise Refused(403, "InvalidAccessKeyId")
    if state["dead"]:
        raise Refused(400, "ExpiredToken", f"your token {TOKEN} is over")
    if not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(names):
        raise Refused(403, "AccessDenied", "a header is not signed")
    if headers["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
        raise Refused(400, "XAmzContentSHA256Mismatch")
    parts = urlsplit(target)
    pairs = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in parse_qsl(parts.query, keep_blank_values=True))
    canonical = "\n".join(
        [method, parts.path, "&".join(f"{k}={v}" for k, v in pairs), *(f"{n}:{headers[n].strip()}" for n in names), "",
         ";".join(names), headers["x-amz-content-sha256"]]
    )
    scope = f"{day}/{region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    mac = ("AWS4" + secret).encode()
    for word in (day, region, "s3", "aws4_request", text):
        mac = hmac.new(mac, word.encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(mac.hex(), signature):
        raise Refused(403, "SignatureDoesNotMatch")
    return secret


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def only(table, name, code):
    if name not in table:
        raise Refused(404, code)
    return table[name]


def user_info(name):
    user = only(state["users"], name, "XMinioAdminNoSuchUser")
    groups = [group for group, value in state["groups"].items() if name in value["members"]]
    return {"status": user["status"], "policyName": ",".join(user["policies"]), "memberOf": groups, "updatedAt": now()}


def associate(attach, asked):
    for policy in asked["policies"]:
        only(state["policies"], policy, "XMinioAdminNoSuchPolicy")
    if ("user" in asked) == ("group" in asked):
        raise Refused(400, "XMinioAdminResourceInvalidArgument")
    holder = (
        only(state["users"], asked["user"], "XMinioAdminNoSuchUser")
        if "user" in asked
        else only(state["groups"], asked["group"], "XMinioAdminNoSuchGroup")
    )
    changed = [p for p in asked["policies"] if (p in holder["policies"]) != attach]
    if not changed:
        raise Refused(400, "XMinioAdminPolicyChangeAlreadyApplied")
    holder["policies"] = sorted(set(holder["policies"]) | set(changed) if attach else set(holder["policies"]) - set(changed))
    return {"policiesAttached" if attach else "policiesDetached": changed, "updatedAt": now()}


def members(asked):
    group, names = asked["group"], asked["members"]
    for name in names:
        only(state["users"], name, "XMinioAdminNoSuchUser")
    if not asked["isRemove"]:
        value = state["groups"].setdefault(group, {"status": "enabled", "members": [], "policies": []})
        value["members"] = sorted(set(value["members"]) | set(names))
        return
    value = only(state["groups"], group, "XMinioAdminNoSuchGroup")
    if names:
        value["members"] = [name for name in value["members"] if name not in names]
    elif value["members"]:
        raise Refused(400, "XMinioAdminGroupNotEmpty")
    else:
        del state["groups"][group]


def account_info(key, account):
    return {"accessKey": key, "parentUser": account["parent"], "accountStatus": account["status"],
            "impliedPolicy": account["policy"] is None, "name": account["name"], "description": account["description"],
            "expiration": account["expiration"] or "1970-01-01T00:00:00Z"}


def add_account(asked, caller):
    key, secret = asked.get("accessKey") or "SERVICE%012d" % len(state["accounts"]), asked.get("secretKey") or "made-by-the-server-0123456789"
    state["accounts"][key] = {"parent": asked.get("targetUser") or caller, "status": "on", "secret": secret,
                              "name": asked.get("name", ""), "description": asked.get("description", ""),
                              "expiration": asked.get("expiration"), "policy": asked.get("policy")}
    return {"credentials": {"accessKey": key, "secretKey": secret, "expiration": asked.get("expiration") or "1970-01-01T00:00:00Z"}}


def edit_account(key, asked):
    account = only(state["accounts"], key, "XMinioAdminServiceAccountNotFound")
    for theirs, ours in [("newSecretKey", "secret"), ("newStatus", "status"), ("newName", "name"),
                         ("newDescription", "description"), ("newExpiration", "expiration"), ("newPolicy", "policy")]:
        if theirs in asked:
            account[ours] = asked[theirs]


def heal(place, query, body):
    if "forceStop" in query:
        token = only(state["heals"], place, "XMinioHealNoSuchProcess")
        del state["heals"][place]
        return {"clientToken": token, "clientAddress": "fixture", "startTime": now()}
    if "clientToken" in query:
        if state["heals"].get(place) != query["clientToken"]:
            raise Refused(400, "XMinioHealInvalidClientToken")
        drives = lambda *states: {"drives": [{"uuid": "", "endpoint": "/d", "state": s} for s in states]}
        item = {"resultId": 1, "type": "object", "before": drives("ok", "missing"), "after": drives("ok", "ok")}
        whole = {"resultId": 2, "type": "object", "before": drives("ok", "ok"), "after": drives("ok", "ok")}
        return {"summary": "finished", "detail": "", "startTime": now(), "settings": {}, "items": [item, whole]}
    if place in state["heals"] and "forceStart" not in query:
        raise Refused(400, "XMinioHealAlreadyRunning")
    asked = json.loads(body)
    if not isinstance(asked["recursive"], bool) or asked["scanMode"] not in (1, 2):
        raise Refused(400, "XMinioHealInvalid")
    state["heals"][place] = "token-of-" + (place or "all")
    return {"clientToken": state["heals"][place], "clientAddress": "fixture", "startTime": now()}


INFO = {"mode": "online", "region": "us-east-1", "deploymentID": "11111111-2222-3333-4444-555555555555",
        "buckets": {"count": 3}, "objects": {"count": 42}, "usage": {"size": 1234567},
        "servers": [{"state": "online", "endpoint": "fixture:9000", "uptime": 61, "version": "2026-01-01T00:00:00Z",
                     "drives": [{"state": "ok"}, {"state": "offline"}]}]}


def answer(method, path, query, body, secret, caller):
    """Status, body, and whether the body is to be encrypted."""
    plain = lambda value=None: (200, b"" if value is None else json.dumps(value).encode(), False)
    hidden = lambda value: (200, json.dumps(value).encode(), True)
    opened = lambda: json.loads(decrypt(secret, body))
    name, user = query.get("name"), query.get("accessKey")
    match (method, path):
        case ("GET", "accountinfo"):
            return plain({"AccountName": caller, "Server": {}, "Policy": {}, "Buckets": []})
        case ("GET", "info"):
            return plain(INFO)
        case ("GET", "list-users"):
            return hidden({name: user_info(name) for name in state["users"]})
        case ("GET", "user-info"):
            return plain(user_info(user))
        case ("PUT", "add-user"):
            asked = opened()
            if len(asked["secretKey"]) < 8:
                raise Refused(400, "XMinioAdminInvalidSecretKey")
            old = state["users"].get(user, {"policies": []})
            state["users"][user] = {"secret": asked["secretKey"], "status": asked["status"], "policies": old["policies"]}
            return plain()
        case ("DELETE", "remove-user"):
            only(state["users"], user, "XMinioAdminNoSuchUser")
            del state["users"][user]
            return plain()
        case ("PUT", "set-user-status"):
            only(state["users"], user, "XMinioAdminNoSuchUser")["status"] = query["status"]
            return plain()
        case ("GET", "list-canned-policies"):
            return plain(state["policies"])
        case ("GET", "info-canned-policy"):
            document = only(state["policies"], name, "XMinioAdminNoSuchPolicy")
            return plain({"PolicyName": name, "Policy": document, "CreateDate": now(), "UpdateDate": now()})
        case ("PUT", "add-canned-policy"):
            state["policies"][name] = json.loads(body)
            return plain()
        case ("DELETE", "remove-canned-policy"):
            only(state["policies"], name, "XMinioAdminNoSuchPolicy")
            del state["policies"][name]
            return plain()
        case ("POST", "idp/builtin/policy/attach" | "idp/builtin/policy/detach"):
            return hidden(associate(path.endswith("attach"), opened()))
        case ("GET", "groups"):
            return plain(list(state["groups"]))
        case ("GET", "group"):
            value = only(state["groups"], query["group"], "XMinioAdminNoSuchGroup")
            return plain({"name": query["group"], "status": value["status"], "members": value["members"],
                          "policy": ",".join(value["policies"]), "updatedAt": now()})
        case ("PUT", "update-group-members"):
            members(json.loads(body))
            return plain()
        case ("PUT", "set-group-status"):
            only(state["groups"], query["group"], "XMinioAdminNoSuchGroup")["status"] = query["status"]
            return plain()
        case ("GET", "list-service-accounts"):
            owner = query["user"] or caller
            return hidden({"accounts": [account_info(k, a) for k, a in state["accounts"].items() if a["parent"] == owner]})
        case ("GET", "info-service-account"):
            account = only(state["accounts"], user, "XMinioAdminServiceAccountNotFound")
            return hidden({**account_info(user, account), "policy": json.dumps(account["policy"]) if account["policy"] else ""})
        case ("PUT", "add-service-account"):
            return hidden(add_account(opened(), caller))
        case ("POST", "update-service-account"):
            edit_account(user, opened())
            return 204, b"", False
        case ("DELETE", "delete-service-account"):
            only(state["accounts"], user, "XMinioAdminServiceAccountNotFound")
            del state["accounts"][user]
            return 204, b"", False
        case ("POST", "background-heal/status"):
            return plain({"ScannedItemsCount": 7, "HealDisks": ["/d2"], "sets": []})
        case ("POST", place) if place.startswith("heal/"):
            return plain(heal(unquote(place[5:]), query, body))
    raise Refused(404, "XMinioAdminUnknownPath", path)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, status, body, kind="application/json"):
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if status == 204 else body)

    def serve(self):
        body = self.rfile.read(min(int(self.headers.get("content-length") or 0), BODY_MAX))
        parts = urlsplit(self.path)
        if parts.path == "/test/ready":
            return self.say(200, b"{}")
        with lock:
            if parts.path == "/test/state":
                return self.say(200, json.dumps(state).encode())
            if parts.path == "/test/kill":
                state["dead"] = True
                return self.say(200, b"{}")
            try:
                headers = {name.lower(): value for name, value in self.headers.items()}
                secret = verify(self.command, self.path, headers, body)
                if not parts.path.startswith(PREFIX):
                    raise Refused(404, "NoSuchBucket")
                query = dict(parse_qsl(parts.query, keep_blank_values=True))
                status, said, hide = answer(self.command, parts.path[len(PREFIX) :], query, body, secret, KEY)
                self.say(status, encrypt(secret, said) if hide else said)
            except Refused as refused:
                self.say(refused.status, json.dumps({"Code": refused.code, "Message": refused.message}).encode())
            except Exception as broken:
                said = {"Code": "XMinioFixtureRefuses", "Message": f"{type(broken).__name__}: {broken}"}
                self.say(400, json.dumps(said).encode())

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = serve


def main():
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
