"""Postern among the programs that people run: Postfix and OpenDKIM on the other side, msmtp, swaks, curl and mbsync
as clients."""
import base64
import email
import imaplib
import os
import pathlib
import random
import re
import shutil
import smtplib
import tempfile
import time
import unittest

import harness
import peers
from harness import Nsd, Server, unverified, wait_until, zone_text
from peers import run

PASSWORD = "correct horse battery staple"
DATE = "Sun, 22 Nov 2026 05:57:52 +0000"


def public_keys(domain_answer):
    """The domain's DKIM records as lines of name and value."""
    lines = []
    for record in domain_answer["records"]:
        if "._domainkey." in record["name"]:
            lines.append(record["name"].rstrip(".") + " " + "".join(re.findall(r'"(.*?)"', record["zone_value"])))
    return "\n".join(lines) + "\n"


def make_message(subject, body, sender="alice@alpha.example", to="dora@gamma.example", charset="iso-8859-1"):
    return (f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: {DATE}\r\n"
            f"Message-ID: <{subject.replace(' ', '.')}@{sender.split('@')[1]}>\r\nMIME-Version: 1.0\r\n"
            f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n").encode() + body


SHORT = b"hello\r\n"


def eight_bit_body():
    """Every octet from 0x80 on, and lines that transports like to change."""
    lines = ["Grüße, 你好".encode(), bytes(range(0x80, 0x100)), b".", b"..", b".leading dot", b"trailing blanks \t ", b"",
             b"From here on", b"tab\there\x0b\x0c\x7f", b"=20 not quoted-printable =", b"x" * 998, b"." * 998,
             b"\xff" * 998, b"", b"", b""]
    return b"\r\n".join(lines) + b"\r\n"


def one_mebibyte():
    """2^20 octets in lines of all lengths up to 76, some of which begin with dots."""
    generator = random.Random(20)
    size, lines = 1 << 20, []
    while size > 200:
        line = base64.b64encode(generator.randbytes(57))[:generator.randrange(76)]
        line = generator.choice((b"", b"", b"", b".", b"..")) + line + b"\r\n"
        lines.append(line)
        size -= len(line)
    lines.append(b"y" * (size - 2) + b"\r\n")
    return b"".join(lines)


BODIES = {"short": SHORT, "eight bit": eight_bit_body(), "one mebibyte": one_mebibyte()}


def split_message(data):
    header, _, body = data.partition(b"\r\n\r\n")
    return email.message_from_bytes(header + b"\r\n\r\n"), body


def words(text):
    return " ".join(text.split())


def subject_of(message):
    return words(str(split_message(message)[0]["Subject"]))


class Mailbox:
    """A user's mailbox over IMAPS."""

    def __init__(self, server, user):
        self.imap = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=unverified())
        # Not LOGIN, for which imaplib wants user names in ASCII.
        self.imap.authenticate("PLAIN", lambda _: f"\0{user}\0{PASSWORD}".encode())

    def with_subject(self, subject, folder="INBOX"):
        """The messages, as their octets."""
        self.imap.select(folder, readonly=True)
        numbers = self.imap.search(None, "SUBJECT", f'"{subject}"')[1][0].split()
        found = [self.imap.fetch(number, "(BODY.PEEK[])")[1][0][1] for number in numbers]
        return [message for message in found if subject_of(message) == subject]

    def wait(self, subject, seconds=30):
        """The one message with that subject."""
        found = wait_until(lambda: self.with_subject(subject), f"a message with subject {subject}", seconds)
        assert len(found) == 1, f"{len(found)} messages with subject {subject}"
        return found[0]

    def close(self):
        self.imap.shutdown()


@unittest.skipUnless(os.geteuid() == 0, "Postfix's master starts as root only")
class PostfixPeer(unittest.TestCase):
    """alpha.example is Postern's. gamma.example is Postfix's and found by its MX; plain.example is Postfix's too, at
    a listener without any extension, and found by a route."""

    @classmethod
    def setUpClass(cls):
        directory = tempfile.mkdtemp(prefix="postern-keys-")
        cls.addClassCleanup(shutil.rmtree, directory, ignore_errors=True)
        cls.milter_key = peers.DkimKey(directory, "gamma.example", "milter")
        cls.rsa_key = peers.DkimKey(directory, "gamma.example", "r1")
        cls.ed25519_key = peers.DkimKey(directory, "gamma.example", "e1", "ed25519")
        signer = peers.OpenDkim("mx.gamma.example", key=cls.milter_key)
        verifier = peers.OpenDkim("mx.gamma.example")
        domains = {"gamma.example": ("dora", "emil", "дора"), "plain.example": ("fay",)}
        cls.postfix = peers.Postfix("mx.gamma.example", domains, signer, verifier)
        dns_port, = harness.free_ports(1)
        cls.server = cls.enterClassContext(Server(
            "mx.alpha.example", dns=dns_port, delivery_port=cls.postfix.world,
            extra=f'[[delivery.route]]\ndomain = "plain.example"\nhost = "127.0.0.1"\nport = {cls.postfix.plain}\n'))
        cls.server.cli("tenant", "add", "alpha")
        published = cls.server.cli("domain", "add", "alpha.example", "--tenant", "alpha")
        nsd = Nsd({
            "example": "",  # so that every other name there doesn't exist, rather than that DNS fails
            "alpha.example": zone_text(published),
            "gamma.example": "@ IN MX 10 mx\nmx IN A 127.0.0.1\n@ IN TXT \"v=spf1 ip4:127.0.0.1 -all\"\n"
                             "mx IN TXT \"v=spf1 a -all\"\n_dmarc IN TXT \"v=DMARC1; p=reject\"\n"
                             + cls.milter_key.zone + cls.rsa_key.zone + cls.ed25519_key.zone,
        })
        nsd.port = dns_port
        cls.dns_port = dns_port
        cls.enterClassContext(nsd)
        for user in ("alice", "bob", "carol"):
            cls.server.cli("account", "add", f"{user}@alpha.example", stdin=PASSWORD + "\n")
        verifier.known = public_keys(published)
        cls.enterClassContext(signer)
        cls.enterClassContext(verifier)
        cls.postfix.relay_to(cls.server)
        cls.enterClassContext(cls.postfix)

    def mailbox(self, user):
        mailbox = Mailbox(self.server, f"{user}@alpha.example")
        self.addCleanup(mailbox.close)
        return mailbox

    def submit(self, message, to=("dora@gamma.example",), mail_options=("BODY=8BITMIME",), rcpt_options=()):
        with smtplib.SMTP_SSL("127.0.0.1", self.server.ports["submissions"], context=unverified(), timeout=30) as smtp:
            smtp.login("alice@alpha.example", PASSWORD)
            smtp.sendmail("alice@alpha.example", list(to), message, mail_options, rcpt_options)

    def at_postfix(self, address, subject, seconds=30):
        """The one message with that subject in a Postfix mailbox, once nothing waits in either queue."""
        def find():
            return [m for m in self.postfix.messages(address) if subject_of(m) == subject]
        try:
            wait_until(find, f"{subject} for {address}", seconds)
            self.wait_for_empty_queues()
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.postfix.log()[-4000:]}\n{self.server.read_log()}") from error
        found = find()
        self.assertEqual(len(found), 1, f"{subject} for {address}")
        return found[0]

    def at_postern(self, user, subject, seconds=30):
        mailbox = self.mailbox(user)
        try:
            mailbox.wait(subject, seconds)
            self.wait_for_empty_queues()
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.postfix.log()[-4000:]}\n{self.server.read_log()}") from error
        return mailbox.wait(subject)

    def wait_for_empty_queues(self):
        wait_until(lambda: not self.postfix.queue() and not self.server.cli("queue", "list")["items"], "empty queues")

    def results(self, message):
        """The one Authentication-Results of a message that Postern received."""
        headers = split_message(message)[0].get_all("Authentication-Results")
        self.assertEqual(len(headers), 1)
        self.assertTrue(headers[0].startswith("mx.alpha.example"))
        return words(headers[0])

    # --- from Postern to Postfix ---

    def test_relayed_message_arrives_once_over_tls_with_signatures_that_others_verify(self):
        self.submit(make_message("to postfix", SHORT))
        message = self.at_postfix("dora@gamma.example", "to postfix")
        header, body = split_message(message)
        self.assertEqual(body, SHORT)
        self.assertEqual(header["Return-Path"], "<alice@alpha.example>")
        newest = words(header.get_all("Received")[0])
        self.assertRegex(newest, r"^from mx\.alpha\.example .*\(using TLSv1\.3 "
                                 r".*by mx\.gamma\.example \(Postfix\) with ESMTPS ")
        said = peers.dkimpy_verify(message, self.dns_port)
        self.assertEqual({s["algorithm"]: s["passed"] for s in said}, {"rsa-sha256": True, "ed25519-sha256": True})
        self.assertEqual({s["domain"] for s in said}, {"alpha.example"})
        opendkim = words(" ".join(header.get_all("Authentication-Results")))
        for algorithm in ("rsa-sha256", "ed25519-sha256"):
            self.assertRegex(opendkim, rf"dkim=pass [^;]*header\.d=alpha\.example [^;]*header\.a={algorithm} ")

    def test_bodies_relayed_to_postfix_arrive_octet_for_octet(self):
        for name, body in BODIES.items():
            with self.subTest(name):
                self.submit(make_message(f"{name} to postfix", body))
                message = self.at_postfix("dora@gamma.example", f"{name} to postfix")
                self.assertEqual(split_message(message)[1], body)
                self.assertEqual([s["passed"] for s in peers.dkimpy_verify(message, self.dns_port)], [True, True])

    def test_message_for_two_at_postfix_and_one_here_goes_in_one_transaction(self):
        for name, body in BODIES.items():
            with self.subTest(name):
                subject = f"{name} for three"
                self.submit(make_message(subject, body),
                            ("dora@gamma.example", "emil@gamma.example", "bob@alpha.example"))
                for address in ("dora@gamma.example", "emil@gamma.example"):
                    self.assertEqual(split_message(self.at_postfix(address, subject))[1], body, address)
                self.assertEqual(split_message(self.at_postern("bob", subject))[1], body)
                log = self.postfix.log()
                ids = re.findall(rf"cleanup\[\d+\]: (\w+): message-id=<{subject.replace(' ', '.')}@", log)
                self.assertEqual(len(ids), 1)
                self.assertRegex(log, rf"{ids[0]}: from=<alice@alpha.example>, .*nrcpt=2 ")

    def test_server_without_extensions_gets_seven_bit_mail_and_eight_bit_mail_returns(self):
        self.submit(make_message("seven bit to plain", b".dot\r\n\r\nhello\r\n"), ("fay@plain.example",), ())
        message = self.at_postfix("fay@plain.example", "seven bit to plain")
        self.assertEqual(split_message(message)[1], b".dot\r\n\r\nhello\r\n")
        self.submit(make_message("eight bit to plain", BODIES["eight bit"]), ("fay@plain.example",))
        report = self.find_report("alice", "fay@plain.example")
        self.assertIn("Status: 5.6.3", report.get_payload(1).as_string())

    def test_recipient_unknown_to_postfix_is_reported_with_its_answer(self):
        self.submit(make_message("to nobody", SHORT), ("nobody@gamma.example",))
        status = self.find_report("alice", "nobody@gamma.example").get_payload(1).as_string()
        self.assertIn("Action: failed", status)
        self.assertIn("Status: 5.1.1", status)
        self.assertRegex(status, r"Remote-MTA: dns; ?mx\.gamma\.example")
        self.assertIn("User unknown", status)

    def test_success_report_of_postfix_has_the_parameters_that_were_relayed(self):
        self.submit(make_message("tell me", SHORT), ("emil@gamma.example",), ("RET=HDRS", "ENVID=abc+2B1"),
                    ("NOTIFY=SUCCESS", "ORCPT=rfc822;first+40gamma.example"))
        report = self.find_report("alice", "Original-Envelope-Id: abc+1")
        status = report.get_payload(1).as_string()
        self.assertIn("Action: delivered", status)
        self.assertIn("Reporting-MTA: dns; mx.gamma.example", status)
        self.assertRegex(status, r"Original-Recipient: rfc822; ?first@gamma\.example")
        # Postfix doesn't sign what it reports, and the return path is empty: the name in EHLO is what aligns.
        results = words(report["Authentication-Results"])
        self.assertIn("spf=pass smtp.helo=mx.gamma.example", results)
        self.assertIn("dmarc=pass", results)

    def find_report(self, user, text):
        imap = self.mailbox(user).imap

        def find():
            imap.select("INBOX", readonly=True)
            return imap.search(None, "HEADER", "Content-Type", "multipart/report", "TEXT", f'"{text}"')[1][0].split()
        numbers = wait_until(find, f"a report about {text}", 30)
        self.assertEqual(len(numbers), 1)
        report = email.message_from_bytes(imap.fetch(numbers[0], "(BODY.PEEK[])")[1][0][1])
        self.assertEqual(report.get_content_type(), "multipart/report")
        self.assertEqual(report["Return-Path"], "<>")
        return report

    # --- from Postfix to Postern ---

    def test_message_of_postfixs_sendmail_arrives_once_over_verified_tls_and_passes(self):
        self.postfix.sendmail(make_message("from sendmail", SHORT, "dora@gamma.example", "bob@alpha.example"),
                              "dora@gamma.example", ["bob@alpha.example"])
        message = self.at_postern("bob", "from sendmail")
        header, body = split_message(message)
        self.assertEqual(body, SHORT)
        self.assertEqual(header["Return-Path"], "<dora@gamma.example>")
        self.assertRegex(words(header.get_all("Received")[0]),
                         r"^from mx\.gamma\.example \(\[127\.0\.0\.1\]\) \(using TLSv1\.3 "
                         r".*by mx\.alpha\.example with ESMTPS ")
        self.assertIn("Verified TLS connection established to 127.0.0.1[127.0.0.1]", self.postfix.log())
        results = self.results(message)
        for wanted in ("spf=pass smtp.mailfrom=dora@gamma.example", "dkim=pass", "header.s=milter", "dmarc=pass"):
            self.assertIn(wanted, results)

    def test_message_submitted_to_postfix_and_signed_by_opendkim_passes(self):
        with smtplib.SMTP("127.0.0.1", self.postfix.trusted, timeout=30) as smtp:
            smtp.starttls(context=unverified())
            smtp.sendmail("emil@gamma.example", ["bob@alpha.example"],
                          make_message("through postfix", SHORT, "emil@gamma.example", "bob@alpha.example"))
        results = self.results(self.at_postern("bob", "through postfix"))
        self.assertRegex(results, r"dkim=pass \(2048-bit key\) header\.d=gamma\.example header\.s=milter")
        self.assertIn("dmarc=pass", results)

    def test_signatures_of_dkimpy_pass_and_one_with_sha1_does_not(self):
        plain = make_message("signed twice", BODIES["eight bit"], "dora@gamma.example", "bob@alpha.example")
        twice = self.ed25519_key.sign(self.rsa_key.sign(plain))
        self.postfix.sendmail(twice, "dora@gamma.example", ["bob@alpha.example"])
        results = self.results(self.at_postern("bob", "signed twice"))
        for selector in ("e1", "r1", "milter"):
            self.assertRegex(results, rf"dkim=pass \([^)]*\) header\.d=gamma\.example header\.s={selector} ")
        plain = make_message("signed with sha1", SHORT, "dora@gamma.example", "bob@alpha.example")
        with smtplib.SMTP("127.0.0.1", self.postfix.plain, timeout=30) as smtp:
            smtp.sendmail("dora@gamma.example", ["bob@alpha.example"], self.rsa_key.sign_with_sha1(plain))
        message = self.at_postern("bob", "signed with sha1")
        self.assertIn("a=rsa-sha1", split_message(message)[0]["DKIM-Signature"])
        self.assertNotIn("dkim=pass", self.results(message))

    def test_signed_message_that_was_changed_fails(self):
        signed = self.rsa_key.sign(make_message("was changed", SHORT, "dora@gamma.example", "bob@alpha.example"))
        with smtplib.SMTP("127.0.0.1", self.postfix.plain, timeout=30) as smtp:
            smtp.sendmail("dora@gamma.example", ["bob@alpha.example"], signed.replace(b"hello", b"hallo"))
        self.assertIn("dkim=fail", self.results(self.at_postern("bob", "was changed")))

    def test_bodies_from_postfix_arrive_octet_for_octet(self):
        for name, body in BODIES.items():
            with self.subTest(name):
                subject = f"{name} from postfix"
                self.postfix.sendmail(make_message(subject, body, "dora@gamma.example", "bob@alpha.example"),
                                      "dora@gamma.example", ["bob@alpha.example"], "-B", "8BITMIME")
                message = self.at_postern("bob", subject)
                self.assertEqual(split_message(message)[1], body)
                self.assertIn("dkim=pass", self.results(message))

    def test_message_of_postfix_for_three_arrives_once_each(self):
        users = ("alice", "bob", "carol")
        for name, body in BODIES.items():
            with self.subTest(name):
                subject = f"{name} from postfix for three"
                to = [f"{user}@alpha.example" for user in users]
                self.postfix.sendmail(make_message(subject, body, "dora@gamma.example", "team@alpha.example"),
                                      "dora@gamma.example", to, "-B", "8BITMIME")
                for user in users:
                    message = self.at_postern(user, subject)
                    self.assertEqual(split_message(message)[1], body, user)
                    self.assertNotIn(b"for <", split_message(message)[0].get_all("Received")[0].encode())

    def test_internationalised_addresses_and_headers_travel_both_ways(self):
        self.server.cli("account", "add", "боб@alpha.example", stdin=PASSWORD + "\n")
        header = "From: Älice <{}>\r\nTo: {}\r\nSubject: Grüße\r\nDate: {}\r\n\r\nhello\r\n"
        self.submit(header.format("alice@alpha.example", "дора@gamma.example", DATE).encode(), ("дора@gamma.example",),
                    ("BODY=8BITMIME", "SMTPUTF8"))
        message, = wait_until(lambda: self.postfix.messages("дора@gamma.example"), "a message for дора")
        self.assertIn("\r\nFrom: Älice <alice@alpha.example>\r\nTo: дора@gamma.example\r\nSubject: Grüße\r\n",
                      message.decode())
        self.assertEqual([s["passed"] for s in peers.dkimpy_verify(message, self.dns_port)], [True, True])
        self.postfix.sendmail(header.format("дора@gamma.example", "боб@alpha.example", DATE).encode(),
                              "дора@gamma.example", ["боб@alpha.example"])
        imap = self.mailbox("боб").imap
        wait_until(lambda: imap.select("INBOX", readonly=True)[1] == [b"1"], "a message for боб")
        message = imap.fetch("1", "(BODY.PEEK[])")[1][0][1]
        self.assertIn("\r\nTo: боб@alpha.example\r\nSubject: Grüße\r\n", message.decode())
        self.assertIn(b"with UTF8SMTPS ", message)
        self.assertIn("dmarc=pass", self.results(message))

    def test_postfix_reports_an_unknown_recipient_with_our_answer(self):
        self.postfix.sendmail(make_message("to a stranger", SHORT, "dora@gamma.example", "nobody@alpha.example"),
                              "dora@gamma.example", ["nobody@alpha.example"])
        report = email.message_from_bytes(self.at_postfix("dora@gamma.example", "Undelivered Mail Returned to Sender"))
        status = report.get_payload(1).as_string()
        self.assertIn("Action: failed", status)
        self.assertIn("Status: 5.1.1", status)
        self.assertIn("nobody@alpha.example", status)

    def test_success_report_to_a_user_of_postfix_has_what_sendmail_asked_for(self):
        self.postfix.sendmail(make_message("tell emil", b"secret text\r\n", "emil@gamma.example", "bob@alpha.example"),
                              "emil@gamma.example", ["bob@alpha.example"], "-N", "success", "-V", "envelope-7",
                              "-R", "hdrs")
        self.at_postern("bob", "tell emil")

        def find():
            return [m for m in self.postfix.messages("emil@gamma.example") if b"envelope-7" in m]
        report, = wait_until(find, "the success report", 30)
        self.assertNotIn(b"secret text", report)
        parsed = email.message_from_bytes(report)
        self.assertEqual(parsed.get_content_type(), "multipart/report")
        self.assertEqual(parsed["Return-Path"], "<>")
        status = parsed.get_payload(1).as_string()
        self.assertIn("Action: delivered", status)
        self.assertRegex(status, r"Original-Recipient: rfc822; ?bob@alpha\.example")
        self.assertTrue(all(s["passed"] for s in peers.dkimpy_verify(report, self.dns_port)))


class OneServer(unittest.TestCase):
    """A server with alice and bob, for clients."""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server("mx.alpha.example"))
        cls.certificate = os.path.join(cls.server.data, "tls", "certificate.pem")
        for user in ("alice", "bob"):
            cls.server.add_account(f"{user}@alpha.example", PASSWORD)

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="postern-client-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def mailbox(self, user):
        mailbox = Mailbox(self.server, f"{user}@alpha.example")
        self.addCleanup(mailbox.close)
        return mailbox

    def arrived(self, subject, protocol="ESMTPSA"):
        """The body of the one message to bob with that subject, which came with that protocol."""
        header, body = split_message(self.mailbox("bob").wait(subject))
        self.assertIn(f"with {protocol} ", words(header.get_all("Received")[0]))
        return body


class Msmtp(OneServer):
    EX_NOPERM = 77  # sysexits.h: what msmtp ends with when authentication failed

    def msmtp(self, kind, message, password=PASSWORD, method="on", tls="on", check=True):
        config = pathlib.Path(self.directory, "msmtprc")
        config.write_text(f"""
account default
host 127.0.0.1
port {self.server.ports[kind]}
tls {tls}
tls_starttls {"off" if kind == "submissions" else "on"}
tls_trust_file {self.certificate}
tls_host_override mx.alpha.example
auth {method}
user alice@alpha.example
password "{password}"
from alice@alpha.example
timeout 30
""")
        config.chmod(0o600)
        return run(peers.program("msmtp"), "-C", config, "--", "bob@alpha.example",
                   stdin=message.replace(b"\r\n", b"\n"), check=check)

    def test_submission_over_tls_and_starttls_arrives_octet_for_octet(self):
        for kind in ("submissions", "submission"):
            for method, name in (("on", "one mebibyte"), ("plain", "eight bit"), ("login", "short")):
                with self.subTest(kind=kind, method=method, body=name):
                    subject = f"{name} by msmtp {kind} {method}"
                    self.msmtp(kind, make_message(subject, BODIES[name], to="bob@alpha.example"), method=method)
                    self.assertEqual(self.arrived(subject), BODIES[name])

    def test_wrong_password_ends_with_its_exit_code_and_delivers_nothing(self):
        for kind in ("submissions", "submission"):
            done = self.msmtp(kind, make_message("by nobody", SHORT), password="wrong", check=False)
            self.assertEqual(done.returncode, self.EX_NOPERM)
            self.assertIn(b"535", done.stderr)
        self.assertEqual(self.mailbox("bob").with_subject("by nobody"), [])

    def test_connection_without_tls_offers_no_login(self):
        done = self.msmtp("submission", make_message("in clear", SHORT), method="plain", tls="off", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"the server does not support authentication", done.stderr)


class Swaks(OneServer):
    def swaks(self, kind, subject, *more, password=PASSWORD, check=True):
        return run(peers.program("swaks"), "--server", f"127.0.0.1:{self.server.ports[kind]}",
                   "-tlsc" if kind == "submissions" else "-tls", "--timeout", "30",
                   "--auth-user", "alice@alpha.example", "--auth-password", password,
                   "--from", "alice@alpha.example", "--to", "bob@alpha.example", "--h-Subject", subject,
                   *more, check=check)

    def test_login_and_plain_over_starttls_and_tls_arrive(self):
        for kind in ("submission", "submissions"):
            for mechanism in ("LOGIN", "PLAIN"):
                for pipeline in ((), ("--pipeline",)):
                    with self.subTest(kind=kind, mechanism=mechanism, pipeline=pipeline):
                        subject = f"swaks {kind} {mechanism} {len(pipeline)}"
                        done = self.swaks(kind, subject, "--auth", mechanism, *pipeline)
                        self.assertIn(f" ~> AUTH {mechanism}".encode(), done.stdout)
                        self.arrived(subject)

    def test_pipelined_group_is_answered_in_order(self):
        done = self.swaks("submission", "swaks pipelined", "--auth", "PLAIN", "--pipeline", "--to",
                          "bob@alpha.example,nobody@alpha.example,alice@alpha.example", check=False)
        # Behind " ~> " is what was sent over TLS, behind "<~  " what was answered and behind "<~* " what was refused.
        said = re.findall(r"(?m)^(?: ~>|<~[ *]) +(\w+)", done.stdout.decode())
        group = said[said.index("MAIL"):]
        self.assertEqual(group[:10], ["MAIL", "RCPT", "RCPT", "RCPT", "DATA", "250", "250", "550", "250", "354"])
        self.arrived("swaks pipelined")
        self.mailbox("alice").wait("swaks pipelined")

    def test_wrong_password_ends_with_the_code_for_authentication(self):
        for mechanism in ("LOGIN", "PLAIN"):
            done = self.swaks("submission", "x", "--auth", mechanism, password="wrong", check=False)
            self.assertEqual(done.returncode, 28)  # swaks(1), EXIT CODES: error during authentication
            self.assertIn(b"<~* 535", done.stdout)


class Curl(OneServer):
    def curl(self, *arguments, stdin=b"", user="alice@alpha.example", password=PASSWORD, check=True):
        resolve = [f"mx.alpha.example:{port}:127.0.0.1" for port in self.server.ports.values()]
        options = [option for entry in resolve for option in ("--resolve", entry)]
        return run(peers.program("curl"), "--silent", "--show-error", "--max-time", "50", "--cacert", self.certificate,
                   "--user", f"{user}:{password}", *options, *arguments, stdin=stdin, check=check)

    def url(self, scheme, kind, path=""):
        return f"{scheme}://mx.alpha.example:{self.server.ports[kind]}/{path}"

    def imap(self, path, *arguments, **more):
        return self.curl(self.url("imaps", "imaps", path), *arguments, user="bob@alpha.example", **more).stdout

    def append(self, folder, message):
        path = pathlib.Path(self.directory, "message")
        path.write_bytes(message)
        self.imap(folder, "-T", path)

    def test_smtp_with_starttls_and_tls_arrives_octet_for_octet(self):
        path = pathlib.Path(self.directory, "message")
        for scheme, kind in (("smtps", "submissions"), ("smtp", "submission")):
            for mechanism, name in (("PLAIN", "one mebibyte"), ("LOGIN", "eight bit")):
                with self.subTest(scheme=scheme, mechanism=mechanism, body=name):
                    subject = f"{name} by curl {scheme}"
                    path.write_bytes(make_message(subject, BODIES[name], to="bob@alpha.example"))
                    self.curl(self.url(scheme, kind, "client.example"), "--ssl-reqd", "--login-options",
                              f"AUTH={mechanism}", "--mail-from", "alice@alpha.example", "--mail-rcpt",
                              "bob@alpha.example", "--mail-rcpt", "alice@alpha.example", "-T", path)
                    self.assertEqual(self.arrived(subject), BODIES[name])
                    self.mailbox("alice").wait(subject)

    def test_wrong_password_is_login_denied(self):
        for url in (self.url("smtps", "submissions"), self.url("imaps", "imaps"), self.url("imap", "imap")):
            done = self.curl(url, "--ssl-reqd", password="wrong", check=False)
            self.assertEqual(done.returncode, 67, url)  # curl(1): login denied

    def test_list_shows_the_mailboxes(self):
        for scheme, kind in (("imaps", "imaps"), ("imap", "imap")):
            listed = self.curl(self.url(scheme, kind), "--ssl-reqd", user="bob@alpha.example").stdout.decode()
            self.assertRegex(listed, r'(?m)^\* LIST \([^)]*\) "/" "?INBOX"?\r$')
            self.assertRegex(listed, r'(?m)^\* LIST \([^)]*\\Junk[^)]*\) "/" "?Junk"?\r$')

    def test_appended_message_is_fetched_octet_for_octet(self):
        self.imap("", "-X", "CREATE Curl")
        for uid, (name, body) in enumerate(BODIES.items(), 1):
            with self.subTest(name):
                message = make_message(f"{name} appended", body, to="bob@alpha.example")
                self.append("Curl", message)
                self.assertEqual(self.imap(f"Curl;UID={uid}"), message)
                self.assertEqual(self.imap(f"Curl;MAILINDEX={uid};SECTION=TEXT"), body)
                self.assertEqual(self.imap(f"Curl;UID={uid};SECTION=HEADER"), message[:-len(body)])
                self.assertEqual(self.imap(f"Curl;UID={uid};PARTIAL=10.100"), message[10:110])
        status = self.imap("", "-X", "STATUS Curl (MESSAGES UIDNEXT UNSEEN)").decode()
        self.assertIn("MESSAGES 3", status)
        self.assertIn("UIDNEXT 4", status)
        self.assertIn("UNSEEN 0", status)  # curl appends as read

    def test_search_finds_by_subject_flag_and_text(self):
        self.imap("", "-X", "CREATE Found")
        for subject, body in (("first thing", b"apple\r\n"), ("second thing", b"pear\r\n"), ("other", b"apple\r\n")):
            self.append("Found", make_message(subject, body))
        self.imap("Found", "-X", "STORE 2 +FLAGS.SILENT (\\Flagged)")
        for query, wanted in (("ALL", "1 2 3"), ("SUBJECT%20thing", "1 2"), ("FLAGGED", "2"), ("BODY%20apple", "1 3"),
                              ("SUBJECT%20thing%20UNFLAGGED", "1"), ("NOT%20ALL", "")):
            found = self.imap(f"Found?{query}").decode()
            self.assertEqual(found.rstrip(), f"* SEARCH {wanted}".rstrip(), query)

    def test_deleted_message_is_gone_after_expunge(self):
        self.imap("", "-X", "CREATE Gone")
        for subject in ("stays", "goes"):
            self.append("Gone", make_message(subject, SHORT))
        self.imap("Gone", "-X", "STORE 2 +FLAGS (\\Deleted)")
        self.assertIn(b"* 2 EXPUNGE", self.imap("Gone", "-X", "EXPUNGE"))
        self.assertEqual(self.imap("Gone?ALL"), b"* SEARCH 1\r\n")


FLAG_LETTERS = {"D": "\\Draft", "F": "\\Flagged", "P": "$Forwarded", "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted"}


class Maildir:
    """A Maildir whose names carry UIDs as mbsync writes them: "unique,U=uid:2,letters"."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        for name in ("cur", "new", "tmp"):
            (self.path / name).mkdir(parents=True)

    def add(self, number, message, letters, when):
        path = self.path / "cur" / f"{1700000000 + number}.{number}.host:2,{letters}"
        path.write_bytes(message.replace(b"\r\n", b"\n"))
        os.utime(path, (when, when))

    def files(self):
        return [*self.path.glob("cur/*"), *self.path.glob("new/*")]

    def by_uid(self):
        return {int(re.search(r",U=(\d+)", f.name).group(1)): f for f in self.files()}

    def names_and_times(self):
        return sorted((str(f), f.stat().st_mtime) for f in self.files())

    @staticmethod
    def flags(path):
        return frozenset(FLAG_LETTERS[letter] for letter in path.name.partition(":2,")[2])

    @staticmethod
    def set_letters(path, letters):
        path.rename(path.parent.parent / "cur" / (path.name.partition(":2,")[0] + ":2," + "".join(sorted(letters))))

    def pairs(self):
        """UID there to UID here, from mbsync's own state."""
        _, _, lines = (self.path / ".mbsyncstate").read_text().partition("\n\n")
        return {int(far): int(near) for far, near, *_ in (line.split() for line in lines.splitlines())}


def without_tuid(message):
    """mbsync marks each copy that it makes with a field of its own."""
    return re.sub(rb"(?m)^X-TUID: \S+\r\n", b"", message, count=1)


class Mbsync(OneServer):
    COUNT = 3000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.local = tempfile.mkdtemp(prefix="postern-mbsync-")
        cls.addClassCleanup(shutil.rmtree, cls.local, ignore_errors=True)
        pathlib.Path(cls.local, "mbsyncrc").write_text(f"""
Create Both
Expunge Both
SyncState *
CopyArrivalDate yes
FSync no

IMAPAccount postern
Host 127.0.0.1
Port {cls.server.ports["imaps"]}
User alice@alpha.example
Pass "{PASSWORD}"
SSLType IMAPS
CertificateFile {cls.certificate}
Timeout 50

IMAPStore far
Account postern

MaildirStore near
Path {cls.local}/
Inbox {cls.local}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
""")
        cls.pushed = Maildir(os.path.join(cls.local, "Pushed"))
        cls.originals = {}  # message to flags
        generator = random.Random(3)
        for number in range(cls.COUNT):
            letters = "".join(letter for letter in "DFPRS" if generator.random() < 0.3)
            message = cls.some_message(number, generator)
            cls.originals[message] = frozenset(FLAG_LETTERS[letter] for letter in letters)
            cls.pushed.add(number, message, letters, 1_700_000_000 + number)
        cls.mbsync("push of 3,000", "Pushed")

    @staticmethod
    def some_message(number, generator):
        body = b"".join(generator.randbytes(30).hex().encode() + b"\r\n" for _ in range(generator.randrange(60)))
        if number % 10 == 0:
            body += BODIES["eight bit"]
        if number == 1000:
            body = BODIES["one mebibyte"]
        return make_message(f"number {number}", body, to="alice@alpha.example")

    @classmethod
    def mbsync(cls, what, folder, *options):
        """One run over one folder; gives what it said."""
        begin = time.monotonic()
        done = run(peers.program("mbsync"), "-c", os.path.join(cls.local, "mbsyncrc"), *options, f"all:{folder}",
                   seconds=180)
        print(f"\n  mbsync, {what}: {time.monotonic() - begin:.1f} s", flush=True)
        return done.stdout.decode(errors="replace")

    def setUp(self):
        super().setUp()
        self.imap = self.mailbox("alice").imap

    def on_server(self, folder, bodies=" BODY.PEEK[]"):
        """What the server has: UID to flags, time and octets. Without bodies, all but the octets."""
        self.assertEqual(self.imap.select(folder, readonly=True)[0], "OK")
        kind, data = self.imap.uid("FETCH", "1:*", f"(UID FLAGS INTERNALDATE RFC822.SIZE{bodies})")
        self.assertEqual(kind, "OK")
        messages = {}
        for part in data:
            attributes, octets = part if isinstance(part, tuple) else (part, None)
            uid = re.search(rb"UID (\d+)", attributes)
            if not uid:
                continue  # the parenthesis behind a body
            flags = re.search(rb"FLAGS \(([^)]*)\)", attributes).group(1).decode().split()
            if octets is not None:
                self.assertEqual(int(re.search(rb"RFC822.SIZE (\d+)", attributes).group(1)), len(octets))
            when = time.mktime(imaplib.Internaldate2tuple(attributes))
            messages[int(uid.group(1))] = (frozenset(flags) - {"\\Recent"}, when, octets)
        return messages

    def state(self, folder, maildir):
        messages = self.on_server(folder, bodies="")
        return (messages, self.imap.response("UIDVALIDITY")[1], self.imap.status(folder, "(UIDNEXT)")[1],
                maildir.names_and_times())

    def assert_agree(self, folder, maildir, count):
        messages = self.on_server(folder)
        self.assertEqual(len(messages), count)
        local, pairs = maildir.by_uid(), maildir.pairs()
        self.assertEqual(pairs.keys(), messages.keys())
        self.assertEqual(set(pairs.values()), local.keys())
        for far, near in pairs.items():
            flags, when, octets = messages[far]
            self.assertEqual(Maildir.flags(local[near]), flags, (far, near))
            self.assertEqual(local[near].stat().st_mtime, when, (far, near))
            self.assertTrue(without_tuid(octets) == without_tuid(local[near].read_bytes().replace(b"\n", b"\r\n")),
                            f"message {far} there and {near} here differ")
        return messages

    def assert_second_sync_is_idle(self, folder, maildir):
        before = self.state(folder, maildir)
        said = self.mbsync("a second sync", folder, "-Dn")
        self.assertIn("UID FETCH", self.commands(said))
        self.assertEqual(self.commands(said) & {"APPEND", "UID STORE", "UID EXPUNGE", "EXPUNGE"}, set())
        self.assertEqual(self.state(folder, maildir), before)

    @staticmethod
    def commands(said):
        """The names of the commands in what mbsync -Dn says."""
        return set(re.findall(r"(?m)^(?:>>>|>\(\d+\)>) \d+ ((?:UID )?[A-Z]+)", said))

    def pulled(self, folder, count):
        """The first of the 3,000 under another name on the server, and a Maildir that has pulled them."""
        self.imap.select("Pushed", readonly=True)
        self.imap.create(folder)
        self.assertEqual(self.imap.copy(f"1:{count}", folder)[0], "OK")
        maildir = Maildir(os.path.join(self.local, folder))
        self.mbsync(f"pull of {count:,}", folder)
        return maildir, self.assert_agree(folder, maildir, count)

    def test_pushed_mailbox_agrees_and_second_sync_changes_nothing(self):
        messages = self.assert_agree("Pushed", self.pushed, self.COUNT)
        on_server = {without_tuid(octets): flags for flags, _, octets in messages.values()}
        self.assertTrue(on_server == self.originals, "the server has other messages or flags than were pushed")
        self.assert_second_sync_is_idle("Pushed", self.pushed)

    def test_pulled_mailbox_agrees_and_changed_flags_travel_both_ways(self):
        maildir, messages = self.pulled("Flags", self.COUNT)
        self.assert_second_sync_is_idle("Flags", maildir)
        flags = {uid: message[0] for uid, message in messages.items()}
        uids = sorted(flags)
        there, here, both = uids[:450], uids[450:900], uids[900:1000]
        self.imap.select("Flags")
        for operation, part, change in (("+FLAGS.SILENT", there[:150], {"\\Seen", "\\Flagged"}),
                                        ("-FLAGS.SILENT", there[150:300], {"\\Seen", "\\Answered"}),
                                        ("FLAGS.SILENT", there[300:], {"\\Draft"}),
                                        ("+FLAGS.SILENT", both, {"\\Answered"})):
            kind, _ = self.imap.uid("STORE", f"{part[0]}:{part[-1]}", operation, f"({' '.join(change)})")
            self.assertEqual(kind, "OK")
            for uid in part:
                flags[uid] = {"+": flags[uid] | change, "-": flags[uid] - change, "F": frozenset(change)}[operation[0]]
        files, pairs = maildir.by_uid(), maildir.pairs()
        for uid in here:
            Maildir.set_letters(files[pairs[uid]], "FR" if uid % 2 else "")
            flags[uid] = frozenset({"\\Flagged", "\\Answered"} if uid % 2 else ())
        for uid in both:
            letters = {letter for letter, flag in FLAG_LETTERS.items() if flag in Maildir.flags(files[pairs[uid]])}
            Maildir.set_letters(files[pairs[uid]], letters ^ {"S"})
            flags[uid] = flags[uid] ^ {"\\Seen"}
        said = self.mbsync("flags of 1,000 changed on both sides", "Flags", "-Dn")
        self.assertIn("UID STORE", self.commands(said))
        messages = self.assert_agree("Flags", maildir, self.COUNT)
        self.assertEqual({uid: message[0] for uid, message in messages.items()}, flags)
        self.assert_second_sync_is_idle("Flags", maildir)

    def test_deletions_and_new_messages_travel_both_ways(self):
        maildir, messages = self.pulled("Expunged", 1000)
        uids = sorted(messages)
        there, here, flagged, stay = set(uids[::10]), set(uids[1::10]), set(uids[2::10]), set(uids)
        stay -= there | here | flagged
        self.imap.select("Expunged")
        where = ",".join(str(uid) for uid in sorted(there))
        self.assertEqual(self.imap.uid("STORE", where, "+FLAGS.SILENT", "(\\Deleted)")[0], "OK")
        self.assertEqual(self.imap.uid("EXPUNGE", where)[0], "OK")
        files, pairs = maildir.by_uid(), maildir.pairs()
        for uid in here:
            files[pairs[uid]].unlink()
        for uid in flagged:
            Maildir.set_letters(files[pairs[uid]], "ST")
        for number in range(50):
            kind, _ = self.imap.append("Expunged", "(\\Seen $Forwarded)", '"22-Nov-2026 05:57:52 +0000"',
                                       make_message(f"new there {number}", BODIES["eight bit"]))
            self.assertEqual(kind, "OK")
            maildir.add(10_000 + number, make_message(f"new here {number}", BODIES["eight bit"]), "F", 1_800_000_000)
        self.mbsync("300 deletions and 100 new messages from both sides", "Expunged")
        messages = self.assert_agree("Expunged", maildir, len(stay) + 100)
        self.assertTrue(stay <= messages.keys())
        self.assertGreater(min(messages.keys() - stay), uids[-1])  # no UID is given twice
        self.assert_second_sync_is_idle("Expunged", maildir)


if __name__ == "__main__":
    harness.main()
