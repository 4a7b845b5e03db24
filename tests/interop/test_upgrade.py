"""Every release's data directory opens in the program of the day: tests/fixtures/data-VERSION.tar.xz, which
make_data_fixture.py made with that release and described in data-VERSION.json."""
import contextlib
import json
import os
import pathlib
import smtplib
import socketserver
import sys
import tarfile
import threading
import unittest

import harness
from harness import Nsd, ROOT, Server, wait_until
from peers import dkimpy_verify

sys.path.insert(0, str(ROOT / "tests/fixtures"))
import make_data_fixture as fixture  # noqa: E402 (it is found by the line above)

ARCHIVES = sorted((ROOT / "tests/fixtures").glob("data-*.tar.xz"))


class Peer(socketserver.ThreadingTCPServer):
    """Another mail server, which takes everything and keeps it as it came."""
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.received = {}  # by recipient

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Conversation(socketserver.StreamRequestHandler):
    timeout = 60

    def handle(self):
        recipient = None
        self.say("220 peer.remote.example")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"RCPT":
                recipient = line.decode().split("<")[1].split(">")[0]
            if verb == b"DATA":
                self.say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.received[recipient] = b"".join(x[1:] if x.startswith(b".") else x for x in lines if x)
            self.say("250 Ok")
            if verb == b"QUIT":
                return

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")


def dkim_records(domain):
    return [r for r in domain["records"] if r["purpose"] == "dkim"]


class Earlier(Server):
    """A server on a data directory that an earlier release made."""

    def __init__(self, archive, content, dns, peer_port):
        super().__init__(content["hostname"], dns=dns, extra=f"""
[[delivery.route]]
domain = "remote.example"
host = "127.0.0.1"
port = {peer_port}
[events]
retention = "3650d"
""")
        self.archive = archive

    def init(self):
        os.mkdir(self.data, 0o700)
        with tarfile.open(self.archive) as tar:
            tar.extractall(self.data)
        self.write_config()
        os.chmod(self.config, 0o600)


class Upgrade:
    """The tests of one archive. They share a server, and none minds what the others did to it."""
    archive: pathlib.Path

    @classmethod
    def setUpClass(cls):
        content = json.loads(cls.archive.with_name(cls.archive.name.replace(".tar.xz", ".json")).read_text())
        # The records as they were published then: what is signed now must still verify.
        zone = "".join(f'{r["name"]} 60 IN {r["type"]} {r["zone_value"]}\n' for r in content["records"])
        with contextlib.ExitStack() as stack:
            cls.peer = stack.enter_context(Peer())
            cls.dns = stack.enter_context(Nsd({content["domain"]: zone + "mx IN A 127.0.0.1\n"}))
            cls.content, cls.account, cls.domain = content, content["account"], content["domain"]
            cls.server = stack.enter_context(Earlier(cls.archive, content, cls.dns.port, cls.peer.server_address[1]))
            cls.addClassCleanup(stack.pop_all().close)

    def submit(self, recipient, subject, sender=None, password=None):
        text = fixture.message(sender or self.account, recipient, subject, "x\r\n")
        return fixture.submit(self.server, recipient, text, sender or self.account,
                              password or self.content["password"])

    def session(self, password=None):
        return fixture.imap_session(self.server, self.account, password or self.content["password"])

    def trace(self, id):
        return self.server.cli("message", "trace", id)["items"]

    def assert_signed(self, message):
        """Each key of the domain's signed it, and other people's program finds that good."""
        signatures = dkimpy_verify(message, self.dns.port)
        self.assertEqual(len(signatures), len(dkim_records(self.content)))
        self.assertTrue(all(s["passed"] and s["domain"] == self.domain for s in signatures), signatures)

    def test_both_passwords_log_in(self):
        for password in (self.content["password"], self.content["app_password"]):
            with self.session(password) as imap:
                fixture.expect(imap.select("INBOX", readonly=True))
            self.submit(self.account, "note to self", password=password)
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            self.submit(self.account, "somebody else's note", password=self.content["app_password"] + "x")

    def test_mailboxes_are_what_they_were(self):
        with self.session() as imap:
            for name, wanted in self.content["mailboxes"].items():
                found = fixture.read_mailbox(imap, name, below=wanted["uidnext"])
                self.assertEqual(found["uidvalidity"], wanted["uidvalidity"], name)
                self.assertGreaterEqual(found["uidnext"], wanted["uidnext"], name)
                self.assertEqual(found["messages"], wanted["messages"], name)

    def test_alias_leads_to_the_mailbox_and_uids_go_on(self):
        inbox = self.content["mailboxes"]["INBOX"]
        aliases = self.server.cli("alias", "list", "--domain", self.domain)["items"]
        self.assertEqual([(a["address"], a["targets"]) for a in aliases], [(self.content["alias"], [self.account])])
        self.submit(self.content["alias"], "for the alias")

        def arrived():
            with self.session() as imap:
                fixture.expect(imap.select("INBOX", readonly=True))
                return fixture.expect(imap.uid("SEARCH", "SUBJECT", '"for the alias"'))[0].split()
        uid, = wait_until(arrived, "the message to the alias")
        self.assertGreaterEqual(int(uid), inbox["uidnext"])

    def test_grant_still_counts(self):
        grants = self.server.cli("account", "grants", self.account)["items"]
        self.assertEqual([(g["address"], g["domain"]) for g in grants], [(self.account, self.domain)])
        self.submit(self.account, "granted", sender=f"news@{self.domain}")
        with self.assertRaises(smtplib.SMTPResponseException) as refused:
            self.submit(self.account, "not granted", sender="news@remote.example")
        self.assertGreaterEqual(refused.exception.smtp_code, 500)

    def test_waiting_mail_is_listed_and_goes_out(self):
        waiting = {r["state"]: r for r in self.content["queue"]}
        listed = {r["id"]: r for r in self.server.cli("queue", "list")["items"]}
        self.assertEqual(listed[waiting["held"]["id"]], {**listed[waiting["held"]["id"]], **waiting["held"]})
        # The other one may have been due when the server started, and be gone.
        queued = waiting["queued"]
        self.server.cli("queue", "retry", queued["id"], check=False)
        received = wait_until(lambda: self.peer.received.get(queued["address"]), "the queued message goes out")
        self.assertTrue(received.endswith(b"\r\n\r\nPatience.\r\n"), received[-100:])
        self.assert_signed(received)
        wait_until(lambda: self.trace(queued["id"])[-1]["event"] == "delivered", "the end of its timeline")
        self.assertNotIn(queued["id"], [r["id"] for r in self.server.cli("queue", "list")["items"]])

    def test_timelines_are_what_they_were(self):
        for wanted in self.content["timelines"]:
            found = self.trace(wanted["id"])[:len(wanted["items"])]
            # A later release may tell more of an event, but not something else.
            self.assertEqual([{**f, **w} for f, w in zip(found, wanted["items"])], found)
            self.assertEqual(len(found), len(wanted["items"]))

    def test_domain_keeps_its_keys(self):
        self.assertEqual(dkim_records(self.server.cli("domain", "show", self.domain)), dkim_records(self.content))
        # A later release may want other records besides; then this exits with 1.
        found = dkim_records(self.server.cli("domain", "check", self.domain, check=False))
        self.assertEqual([r["status"] for r in found], ["ok"] * len(dkim_records(self.content)), found)
        recipient = "carol@remote.example"
        self.submit(recipient, "signed anew")
        self.assert_signed(wait_until(lambda: self.peer.received.get(recipient), "the new message goes out"))

    def test_another_start_finds_it_too(self):
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        with self.session() as imap:
            fixture.expect(imap.select("INBOX", readonly=True))


for path in ARCHIVES:
    version = path.name.removeprefix("data-").removesuffix(".tar.xz")
    name = "Data_" + version.replace(".", "_").replace("-", "_")
    globals()[name] = type(name, (Upgrade, unittest.TestCase), {"archive": path})


class Archives(unittest.TestCase):
    def test_there_is_one_with_its_description(self):
        self.assertTrue(ARCHIVES)
        described = {p.name.removesuffix(".json") for p in (ROOT / "tests/fixtures").glob("data-*.json")}
        self.assertEqual({p.name.removesuffix(".tar.xz") for p in ARCHIVES}, described)
        for archive in ARCHIVES:
            self.assertLess(archive.stat().st_size, 80_000, archive)


if __name__ == "__main__":
    harness.main()
