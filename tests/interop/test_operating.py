"""What an operator does: make a server, break its settings, reload, stop, look at the queue, install."""
import gzip
import http.client
import imaplib
import json
import os
import pathlib
import shutil
import signal
import smtplib
import socket
import ssl
import stat
import subprocess
import tempfile
import unittest

import harness
from harness import POSTERN, ROOT, Server, unverified, wait_until

PASSWORD = "correct horse battery staple"


def run(*arguments, stdin="", env=None):
    return subprocess.run([str(a) for a in arguments], input=stdin, text=True, capture_output=True, timeout=60,
                          env={**os.environ, **(env or {})})


class Management(http.client.HTTPConnection):
    """One connection to the management socket, which is kept alive and never made anew."""

    def __init__(self, server):
        super().__init__("postern", timeout=30)
        self.socket_path = os.path.join(server.data, "postern.sock")
        self.connect()
        self.auto_open = 0

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.socket_path)

    def ask(self, method, path, body=None):
        """Gives the status and the answer."""
        headers = {} if body is None else {"Content-Type": "application/json"}
        self.request(method, path, None if body is None else json.dumps(body), headers)
        response = self.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None


class Init(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.data = os.path.join(self.directory.name, "data")

    def init(self, *more):
        return run(POSTERN, "init", "--data", self.data, "--hostname", "mx.alpha.example", *more)

    def test_init_makes_private_files_and_twice_is_refused(self):
        done = self.init()
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("postern.toml", "master.key", "tls/key.pem"):
            mode = os.stat(os.path.join(self.data, name)).st_mode
            self.assertEqual(stat.S_IMODE(mode), 0o600, name)
        self.assertEqual(stat.S_IMODE(os.stat(self.data).st_mode), 0o700)
        before = pathlib.Path(self.data, "master.key").read_text()
        again = self.init()
        self.assertNotEqual(again.returncode, 0)
        self.assertIn("holds a server already", again.stderr)
        self.assertEqual(pathlib.Path(self.data, "master.key").read_text(), before)

    def test_public_profile_listens_on_the_standard_ports(self):
        self.assertEqual(self.init("--profile", "public").returncode, 0)
        text = pathlib.Path(self.data, "postern.toml").read_text()
        for address in ('"0.0.0.0:25"', '"[::]:993"', '"0.0.0.0:465"', '"0.0.0.0:587"'):
            self.assertIn(address, text)

    def test_wrong_settings_name_file_line_and_setting(self):
        self.init()
        config = pathlib.Path(self.data, "postern.toml")
        good = config.read_text()
        for bad, wanted in (('[delivery]\nport = "x"\n', "delivery.port"), ('[delivery]\nprot = 25\n', "delivery.prot"),
                            ("[delivery]\nport = 70000\n", "delivery.port")):
            config.write_text(good + bad)
            done = run(POSTERN, "serve", "--config", config)
            self.assertNotEqual(done.returncode, 0)
            line = good.count("\n") + 2
            self.assertIn(f"postern.toml:{line}", done.stderr)
            self.assertIn(wanted, done.stderr)

    def test_a_readable_master_key_is_refused(self):
        self.init()
        os.chmod(os.path.join(self.data, "master.key"), 0o644)
        done = run(POSTERN, "serve", "--config", os.path.join(self.data, "postern.toml"))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("master.key", done.stderr)


class Running(unittest.TestCase):
    def setUp(self):
        # No DNS answers here (port 1): what goes out waits in the queue.
        self.server = Server("mx.alpha.example")
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        self.server.add_account("alice@alpha.example", PASSWORD)

    def submit(self, to="bob@remote.example", subject="x"):
        with smtplib.SMTP_SSL("127.0.0.1", self.server.ports["submissions"], context=unverified(), timeout=30) as smtp:
            smtp.login("alice@alpha.example", PASSWORD)
            smtp.sendmail("alice@alpha.example", [to], f"From: alice@alpha.example\r\nSubject: {subject}\r\n\r\nx\r\n")

    def test_management_socket_is_private(self):
        mode = os.stat(os.path.join(self.server.data, "postern.sock")).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)

    def test_second_server_on_the_same_data_is_refused(self):
        done = run(POSTERN, "serve", "--config", self.server.config)
        self.assertNotEqual(done.returncode, 0)
        self.assertNotEqual(done.stderr.strip(), "")

    def test_mail_without_dns_waits_and_survives_a_kill(self):
        self.submit()
        rows = wait_until(lambda: [r for r in self.server.cli("queue", "list")["items"] if r["attempts"] >= 1],
                          "a first attempt without DNS")
        self.assertEqual(rows[0]["state"], "queued")
        self.assertEqual(rows[0]["address"], "bob@remote.example")
        self.server.stop(signal.SIGKILL)
        offline = json.loads(run(POSTERN, "--json", "queue", "list", "--data", self.server.data).stdout)
        self.assertEqual([r["id"] for r in offline["items"]], [rows[0]["id"]])
        self.server.start()
        self.assertEqual([r["id"] for r in self.server.cli("queue", "list")["items"]], [rows[0]["id"]])

    def test_queue_verbs(self):
        self.submit()
        row = wait_until(lambda: self.server.cli("queue", "list")["items"], "a queued message")[0]
        self.assertEqual(self.server.cli("queue", "hold", row["id"])["recipients"], 1)
        self.assertEqual(self.server.cli("queue", "list", "--state", "held")["items"][0]["id"], row["id"])
        self.assertEqual(self.server.cli("queue", "release", row["id"])["recipients"], 1)
        self.assertEqual(self.server.cli("queue", "retry", row["id"])["recipients"], 1)
        self.assertEqual(self.server.cli("queue", "show", row["id"])["sender"], "alice@alpha.example")
        self.assertEqual(self.server.cli("queue", "drop", row["id"])["recipients"], 1)
        self.assertEqual(self.server.cli("queue", "list")["items"], [])
        done = run(POSTERN, "--config", self.server.config, "queue", "show", row["id"])
        self.assertEqual(done.returncode, 1)

    def test_inbound_mail_without_dns_is_accepted_with_temperror(self):
        with smtplib.SMTP("127.0.0.1", self.server.ports["mx"], timeout=30) as smtp:
            smtp.sendmail("x@elsewhere.example", ["alice@alpha.example"], "From: x@elsewhere.example\r\nSubject: t\r\n\r\nx\r\n")
        imap = imaplib.IMAP4_SSL("127.0.0.1", self.server.ports["imaps"], ssl_context=unverified())
        imap.login("alice@alpha.example", PASSWORD)
        imap.select("INBOX")
        _, data = imap.fetch("1", "(BODY.PEEK[HEADER.FIELDS (AUTHENTICATION-RESULTS)])")
        imap.logout()
        self.assertIn(b"spf=temperror", data[0][1])

    def test_reload_takes_a_new_certificate_and_refuses_a_broken_one(self):
        def served():
            return ssl.get_server_certificate(("127.0.0.1", self.server.ports["imaps"]))
        before = served()
        lineage = tempfile.TemporaryDirectory()
        self.addCleanup(lineage.cleanup)

        def renew(name):
            """What certbot does: a new certificate for `name`, then its hook."""
            made = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                       "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout",
                       f"{lineage.name}/privkey.pem", "-out", f"{lineage.name}/fullchain.pem")
            self.assertEqual(made.returncode, 0, made.stderr)
            hook = run(ROOT / "deploy/certbot-hook", env={"RENEWED_LINEAGE": lineage.name, "POSTERN_DATA": self.server.data,
                                                          "POSTERN_PID": str(self.server.process.pid)})
            self.assertEqual(hook.returncode, 0, hook.stderr)
        own = pathlib.Path(self.server.data, "tls/certificate.pem").read_text()
        renew("www.alpha.example")  # another site's: left alone
        self.assertEqual(pathlib.Path(self.server.data, "tls/certificate.pem").read_text(), own)
        renew("mx.alpha.example")
        wait_until(lambda: served() != before, "the new certificate is served")
        after = served()
        pathlib.Path(self.server.data, "tls/certificate.pem").write_text("broken")
        self.server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "reload_refused" in self.server.read_log(), "the broken certificate is refused")
        self.assertEqual(served(), after)

    def test_sigterm_drains_open_sessions_and_exits_0(self):
        smtp = smtplib.SMTP("127.0.0.1", self.server.ports["mx"], timeout=30)
        smtp.ehlo("client.example")
        self.assertEqual(self.server.stop(signal.SIGTERM), 0)
        self.server.start()

    def test_password_change_and_suspension_count_at_once(self):
        def code(password):
            with smtplib.SMTP_SSL("127.0.0.1", self.server.ports["submissions"], context=unverified(), timeout=30) as smtp:
                try:
                    return smtp.login("alice@alpha.example", password)[0]
                except smtplib.SMTPAuthenticationError as error:
                    return error.smtp_code
        self.assertEqual(code(PASSWORD), 235)
        made = self.server.cli("account", "password", "alice@alpha.example", "--generate")["password"]
        self.assertEqual(code(PASSWORD), 535)
        self.assertEqual(code(made), 235)
        self.server.cli("tenant", "suspend", "alpha")
        self.assertEqual(code(made), 535)
        self.server.cli("tenant", "resume", "alpha")
        self.assertEqual(code(made), 235)

    def test_secrets_are_not_in_the_log(self):
        self.submit()
        log = pathlib.Path(self.server.log_path).read_text(errors="replace")
        self.assertIn("message_accepted", log)
        self.assertNotIn(PASSWORD, log)


    def test_backup_restores_into_a_new_directory(self):
        self.submit(to="alice@alpha.example", subject="kept")
        self.submit(to="bob@remote.example", subject="waiting")
        backup = os.path.join(self.server.directory, "backup")
        self.server.cli("backup", backup)
        self.assertNotEqual(run(POSTERN, "--config", self.server.config, "backup", backup).returncode, 0)
        self.submit(to="alice@alpha.example", subject="too late")
        self.server.stop()
        for name in ("master.key", "postern.toml"):
            shutil.copy2(os.path.join(self.server.data, name), backup)
        shutil.copytree(os.path.join(self.server.data, "tls"), os.path.join(backup, "tls"))
        os.rename(self.server.data, self.server.data + ".old")
        os.rename(backup, self.server.data)
        self.server.start()
        self.assertEqual([r["address"] for r in self.server.cli("queue", "list")["items"]], ["bob@remote.example"])
        imap = imaplib.IMAP4_SSL("127.0.0.1", self.server.ports["imaps"], ssl_context=unverified())
        imap.login("alice@alpha.example", PASSWORD)
        imap.select("INBOX")
        self.assertEqual(imap.search(None, "SUBJECT", "kept")[1], [b"1"])
        self.assertEqual(imap.search(None, "ALL")[1], [b"1"])
        imap.logout()

    def test_log_file_rotates_and_a_bad_one_is_refused(self):
        log = os.path.join(self.server.directory, "postern.log")
        config = pathlib.Path(self.server.config)
        good = config.read_text()
        config.write_text(good + f'\n[log]\nformat = "json"\nfile = "{log}"\n')
        self.server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: os.path.exists(log) and "reloaded" in pathlib.Path(log).read_text(), "the log in its file")
        os.rename(log, log + ".1")
        self.server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: os.path.exists(log) and "reloaded" in pathlib.Path(log).read_text(), "a new log file")
        json.loads(pathlib.Path(log).read_text().splitlines()[0])
        config.write_text(good + '\n[log]\nfile = "' + self.server.config + '/log"\n')
        self.server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "reload_refused" in pathlib.Path(log).read_text(), "the refusal")
        self.assertEqual(self.server.cli("status")["ready"], True)

    def test_reload_takes_a_limit_and_names_what_needs_a_restart(self):
        config = pathlib.Path(self.server.config)
        config.write_text(config.read_text().replace("mx.alpha.example", "other.alpha.example")
                          + "\n[limits]\nrecipients = 100\n")

        def offered():
            with smtplib.SMTP("127.0.0.1", self.server.ports["mx"], timeout=30) as smtp:
                smtp.ehlo("client.example")
                return smtp.ehlo_resp.decode()
        self.assertIn("RCPTMAX=1000", offered())
        self.server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "RCPTMAX=100\n" in offered() + "\n", "the new limit")
        self.assertTrue(offered().startswith("mx.alpha.example"))
        self.assertIn("setting_needs_restart setting=hostname", self.server.read_log())

    def test_sigterm_in_the_middle_of_data_lets_the_message_finish(self):
        smtp = smtplib.SMTP("127.0.0.1", self.server.ports["mx"], timeout=30)
        smtp.ehlo("client.example")
        smtp.mail("x@elsewhere.example")
        smtp.rcpt("alice@alpha.example")
        self.assertEqual(smtp.docmd("DATA")[0], 354)
        smtp.send(b"From: x@elsewhere.example\r\nSubject: half\r\n\r\nfirst\r\n")
        self.server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not harness.port_open(self.server.ports["mx"]), "no new connections")
        ready = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
                                f"http://127.0.0.1:{self.server.ports['metrics']}/readyz"], capture_output=True, text=True,
                               timeout=20)
        self.assertEqual(ready.stdout, "503")
        smtp.send(b"second\r\n.\r\n")
        self.assertEqual(smtp.getreply()[0], 250)
        self.assertEqual(self.server.process.wait(30), 0)
        self.server.stop()
        self.server.start()
        imap = imaplib.IMAP4_SSL("127.0.0.1", self.server.ports["imaps"], ssl_context=unverified())
        imap.login("alice@alpha.example", PASSWORD)
        imap.select("INBOX")
        self.assertEqual(imap.search(None, "SUBJECT", "half")[1], [b"1"])
        imap.logout()

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become somebody else")
    def test_management_socket_refuses_other_users(self):
        os.chmod(self.server.directory, 0o755)
        os.chmod(self.server.data, 0o755)
        path = os.path.join(self.server.data, "postern.sock")
        os.chmod(path, 0o666)
        ask = ("import socket,sys; s=socket.socket(socket.AF_UNIX); s.settimeout(10); s.connect(sys.argv[1]); "
               "s.sendall(b'GET /v1/tenants HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'); print(len(s.recv(100)))")
        done = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "python3", "-c", ask, path],
                              capture_output=True, text=True, timeout=30)
        self.assertNotIn("100", done.stdout)
        wait_until(lambda: "management_refused" in self.server.read_log(), "the refusal in the log")

    def test_guessing_is_shut_out_until_somebody_lets_it_in_again(self):
        config = pathlib.Path(self.server.config)
        config.write_text(config.read_text() + "\n[auth]\nguesses = 3\n")
        self.server.stop()
        self.server.start()

        def smtp_code(login, password):
            with smtplib.SMTP_SSL("127.0.0.1", self.server.ports["submissions"], context=unverified(), timeout=30) as smtp:
                smtp.ehlo("client.example")
                smtp.user, smtp.password = login, password
                try:
                    return smtp.auth("PLAIN", smtp.auth_plain)[0]  # once; login() tries every mechanism
                except smtplib.SMTPAuthenticationError as error:
                    return error.smtp_code

        def imap_answer(login, password):
            with imaplib.IMAP4_SSL("127.0.0.1", self.server.ports["imaps"], ssl_context=unverified(), timeout=30) as imap:
                try:
                    return imap.login(login, password)[0]
                except imaplib.IMAP4.error as error:
                    return str(error)
        for login in ("alice@alpha.example", "nobody@alpha.example"):
            # The same wrong password again is the same guess; SMTP and IMAP count together.
            for guess in ("one", "one", "one", "two", "two"):
                self.assertEqual(smtp_code(login, guess), 535)
            self.assertIn("AUTHENTICATIONFAILED", imap_answer(login, "three"))
            self.assertIn("UNAVAILABLE", imap_answer(login, PASSWORD))
            self.assertEqual(smtp_code(login, PASSWORD), 454)
        blocks = self.server.cli("login", "blocks")["items"]
        self.assertEqual({(b["login"], b["network"]) for b in blocks},
                         {("alice@alpha.example", "127.0.0.1"), ("nobody@alpha.example", "127.0.0.1")})
        self.server.cli("login", "unblock", "alice@alpha.example")
        self.assertEqual(smtp_code("alice@alpha.example", PASSWORD), 235)
        self.assertEqual(smtp_code("nobody@alpha.example", "four"), 454)
        self.server.cli("login", "unblock", "127.0.0.1")
        self.assertEqual(self.server.cli("login", "blocks")["items"], [])
        self.assertEqual(run(POSTERN, "--config", self.server.config, "login", "unblock", "nobody").returncode, 1)
        def on_record(*tenant):
            records = self.server.cli("audit", "list", "--action", "login.attempt", *tenant)["items"]
            return [(r["outcome"], r["door"], r["target"]) for r in reversed(records)]
        alice = "account:alice@alpha.example"
        # The guess that the block made vain and the repeats aren't; the success after it is.
        self.assertEqual(on_record("--tenant", "alpha"),
                         [("failure", "smtp", alice), ("failure", "smtp", alice), ("failure", "imap", alice),
                          ("success", "smtp", alice)])
        self.assertEqual(on_record()[-1], ("failure", "imap", "login:nobody@alpha.example"))
        blocks = self.server.cli("audit", "list", "--tenant", "alpha", "--action", "login.block")["items"]
        self.assertEqual([(b["target"], b["address"]) for b in blocks], [(alice, "127.0.0.1")])
        log = self.server.read_log()
        self.assertIn("login.blocked", log)
        self.assertNotIn("nobody@alpha.example", log)

    def test_every_verb_answers_people_and_programs(self):
        self.submit()
        queued = wait_until(lambda: self.server.cli("queue", "list")["items"], "a queued message")[0]["id"]
        made = self.server.cli("credential", "add", "alice@alpha.example", "--label", "l")
        self.server.cli("alias", "add", "sales@alpha.example", "alice@alpha.example")
        for words in (["status"], ["tenant", "list"], ["tenant", "show", "alpha"], ["domain", "list"],
                      ["domain", "list", "--tenant", "alpha"], ["domain", "show", "alpha.example"],
                      ["account", "list", "--domain", "alpha.example"], ["account", "show", "alice@alpha.example"],
                      ["account", "grant", "alice@alpha.example", "alpha.example"], ["account", "grants", "alice@alpha.example"],
                      ["account", "revoke-grant", "alice@alpha.example", "alpha.example"],
                      ["account", "suspend", "alice@alpha.example"], ["account", "resume", "alice@alpha.example"],
                      ["credential", "list", "alice@alpha.example"], ["alias", "list", "--domain", "alpha.example"],
                      ["login", "blocks"], ["queue", "list"], ["queue", "list", "--destination", "remote.example"], ["queue", "show", queued]):
            if words[1:2] == ["revoke-grant"]:
                self.server.cli("account", "grant", "alice@alpha.example", "alpha.example")
            human = run(POSTERN, "--config", self.server.config, *words)
            self.assertEqual(human.returncode, 0, (words, human.stderr))
            self.assertNotEqual(human.stdout.strip(), "", words)
            if words[1:2] == ["revoke-grant"]:
                self.server.cli("account", "grant", "alice@alpha.example", "alpha.example")
            self.assertIsNotNone(self.server.cli(*words), words)
            self.assertEqual(run(POSTERN, *words, "--help").returncode, 0)
        self.assertIn(made["id"], run(POSTERN, "--config", self.server.config, "credential", "list",
                                      "alice@alpha.example").stdout)
        self.assertEqual(run(POSTERN, "--config", self.server.config, "tenant", "delete", "alpha").returncode, 1)
        self.server.cli("queue", "drop", queued)
        self.server.cli("alias", "delete", "sales@alpha.example")
        self.server.cli("account", "delete", "alice@alpha.example")
        self.server.cli("domain", "delete", "alpha.example")
        self.server.cli("tenant", "delete", "alpha")
        self.assertEqual(self.server.cli("tenant", "list")["items"], [])

    def test_alias_list_gives_every_page(self):
        alice = ["alice@alpha.example"]
        self.server.cli("domain", "add", "beta.example", "--tenant", "alpha")
        self.server.cli("alias", "add", "elsewhere@beta.example", *alice)
        wanted = [f"a&{n:04}@alpha.example" for n in range(1005)]  # the cursor must be escaped
        management = Management(self.server)
        self.addCleanup(management.close)
        for address in wanted:
            status, answer = management.ask("POST", "/v1/aliases", {"address": address, "targets": alice})
            self.assertEqual(status, 201, answer)

        def page(cursor=""):
            status, answer = management.ask("GET", f"/v1/aliases?domain=alpha.example{cursor}")
            self.assertEqual(status, 200, answer)
            return [item["address"] for item in answer["items"]], answer.get("cursor")

        def listed():
            return [item["address"] for item in self.server.cli("alias", "list", "--domain", "alpha.example")["items"]]
        self.assertEqual(page(), (wanted[:1000], "a&0999"))
        self.assertEqual(page("&cursor=a%260999"), (wanted[1000:], None))
        self.assertEqual(listed(), wanted)
        catch_all = "*@alpha.example"
        self.server.cli("alias", "add", catch_all, *alice)
        self.assertEqual(listed(), [*wanted, catch_all])
        for left in (1000, 999):  # a full page with nothing but the catch-all after it, and one short of full
            while len(wanted) > left:
                path = "/v1/aliases/" + wanted.pop().replace("&", "%26")
                self.assertEqual(management.ask("DELETE", path)[0], 204)
            self.assertEqual(listed(), [*wanted, catch_all])

    def test_errors_are_json_for_programs_and_text_for_people(self):
        missing, empty = self.server.config + ".missing", os.path.join(self.server.directory, "empty")
        os.mkdir(empty)
        here = ["--config", self.server.config]

        def both(words, exit_code, code):
            with self.subTest(words):
                text, parsed = run(POSTERN, *words), run(POSTERN, *words, "--json")
                self.assertEqual((text.returncode, text.stdout), (exit_code, ""))
                self.assertRegex(text.stderr, r"^postern: \S")
                self.assertEqual((parsed.returncode, parsed.stdout), (exit_code, ""))
                said = text.stderr.removeprefix("postern: ").removesuffix("\n")
                self.assertEqual(json.loads(parsed.stderr), {"error": said, "code": code})
        for words, exit_code, code in ((["tenant", "show", "nobody"], 1, "not_found"),
                                       (["tenant", "add", "alpha"], 1, "exists"),
                                       (["tenant", "add", "no name!"], 2, "invalid"),
                                       (["tenant", "delete", "alpha"], 1, "denied"),
                                       (["account", "add", "no-address"], 2, "invalid"),
                                       (["account", "show", "nobody@alpha.example"], 1, "not_found"),
                                       (["alias", "list", "--domain", "beta.example"], 1, "not_found"),
                                       (["queue", "show", "0" * 32], 1, "not_found"),
                                       (["message", "trace", "0" * 32], 1, "not_found"),
                                       (["backup", self.server.data], 1, "exists"),
                                       (["serve"], 1, "exists")):
            both([*here, *words], exit_code, code)
        both(["queue", "list", "--data", empty], 1, "not_found")
        for words in (["queue", "show"], ["queue", "nonsense"], ["queue", "show", "x", "--nope"],
                      ["queue", "list", "--limit", "0"], ["nonsense"]):
            both([*here, *words], 2, "invalid")
        both(["init", "--data", self.server.data, "--hostname", "mx.alpha.example"], 1, "exists")
        settings = run(POSTERN, "--config", missing, "--json", "status")
        self.assertIn(settings.returncode, (1, 2))
        self.assertIn(missing, json.loads(settings.stderr)["error"])
        self.server.stop()
        both([*here, "status"], 1, "io")

    def test_connections_beyond_the_limit_are_told_to_come_again(self):
        def one_more():
            management = Management(self.server)
            self.addCleanup(management.close)
            try:
                return management if management.ask("GET", "/v1/status")[0] == 200 else None
            except (OSError, http.client.HTTPException):  # refused while it asked
                return None

        def refused(connection):
            """It is told so before it asks."""
            response = http.client.HTTPResponse(connection)
            response.begin()
            self.assertEqual(response.status, 503)
            self.assertEqual(response.headers.get_all("Retry-After"), ["5"])
            self.assertIn("too many connections", json.loads(response.read())["detail"])
            connection.close()
        # A command's connection may take a moment to be gone: so it's tried more than once.
        held = [wait_until(one_more, "64 management connections, which is how many there may be") for _ in range(64)]
        refused(Management(self.server).sock)
        done = run(POSTERN, "--config", self.server.config, "--json", "status")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stderr)["code"], "temporary")
        for management in held:
            self.assertEqual(management.ask("GET", "/v1/status")[0], 200)  # those that are in stay in
            management.close()
        wait_until(lambda: self.server.cli("status", check=False), "room for a command again")

        config = pathlib.Path(self.server.config)
        config.write_text(config.read_text() + "\n[limits]\nhttp_sessions = 1\n")
        self.server.stop()
        self.server.start()

        def metrics():
            return socket.create_connection(("127.0.0.1", self.server.ports["metrics"]), timeout=30)

        def asked(connection, more=b""):
            response = http.client.HTTPResponse(connection)
            try:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + more + b"\r\n")
                response.begin()
            except (OSError, http.client.HTTPException):
                return False
            return response.status == 200

        def healthy():
            with metrics() as connection:
                return asked(connection, b"Connection: close\r\n")
        wait_until(healthy, "the harness's own connection is gone")

        def only_one():
            first = metrics()
            self.addCleanup(first.close)
            return first if asked(first) else None
        first = wait_until(only_one, "the one connection there may be")
        refused(metrics())
        first.close()
        wait_until(healthy, "room again")


class Build(unittest.TestCase):
    @unittest.skipUnless(shutil.which("g++"), "needs g++")
    def test_gcc_below_13_is_refused_with_the_reason(self):
        version = int(run("g++", "-dumpversion").stdout.split(".")[0])
        if version >= 13:
            self.skipTest("this g++ is new enough")
        with tempfile.TemporaryDirectory() as directory:
            done = run("cmake", "-S", ROOT, "-B", directory, "-G", "Ninja", "-DCMAKE_CXX_COMPILER=g++", "-DCMAKE_C_COMPILER=gcc")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("miscompiles", done.stderr)


class Install(unittest.TestCase):
    def test_install_into_a_tree(self):
        with tempfile.TemporaryDirectory() as root:
            for _ in range(2):  # the second is an upgrade: the data stays
                done = run(ROOT / "deploy/install", "--root", root, "--hostname", "mx.alpha.example", "--build", harness.BUILD)
                self.assertEqual(done.returncode, 0, done.stderr)
            for name, mode in (("usr/local/bin/postern", 0o755), ("etc/systemd/system/postern.service", 0o644),
                               ("etc/letsencrypt/renewal-hooks/deploy/postern", 0o755), ("etc/logrotate.d/postern", 0o644),
                               ("var/lib/postern/postern.toml", 0o600)):
                self.assertEqual(stat.S_IMODE(os.stat(os.path.join(root, name)).st_mode), mode, name)


    def test_unit_is_valid_and_locked_down(self):
        text = (ROOT / "deploy/systemd/postern.service").read_text()
        with tempfile.TemporaryDirectory() as directory:
            unit = pathlib.Path(directory, "postern.service")
            unit.write_text(text.replace("/usr/local/bin/postern", str(POSTERN)))  # there is no other here
            done = run("systemd-analyze", "verify", unit)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            # 0 is locked away, 10 is open; systemd calls up to 2 "OK" as good as it gets for a network service.
            done = run("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
            self.assertEqual(done.returncode, 0, done.stdout[-300:])

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become somebody else")
    def test_low_port_needs_no_more_than_the_units_capability(self):
        server = Server("mx.alpha.example")
        self.addCleanup(shutil.rmtree, server.directory, ignore_errors=True)
        server.init()
        config = pathlib.Path(server.config)
        config.write_text(config.read_text().replace(f"127.0.0.1:{server.ports['mx']}", "127.0.0.87:25"))
        run("chown", "-R", "nobody:nogroup", server.directory)
        nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--no-new-privs"]
        only = ["--inh-caps=-all,+net_bind_service", "--ambient-caps=-all,+net_bind_service",
                "--bounding-set=-all,+net_bind_service"]
        done = run(*nobody, "--inh-caps=-all", "--bounding-set=-all", POSTERN, "serve", "--config", config)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("127.0.0.87:25", done.stderr)
        with open(server.log_path, "ab") as log:
            process = subprocess.Popen([*nobody, *only, POSTERN, "serve", "--config", config], stdout=log, stderr=log)
        try:
            wait_until(lambda: self.answers("127.0.0.87", 25), f"port 25 answers: {server.read_log()}")
        finally:
            process.terminate()
            self.assertEqual(process.wait(30), 0)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become somebody else")
    def test_logrotate_takes_the_old_log_away_and_the_server_goes_on_in_a_new_one(self):
        server = Server("mx.alpha.example")
        self.addCleanup(shutil.rmtree, server.directory, ignore_errors=True)
        server.init()
        log = pathlib.Path(server.data, "log/postern.log")
        config = pathlib.Path(server.config)
        config.write_text(config.read_text() + f'\n[log]\nfile = "{log}"\n')
        run("chown", "-R", "nobody:nogroup", server.directory)
        nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--no-new-privs"]
        with open(server.log_path, "ab") as out:
            process = subprocess.Popen([*nobody, POSTERN, "serve", "--config", config], stdout=out, stderr=out,
                                       umask=0o077)  # the unit's
        try:
            server.process = process
            server.wait_ready()
            # What deploy/install puts into /etc/logrotate.d, with this server's directory, user and process.
            text = (ROOT / "deploy/logrotate").read_text()
            hang_up = [line for line in text.splitlines() if "systemctl kill" in line]
            for old, new in (("/var/lib/postern/", f"{server.data}/"), ("0600 postern postern", "0600 nobody nogroup"),
                             (*hang_up, f"kill -HUP {process.pid}")):
                self.assertEqual(text.count(old), 1, old)
                text = text.replace(old, new)
            rules = pathlib.Path(server.directory, "logrotate.conf")
            rules.write_text(text)
            run("chown", "root:root", rules)

            def read(path):
                return path.read_text() if path.exists() else ""

            def rotate():
                done = run("/usr/sbin/logrotate", "-f", "-s", f"{server.directory}/state", rules)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
                wait_until(lambda: " reloaded" in read(log), f"the log goes on in its new file: {read(log)}")
                self.assertEqual((stat.S_IMODE(log.stat().st_mode), log.owner()), (0o600, "nobody"))
            self.assertEqual(stat.S_IMODE(log.stat().st_mode), 0o600)
            server.cli("tenant", "add", "before")
            self.assertIn(" ready ", read(log))
            rotate()
            first = pathlib.Path(f"{log}.1")
            self.assertIn(" ready ", read(first))
            self.assertNotIn(" ready ", read(log))
            kept = read(first)
            server.cli("tenant", "add", "after")
            wait_until(lambda: "/v1/tenants" in read(log), f"the request in the new file: {read(log)}")
            self.assertEqual(read(first), kept)
            rotate()
            self.assertIn("/v1/tenants", read(first))
            with gzip.open(f"{log}.2.gz", "rt") as packed:
                self.assertEqual(packed.read(), kept)
        finally:
            process.terminate()
            self.assertEqual(process.wait(30), 0)

    @staticmethod
    def answers(host, port):
        try:
            with smtplib.SMTP(host, port, timeout=5) as smtp:
                return smtp.noop()[0] == 250
        except OSError:
            return False


if __name__ == "__main__":
    harness.main()
