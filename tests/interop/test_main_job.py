"""A message's whole life between two servers, with clients nobody here wrote: Python's smtplib and
imaplib, curl and swaks; DNS by NSD."""
import email
import imaplib
import re
import smtplib
import subprocess
import unittest

import harness
from harness import Nsd, Server, free_ports, unverified, wait_until, zone_text

PASSWORD = "correct horse battery staple"


class TwoServers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        dns_port, a_mx, b_mx = free_ports(3)
        cls.stack = []
        cls.a = cls._server("mx.alpha.example", dns_port, a_mx, b_mx)
        cls.b = cls._server("mx.beta.example", dns_port, b_mx, a_mx)
        cls.a.cli("tenant", "add", "alpha")
        cls.b.cli("tenant", "add", "beta")
        zones = {
            "example": "",  # so that every other name there doesn't exist, rather than that DNS fails
            "alpha.example": zone_text(cls.a.cli("domain", "add", "alpha.example", "--tenant", "alpha")),
            "beta.example": zone_text(cls.b.cli("domain", "add", "beta.example", "--tenant", "beta")),
        }
        nsd = Nsd(zones)
        nsd.port = dns_port
        nsd.__enter__()
        cls.stack.append(nsd)
        cls.a.cli("account", "add", "alice@alpha.example", stdin=PASSWORD + "\n")
        cls.b.cli("account", "add", "bob@beta.example", stdin=PASSWORD + "\n")

    @classmethod
    def _server(cls, hostname, dns_port, mx, other_mx):
        ports = dict(zip(Server.KINDS, free_ports(len(Server.KINDS))))
        ports["mx"] = mx
        server = Server(hostname, dns=dns_port, delivery_port=other_mx, ports=ports)
        server.__enter__()
        cls.stack.append(server)
        return server

    @classmethod
    def tearDownClass(cls):
        for thing in reversed(cls.stack):
            thing.__exit__(None, None, None)

    def imap(self, server, user):
        connection = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=unverified())
        connection.login(user, PASSWORD)
        self.addCleanup(connection.shutdown)
        return connection

    def submit(self, text, sender="alice@alpha.example", to=("bob@beta.example",)):
        with smtplib.SMTP_SSL("127.0.0.1", self.a.ports["submissions"], context=unverified(), timeout=30) as smtp:
            smtp.login("alice@alpha.example", PASSWORD)
            return smtp.sendmail(sender, list(to), text)

    def fetch_by_subject(self, server, user, subject, seconds=30):
        imap = self.imap(server, user)

        def find():
            imap.select("INBOX")
            _, found = imap.search(None, "SUBJECT", f'"{subject}"')
            return found[0].split()
        numbers = wait_until(find, f"a message with subject {subject}", seconds)
        _, data = imap.fetch(numbers[0], "(BODY.PEEK[])")
        return len(numbers), email.message_from_bytes(data[0][1])

    def test_published_records_check_ok(self):
        for server, domain in ((self.a, "alpha.example"), (self.b, "beta.example")):
            answer = server.cli("domain", "check", domain)
            self.assertTrue(answer["ok"], answer)

    def test_relayed_mail_arrives_once_with_all_three_passes(self):
        self.submit("From: alice@alpha.example\r\nTo: bob@beta.example\r\nSubject: three passes\r\n\r\nhello\r\n")
        count, message = self.fetch_by_subject(self.b, "bob@beta.example", "three passes")
        self.assertEqual(count, 1)
        results = " ".join(message["Authentication-Results"].split())
        for wanted in ("spf=pass", "dkim=pass", "dmarc=pass"):
            self.assertIn(wanted, results)
        self.assertTrue(results.startswith("mx.beta.example"))
        self.assertEqual(len(message.get_all("DKIM-Signature")), 2)
        self.assertEqual({re.search(r"a=([\w-]+)", s).group(1) for s in message.get_all("DKIM-Signature")},
                         {"rsa-sha256", "ed25519-sha256"})
        self.assertEqual(message["Return-Path"], "<alice@alpha.example>")
        self.assertIsNotNone(message["Date"])
        self.assertIsNotNone(message["Message-ID"])
        self.assertTrue(any("ESMTPSA" in r for r in message.get_all("Received")))

    def test_bounce_of_unknown_recipient_reaches_sender(self):
        self.submit("From: alice@alpha.example\r\nTo: nobody@beta.example\r\nSubject: to nobody\r\n\r\nhello\r\n",
                    to=("nobody@beta.example",))
        imap = self.imap(self.a, "alice@alpha.example")

        def find():
            imap.select("INBOX")
            _, found = imap.search(None, "TEXT", '"nobody@beta.example"')
            return found[0].split()
        numbers = wait_until(find, "the bounce", 30)
        _, data = imap.fetch(numbers[0], "(BODY.PEEK[])")
        report = email.message_from_bytes(data[0][1])
        self.assertEqual(report.get_content_type(), "multipart/report")
        self.assertEqual(report["Return-Path"], "<>")
        status = report.get_payload(1).as_string()
        self.assertIn("Action: failed", status)
        self.assertIn("Status: 5.1.1", status)

    def test_forged_results_are_removed_and_spoof_is_filed_into_junk(self):
        with smtplib.SMTP("127.0.0.1", self.b.ports["mx"], timeout=30) as smtp:
            smtp.sendmail("someone@elsewhere.example", ["bob@beta.example"],
                          "Authentication-Results: mx.beta.example; dmarc=pass\r\n"
                          "From: alice@alpha.example\r\nSubject: spoof\r\n\r\nnot alice\r\n")
        imap = self.imap(self.b, "bob@beta.example")

        def find():
            imap.select("Junk")
            return imap.search(None, "SUBJECT", "spoof")[1][0].split()
        numbers = wait_until(find, "the spoof in Junk")
        _, data = imap.fetch(numbers[0], "(BODY.PEEK[HEADER])")
        header = email.message_from_bytes(data[0][1])
        self.assertEqual(len(header.get_all("Authentication-Results")), 1)
        self.assertIn("dmarc=fail", " ".join(header["Authentication-Results"].split()))

    def test_mx_does_not_relay(self):
        with smtplib.SMTP("127.0.0.1", self.b.ports["mx"], timeout=30) as smtp:
            smtp.ehlo("client.example")
            smtp.mail("x@elsewhere.example")
            code, text = smtp.rcpt("y@elsewhere.example")
            self.assertEqual(code, 550)
            self.assertIn(b"5.7.1", text)

    def test_submission_without_login_is_refused(self):
        with smtplib.SMTP("127.0.0.1", self.a.ports["submission"], timeout=30) as smtp:
            smtp.starttls(context=unverified())
            smtp.ehlo()
            code, _ = smtp.mail("alice@alpha.example")
            self.assertEqual(code, 530)

    def test_auth_is_not_offered_before_tls(self):
        with smtplib.SMTP("127.0.0.1", self.a.ports["submission"], timeout=30) as smtp:
            smtp.ehlo()
            self.assertFalse(smtp.has_extn("auth"))
            self.assertTrue(smtp.has_extn("starttls"))
            smtp.starttls(context=unverified())
            smtp.ehlo()
            self.assertEqual(set(smtp.esmtp_features["auth"].split()), {"PLAIN", "LOGIN"})

    def test_sending_as_somebody_else_is_refused(self):
        with self.assertRaises(smtplib.SMTPSenderRefused):
            self.submit("From: bob@beta.example\r\n\r\nx\r\n", sender="bob@beta.example")
        with self.assertRaises(smtplib.SMTPDataError):
            self.submit("From: bob@beta.example\r\nSubject: x\r\n\r\nx\r\n")

    def test_wrong_password_is_535(self):
        with smtplib.SMTP_SSL("127.0.0.1", self.a.ports["submissions"], context=unverified(), timeout=30) as smtp:
            with self.assertRaises(smtplib.SMTPAuthenticationError) as caught:
                smtp.login("alice@alpha.example", "wrong")
            self.assertEqual(caught.exception.smtp_code, 535)

    def test_app_password_works_until_revoked(self):
        made = self.a.cli("credential", "add", "alice@alpha.example", "--label", "test")

        def login():
            with smtplib.SMTP_SSL("127.0.0.1", self.a.ports["submissions"], context=unverified(), timeout=30) as smtp:
                smtp.login("alice@alpha.example", made["password"])
        login()
        login()
        self.a.cli("credential", "revoke", "alice@alpha.example", made["id"])
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            login()

    def test_postmaster_alias_subaddress_and_catch_all_arrive(self):
        self.b.cli("alias", "add", "team@beta.example", "bob@beta.example")
        self.b.cli("alias", "add", "*@beta.example", "bob@beta.example")
        self.addCleanup(self.b.cli, "alias", "delete", "*@beta.example")
        for to in ("postmaster", "abuse", "bob+tag", "team", "anything"):
            with smtplib.SMTP("127.0.0.1", self.b.ports["mx"], timeout=30) as smtp:
                smtp.sendmail("", [f"{to}@beta.example"], f"From: x@elsewhere.example\r\nSubject: for {to}\r\n\r\nx\r\n")
        for to in ("postmaster", "abuse", "bob+tag", "team", "anything"):
            count, _ = self.fetch_by_subject(self.b, "bob@beta.example", f"for {to}")
            self.assertEqual(count, 1, to)

    def add_gamma(self):
        """A second tenant on alice's server; its domain needs no DNS to be hosted."""
        if "gamma" not in [t["name"] for t in self.a.cli("tenant", "list")["items"]]:
            self.a.add_account("carol@gamma.example", PASSWORD, tenant="gamma")

    def test_mail_to_another_tenant_of_the_same_server_is_verified_like_a_strangers(self):
        self.add_gamma()
        self.submit("From: alice@alpha.example\r\nSubject: next door\r\n\r\nx\r\n", to=("carol@gamma.example",))
        count, message = self.fetch_by_subject(self.a, "carol@gamma.example", "next door")
        self.assertEqual(count, 1)
        results = " ".join(message["Authentication-Results"].split())
        self.assertIn("dkim=pass", results)
        self.assertIn("dmarc=pass", results)
        self.assertNotIn("spf=", results)  # there is no client address to look at

    def test_one_message_to_own_tenant_other_tenant_and_remote_arrives_once_each(self):
        self.add_gamma()
        self.submit("From: alice@alpha.example\r\nSubject: to all three\r\n\r\nx\r\n",
                    to=("alice@alpha.example", "carol@gamma.example", "bob@beta.example"))
        for server, user in ((self.a, "alice@alpha.example"), (self.a, "carol@gamma.example"),
                             (self.b, "bob@beta.example")):
            count, _ = self.fetch_by_subject(server, user, "to all three")
            self.assertEqual(count, 1, user)

    def test_inbound_message_for_two_tenants_arrives_once_each(self):
        self.add_gamma()
        with smtplib.SMTP("127.0.0.1", self.a.ports["mx"], timeout=30) as smtp:
            smtp.sendmail("x@elsewhere.example", ["alice@alpha.example", "carol@gamma.example"],
                          "From: x@elsewhere.example\r\nSubject: for both\r\n\r\nx\r\n")
        for user in ("alice@alpha.example", "carol@gamma.example"):
            count, message = self.fetch_by_subject(self.a, user, "for both")
            self.assertEqual(count, 1, user)
            self.assertEqual(len(message.get_all("Authentication-Results")), 1)

    def test_message_at_the_size_limit_passes_and_above_is_552(self):
        head = "From: alice@alpha.example\r\nSubject: large\r\n\r\n"
        line = "x" * 76 + "\r\n"
        body = line * ((20 << 20) // len(line))
        self.submit(head + body, to=("alice@alpha.example",))
        count, message = self.fetch_by_subject(self.a, "alice@alpha.example", "large", 60)
        self.assertEqual(count, 1)
        self.assertEqual(len(message.get_payload()), len(body))
        with self.assertRaises((smtplib.SMTPDataError, smtplib.SMTPSenderRefused)) as caught:
            self.submit(head + line * ((26 << 20) // len(line)), to=("alice@alpha.example",))
        self.assertEqual(caught.exception.smtp_code, 552)

    def test_bare_postmaster_and_the_hosts_own_are_accepted(self):
        for to in ("postmaster", "postmaster@mx.beta.example"):
            with smtplib.SMTP("127.0.0.1", self.b.ports["mx"], timeout=30) as smtp:
                smtp.ehlo("client.example")
                smtp.docmd("MAIL FROM:<>")
                self.assertEqual(smtp.docmd(f"RCPT TO:<{to}>")[0], 250, to)
                code, text = smtp.data(f"From: x@elsewhere.example\r\nSubject: to {to}\r\n\r\nx\r\n")
                self.assertEqual(code, 250, text)
            count, _ = self.fetch_by_subject(self.b, "bob@beta.example", f"to {to}")
            self.assertEqual(count, 1)

    def test_spoof_that_takes_the_queue_is_filed_into_junk_too(self):
        with smtplib.SMTP("127.0.0.1", self.b.ports["mx"], timeout=30) as smtp:
            smtp.sendmail("someone@elsewhere.example", ["bob@beta.example"],
                          "From: alice@alpha.example\r\nSubject: spoof with notify\r\n\r\nx\r\n",
                          rcpt_options=["NOTIFY=SUCCESS"])
        imap = self.imap(self.b, "bob@beta.example")

        def find():
            imap.select("Junk")
            return imap.search(None, "SUBJECT", '"spoof with notify"')[1][0].split()
        self.assertEqual(len(wait_until(find, "the spoof in Junk")), 1)

    def test_messages_without_exactly_one_from_are_refused(self):
        for header in ("Subject: none\r\n", "From: a@elsewhere.example\r\nFrom: alice@alpha.example\r\n"):
            with smtplib.SMTP("127.0.0.1", self.b.ports["mx"], timeout=30) as smtp:
                with self.assertRaises(smtplib.SMTPDataError) as caught:
                    smtp.sendmail("a@elsewhere.example", ["bob@beta.example"], header + "\r\nx\r\n")
                self.assertEqual(caught.exception.smtp_code, 550)

    def test_a_from_that_hides_another_author_is_refused(self):
        for value in ("<alice@alpha.example> <ceo@bank.example>", "ceo@bank.example <alice@alpha.example>",
                      "alice@alpha.example, ceo@bank.example"):
            with self.assertRaises(smtplib.SMTPDataError, msg=value):
                self.submit(f"From: {value}\r\nSubject: x\r\n\r\nx\r\n")
        self.submit('From: "ceo@bank.example" (x@y.example) <alice@alpha.example>\r\nSubject: honest\r\n\r\nx\r\n')

    def test_long_local_part_of_another_server_is_that_servers_to_judge(self):
        with smtplib.SMTP_SSL("127.0.0.1", self.a.ports["submissions"], context=unverified(), timeout=30) as smtp:
            smtp.login("alice@alpha.example", PASSWORD)
            smtp.mail("alice@alpha.example")
            self.assertEqual(smtp.rcpt("reply+" + "x" * 70 + "@beta.example")[0], 250)

    def test_dsn_parameters_travel_and_success_is_reported(self):
        with smtplib.SMTP_SSL("127.0.0.1", self.a.ports["submissions"], context=unverified(), timeout=30) as smtp:
            smtp.login("alice@alpha.example", PASSWORD)
            smtp.sendmail("alice@alpha.example", ["bob@beta.example"],
                          "From: alice@alpha.example\r\nSubject: tell me\r\n\r\nsecret text\r\n",
                          mail_options=["RET=HDRS", "ENVID=abc+2B1"],
                          rcpt_options=["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;first+40beta.example"])
        imap = self.imap(self.a, "alice@alpha.example")

        def find():
            imap.select("INBOX")
            return imap.search(None, "TEXT", '"Original-Envelope-Id: abc+1"')[1][0].split()
        numbers = wait_until(find, "the success report", 30)
        _, data = imap.fetch(numbers[0], "(BODY.PEEK[])")
        report = email.message_from_bytes(data[0][1])
        status = report.get_payload(1).as_string()
        self.assertRegex(status, "Action: (delivered|relayed)")
        self.assertIn("Original-Recipient: rfc822; first@beta.example", status)
        self.assertNotIn("secret text", report.as_string())
        results = " ".join(report["Authentication-Results"].split())
        self.assertIn("dmarc=pass", results)

    def test_swaks_submits_with_starttls(self):
        done = subprocess.run(
            ["swaks", "--server", f"127.0.0.1:{self.a.ports['submission']}", "-tls", "--auth", "LOGIN",
             "--auth-user", "alice@alpha.example", "--auth-password", PASSWORD, "--from", "alice@alpha.example",
             "--to", "bob@beta.example", "--h-Subject", "from swaks", "--timeout", "30"],
            capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        count, message = self.fetch_by_subject(self.b, "bob@beta.example", "from swaks")
        self.assertEqual(count, 1)
        self.assertIn("dmarc=pass", message["Authentication-Results"])

    def test_metrics_and_health(self):
        for path, wanted in (("healthz", "ok"), ("readyz", "ready"), ("metrics", "# TYPE")):
            done = subprocess.run(["curl", "-sf", f"http://127.0.0.1:{self.a.ports['metrics']}/{path}"],
                                  capture_output=True, text=True, timeout=20)
            self.assertEqual(done.returncode, 0)
            self.assertIn(wanted, done.stdout)

    def test_management_errors_say_what_to_do(self):
        done = subprocess.run([harness.POSTERN, "--config", self.a.config, "domain", "add", "beta.example", "--tenant",
                               "nobody"], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nobody", done.stderr)
        done = subprocess.run([harness.POSTERN, "--config", "/nonexistent.toml", "tenant", "list"], capture_output=True,
                              text=True, timeout=20)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("POSTERN_CONFIG", done.stderr)


if __name__ == "__main__":
    harness.main()
