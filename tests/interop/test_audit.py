"""The audit trail under attack: a database edited by hand, a database put back to an earlier day, and the witness that
knows better. Hands on the database are Python's sqlite3; the witness's key is read and its statements are checked by
OpenSSL's command line."""
import base64
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import tempfile
import unittest

from harness import POSTERN, ROOT, Server, main, wait_until


def run(*words, **more):
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=120, **more)


class UnixHttp(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)

    def ask(self, method, path, headers=None):
        self.request(method, path, headers=headers or {})
        response = self.getresponse()
        return response.status, response.read()


class Witnessed(unittest.TestCase):
    """A server with a witness's socket, the tenant alpha, and a witness's key."""

    def setUp(self):
        self.server = Server("mx.alpha.example")
        self.here = pathlib.Path(self.server.directory)
        self.socket = str(self.here / "witness.sock")
        self.server.extra = f'[audit]\nwitness_socket = "{self.socket}"\n'
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        self.key, self.public, self.file = self.here / "w.pem", self.here / "w.pub", self.here / "statements"
        made = run(POSTERN, "witness", "init", "--key", self.key, "--public", self.public)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(made.stdout, self.public.read_text())
        self.server.cli("tenant", "add", "alpha")
        self.server.cli("domain", "add", "alpha.example", "--tenant", "alpha")

    def words(self):
        return [POSTERN, "witness", "--socket", self.socket, "--key", self.key, "--file", self.file]

    def witness(self, exit_code=0):
        done = run(*self.words(), "--once")
        self.assertEqual(done.returncode, exit_code, done.stderr + self.server.read_log())
        return done

    def statements(self):
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def verify(self, *more, data=None, exit_code=0):
        done = run(POSTERN, "--config", self.server.config, "--json", "audit", "verify",
                   *(["--data", data] if data else []), *more)
        self.assertEqual(done.returncode, exit_code, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def verify_with_witness(self, exit_code=0):
        return self.verify("--witness", self.file, "--witness-key", self.public, data=self.server.data,
                           exit_code=exit_code)

    def files(self, directory):
        return sorted(p for p in pathlib.Path(directory).iterdir() if p.name.startswith("control.db"))

    def save(self):
        """The database as it is now: the server is stopped for that moment."""
        self.assertEqual(self.server.stop(), 0)
        saved = tempfile.mkdtemp(dir=self.here)
        for path in self.files(self.server.data):
            shutil.copy2(path, saved)
        self.server.start()
        return saved

    def put_back(self, saved):
        self.assertEqual(self.server.stop(), 0)
        for path in self.files(self.server.data):
            path.unlink()
        for path in self.files(saved):
            shutil.copy2(path, self.server.data)
        self.server.start()


class TheWitness(Witnessed):
    def test_database_put_back_to_an_earlier_day_contradicts_the_witness_alone(self):
        self.witness()
        earlier = self.save()
        self.server.cli("domain", "add", "second.example", "--tenant", "alpha")
        self.server.cli("tenant", "suspend", "alpha")
        self.witness()
        honest = self.verify_with_witness()
        self.assertEqual((honest["sound"], honest["witness"]["statements"], honest["witness"]["contradictions"]),
                         (True, 2, []))
        self.put_back(earlier)
        self.assertEqual(self.verify()["sound"], True)
        self.assertEqual(self.verify(data=self.server.data)["sound"], True)
        found = self.verify_with_witness(exit_code=1)
        self.assertEqual(found["sound"], True)
        tenant = self.server.cli("tenant", "show", "alpha")["id"]
        self.assertEqual({(c["chain"], c["problem"]) for c in found["witness"]["contradictions"]},
                         {("platform", "record missing"), (tenant, "record missing")})
        # The witness itself sees it, says so and has it in its file.
        done = self.witness(exit_code=1)
        self.assertRegex(done.stderr, rf"{tenant}: chain went back \(it had record \d+\)")
        self.assertEqual(len(self.statements()), 3)
        # More of the same, until the trail is longer than it was: nothing makes it agree again.
        for name in ("third", "fourth", "fifth", "sixth"):
            self.server.cli("domain", "add", f"{name}.example", "--tenant", "alpha")
        self.witness()
        problems = {c["problem"] for c in self.verify_with_witness(exit_code=1)["witness"]["contradictions"]}
        self.assertEqual(problems, {"record isn't the one it was", "chain went back"})
        text = run(POSTERN, "--config", self.server.config, "audit", "verify", "--data", self.server.data, "--witness",
                   self.file, "--witness-key", self.public)
        self.assertEqual(text.returncode, 1)
        self.assertIn("record isn't the one it was", text.stdout)

    def test_key_is_private_and_statements_are_signed_by_it(self):
        self.assertEqual(stat.S_IMODE(self.key.stat().st_mode), 0o600)
        self.witness()
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        again = run(POSTERN, "witness", "init", "--key", self.key)
        self.assertEqual((again.returncode, again.stdout), (1, ""))
        openssl = run("openssl", "pkey", "-in", self.key, "-pubout")
        self.assertEqual(openssl.stdout, self.public.read_text())
        # What is signed, written anew from the statement: label, time, link, count, and each end.
        statement = self.statements()[0]

        def field(value):
            value = value.to_bytes(8, "big") if isinstance(value, int) else value
            return len(value).to_bytes(8, "big") + value
        fields = [b"postern audit heads 1", statement["at"], bytes.fromhex(statement["previous"]),
                  len(statement["heads"])]
        for head in statement["heads"]:
            fields += [bytes.fromhex(head["chain"]), head["number"], bytes.fromhex(head["mac"])]
        message = b"".join(field(f) for f in fields)
        (self.here / "message").write_bytes(message)
        (self.here / "signature").write_bytes(base64.b64decode(statement["signature"]))
        done = run("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", self.public, "-rawin", "-in",
                   self.here / "message", "-sigfile", self.here / "signature")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_edited_statements_are_found_and_another_key_is_refused(self):
        self.witness()
        self.witness()
        text = self.file.read_text()
        self.file.write_text(text.replace('"number":', '"number":1', 1))
        found = self.verify_with_witness(exit_code=1)["witness"]["contradictions"]
        self.assertEqual([(c["line"], c["problem"]) for c in found],
                         [(1, "the signature doesn't hold"), (2, "not linked to the line before")])
        self.file.write_text(text.splitlines(keepends=True)[1])
        found = self.verify_with_witness(exit_code=1)["witness"]["contradictions"]
        self.assertEqual([(c["line"], c["problem"]) for c in found], [(1, "not linked to the line before")])
        self.file.write_text(text)
        run(POSTERN, "witness", "init", "--key", self.here / "other.pem")
        self.key = self.here / "other.pem"
        self.assertIn("isn't signed with this key", self.witness(exit_code=1).stderr)
        self.assertEqual(self.file.read_text(), text)

    def test_what_is_missing_on_the_command_line_is_named(self):
        self.witness()
        for words in (["--witness", self.file], ["--witness-key", self.public],
                      ["--witness", self.file, "--witness-key", self.public]):
            done = run(POSTERN, "--config", self.server.config, "audit", "verify", *words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
        for words, code in (([], 2), (["--interval", "0s"], 2), (["--interval", "25h"], 2), (["--interval", "x"], 2)):
            given = self.words()[2:] if words else ["--key", self.key]
            done = run(POSTERN, "witness", *given, *words)
            self.assertEqual((done.returncode, done.stdout), (code, ""), words)
        done = run(POSTERN, "--config", self.server.config, "audit", "verify", "--data", self.server.data, "--witness",
                   self.file, "--witness-key", self.key)  # the private one
        self.assertEqual(done.returncode, 2)
        self.assertIn("no Ed25519 public key", done.stderr)

    def test_process_states_again_and_again_whatever_the_server_does_and_ends_on_sigterm(self):
        log = self.here / "witness.log"
        with open(log, "wb") as out:
            process = subprocess.Popen([*self.words(), "--interval", "1s"], stdout=out, stderr=out)
        try:
            wait_until(lambda: self.file.exists() and len(self.statements()) >= 2, "two statements")
            self.server.stop()
            wait_until(lambda: b"audit_heads_not_stated" in log.read_bytes(), "it says that nobody answers")
            before = len(self.statements())
            self.server.start()
            wait_until(lambda: len(self.statements()) > before, "it goes on")
        finally:
            process.terminate()
            self.assertEqual(process.wait(20), 0, log.read_text())
        self.assertEqual(self.verify_with_witness()["witness"]["contradictions"], [])

    def test_process_repeats_a_contradiction_in_every_round(self):
        earlier = self.save()
        self.server.cli("tenant", "suspend", "alpha")
        log = self.here / "witness.log"
        with open(log, "wb") as out:
            process = subprocess.Popen([*self.words(), "--interval", "1s"], stdout=out, stderr=out)
        try:
            wait_until(lambda: self.file.exists() and self.statements(), "a statement")
            self.put_back(earlier)
            wait_until(lambda: log.read_bytes().count(b"audit_heads_contradicted") >= 3, "it says so more than once")
        finally:
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(20), 0, log.read_text())


class TheSocket(Witnessed):
    def test_socket_answers_nothing_but_heads(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.socket).st_mode), 0o666)
        connection = UnixHttp(self.socket)
        self.addCleanup(connection.close)
        status, body = connection.ask("GET", "/v1/audit/heads")
        self.assertEqual(status, 200)
        answer = json.loads(body)
        self.assertEqual(set(answer), {"at", "heads"})
        newest = self.server.cli("audit", "list", "--limit", "1")["items"][0]
        self.assertIn({"chain": "platform", "number": newest["number"], "mac": newest["mac"]}, answer["heads"])
        self.assertEqual({frozenset(h) for h in answer["heads"]}, {frozenset(("chain", "number", "mac"))})
        for path in ("/v1/tenants", "/v1/status", "/v1/audit", "/v1/platform/audit", "/v1/openapi.json", "/healthz",
                     "/metrics", "/", "/v1/audit/heads/"):
            self.assertEqual(connection.ask("GET", path)[0], 404, path)
        self.assertEqual(connection.ask("POST", "/v1/audit/heads")[0], 405)
        # Nothing that a request carries makes its caller somebody.
        for headers in ({"Authorization": "Bearer nonsense"}, {"Cookie": "__Host-postern=nonsense"}):
            self.assertEqual(connection.ask("GET", "/v1/tenants", headers)[0], 404)
            self.assertEqual(connection.ask("GET", "/v1/audit/heads", headers)[0], 200)

    def test_no_limit_of_requests_stops_the_witness(self):
        connection = UnixHttp(self.socket)
        self.addCleanup(connection.close)
        for _ in range(310):  # web.address_requests is 300 a minute
            self.assertEqual(connection.ask("GET", "/v1/audit/heads")[0], 200)

    def test_other_doors_have_no_heads(self):
        management = UnixHttp(os.path.join(self.server.data, "postern.sock"))
        self.addCleanup(management.close)
        self.assertEqual(management.ask("GET", "/v1/audit/heads")[0], 404)

    def test_socket_is_gone_with_the_server_and_without_the_setting(self):
        self.assertEqual(self.server.stop(), 0)
        self.assertFalse(os.path.exists(self.socket))
        self.server.extra = ""
        self.server.write_config()
        self.server.start()
        self.assertFalse(os.path.exists(self.socket))


class TheDatabase(Witnessed):
    """Edits by hand, each on a copy of its own."""

    def setUp(self):
        super().setUp()
        for name in ("one", "two", "three", "four"):
            self.server.cli("domain", "add", f"{name}.example", "--tenant", "alpha")
        self.tenant = self.server.cli("tenant", "show", "alpha")["id"]
        self.last = self.server.cli("audit", "list", "--tenant", "alpha")["items"][0]["number"]
        self.server.stop()

    def edited(self, *statements):
        copy = os.path.join(tempfile.mkdtemp(dir=self.here), "data")
        shutil.copytree(self.server.data, copy, ignore=shutil.ignore_patterns("*.sock"))
        database = sqlite3.connect(os.path.join(copy, "control.db"))
        for statement in statements:
            changed = database.execute(statement, {"t": bytes.fromhex(self.tenant), "last": self.last}).rowcount
            self.assertGreaterEqual(changed, 1, statement)
        database.commit()
        database.close()
        return copy

    def problems(self, *statements):
        found = self.verify(data=self.edited(*statements), exit_code=1)
        self.assertFalse(found["sound"])
        return {(f["chain"], f["number"], f["problem"]) for f in found["findings"]}

    def test_each_edit_of_a_copy_is_found(self):
        """One server for all of them: a start costs more than an edit."""
        for name in [n for n in dir(self) if n.startswith("check_")]:
            with self.subTest(name):
                getattr(self, name)()

    def check_untouched_copy_is_sound(self):
        self.assertTrue(self.verify(data=self.edited())["sound"])

    def check_edited_record_is_found(self):
        for column, value in (("actor", "'Eve'"), ("at", "at + 1"), ("action", "'nothing'"), ("target", "''"),
                              ("details", "'{\"x\":1}'"), ("outcome", "1 - outcome"), ("address", "'192.0.2.9'"),
                              ("mac", "zeroblob(32)")):
            found = self.problems(f"UPDATE audit_records SET {column} = {value} WHERE tenant_id = :t AND number = 2")
            self.assertIn((self.tenant, 2, "record altered"), found, column)

    def check_deleted_record_is_found(self):
        found = self.problems("DELETE FROM audit_records WHERE tenant_id = :t AND number = 2")
        self.assertIn((self.tenant, 2, "records missing"), found)

    def check_deleted_first_record_is_found(self):
        found = self.problems("DELETE FROM audit_records WHERE tenant_id = :t AND number = 1")
        self.assertIn((self.tenant, 1, "records missing"), found)

    def check_deleted_last_record_is_found(self):
        found = self.problems("DELETE FROM audit_records WHERE tenant_id = :t AND number = :last")
        self.assertIn((self.tenant, self.last, "records missing"), found)

    def check_deleted_last_record_with_the_head_wound_back_is_found(self):
        found = self.problems(
            "DELETE FROM audit_records WHERE tenant_id = :t AND number = :last",
            "UPDATE audit_heads SET next_number = :last, mac = (SELECT mac FROM audit_records WHERE tenant_id = :t AND "
            "number = :last - 1) WHERE tenant_id = :t")
        self.assertIn("head altered", {problem for _, _, problem in found})

    def check_swapped_records_are_found(self):
        found = self.problems("UPDATE audit_records SET number = -1 WHERE tenant_id = :t AND number = 2",
                              "UPDATE audit_records SET number = 2 WHERE tenant_id = :t AND number = 3",
                              "UPDATE audit_records SET number = 3 WHERE tenant_id = :t AND number = -1")
        self.assertTrue({(self.tenant, 2, "record altered"), (self.tenant, 3, "record altered")} <= found, found)

    def check_added_record_is_found(self):
        columns = ("id, at, action, outcome, actor_kind, actor_id, actor, original_actor, door, address, target, "
                   "details, request_id, mac")
        found = self.problems(f"INSERT INTO audit_records (tenant_id, number, {columns}) SELECT tenant_id, :last + 1, "
                              f"{columns} FROM audit_records WHERE tenant_id = :t AND number = :last")
        self.assertIn((self.tenant, self.last + 1, "record outside the chain"), found)

    def check_removed_trail_is_found(self):
        found = self.problems("DELETE FROM audit_records WHERE tenant_id = :t",
                              "DELETE FROM audit_heads WHERE tenant_id = :t",
                              "DELETE FROM audit_chains WHERE id = :t")
        self.assertIn("chain missing", {problem for _, _, problem in found})


class Deletion(Witnessed):
    def test_deleted_tenant_leaves_a_closing_and_everything_verifies(self):
        tenant = self.server.cli("tenant", "show", "alpha")["id"]
        self.server.cli("domain", "delete", "alpha.example")
        self.server.cli("tenant", "add", "beta")  # no trail of its own yet
        self.witness()
        newest = self.server.cli("audit", "list", "--tenant", "alpha")["items"][0]
        self.server.cli("tenant", "delete", "alpha")
        self.server.cli("tenant", "delete", "beta")
        records = self.server.cli("audit", "list")["items"]
        closed = [r for r in records if r["action"] == "audit.chain_closed"]
        self.assertEqual([r["target"] for r in closed], [f"tenant:{tenant}"])
        self.assertEqual(closed[0]["actor_kind"], [r for r in records if r["action"] == "tenant.delete"][0]["actor_kind"])
        details = closed[0]["details"]
        self.assertEqual((details["last"], details["mac"], details["count"]),
                         (newest["number"], newest["mac"], newest["number"]))
        self.assertEqual({r["target"] for r in records if r["action"] == "tenant.delete"},
                         {"tenant:alpha", "tenant:beta"})
        self.assertTrue(self.verify()["sound"])
        self.witness()
        found = self.verify_with_witness()
        self.assertEqual((found["witness"]["contradictions"], found["witness"]["closed"],
                          found["witness"]["closed_unsigned"]), ([], 1, 1))
        # The name is free again, and the new tenant's trail is another one.
        self.server.cli("tenant", "add", "alpha")
        self.server.cli("tenant", "suspend", "alpha")
        self.assertTrue(self.verify()["sound"])

    def test_refused_deletion_leaves_the_trail(self):
        before = self.server.cli("audit", "list", "--tenant", "alpha")["items"]
        done = run(POSTERN, "--config", self.server.config, "tenant", "delete", "alpha")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.server.cli("audit", "list", "--tenant", "alpha")["items"], before)
        self.assertTrue(self.verify()["sound"])


class TheUnit(unittest.TestCase):
    def test_unit_is_valid_and_locked_down(self):
        text = (ROOT / "deploy/systemd/postern-witness.service").read_text()
        with tempfile.TemporaryDirectory() as directory:
            unit = pathlib.Path(directory, "postern-witness.service")
            unit.write_text(text.replace("/usr/local/bin/postern", str(POSTERN)))  # there is no other here
            done = run("systemd-analyze", "verify", unit)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            done = run("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
            self.assertEqual(done.returncode, 0, done.stdout[-300:])


if __name__ == "__main__":
    main()
