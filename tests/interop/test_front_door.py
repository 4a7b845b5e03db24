"""The HTTP API as its callers meet it: a developer with an API key, a person with a browser's cookies, and people who
shouldn't be there. The client is Python's http.client; TOTP codes come from oathtool."""
import http.client
import imaplib
import json
import os
import pathlib
import re
import smtplib
import sqlite3
import subprocess
import time
import unittest

import leftovers
from harness import Nsd, POSTERN, Server, free_ports, main, port_open, unverified, wait_until, zone_text

PASSWORD = "seven green kettles hum quietly"
OTHER_PASSWORD = "nine brown ladders sing loudly"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.raw = response.read()
        kind = response.headers.get("Content-Type", "")
        plain = self.raw and "Content-Encoding" not in response.headers
        self.json = json.loads(self.raw) if plain and "json" in kind and "ndjson" not in kind else None


class Caller:
    """One client with a cookie jar, as a browser has it."""

    def __init__(self, port, key=None, tenant=None):
        self.port, self.key, self.tenant = port, key, tenant
        self.cookies = {}
        self.csrf = None

    def call(self, method, path, body=None, headers=None):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=unverified(), timeout=30)
        send = dict(headers or {})
        if self.key:
            send["Authorization"] = f"Bearer {self.key}"
        if self.tenant:
            send["Postern-Tenant"] = self.tenant
        if self.cookies:
            send["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        if self.csrf and method != "GET":
            send.setdefault("X-CSRF-Token", self.csrf)
        connection.request(method, path, json.dumps(body) if body is not None else None, send)
        answer = Answer(connection.getresponse())
        connection.close()
        leftovers.note_document(answer.json)
        if answer.status // 100 == 2:  # a password that was refused may be any word
            leftovers.note_document(body)
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            if value:
                leftovers.note(value)
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        if answer.json and isinstance(answer.json, dict) and "csrf_token" in answer.json:
            self.csrf = answer.json["csrf_token"]
        return answer

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, {} if body is None else body, **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)


def totp(secret, when="now"):
    return subprocess.run(["oathtool", "--totp", "-b", "--now", when, secret], capture_output=True, text=True,
                          check=True, timeout=20).stdout.strip()


class House(unittest.TestCase):
    """A server with an https listener, for all tests of a class; a tenant with names of its own for each test."""
    EXTRA = ""
    TTL = 60  # of what NSD answers
    tenants = 0

    @classmethod
    def settings(cls):
        # One address makes all the requests here.
        return cls.EXTRA or "[web]\naddress_requests = 100000\n"

    @classmethod
    def setUpClass(cls):
        cls.port, = free_ports(1)
        listen = f'[[listen]]\nkind = "https"\naddress = "127.0.0.1:{cls.port}"\n'
        cls.nsd = cls.enterClassContext(Nsd({"house.example": "mx IN A 127.0.0.1"}, cls.TTL))
        cls.server = Server("mx.house.example", dns=cls.nsd.port, extra=listen + cls.settings())
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)
        wait_until(lambda: port_open(cls.port), "the https listener")

    def setUp(self):
        House.tenants += 1
        self.tenant = f"t{House.tenants}"
        self.domain = f"{self.tenant}.example"
        self.ann = f"ann@{self.domain}"
        self.server.cli("tenant", "add", self.tenant)

    def key(self, *scopes, more=()):
        words = [word for scope in scopes for word in ("--scope", scope)]
        return self.server.cli("key", "add", "--tenant", self.tenant, *words, *more)

    def caller(self, *scopes, **more):
        return Caller(self.port, self.key(*scopes, **more)["key"])

    def person(self, email=None, role="admin"):
        """A person with a password, signed in."""
        email = email or self.ann
        link = self.server.cli("person", "add", email, "--tenant", self.tenant, "--role", role)["sign_in_link"]
        caller = Caller(self.port)
        answer = caller.post("/v1/session/link/confirm", {"token": link.split("#")[1]})
        self.assertEqual(answer.status, 201, answer.raw)
        answer = caller.post("/v1/me/password", {"password": PASSWORD})
        self.assertEqual(answer.status, 204, answer.raw)
        self.assertEqual(self.sign_in(caller, email).status, 201)
        return caller

    def sign_in(self, caller, email, password=PASSWORD):
        return caller.post("/v1/session", {"email": email, "password": password})


class FrontDoor(House):
    # The journey of a new platform developer.
    def test_tenant_domain_key_message_and_its_timeline(self):
        domains = self.caller("domain.*", "account.*")
        made = domains.post("/v1/domains", {"domain": self.domain})
        self.assertEqual(made.status, 201, made.raw)
        self.assertEqual((made.json["tenant"], made.json["status"]), (self.tenant, "pending"))
        checked = domains.post(f"/v1/domains/{self.domain}/check")
        self.assertEqual((checked.json["ok"], checked.json["status"]), (False, "pending"))
        self.nsd.zones[self.domain] = zone_text(made.json)
        self.nsd.restart()
        # "Not there" may be remembered for the zone's minute.
        checked = wait_until(lambda: (found := domains.post(f"/v1/domains/{self.domain}/check").json)["ok"] and found,
                             "the records are seen", seconds=90)
        self.assertEqual(checked["status"], "active")
        self.assertEqual(domains.post("/v1/accounts", {"address": f"app@{self.domain}"}).status, 201)
        listed = domains.get(f"/v1/accounts?domain={self.domain}")
        self.assertEqual([a["address"] for a in listed.json["items"]], [f"app@{self.domain}"])
        self.assertEqual(domains.get("/v1/queue").status, 403)
        sender = self.caller("credential.create", "message.read")
        login = sender.post(f"/v1/accounts/app@{self.domain}/credentials", {"label": "first program"}).json
        text = f"From: app@{self.domain}\r\nTo: app@{self.domain}\r\nSubject: first\r\n\r\nhello\r\n"
        with smtplib.SMTP("127.0.0.1", self.server.ports["submission"], timeout=30) as client:
            client.starttls(context=unverified())
            client.login(login["address"], login["password"])
            client.mail(login["address"])
            client.rcpt(login["address"])
            code, said = client.data(text)
        self.assertEqual(code, 250)
        message = re.search(r"[0-9a-f]{32}", said.decode()).group()

        def told():
            timeline = sender.get(f"/v1/messages/{message}/events")
            return timeline.status == 200 and [e["event"] for e in timeline.json["items"]]
        self.assertEqual(wait_until(told, "the timeline"), ["accepted", "delivered"])

    def test_everything_is_described(self):
        nobody = Caller(self.port)
        document = nobody.get("/v1/openapi.json")
        self.assertEqual(document.json["openapi"], "3.1.0")
        self.assertIn("/v1/keys/{key}/rotate", document.json["paths"])
        page = nobody.get("/v1/reference")
        self.assertIn(b"/v1/keys/{key}/rotate", page.raw)
        self.assertNotIn("unsafe-inline", page.headers["Content-Security-Policy"])
        small = nobody.get("/v1/openapi.json", headers={"Accept-Encoding": "gzip"})
        self.assertEqual(small.headers["Content-Encoding"], "gzip")
        self.assertLess(len(small.raw), len(document.raw) // 3)

    def test_headers_tell_browsers_to_be_careful(self):
        answer = Caller(self.port).get("/healthz")
        for name, value in {"Strict-Transport-Security": "max-age=", "X-Content-Type-Options": "nosniff",
                            "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
                            "Content-Security-Policy": "default-src 'none'", "Cache-Control": "no-store"}.items():
            self.assertIn(value, answer.headers[name])
        self.assertTrue(answer.headers["X-Request-Id"])

    def test_what_is_wrong_is_named(self):
        caller = self.caller("domain.*")
        for body, field in (({}, "domain"), ({"domain": 5}, "domain"), ({"domain": "a.example", "x": 1}, "x"),
                            ({"domain": "a" * 600}, "domain")):
            answer = caller.post("/v1/domains", body)
            self.assertEqual((answer.status, answer.json["field"]), (400, field), body)
            self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assertEqual(caller.get("/v1/domains?nonsense=1").json["field"], "nonsense")

    def test_nobody_gets_nothing_and_a_wrong_key_no_more(self):
        self.assertEqual(Caller(self.port).get("/v1/domains").status, 401)
        real = self.key("domain.read")["key"]
        for key in ("nonsense", "pst_key_" + "A" * 49, real[:-1] + ("a" if real[-1] != "a" else "b"), real[:-1]):
            self.assertEqual(Caller(self.port, key).get("/v1/domains").status, 401)

    def test_key_ends_when_it_is_revoked_and_rotates_with_overlap(self):
        made = self.key("domain.read")
        old = Caller(self.port, made["key"])
        self.assertEqual(old.get("/v1/domains").status, 200)
        fresh = Caller(self.port, self.server.cli("key", "rotate", made["id"], "--tenant", self.tenant)["key"])
        self.assertEqual((old.get("/v1/domains").status, fresh.get("/v1/domains").status), (200, 200))
        self.server.cli("key", "revoke", made["id"], "--tenant", self.tenant)
        self.assertEqual((old.get("/v1/domains").status, fresh.get("/v1/domains").status), (401, 200))

    def test_key_has_limits(self):
        slow = self.caller("domain.read", more=["--reads-per-minute", "3"])
        statuses = [slow.get("/v1/domains").status for _ in range(5)]
        self.assertEqual(statuses, [200, 200, 200, 429, 429])
        capped = self.caller("domain.read", more=["--monthly-cap", "2"])
        answers = [capped.get("/v1/domains") for _ in range(3)]
        self.assertEqual([a.status for a in answers], [200, 200, 429])
        self.assertTrue(answers[-1].headers["Retry-After"])
        elsewhere = self.caller("domain.read", more=["--address", "192.0.2.0/24"])
        self.assertEqual(elsewhere.get("/v1/domains").status, 403)
        old = self.server.cli("key", "add", "--tenant", self.tenant, "--scope", "domain.read", "--expires",
                              "2020-01-01T00:00:00Z", check=False)
        self.assertIsNone(old)

    def test_key_of_one_tenant_sees_nothing_of_another(self):
        self.server.add_account("bea@beta.example", "irrelevant password", tenant="beta")
        caller = self.caller("domain.*", "account.*", "credential.*", "alias.*", "key.*", "audit.read", "tenant.read")
        for there, missing in (("/v1/domains/beta.example", "/v1/domains/gone.example"),
                               ("/v1/accounts/bea@beta.example", "/v1/accounts/gone@gone.example"),
                               ("/v1/tenants/beta", "/v1/tenants/gone")):
            one, other = caller.get(there), caller.get(missing)
            self.assertEqual(one.status, 404)
            names = ("beta", "gone")
            bea = one.raw.replace(b"bea@beta", b"gone@gone").replace(b"beta", b"gone")
            self.assertEqual(bea, other.raw, names)
        self.assertEqual(caller.get("/v1/domains").json["items"], [])
        self.assertEqual(caller.get("/v1/domains?tenant=beta").status, 404)
        self.assertEqual(caller.post("/v1/keys", {"label": "x", "scopes": ["domain.read"], "tenant": "beta"}).status, 404)

    def test_key_makes_no_key_above_itself(self):
        caller = self.caller("key.create", "domain.read")
        self.assertEqual(caller.post("/v1/keys", {"label": "x", "scopes": ["domain.read"]}).status, 201)
        self.assertEqual(caller.post("/v1/keys", {"label": "x", "scopes": ["domain.create"]}).status, 403)
        self.assertEqual(caller.post("/v1/keys", {"label": "x", "scopes": ["server.backup"]}).status, 400)

    def test_narrowed_key_reaches_its_domain_alone(self):
        for domain in ("one.example", "two.example"):
            self.server.cli("domain", "add", domain, "--tenant", self.tenant)
            self.server.cli("account", "add", f"x@{domain}", stdin="some password\n")
        caller = self.caller("domain.*", "account.*", "queue.read", more=["--domain", "one.example"])
        self.assertEqual([d["domain"] for d in caller.get("/v1/domains").json["items"]], ["one.example"])
        self.assertEqual(caller.get("/v1/accounts/x@one.example").status, 200)
        self.assertEqual(caller.get("/v1/accounts/x@two.example").status, 404)
        self.assertEqual(caller.post("/v1/accounts", {"address": "y@two.example"}).status, 404)
        self.assertEqual(caller.get("/v1/queue").status, 403)

    # People.
    def test_person_signs_in_and_out(self):
        ann = self.person()
        me = ann.get("/v1/session")
        self.assertEqual((me.json["email"], me.json["sign_in"]), (self.ann, "whole"))
        self.assertEqual([t["name"] for t in me.json["tenants"]], [self.tenant])
        self.assertIn("domain.create", me.json["permissions"])
        self.assertEqual(ann.get("/v1/domains").status, 200)
        self.assertEqual(ann.delete("/v1/session").status, 204)
        self.assertEqual(ann.get("/v1/domains").status, 401)

    def test_cookies_are_for_this_host_over_tls_and_out_of_scripts_reach(self):
        answer = self.sign_in(self.person(), self.ann)
        cookies = answer.headers.get_all("Set-Cookie")
        session, = [c for c in cookies if c.startswith("__Host-postern=")]
        for attribute in ("HttpOnly", "Secure", "SameSite=Strict", "Path=/"):
            self.assertIn(attribute, session)
        csrf, = [c for c in cookies if c.startswith("__Host-postern-csrf=")]
        self.assertNotIn("HttpOnly", csrf)

    def test_request_that_another_site_makes_is_refused(self):
        ann = self.person()
        for token in ("", "nonsense", "x" + ann.csrf[1:]):
            self.assertEqual(ann.post("/v1/invitations", {"email": "x@y.example", "role": "viewer"},
                                      headers={"X-CSRF-Token": token}).status, 403)
        self.assertEqual(ann.post("/v1/aliases", {"address": "x@y.example", "targets": ["z@y.example"]}).status, 404)

    def test_stolen_session_is_worth_nothing_after_a_password_change(self):
        ann = self.person()
        thief = Caller(self.port)
        thief.cookies = dict(ann.cookies)
        thief.csrf = ann.csrf
        self.assertEqual(thief.get("/v1/domains").status, 200)
        self.assertEqual(ann.post("/v1/me/password", {"current_password": "wrong", "password": OTHER_PASSWORD}).status, 403)
        changed = ann.post("/v1/me/password", {"current_password": PASSWORD, "password": OTHER_PASSWORD})
        self.assertEqual(changed.status, 204)
        self.assertEqual(thief.get("/v1/domains").status, 401)
        self.assertEqual(self.sign_in(ann, self.ann).status, 401)
        self.assertEqual(self.sign_in(ann, self.ann, OTHER_PASSWORD).status, 201)

    def test_five_failures_lock_out_but_running_sessions_go_on(self):
        ann = self.person()
        stranger = Caller(self.port)
        answers = [self.sign_in(stranger, self.ann, "wrong password").raw for _ in range(5)]
        unknown = self.sign_in(stranger, "nobody@people.example", "wrong password").raw
        self.assertEqual(set(answers), {unknown})
        self.assertEqual(self.sign_in(Caller(self.port), self.ann).status, 401)
        self.assertEqual(ann.get("/v1/domains").status, 200)

    def test_second_factor_is_asked_for_once_it_is_set_up(self):
        ann = self.person()
        secret = ann.post("/v1/me/totp").json["secret"]
        self.assertEqual(ann.post("/v1/me/totp/confirm", {"secret": secret, "code": "000000"}).status, 400)
        self.assertEqual(ann.post("/v1/me/totp/confirm", {"secret": secret, "code": totp(secret)}).status, 204)
        codes = ann.post("/v1/me/recovery-codes")
        self.assertEqual(codes.status, 201, codes.raw)
        half = Caller(self.port)
        self.assertEqual(self.sign_in(half, self.ann).json["sign_in"], "half")
        self.assertEqual(half.get("/v1/domains").status, 403)
        self.assertEqual(half.post("/v1/me/totp").status, 403)
        before = dict(half.cookies)
        used = {"kind": "recovery_code", "code": codes.json["codes"][0]}
        whole = half.post("/v1/session/second-factor", used)
        self.assertEqual((whole.status, whole.json["sign_in"]), (201, "whole"))
        self.assertEqual(half.get("/v1/domains").status, 200)
        stale = Caller(self.port)
        stale.cookies = before
        self.assertEqual(stale.get("/v1/session").status, 401)
        again = Caller(self.port)
        self.sign_in(again, self.ann)
        self.assertEqual(again.post("/v1/session/second-factor", used).status, 401)

    def test_destructive_call_needs_a_fresh_second_factor(self):
        ann = self.person()
        self.server.cli("domain", "add", self.domain, "--tenant", self.tenant)
        refused = ann.delete(f"/v1/domains/{self.domain}")
        self.assertEqual((refused.status, refused.headers["Postern-Step-Up"]), (403, "required"))
        secret = ann.post("/v1/me/totp").json["secret"]
        ann.post("/v1/me/totp/confirm", {"secret": secret, "code": totp(secret)})
        self.assertEqual(ann.delete(f"/v1/domains/{self.domain}").status, 204)

    def test_mailed_link_and_code_sign_in_and_say_nothing_about_who_exists(self):
        self.server.add_account(self.ann, "mail password", tenant=self.tenant)
        self.person(role="viewer")
        nobody = Caller(self.port)
        answers = {nobody.post("/v1/session/link", {"email": e}).raw for e in (self.ann, "no@one.example")}
        self.assertEqual(len(answers), 1)
        text = self.mail_of(self.ann, "mail password", "sign-in link")
        token = re.search(r"#(pst_link_\S+)", text).group(1)
        self.assertEqual(nobody.post("/v1/session/link/confirm", {"token": token}).status, 201)
        self.assertEqual(Caller(self.port).post("/v1/session/link/confirm", {"token": token}).status, 401)
        nobody.post("/v1/session/code", {"email": self.ann})
        code = re.search(r"code is (\d{6})", self.mail_of(self.ann, "mail password", "sign-in code")).group(1)
        wrong = f"{(int(code) + 1) % 1000000:06}"
        fresh = Caller(self.port)
        for _ in range(2):
            self.assertEqual(fresh.post("/v1/session/code/confirm", {"email": self.ann, "code": wrong}).status, 401)
        self.assertEqual(fresh.post("/v1/session/code/confirm", {"email": self.ann, "code": code}).status, 201)

    def mail_of(self, address, password, subject):
        def look():
            client = imaplib.IMAP4_SSL("127.0.0.1", self.server.ports["imaps"], ssl_context=unverified())
            client.login(address, password)
            client.select("INBOX")
            _, found = client.search(None, "SUBJECT", f'"{subject}"')
            text = None
            if found[0]:
                _, parts = client.fetch(found[0].split()[-1], "(BODY[])")
                text = parts[0][1].decode().replace("=\r\n", "").replace("=3D", "=")
            client.logout()
            return text
        return wait_until(look, f"a mail about {subject}")

    def test_password_reset_by_mail_ends_sessions(self):
        self.server.add_account(self.ann, "mail password", tenant=self.tenant)
        ann = self.person(role="viewer")
        Caller(self.port).post("/v1/password-reset", {"email": self.ann})
        token = re.search(r"#(pst_link_\S+)", self.mail_of(self.ann, "mail password", "Reset")).group(1)
        weak = Caller(self.port).post("/v1/password-reset/confirm", {"token": token, "password": "password1234"})
        self.assertEqual((weak.status, weak.json["field"]), (400, "password"))
        done = Caller(self.port).post("/v1/password-reset/confirm", {"token": token, "password": OTHER_PASSWORD})
        self.assertEqual(done.status, 204, done.raw)
        self.assertEqual(ann.get("/v1/session").status, 401)
        self.assertEqual(self.sign_in(Caller(self.port), self.ann, OTHER_PASSWORD).status, 201)

    def test_invitation_by_mail_makes_a_member_of_no_higher_rank(self):
        self.server.add_account(f"bob@{self.domain}", "mail password", tenant=self.tenant)
        ann = self.person()
        self.assertEqual(ann.post("/v1/invitations", {"email": f"bob@{self.domain}", "role": "owner"}).status, 403)
        made = ann.post("/v1/invitations", {"email": f"bob@{self.domain}", "role": "viewer"})
        self.assertEqual(made.status, 201, made.raw)
        token = re.search(r"#(pst_link_\S+)", self.mail_of(f"bob@{self.domain}", "mail password", "invited")).group(1)
        bob = Caller(self.port)
        joined = bob.post("/v1/invitation/accept", {"token": token, "name": "Bob", "password": PASSWORD})
        self.assertEqual(joined.status, 201, joined.raw)
        self.assertEqual(bob.get("/v1/domains").status, 200)
        self.assertEqual(bob.post("/v1/domains", {"domain": "b.example"}).status, 403)
        people = {p["email"]: p["role"] for p in ann.get("/v1/people").json["items"]}
        self.assertEqual(people, {self.ann: "admin", f"bob@{self.domain}": "viewer"})

    def test_custom_role_and_if_match(self):
        ann = self.person()
        role = ann.post("/v1/roles", {"name": "Desk", "permissions": ["account.read", "account.create"]}).json
        tag = ann.get(f"/v1/roles/{role['id']}").headers["ETag"]
        change = {"name": "Desk", "permissions": ["account.read"]}
        self.assertEqual(ann.call("PUT", f"/v1/roles/{role['id']}", change, headers={"If-Match": tag}).status, 200)
        stale = ann.call("PUT", f"/v1/roles/{role['id']}", change, headers={"If-Match": tag})
        self.assertEqual(stale.status, 412)

    def test_operator_runs_the_platform_and_enters_a_tenant_by_its_leave_only(self):
        link = self.server.cli("operator", "add", "op@host.example")["sign_in_link"]
        op = Caller(self.port)
        op.post("/v1/session/link/confirm", {"token": link.split("#")[1]})
        self.assertIn(self.tenant, [t["name"] for t in op.get("/v1/tenants").json["items"]])
        self.assertEqual(op.post("/v1/tenants", {"name": "gamma"}).status, 201)
        self.assertEqual(op.get(f"/v1/accounts?domain={self.domain}").status, 403)
        op.tenant = self.tenant
        self.assertEqual(op.get("/v1/domains").status, 404)
        owner = self.person(role="owner")
        secret = owner.post("/v1/me/totp").json["secret"]
        owner.post("/v1/me/totp/confirm", {"secret": secret, "code": totp(secret)})
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        leave = owner.post("/v1/connections", {"email": "op@host.example", "permissions": ["domain.read"],
                                               "reason": "a ticket", "expires_at": end})
        self.assertEqual(leave.status, 201, leave.raw)
        self.assertEqual(op.get("/v1/domains").status, 200)
        self.assertEqual(op.get("/v1/people").status, 403)
        trail = owner.get("/v1/audit?actor=op@host.example").json["items"]
        self.assertEqual([(r["action"], r["outcome"], r["original_actor"]) for r in trail],
                         [("person.list", "denied", "op@host.example")])
        self.assertEqual(owner.delete(f"/v1/connections/{leave.json['id']}").status, 204)
        self.assertEqual(op.get("/v1/domains").status, 404)

    def test_ended_session_and_other_sites_pages_at_sign_in(self):
        ann = self.person()
        stale = dict(ann.cookies)
        ann.delete("/v1/session")
        ann.cookies, ann.csrf = stale, None
        self.assertEqual(self.sign_in(ann, self.ann).status, 201)
        login = {"email": self.ann, "password": PASSWORD}
        for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 201), ("none", 201)):
            self.assertEqual(Caller(self.port).post("/v1/session", login, headers={"Sec-Fetch-Site": site}).status, status)

    # The trail.
    def test_what_was_done_is_in_the_trail_and_the_trail_is_sound(self):
        ann = self.person()
        self.server.cli("domain", "add", self.domain, "--tenant", self.tenant)
        ann.post("/v1/accounts", {"address": f"new@{self.domain}"})
        trail = [(r["action"], r["actor"], r["target"]) for r in ann.get("/v1/audit").json["items"]]
        self.assertIn(("account.create", self.ann, f"account:new@{self.domain}"), trail)
        self.assertIn(("domain.create", f"uid {os.getuid()}", f"domain:{self.domain}"), trail)
        self.assertIn(("session.create", self.ann, f"person:{self.ann}"), trail)
        lines = ann.get("/v1/audit/export").raw.decode().splitlines()
        self.assertEqual([json.loads(line)["number"] for line in lines], list(range(1, len(lines) + 1)))
        csv = ann.get("/v1/audit/export?format=csv").raw.decode()
        self.assertIn(f"account:new@{self.domain}", csv)
        self.assertTrue(self.server.cli("audit", "verify")["sound"])

    def test_no_secret_is_in_log_or_database(self):
        ann = self.person()
        made = self.key("domain.read")
        secret = ann.post("/v1/me/totp").json["secret"]
        ann.post("/v1/me/totp/confirm", {"secret": secret, "code": totp(secret)})
        codes = ann.post("/v1/me/recovery-codes").json["codes"]
        secrets = [made["key"], secret, PASSWORD, codes[0], *ann.cookies.values()]
        metrics = http.client.HTTPConnection("127.0.0.1", self.server.ports["metrics"], timeout=20)
        metrics.request("GET", "/metrics")
        told = metrics.getresponse().read()
        metrics.close()
        self.server.stop()
        held = told + pathlib.Path(self.server.log_path).read_bytes()
        for name in os.listdir(self.server.data):
            if ".db" in name:
                held += pathlib.Path(self.server.data, name).read_bytes()
        for text in secrets:
            self.assertNotIn(text.encode(), held)
        self.server.start()


class EditedTrail(House):
    def test_edit_of_the_trail_is_found_and_named(self):
        self.server.cli("domain", "add", self.domain, "--tenant", self.tenant)
        self.server.stop()
        database = sqlite3.connect(os.path.join(self.server.data, "control.db"))
        database.execute("UPDATE audit_records SET target = 'domain:other.example' WHERE target = ?",
                         (f"domain:{self.domain}",))
        database.commit()
        database.close()
        done = subprocess.run([POSTERN, "--config", self.server.config, "--json", "audit", "verify", "--data",
                               self.server.data], capture_output=True, text=True, timeout=60)
        found = json.loads(done.stdout)
        self.assertEqual((done.returncode, found["sound"]), (1, False))
        self.assertEqual({f["problem"] for f in found["findings"]}, {"record altered"})
        self.server.start()


class SecondFactorDemanded(House):
    EXTRA = "[web]\nrequire_second_factor = true\n"

    def test_person_without_one_may_only_set_one_up(self):
        link = self.server.cli("person", "add", self.ann, "--tenant", self.tenant, "--role",
                               "admin")["sign_in_link"]
        ann = Caller(self.port)
        begun = ann.post("/v1/session/link/confirm", {"token": link.split("#")[1]})
        self.assertEqual(begun.json["sign_in"], "enrolling")
        self.assertEqual(ann.get("/v1/domains").status, 403)
        secret = ann.post("/v1/me/totp").json["secret"]
        self.assertEqual(ann.post("/v1/me/totp/confirm", {"secret": secret, "code": totp(secret)}).status, 204)
        self.assertEqual(ann.get("/v1/domains").status, 200)


if __name__ == "__main__":
    main()
