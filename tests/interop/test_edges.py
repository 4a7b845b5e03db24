"""The edges of what is promised: limits, refusals, retries, IPv6, DNS gone wrong, hostile clients. With programs nobody
here wrote: Python's smtplib and imaplib, curl, swaks, openssl; DNS by NSD."""
import base64
import contextlib
import email
import email.utils
import imaplib
import itertools
import json
import os
import re
import smtplib
import socket
import tempfile
import time
import unittest

import harness
from harness import POSTERN, Server, wait_until
from edge_world import (
    ALICE, Inbox, PASSWORD, mail_text, run, submit, unverified, waiting, world)
from edge_world import setUpModule  # noqa: F401, unittest calls it


class Outbound(unittest.TestCase):
    """From alice's server to others, as DNS and routes lead."""

    def send(self, to, **more):
        submit(world.sender, to, self.id(), **more)

    def arrived(self, peer, seconds=20):
        return wait_until(lambda: world.peers[peer].received(self.id()), f"the message at {peer}", seconds)

    def failed(self, address):
        return wait_until(lambda: world.inbox.reports(address, "failed"), f"the report on {address}")[0]

    def test_peer_that_offers_starttls_with_a_self_signed_certificate_gets_it_encrypted(self):
        self.send("bob@tls.example")
        message, = self.arrived("tls")
        self.assertTrue(message.encrypted)
        self.assertEqual(message.sender.split()[1], f"FROM:<{ALICE}>")

    def test_peer_without_starttls_gets_it_in_clear(self):
        self.send("bob@plain.example")
        message, = self.arrived("plain")
        self.assertFalse(message.encrypted)

    def test_peers_whose_starttls_fails_get_it_in_clear(self):
        for name in ("refused", "garbage", "closes", "hangs"):
            self.send(f"bob@{name}.example")
        for name in ("refused", "garbage", "closes", "hangs"):
            with self.subTest(name):
                message, = self.arrived(name)
                self.assertFalse(message.encrypted)
                self.assertGreaterEqual(world.peers[name].handshakes, 1)  # it was tried

    def test_peer_at_ipv6_only_is_reached_by_its_aaaa_record(self):
        self.send("bob@six.example")
        self.assertEqual(len(self.arrived("six")), 1)

    def test_peer_at_ipv6_only_is_reached_by_a_route(self):
        self.send("bob@routed.example")
        self.assertEqual(self.arrived("six")[0].recipients, ["bob@routed.example"])

    def test_domain_without_mx_is_its_own_host(self):
        for name, peer in (("implicit", "plain"), ("implicit6", "six")):
            with self.subTest(name):
                self.send(f"bob@{name}.example")
                self.assertEqual(self.arrived(peer)[0].recipients, [f"bob@{name}.example"])

    def test_domain_that_is_an_alias_goes_where_the_alias_leads(self):
        self.send("bob@alias.example")
        self.assertEqual(len(self.arrived("plain")), 1)

    def test_mx_that_does_not_answer_is_passed_over_for_the_next(self):
        self.send("bob@second.example")
        self.assertEqual(len(self.arrived("plain")), 1)

    def test_mx_without_address_is_an_error_and_never_falls_back_to_the_domain(self):
        self.send("bob@unusable.example")  # RFC 5321 §5.1
        fields, _ = self.failed("bob@unusable.example")
        self.assertRegex(fields["Status"], r"^5\.")
        self.assertEqual(world.peers["plain"].received(self.id()), [])

    def test_null_mx_comes_back_at_once_as_5_1_10(self):
        begun = time.monotonic()
        self.send("bob@nullmx.example")
        fields, report = self.failed("bob@nullmx.example")
        self.assertLess(time.monotonic() - begun, 10)
        self.assertEqual(fields["Status"], "5.1.10")  # RFC 7505 §4.2
        self.assertEqual(report["Return-Path"], "<>")
        self.assertIn(self.id(), report.get_payload(2).as_string())

    def test_domain_that_does_not_exist_comes_back_at_once_as_5_1_2(self):
        self.send("bob@no.such.example")
        fields, _ = self.failed("bob@no.such.example")
        self.assertEqual(fields["Status"], "5.1.2")  # RFC 3463 §3.2: bad destination system address

    def test_mx_that_leads_back_to_this_server_is_reported_as_a_loop(self):
        self.send("bob@looped.example")
        fields, _ = self.failed("bob@looped.example")
        self.assertEqual(fields["Status"], "5.4.6")  # RFC 3463 §3.5: routing loop detected

    def test_notify_never_silences_the_report_of_a_failure(self):
        self.send("never@nullmx.example", rcpt_options=["NOTIFY=NEVER"])
        self.send("asked@nullmx.example", rcpt_options=["NOTIFY=FAILURE"])
        self.failed("asked@nullmx.example")
        wait_until(lambda: not waiting("nullmx.example") and not waiting("alpha.example"), "all is done, reports too")
        self.assertEqual(world.inbox.reports("never@nullmx.example", "failed"), [])

    def test_delayed_message_is_reported_with_the_peers_words(self):
        to = "default@later.example"
        fields, report = wait_until(lambda: world.inbox.reports(to, "delayed"), "the delay report")[0]
        self.assertEqual(fields["Status"], "4.2.0")
        self.assertEqual(fields["Diagnostic-Code"], "smtp; 451 4.2.0 Come back later")
        self.assertEqual(fields["Remote-MTA"], "dns; mx.later.example")
        arrival = email.utils.parsedate_to_datetime(report.get_payload(1).get_payload()[0]["Arrival-Date"])
        until = email.utils.parsedate_to_datetime(fields["Will-Retry-Until"])
        self.assertAlmostEqual((until - arrival).total_seconds(), 60, delta=1)
        self.assertEqual(report.get_param("report-type"), "delivery-status")
        self.assertEqual(report["Return-Path"], "<>")
        self.assertIn("Subject: for default", report.get_payload(2).as_string())

    def test_retries_wait_as_long_as_the_setting_says(self):
        def times():
            return [at for at, to in list(world.peers["later"].attempts) if to == "default@later.example"]
        wait_until(lambda: len(times()) >= 4, "four attempts")
        first = times()[:4]
        for before, after in zip(first, first[1:]):
            self.assertGreaterEqual(after - before, 0.79)  # 1 s, spread by a fifth
            self.assertLess(after - before, 10)

    def test_message_to_1000_recipients_is_taken_and_one_more_is_452(self):
        with smtplib.SMTP_SSL("127.0.0.1", world.sender.ports["submissions"], context=unverified(), timeout=60) as smtp:
            smtp.login(ALICE, PASSWORD)
            smtp.mail(ALICE)
            codes = [smtp.rcpt(f"r{i}@plain.example")[0] for i in range(1001)]
            self.assertEqual(codes, [250] * 1000 + [452])
            code, reply = smtp.data(mail_text(ALICE, "to many"))
            self.assertEqual(code, 250, reply)


class PrivateAddresses(unittest.TestCase):
    """Off, only a route reaches a private address."""

    @classmethod
    def setUpClass(cls):
        cls.inbox = Inbox(world.strict, "bob@beta.example")
        cls.addClassCleanup(cls.inbox.close)

    def refused(self, address):
        submit(world.strict, address, self.id(), sender="bob@beta.example")
        fields, _ = wait_until(lambda: self.inbox.reports(address, "failed"), f"the report on {address}")[0]
        self.assertEqual(fields["Status"], "5.4.4", address)
        for name, peer in world.peers.items():
            self.assertEqual(peer.received(self.id()), [], name)

    def test_private_address_that_dns_names_is_refused(self):
        for domain in ("plain.example", "six.example", "mapped.example", "implicit.example"):
            self.refused(f"refused@{domain}")

    def test_private_address_literal_is_refused(self):
        for literal in ("[127.0.0.2]", "[IPv6:::1]", "[IPv6:::ffff:127.0.0.2]"):
            self.refused(f"refused@{literal}")

    def test_route_reaches_a_private_address(self):
        submit(world.strict, "bob@routed.example", self.id(), sender="bob@beta.example")
        self.assertEqual(len(wait_until(lambda: world.peers["plain"].received(self.id()), "the message")), 1)


class Ipv6(unittest.TestCase):
    def test_message_from_an_ipv6_client_says_so_in_received(self):
        with smtplib.SMTP("::1", world.mx6, local_hostname="client.example", timeout=30) as smtp:
            smtp.sendmail("x@elsewhere.example", [ALICE], mail_text("x@elsewhere.example", self.id()))
        message, = wait_until(lambda: world.inbox.by_subject(self.id()), "the message")
        self.assertIn("from client.example ([IPv6:::1])", " ".join(message["Received"].split()))

    def test_ipv6_literal_in_ehlo_is_taken(self):
        with smtplib.SMTP("::1", world.mx6, timeout=30) as smtp:
            self.assertEqual(smtp.ehlo("[IPv6:::1]")[0], 250)
            self.assertEqual(smtp.ehlo("[IPv6:::g]")[0], 501)

    def test_wildcards_of_both_families_share_a_port(self):
        for host in ("127.0.0.1", "::1"):
            with imaplib.IMAP4(host, world.everywhere, timeout=20) as imap:
                self.assertEqual(imap.noop()[0], "OK")

    def test_curl_submits_over_ipv6(self):
        done = run("curl", "-sS", "--insecure", f"smtps://[::1]:{world.submissions6}", "--mail-from", ALICE,
                   "--mail-rcpt", ALICE, "--user", f"{ALICE}:{PASSWORD}", "--upload-file", "-",
                   stdin=mail_text(ALICE, self.id()))
        self.assertEqual(done.returncode, 0, done.stderr)
        message, = wait_until(lambda: world.inbox.by_subject(self.id()), "the message")
        self.assertNotIn("::1", message["Received"])  # where a user sits is nobody's business


class DomainCheck(unittest.TestCase):
    def check(self, domain, server=None):
        """The statuses by purpose as JSON has them, and the command's own answer."""
        server = server or world.strict
        answer = server.cli("domain", "check", domain, check=False)
        statuses = {}
        for record in answer["records"]:
            statuses.setdefault(record["purpose"], set()).add(record["status"])
        plain = run(POSTERN, "--config", server.config, "domain", "check", domain)
        lines = {(line.split()[1], line.split()[2]): line.split()[0] for line in plain.stdout.splitlines()[1:]}
        self.assertEqual(lines, {(r["type"], r["name"]): r["status"] for r in answer["records"]})
        return answer, statuses, plain

    def test_published_records_are_ok_and_exit_0(self):
        answer, statuses, plain = self.check("beta.example")
        self.assertTrue(answer["ok"])
        self.assertEqual(statuses, {"mx": {"ok"}, "spf": {"ok"}, "dkim": {"ok"}, "dmarc": {"ok"}})
        self.assertEqual(plain.returncode, 0)

    def check_changed(self, *names):
        for name in names:
            with self.subTest(name):
                answer, statuses, plain = self.check(f"{name}.example")
                expected = {"mx": {"ok"}, "spf": {"ok"}, "dkim": {"ok"}, "dmarc": {"ok"}}
                expected.update({purpose: {status} for purpose, status in world.changed[name][1].items()})
                self.assertEqual(statuses, expected)
                self.assertEqual(answer["ok"], not world.changed[name][1])
                self.assertEqual(plain.returncode, 1 if world.changed[name][1] else 0)

    def test_each_missing_or_wrong_record_is_named_and_exits_1(self):
        self.check_changed("no-mx", "other-mx", "null-mx", "no-spf", "other-spf", "two-spf", "other-dkim", "no-dkim",
                           "no-dmarc")

    def test_spf_that_names_the_server_after_all_is_different(self):
        self.check_changed("late-spf")

    def test_spf_that_writes_the_qualifier_out_is_ok(self):
        self.check_changed("plus-spf")

    def test_missing_record_exits_1_with_json_too(self):
        done = run(POSTERN, "--config", world.strict.config, "--json", "domain", "check", "no-mx.example")
        self.assertFalse(json.loads(done.stdout)["ok"])
        self.assertEqual(done.returncode, 1)

    def test_dead_dns_is_unknown_and_not_missing(self):
        with Server("mx.epsilon.example") as server:  # nothing answers at its resolver's port
            server.cli("tenant", "add", "epsilon")
            server.cli("domain", "add", "epsilon.example", "--tenant", "epsilon")
            answer, statuses, plain = self.check("epsilon.example", server)
        self.assertEqual(statuses, {"mx": {"unknown"}, "spf": {"unknown"}, "dkim": {"unknown"}, "dmarc": {"unknown"}})
        self.assertFalse(answer["ok"])
        self.assertEqual(plain.returncode, 1)

    def test_domain_that_is_not_hosted_is_an_error(self):
        done = run(POSTERN, "--config", world.strict.config, "domain", "check", "unhosted.example")
        self.assertEqual(done.returncode, 1)
        self.assertNotEqual(done.stderr.strip(), "")


class SmtpServer(unittest.TestCase):
    """Limits and refusals of the server that strangers and clients speak to."""

    def smtp(self, kind="mx", ehlo=True):
        smtp = smtplib.SMTP("127.0.0.1", world.strict.ports[kind], timeout=20)
        self.addCleanup(smtp.close)
        if ehlo:
            smtp.ehlo("client.example")
        return smtp

    def in_transaction(self, to="carol@beta.example", kind="mx"):
        smtp = self.smtp(kind)
        self.assertEqual(smtp.mail("x@elsewhere.example")[0], 250)
        self.assertEqual(smtp.rcpt(to)[0], 250)
        return smtp

    def assertReply(self, reply, code, status=None):
        self.assertEqual(reply[0], code, reply[1])
        if status:
            self.assertRegex(reply[1].decode(), rf"^{re.escape(status)} ")

    def assertClosed(self, smtp):
        with self.assertRaises(smtplib.SMTPServerDisconnected):
            smtp.getreply()

    def head(self):
        return b"From: x@elsewhere.example\r\nSubject: " + self.id().encode() + b"\r\n\r\n"

    def stored(self, subject=None, user="carol@beta.example"):
        inbox = Inbox(world.strict, user)
        try:
            return inbox.by_subject(subject or self.id())
        finally:
            inbox.close()

    def test_recipient_above_the_limit_is_452_and_the_others_stay(self):
        smtp = self.smtp()
        smtp.mail("x@elsewhere.example")
        for i in range(100):
            self.assertReply(smtp.rcpt(f"carol+{i}@beta.example"), 250)
        self.assertReply(smtp.rcpt("dora@beta.example"), 452, "4.5.3")  # RFC 5321 §4.5.3.1.10
        self.assertReply(smtp.data(self.head() + b"x\r\n"), 250)
        self.assertEqual(len(self.stored()), 1)
        self.assertEqual(self.stored(user="dora@beta.example"), [])

    def test_command_line_at_the_limit_is_taken(self):
        self.assertReply(self.smtp().docmd("NOOP " + "x" * (512 - len("NOOP \r\n"))), 250)

    def test_command_line_above_the_limit_is_500(self):
        smtp = self.smtp()
        self.assertReply(smtp.docmd("NOOP " + "x" * (513 - len("NOOP \r\n"))), 500)  # RFC 5321 §4.5.3.1.9
        self.assertReply(smtp.noop(), 250)

    def test_endless_command_line_is_500_once_and_none_of_it_is_run(self):
        smtp = self.smtp()
        smtp.send(b"NOOP " + b"x" * 100_000 + b"\nQUIT\nVRFY x\r\n")
        self.assertReply(smtp.getreply(), 500)
        self.assertReply(smtp.noop(), 250)

    def test_text_line_at_the_limit_is_taken(self):
        smtp = self.in_transaction()
        self.assertReply(smtp.data(self.head() + b"x" * 998 + b"\r\n"), 250)  # RFC 5321 §4.5.3.1.6
        self.assertEqual(len(self.stored()), 1)

    def test_text_line_above_the_limit_is_refused(self):
        smtp = self.in_transaction()
        reply = smtp.data(self.head() + b"x" * 999 + b"\r\n")
        self.assertIn(reply[0], (500, 554), reply[1])
        self.assertEqual(self.stored(), [])

    def test_too_many_errors_are_421_and_the_end(self):
        smtp = self.smtp()
        for _ in range(10):
            self.assertReply(smtp.docmd("BOGUS"), 500)
        self.assertReply(smtp.docmd("BOGUS"), 421, "4.7.0")
        self.assertClosed(smtp)

    def test_silent_session_is_421_and_the_end(self):
        world.strict.reload('smtp_idle = "5m"', 'smtp_idle = "1s"')
        self.addCleanup(world.strict.reload, 'smtp_idle = "1s"', 'smtp_idle = "5m"')
        smtp = self.smtp()
        begun = time.monotonic()
        self.assertReply(smtp.getreply(), 421, "4.4.2")
        self.assertGreater(time.monotonic() - begun, 0.8)
        self.assertClosed(smtp)

    def test_header_above_the_limit_is_refused_and_below_it_taken(self):
        field = b"X-Filler: " + b"x" * 88 + b"\r\n"  # 100 octets
        for count, wanted in ((150, {250}), (170, {552, 554})):
            smtp = self.in_transaction()
            reply = smtp.data(field * count + self.head() + b"x\r\n")
            self.assertIn(reply[0], wanted, reply[1])
        self.assertEqual(len(self.stored()), 1)

    def test_declared_size_above_the_limit_is_552_at_mail(self):
        smtp = self.smtp()
        self.assertEqual(smtp.esmtp_features["size"], "65536")
        self.assertReply(smtp.docmd("MAIL FROM:<x@elsewhere.example> SIZE=65537"), 552, "5.3.4")  # RFC 1870 §6.1
        self.assertReply(smtp.docmd("MAIL FROM:<x@elsewhere.example> SIZE=99999999999999999999"), 552, "5.3.4")
        self.assertReply(smtp.docmd("MAIL FROM:<x@elsewhere.example> SIZE=x"), 501)
        self.assertReply(smtp.docmd("MAIL FROM:<x@elsewhere.example> SIZE=65536"), 250)

    def test_undeclared_size_at_the_limit_is_taken_and_above_it_552(self):
        for size, wanted in ((65536, 250), (65537, 552)):
            lines, rest = divmod(size - len(self.head()) - 2, 78)
            text = self.head() + (b"x" * 76 + b"\r\n") * lines + b"x" * rest + b"\r\n"
            self.assertEqual(len(text), size)
            smtp = self.in_transaction()
            self.assertReply(smtp.data(text), wanted)
            self.assertReply(smtp.noop(), 250)
        self.assertEqual(len(self.stored()), 1)

    def test_vrfy_is_252_for_anyone(self):
        smtp = self.smtp()
        known, unknown = smtp.vrfy("carol@beta.example"), smtp.vrfy("nobody@beta.example")
        self.assertReply(known, 252)
        self.assertEqual(known, unknown)

    def test_help_is_214_before_and_after_ehlo(self):
        smtp = self.smtp(ehlo=False)
        self.assertReply(smtp.docmd("HELP"), 214)
        smtp.ehlo("client.example")
        self.assertReply(smtp.docmd("HELP", "MAIL"), 214)

    def test_unknown_verb_is_500(self):
        self.assertReply(self.smtp().docmd("BOGUS"), 500, "5.5.1")

    def test_commands_out_of_order_are_503(self):
        smtp = self.smtp(ehlo=False)
        self.assertReply(smtp.docmd("MAIL FROM:<x@elsewhere.example>"), 503)
        smtp.ehlo("client.example")
        self.assertReply(smtp.docmd("RCPT TO:<carol@beta.example>"), 503)
        self.assertReply(smtp.docmd("DATA"), 503)
        self.assertReply(smtp.docmd("MAIL FROM:<x@elsewhere.example>"), 250)
        self.assertReply(smtp.docmd("DATA"), 503)
        self.assertReply(smtp.docmd("MAIL FROM:<y@elsewhere.example>"), 503)

    def test_arguments_that_do_not_parse_are_501(self):
        smtp = self.smtp()
        for command in ("MAIL FROM:x@elsewhere.example", "MAIL FROM:<x@>", "MAIL", "RSET now", "VRFY"):
            self.assertReply(smtp.docmd(command), 501)
        self.assertReply(smtp.docmd("MAIL FROM:<x@elsewhere.example> BOGUS=1"), 555)  # RFC 5321 §4.1.1.11
        self.assertReply(smtp.docmd("MAIL FROM:<x@elsewhere.example>"), 250)
        self.assertReply(smtp.docmd("RCPT TO:<carol@beta.example> NOTIFY=NEVER,FAILURE"), 501)  # RFC 3461 §4.1
        self.assertReply(smtp.docmd("RCPT TO:<carol@beta.example> BOGUS=1"), 555)

    def test_auth_before_tls_is_refused(self):
        smtp = self.smtp("submission")
        plain = base64.b64encode(f"\0carol@beta.example\0{PASSWORD}".encode()).decode()
        for command in (f"AUTH PLAIN {plain}", "AUTH LOGIN"):
            self.assertIn(smtp.docmd(command)[0], (530, 538))  # RFC 3207 §4, RFC 4954 §6
        self.assertReply(smtp.docmd("MAIL FROM:<carol@beta.example>"), 530)

    def over_tls(self):
        smtp = self.smtp("submission")
        smtp.starttls(context=unverified())
        smtp.ehlo("client.example")
        return smtp

    def test_answer_to_auth_may_have_12288_octets_and_beyond_is_500_5_5_6(self):
        smtp = self.over_tls()  # RFC 4954 §4
        self.assertReply(smtp.docmd("AUTH PLAIN"), 334)
        self.assertIn(smtp.docmd("A" * 12284)[0], (501, 535))  # taken, and no PLAIN message
        self.assertReply(smtp.docmd("AUTH PLAIN"), 334)
        self.assertReply(smtp.docmd("A" * 20_000), 500, "5.5.6")
        self.assertReply(smtp.noop(), 250)

    def test_initial_response_to_auth_that_is_too_long_is_500_5_5_6(self):
        smtp = self.over_tls()
        self.assertReply(smtp.docmd("AUTH PLAIN " + "A" * 20_000), 500, "5.5.6")
        self.assertReply(smtp.noop(), 250)

    def test_swaks_is_refused_without_tls_and_taken_with_it(self):
        carol = "carol@beta.example"
        swaks = ["swaks", "--server", f"127.0.0.1:{world.strict.ports['submission']}", "--auth", "PLAIN", "--auth-user",
                 carol, "--auth-password", PASSWORD, "--from", carol, "--to", carol, "--h-Subject", self.id(),
                 "--timeout", "20"]
        self.assertEqual(run(*swaks).returncode, 28, "swaks' code for AUTH that isn't offered")
        self.assertEqual(run(*swaks, "-tls").returncode, 0)
        self.assertEqual(len(self.stored()), 1)

    def test_commands_sent_along_with_starttls_are_never_run(self):
        for kind in ("mx", "submission"):
            smtp = self.smtp(kind)
            smtp.send(b"STARTTLS\r\nRSET\r\nVRFY carol@beta.example\r\n")
            code, text = smtp.getreply()
            if code == 220:
                smtp.sock = unverified().wrap_socket(smtp.sock)
                smtp.file = None
                self.assertEqual(smtp.ehlo("client.example")[0], 250)  # and not what RSET or VRFY say
            else:
                self.assertIn(code, (421, 501, 503, 554), text)
                self.assertClosed(smtp)

    def test_plaintext_instead_of_a_handshake_ends_the_session(self):
        smtp = self.smtp()
        self.assertReply(smtp.docmd("STARTTLS"), 220)
        smtp.send(b"VRFY carol@beta.example\r\nVRFY carol@beta.example\r\n")
        rest = b""
        with contextlib.suppress(ConnectionResetError):
            for piece in iter(lambda: smtp.sock.recv(1000), b""):
                rest += piece
        self.assertNotIn(b"252", rest)

    def test_ehlo_from_before_tls_is_forgotten(self):
        done = run("openssl", "s_client", "-connect", f"127.0.0.1:{world.strict.ports['mx']}", "-starttls", "smtp",
                   "-quiet", "-crlf", stdin="MAIL FROM:<x@elsewhere.example>\nEHLO client.example\nQUIT\n")
        replies = re.findall(r"^(\d{3})[ -]", done.stdout, re.MULTILINE)
        self.assertEqual((replies[0], replies[-1]), ("503", "221"), done.stdout)
        self.assertNotIn("STARTTLS", done.stdout)  # RFC 3207 §4.2

    def test_line_ends_that_are_no_crlf_never_end_a_message(self):
        inner = (b"MAIL FROM:<x@elsewhere.example>\r\nRCPT TO:<carol@beta.example>\r\nDATA\r\n"
                 b"From: x@elsewhere.example\r\nSubject: smuggled\r\n\r\nx")
        for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\n.\r", b"\r\n\0.\r\n",
                    b"\r\r\n.\n"):
            with self.subTest(end):
                smtp = self.in_transaction()
                self.assertReply(smtp.docmd("DATA"), 354)
                smtp.send(self.head() + b"first" + end + inner + b"\r\n.\r\nNOOP\r\nQUIT\r\n")
                code, text = smtp.getreply()
                self.assertTrue(500 <= code <= 599, (code, text))
                self.assertReply(smtp.getreply(), 250)  # NOOP's
                self.assertReply(smtp.getreply(), 221)
        self.assertEqual(self.stored(), [])
        self.assertEqual(self.stored("smuggled"), [])

    def test_bare_lf_in_a_command_line_runs_nothing(self):
        smtp = self.smtp()
        smtp.send(b"NOOP\nVRFY carol@beta.example\r\nHELP\r\n")
        self.assertReply(smtp.getreply(), 500)
        self.assertReply(smtp.getreply(), 214)

    def test_chunks_make_one_message_with_its_dots(self):
        smtp = self.in_transaction()
        self.assertIn("chunking", smtp.esmtp_features)
        body = b"before\r\n.\r\n..after\r\n"
        parts = (self.head(), body[:9], body[9:])
        for part in parts:
            smtp.send(b"BDAT %d\r\n" % len(part) + part)
        smtp.send(b"BDAT 0 LAST\r\n")
        for _ in range(4):
            self.assertReply(smtp.getreply(), 250)
        message, = self.stored()
        self.assertEqual(message.get_payload().encode(), body)

    def test_chunk_without_recipient_is_read_and_503(self):
        smtp = self.smtp()
        smtp.send(b"BDAT 6\r\nQUIT\r\nNOOP\r\n")
        self.assertReply(smtp.getreply(), 503)
        self.assertReply(smtp.getreply(), 250)

    def test_data_after_a_chunk_is_503(self):
        smtp = self.in_transaction()
        smtp.send(b"BDAT %d\r\n" % len(self.head()) + self.head())
        self.assertReply(smtp.getreply(), 250)
        self.assertReply(smtp.docmd("DATA"), 503)  # RFC 3030 §2
        self.assertReply(smtp.docmd("RCPT TO:<dora@beta.example>"), 503)
        self.assertReply(smtp.rset(), 250)
        self.assertEqual(self.stored(), [])

    def test_chunk_with_a_bare_lf_is_refused(self):
        smtp = self.in_transaction()
        text = self.head() + b"one\ntwo\r\n"
        smtp.send(b"BDAT %d LAST\r\n" % len(text) + text)
        code, reply = smtp.getreply()
        self.assertTrue(500 <= code <= 599, reply)
        self.assertReply(smtp.noop(), 250)
        self.assertEqual(self.stored(), [])

    def test_chunk_of_no_sane_size_is_refused_and_nothing_behind_it_is_run(self):
        for size in (b"x", b"-1", b"99999999999999999999999", b"5 LAST LAST"):
            smtp = self.in_transaction()
            smtp.send(b"BDAT " + size + b"\r\nVRFY carol@beta.example\r\n")
            code, text = smtp.getreply()
            self.assertTrue(500 <= code <= 599, (size, text))
            self.assertClosed(smtp)


class Imap(unittest.TestCase):
    USER = "dora@beta.example"
    numbers = itertools.count(1)

    def imap(self, kind="imaps", user=None):
        port = world.strict.ports[kind]
        if kind == "imaps":
            imap = imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=unverified(), timeout=20)
        else:
            imap = imaplib.IMAP4("127.0.0.1", port, timeout=20)
        self.addCleanup(imap.shutdown)
        if user:
            imap.login(user, PASSWORD)
        return imap

    def account(self):
        """A mailbox of this test's own."""
        user = f"user{next(self.numbers)}@beta.example"
        world.strict.cli("account", "add", user, stdin=PASSWORD + "\n")
        return user

    def deliver(self, user, subject):
        with smtplib.SMTP("127.0.0.1", world.strict.ports["mx"], timeout=20) as smtp:
            smtp.sendmail("x@elsewhere.example", [user], mail_text("x@elsewhere.example", subject))

    def talk(self, imap, line, tag=b"T1"):
        """Sends one command as it is; gives the lines up to the tagged one."""
        imap.send(tag + b" " + line + b"\r\n")
        lines = []
        while not lines or not lines[-1].startswith(tag + b" "):
            lines.append(imap.readline().rstrip(b"\r\n"))
            self.assertNotEqual(lines[-1], b"", "the connection ended")
        return lines

    def append(self, imap, folder, subject):
        return imap.append(folder, None, None, mail_text("x@elsewhere.example", subject).encode())

    def test_login_before_starttls_is_refused_and_after_it_works(self):
        imap = self.imap("imap")
        self.assertIn("LOGINDISABLED", imap.capabilities)
        self.assertIn("STARTTLS", imap.capabilities)
        self.assertNotIn("AUTH=PLAIN", imap.capabilities)
        with self.assertRaises(imaplib.IMAP4.error):
            imap.login(self.USER, PASSWORD)
        imap.starttls(unverified())
        self.assertNotIn("LOGINDISABLED", imap.capabilities)
        self.assertNotIn("STARTTLS", imap.capabilities)
        imap.login(self.USER, PASSWORD)
        self.assertEqual(imap.select("INBOX")[0], "OK")

    def test_authenticate_before_starttls_is_refused(self):
        imap = self.imap("imap")
        plain = base64.b64encode(f"\0{self.USER}\0{PASSWORD}".encode())
        self.assertRegex(self.talk(imap, b"AUTHENTICATE PLAIN " + plain)[-1], b"^T1 NO ")

    def test_curl_reads_a_message_over_starttls(self):
        user = self.account()
        self.deliver(user, self.id())
        url = f"imap://127.0.0.1:{world.strict.ports['imap']}/INBOX;MAILINDEX=1"
        done = run("curl", "-sS", "--insecure", "--ssl-reqd", "--user", f"{user}:{PASSWORD}", url)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"Subject: {self.id()}", done.stdout)
        done = run("curl", "-sS", "--user", f"{user}:{PASSWORD}", url)
        self.assertEqual(done.returncode, 67, "curl's code for a login that is denied")

    def test_openssl_speaks_over_starttls(self):
        done = run("openssl", "s_client", "-connect", f"127.0.0.1:{world.strict.ports['imap']}", "-starttls", "imap",
                   "-quiet", "-crlf", stdin="a CAPABILITY\nb LOGOUT\n")
        self.assertRegex(done.stdout, r"(?m)^\* CAPABILITY .*AUTH=PLAIN")
        self.assertRegex(done.stdout, r"(?m)^b OK ")

    def test_command_sent_along_with_starttls_is_never_run(self):
        imap = self.imap("imap")
        imap.send(b"s STARTTLS\r\nevil NOOP\r\n")
        self.assertRegex(imap.readline(), b"^s OK ")
        imap.sock = unverified().wrap_socket(imap.sock)
        imap.sock.sendall(b"after LOGOUT\r\n")
        answers = b"".join(iter(lambda: imap.sock.recv(1000), b""))
        self.assertIn(b"after OK", answers)
        self.assertNotIn(b"evil", answers)

    def test_new_mailbox_has_the_special_folders(self):
        imap = self.imap(user=self.account())
        listed = b"\n".join(imap.list()[1]).decode()
        for name in ("Drafts", "Sent", "Junk", "Trash", "Archive"):
            self.assertRegex(listed, rf'(?m)^\([^)]*\\{name}\b[^)]*\) "/" "?{name}"?$')
            self.assertEqual(imap.select(name)[0], "OK")

    def test_advertised_extensions(self):
        line = self.talk(self.imap(user=self.USER), b"CAPABILITY")[0]
        for name in ("IMAP4rev1", "IDLE", "MOVE", "UIDPLUS", "ESEARCH", "UNSELECT", "NAMESPACE", "ID", "ENABLE",
                     "LITERAL+", "SPECIAL-USE"):
            self.assertIn(name.encode(), line.split())

    def test_idle_tells_of_a_message_at_once(self):
        user = self.account()
        imap = self.imap(user=user)
        imap.select("INBOX")
        imap.send(b"I1 IDLE\r\n")
        self.assertTrue(imap.readline().startswith(b"+"))
        for count in (1, 2):
            self.deliver(user, self.id())
            delivered = time.monotonic()
            line = b""
            while b"EXISTS" not in line:
                line = imap.readline()  # fails after the connection's 20 s
            self.assertEqual(line, b"* %d EXISTS\r\n" % count)
            self.assertLess(time.monotonic() - delivered, 5)
        imap.send(b"DONE\r\n")
        while not line.startswith(b"I1 "):
            line = imap.readline()
            self.assertNotEqual(line, b"")
        self.assertRegex(line, b"^I1 OK ")

    def test_idle_tells_of_a_message_that_another_client_removes(self):
        user = self.account()
        one, two = self.imap(user=user), self.imap(user=user)
        self.append(one, "INBOX", "gone")
        one.select("INBOX")
        two.select("INBOX")
        one.send(b"I1 IDLE\r\n")
        self.assertTrue(one.readline().startswith(b"+"))
        two.store("1", "+FLAGS", r"(\Deleted)")
        two.expunge()
        line = b""
        while b"EXPUNGE" not in line:
            line = one.readline()
            self.assertNotEqual(line, b"")
        self.assertEqual(line, b"* 1 EXPUNGE\r\n")

    def test_append_and_copy_give_the_uids(self):
        imap = self.imap(user=self.account())
        _, data = self.append(imap, "INBOX", "one")
        validity, uid = re.match(rb"\[APPENDUID (\d+) (\d+)\]", data[0]).groups()
        imap.select("INBOX")
        self.assertEqual(imap.response("UIDVALIDITY")[1], [validity])
        self.assertEqual(imap.uid("SEARCH", "ALL")[1], [uid])
        line = self.talk(imap, b"UID COPY " + uid + b" Archive")[-1]
        target_validity, source, target = re.match(rb"T1 OK \[COPYUID (\d+) (\S+) (\S+)\]", line).groups()
        self.assertEqual(source, uid)
        imap.select("Archive")
        self.assertEqual(imap.response("UIDVALIDITY")[1], [target_validity])
        self.assertEqual(imap.uid("SEARCH", "ALL")[1], [target])

    def test_uid_expunge_removes_only_what_it_names(self):
        imap = self.imap(user=self.account())
        for subject in ("one", "two", "three"):
            self.append(imap, "INBOX", subject)
        imap.select("INBOX")
        imap.store("1:3", "+FLAGS", r"(\Deleted)")
        uids = imap.uid("SEARCH", "ALL")[1][0].split()
        self.assertRegex(self.talk(imap, b"UID EXPUNGE " + uids[1])[-1], b"^T1 OK")
        self.assertEqual(imap.uid("SEARCH", "ALL")[1][0].split(), [uids[0], uids[2]])

    def test_move_takes_the_message_there_and_away_here(self):
        imap = self.imap(user=self.account())
        self.append(imap, "INBOX", "moved")
        imap.select("INBOX")
        lines = self.talk(imap, b"MOVE 1 Archive")
        copied = [i for i, line in enumerate(lines) if re.match(rb"\* OK \[COPYUID \d+ \d+ \d+\]", line)]
        gone = [i for i, line in enumerate(lines) if line == b"* 1 EXPUNGE"]
        self.assertEqual((len(copied), len(gone)), (1, 1), lines)
        self.assertLess(copied[0], gone[0])  # RFC 6851 §4.3
        self.assertRegex(lines[-1], b"^T1 OK ")
        self.assertEqual(imap.search(None, "ALL")[1], [b""])
        imap.select("Archive")
        self.assertEqual(imap.search(None, "SUBJECT", "moved")[1], [b"1"])

    def test_move_to_a_folder_that_is_not_there_keeps_the_message(self):
        imap = self.imap(user=self.account())
        self.append(imap, "INBOX", "kept")
        imap.select("INBOX")
        self.assertRegex(self.talk(imap, b"MOVE 1 Nowhere")[-1], rb"^T1 NO \[TRYCREATE\]")
        self.assertEqual(imap.search(None, "ALL")[1], [b"1"])

    def test_esearch_gives_what_is_asked_for(self):
        imap = self.imap(user=self.account())
        for subject in ("one", "two", "one", "one"):
            self.append(imap, "INBOX", subject)
        imap.select("INBOX")
        for asked, wanted in ((b"RETURN (MIN MAX COUNT) SUBJECT one", {b"MIN 1", b"MAX 4", b"COUNT 3"}),
                              (b"RETURN (ALL) SUBJECT one", {b"ALL 1,3:4"}), (b"RETURN () SUBJECT two", {b"ALL 2"}),
                              (b"RETURN (COUNT ALL) SUBJECT none", {b"COUNT 0"})):
            line = self.talk(imap, b"SEARCH " + asked)[0]
            self.assertRegex(line, rb'^\* ESEARCH \(TAG "T1"\)')
            self.assertEqual(set(re.findall(rb"(?:MIN|MAX|COUNT|ALL) \S+", line)), wanted)
        self.assertRegex(self.talk(imap, b"UID SEARCH RETURN (MIN) ALL")[0], rb'^\* ESEARCH \(TAG "T1"\) UID MIN \d+$')

    def test_unselect_keeps_deleted_messages_and_close_removes_them(self):
        imap = self.imap(user=self.account())
        self.append(imap, "INBOX", "x")
        imap.select("INBOX")
        imap.store("1", "+FLAGS", r"(\Deleted)")
        self.assertEqual(imap.unselect()[0], "OK")
        self.assertRegex(self.talk(imap, b"FETCH 1 FLAGS")[-1], b"^T1 BAD ")
        self.assertEqual(imap.select("INBOX")[1], [b"1"])
        imap.close()
        self.assertEqual(imap.select("INBOX")[1], [b"0"])

    def test_namespace_id_and_enable(self):
        imap = self.imap(user=self.USER)
        self.assertEqual(self.talk(imap, b"NAMESPACE")[0], b'* NAMESPACE (("" "/")) NIL NIL')
        line = self.talk(imap, b'ID ("name" "test" "version" NIL)')[0]
        self.assertRegex(line, rb'^\* ID (\("name" "Postern".*\)|NIL)$')
        self.assertRegex(self.talk(imap, b"ID NIL")[-1], b"^T1 OK ")
        lines = self.talk(imap, b"ENABLE X-UNKNOWN")
        self.assertRegex(lines[-1], b"^T1 OK ")
        self.assertNotIn(b"X-UNKNOWN", b" ".join(lines[:-1]))  # RFC 5161 §3.1

    def test_literals_that_do_not_wait_are_taken(self):
        imap = self.imap()
        password = PASSWORD.encode()
        imap.send(b"L1 LOGIN {%d+}\r\n%s {%d+}\r\n%s\r\nL2 SELECT {5+}\r\nINBOX\r\n"
                  % (len(self.USER), self.USER.encode(), len(password), password))
        self.assertRegex(imap.readline(), b"^L1 OK ")
        line = b""
        while not line.startswith(b"L2 "):
            line = imap.readline()
            self.assertNotEqual(line, b"")
        self.assertRegex(line, b"^L2 OK ")

    def test_refused_literal_that_does_not_wait_is_thrown_away(self):
        imap = self.imap(user=self.USER)
        text = b"From: x@elsewhere.example\r\n\r\nL9 LOGOUT\r\n"
        imap.send(b"L1 APPEND Nowhere {%d+}\r\n%s\r\nL2 NOOP\r\n" % (len(text), text))
        self.assertRegex(imap.readline(), rb"^L1 NO \[TRYCREATE\]")
        self.assertRegex(imap.readline(), b"^L2 OK ")

    def test_message_at_the_limit_is_appended_and_above_it_toobig(self):
        imap = self.imap(user=self.account())
        self.assertIn(b"APPENDLIMIT=65536", self.talk(imap, b"CAPABILITY")[0].split())  # RFC 7889 §2
        head = b"From: x@elsewhere.example\r\n\r\n"
        self.assertEqual(imap.append("INBOX", None, None, head + b"x" * (65536 - len(head)))[0], "OK")
        # No "+" comes: the client keeps its message.
        self.assertRegex(self.talk(imap, b"APPEND INBOX {65537}")[0], rb"^T1 NO \[TOOBIG\]")
        self.assertRegex(self.talk(imap, b"NOOP")[-1], b"^T1 OK ")

    def test_command_line_above_the_limit_is_bad_and_none_of_it_is_run(self):
        imap = self.imap(user=self.USER)
        self.assertRegex(self.talk(imap, b"SEARCH " + b"x" * 70_000)[-1], b"^T1 BAD ")
        self.assertRegex(self.talk(imap, b"NOOP")[-1], b"^T1 OK ")

    def test_too_many_bad_commands_are_the_end(self):
        imap = self.imap(user=self.USER)
        for _ in range(19):
            self.assertRegex(self.talk(imap, b"BOGUS")[-1], b"^T1 BAD ")
        imap.send(b"T1 BOGUS\r\n")
        lines = list(iter(imap.readline, b""))
        self.assertTrue(any(line.startswith(b"* BYE ") for line in lines), lines)

    def test_silence_before_login_ends_the_session(self):
        world.strict.reload('login_time = "1m"', 'login_time = "1s"')
        self.addCleanup(world.strict.reload, 'login_time = "1s"', 'login_time = "1m"')
        imap = self.imap()
        begun = time.monotonic()
        self.assertRegex(imap.readline(), rb"^\* BYE ")
        self.assertGreater(time.monotonic() - begun, 0.8)
        self.assertEqual(imap.readline(), b"")


class ManagementApi(unittest.TestCase):
    """HTTP on the management socket and the metrics listener."""

    @classmethod
    def setUpClass(cls):
        cls.path = os.path.join(world.strict.data, "postern.sock")

    def curl(self, path, *more, metrics=False, stdin=""):
        """Status, header fields and body."""
        to = (["--unix-socket", self.path, f"http://localhost{path}"] if not metrics
              else [f"http://127.0.0.1:{world.strict.ports['metrics']}{path}"])
        done = run("curl", "-sS", "-i", "--max-time", "20", *more, *to, stdin=stdin)
        self.assertEqual(done.returncode, 0, done.stderr)
        head, _, body = done.stdout.partition("\n\n")  # text mode made LF of CRLF
        while head.startswith("HTTP/1.1 100"):
            head, _, body = body.partition("\n\n")
        return int(head.split()[1]), email.message_from_string(head.partition("\n")[2]), body

    def raw(self, request):
        """All that comes back until the server closes."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(self.path)
            s.sendall(request)
            return b"".join(iter(lambda: s.recv(4096), b""))

    def assertProblem(self, answer, status):
        code, header, body = answer
        self.assertEqual(code, status, body)
        self.assertEqual(header.get_content_type(), "application/problem+json")  # RFC 9457
        self.assertEqual(json.loads(body)["status"], status)

    def test_malformed_body_is_400(self):
        for body in ('{"name": ', "[1, 2]", '"text"', "{}{}", "\0", '{"name": 5}', "{}"):
            self.assertProblem(self.curl("/v1/tenants", "--data-binary", "@-", stdin=body), 400)
        self.assertEqual([t["name"] for t in world.strict.cli("tenant", "list")["items"]], ["beta"])

    def test_unknown_resource_is_404(self):
        for path in ("/", "/v1", "/v1/nothing", "/v1/tenants/nobody", "/v1/tenants/", "/v2/tenants", "/v1/queue/zzz",
                     "/v1/tenants/beta/suspend/more"):
            self.assertProblem(self.curl(path, "--path-as-is"), 404)

    def test_wrong_method_is_405_and_names_the_right_ones(self):
        for method, path, allowed in (("DELETE", "/v1/tenants", {"GET", "POST"}), ("PUT", "/v1/status", {"GET"}),
                                      ("GET", "/v1/backup", {"POST"})):
            answer = self.curl(path, "-X", method)
            self.assertProblem(answer, 405)
            self.assertEqual({m.strip() for m in answer[1]["Allow"].split(",")}, allowed)  # RFC 9110 §15.5.6

    def test_body_above_the_limit_is_413_and_below_it_is_read(self):
        with tempfile.NamedTemporaryFile("w") as file:
            for size, wanted in ((16 * 1024, 400), (16 * 1024 + 1, 413), (8 << 20, 413)):
                file.seek(0)
                file.write("x" * size)
                file.flush()
                self.assertProblem(self.curl("/v1/tenants", "--data-binary", f"@{file.name}"), wanted)

    def test_chunked_body_above_the_limit_is_413(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(json.dumps({"name": "chunked", "filler": "x" * 20_000}))
            file.flush()
            answer = self.curl("/v1/tenants", "-H", "Transfer-Encoding: chunked", "--data-binary", f"@{file.name}")
        self.assertProblem(answer, 413)

    def test_request_without_exactly_one_host_is_400(self):
        self.assertProblem(self.curl("/healthz", "-H", "Host:"), 400)  # RFC 9112 §3.2
        self.assertIn(b" 400 ", self.raw(b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").split(b"\r\n")[0])

    def test_requests_that_could_be_read_in_two_ways_are_refused(self):
        body = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        for fields in (b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(body),
                       b"Content-Length: 5\r\nContent-Length: %d\r\n" % len(body), b"Content-Length: -1\r\n",
                       b"Content-Length: 5 5\r\n", b"Transfer-Encoding: chunked, identity\r\n",
                       b"Transfer-Encoding: gzip\r\n", b"Content-Length : 0\r\n"):
            with self.subTest(fields):
                answers = self.raw(b"POST /v1/tenants HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n" + body)
                self.assertRegex(answers.split(b"\r\n")[0], rb"^HTTP/1\.1 (400|501) ")  # RFC 9112 §6.1, §6.3
                self.assertEqual(answers.count(b"HTTP/1.1 "), 1)

    def test_header_above_the_limit_is_431(self):
        self.assertProblem(self.curl("/healthz", "-H", "X-Filler: " + "x" * 20_000), 431)

    def test_what_is_not_http_is_400(self):
        self.assertIn(b" 400 ", self.raw(b"EHLO client.example\r\n\r\n").split(b"\r\n")[0])

    def test_unknown_method_is_501(self):
        self.assertProblem(self.curl("/healthz", "-X", "BREW"), 501)  # RFC 9110 §15.6.2

    def test_pipelined_requests_are_answered_in_order(self):
        answers = self.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
                           b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.assertEqual(re.findall(rb"HTTP/1\.1 (\d+)", answers), [b"200", b"404", b"200"])

    def test_head_is_answered_without_a_body(self):
        answers = self.raw(b"HEAD /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.assertEqual(answers.partition(b"\r\n\r\n")[2], b"")  # RFC 9110 §9.3.2

    def test_metrics_listener_has_health_and_no_management(self):
        for path, wanted in (("/healthz", {"status": "ok"}), ("/readyz", {"status": "ready"})):
            code, _, body = self.curl(path, metrics=True)
            self.assertEqual((code, json.loads(body)), (200, wanted))
        self.assertProblem(self.curl("/v1/tenants", metrics=True), 404)
        self.assertProblem(self.curl("/healthz", "-X", "POST", metrics=True), 405)
        code, header, body = self.curl("/metrics", metrics=True)
        self.assertEqual((code, header.get_content_type()), (200, "text/plain"))
        self.assertRegex(body, r"(?m)^# TYPE postern_http_requests_total counter$")


class WhatTakesAMinute(unittest.TestCase):
    """Last by name: by now most of the waiting is done."""

    def test_silent_dns_is_unknown_and_not_missing(self):
        out, err = world.deaf_check.communicate(timeout=60)
        self.assertEqual(err, "")
        statuses = {line.split()[0] for line in out.splitlines()[1:]}
        self.assertEqual(statuses, {"unknown"}, out)
        self.assertEqual(world.deaf_check.returncode, 1)

    def test_dns_answer_within_the_timeout_is_waited_for(self):
        inbox = Inbox(world.patient, "dan@delta.example")
        self.addCleanup(inbox.close)
        fields, _ = wait_until(lambda: inbox.reports("bob@no.such.example", "failed"), "the report", 10)[0]
        self.assertEqual(fields["Status"], "5.1.2")

    def test_slow_management_client_is_cut_off(self):
        world.drip.join(60)
        self.assertIsNotNone(world.drip.seconds, "it went on for a minute")
        self.assertLess(world.drip.seconds, 45)

    def test_expired_message_comes_back_as_notify_asks(self):
        wait_until(lambda: not waiting("later.example") and not waiting("alpha.example"), "the queue gives up", 90)
        wait_until(lambda: world.inbox.reports("failure@later.example", "failed"), "a failure report")
        to = "default@later.example"
        fields, report = wait_until(lambda: world.inbox.reports(to, "failed"), "the failure report")[0]
        self.assertRegex(fields["Status"], r"^[45]\.4\.7$")  # RFC 3463 §3.5: delivery time expired
        self.assertEqual(report["Return-Path"], "<>")
        counts = {(who, action): len(world.inbox.reports(f"{who}@later.example", action))
                  for who in ("default", "never", "failure", "delay") for action in ("delayed", "failed")}
        # RFC 3461 §4.1; without NOTIFY both are sent. Never more than one of a kind.
        self.assertEqual({key for key, count in counts.items() if count},
                         {("default", "delayed"), ("default", "failed"), ("failure", "failed"), ("delay", "delayed")})
        self.assertEqual(max(counts.values()), 1, counts)


if __name__ == "__main__":
    harness.main()
