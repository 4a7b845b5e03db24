"""A message's timeline, as `postern message trace` tells it: accepted, deferred, delivered. The other mail server is a
few lines of Python's; the client is smtplib."""
import os
import re
import signal
import smtplib
import socketserver
import subprocess
import threading
import unittest

from harness import POSTERN, Server, main, unverified, wait_until

PASSWORD = "correct horse battery staple"
ALICE = "alice@alpha.example"
BOB = "bob@remote.example"
SUBJECT = "the subject is nobody's business"
TEXT = "neither is the text"


class Peer(socketserver.ThreadingTCPServer):
    """A mail server that answers RCPT with `rcpt`."""
    daemon_threads = True
    allow_reuse_address = True
    rcpt = "250 2.1.5 Ok"

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Conversation)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Conversation(socketserver.StreamRequestHandler):
    def handle(self):
        self.say("220 peer.remote.example")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"DATA":
                self.say("354 go on")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                self.say("250 2.0.0 kept")
            elif verb == b"RCPT":
                self.say(self.server.rcpt)
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 Ok")

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")


class Timeline(unittest.TestCase):
    def setUp(self):
        self.peer = Peer()
        self.addCleanup(self.peer.server_close)
        self.addCleanup(self.peer.shutdown)
        route = f'[[delivery.route]]\ndomain = "remote.example"\nhost = "127.0.0.1"\nport = {self.peer.server_address[1]}\n'
        self.server = Server("mx.alpha.example", extra=route)
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        self.server.add_account(ALICE, PASSWORD)

    def submit(self, to):
        """Gives the id of "queued as ID"."""
        with smtplib.SMTP_SSL("127.0.0.1", self.server.ports["submissions"], context=unverified(), timeout=30) as smtp:
            smtp.login(ALICE, PASSWORD)
            smtp.mail(ALICE)
            smtp.rcpt(to)
            code, reply = smtp.data(f"From: {ALICE}\r\nSubject: {SUBJECT}\r\n\r\n{TEXT}\r\n")
        self.assertEqual(code, 250)
        return re.search(r"queued as (\w+)", reply.decode()).group(1)

    def trace(self, *arguments):
        return subprocess.run([POSTERN, "--config", self.server.config, "message", "trace", *arguments], text=True,
                              capture_output=True, timeout=60)

    def wait_for(self, message, *events):
        """Waits until the timeline is that, and gives it."""
        def timeline():
            found = self.server.cli("message", "trace", message, check=False)
            return found if found and [e["event"] for e in found.get("items", [])] == list(events) else None
        return wait_until(timeline, f"the timeline {events} of {message}; now: {self.trace(message).stdout}")

    def test_message_is_accepted_deferred_and_delivered(self):
        self.peer.rcpt = "451 4.2.0 come back later"
        message = self.submit(BOB)
        events = self.wait_for(message, "accepted", "deferred")["items"]
        self.assertEqual(events[0]["sender"], ALICE)
        self.assertEqual(events[1]["address"], BOB)
        self.assertEqual(events[1]["reply"], "451 4.2.0 come back later")
        self.assertEqual(events[1]["attempts"], 1)
        self.assertIn("next_attempt_at", events[1])
        self.server.stop(signal.SIGKILL)
        self.server.start()
        self.wait_for(message, "accepted", "deferred")

        self.peer.rcpt = "250 2.1.5 Ok"
        self.server.cli("queue", "retry", message)
        answer = self.wait_for(message, "accepted", "deferred", "retried", "delivered")
        self.assertEqual(answer["items"][3]["attempts"], 2)
        self.assertEqual(sorted(e["at"] for e in answer["items"]), [e["at"] for e in answer["items"]])
        self.assertNotIn(SUBJECT, str(answer))
        for name in os.listdir(self.server.data):
            if name.startswith("events-"):
                with open(os.path.join(self.server.data, name), "rb") as file:
                    kept = file.read()
                self.assertNotIn(SUBJECT.encode(), kept)
                self.assertNotIn(TEXT.encode(), kept)

    def test_refused_message_shows_why_to_a_person(self):
        self.peer.rcpt = "550 5.1.1 no such user"
        message = self.submit(BOB)
        bounced = self.wait_for(message, "accepted", "bounced")["items"][1]
        self.assertEqual(bounced["bounce"], "bad_address")
        text = self.trace(message).stdout
        self.assertRegex(text, rf"accepted +from <{ALICE}>")
        self.assertRegex(text, rf"bounced +{BOB} +550 5.1.1 no such user")

    def test_what_an_operator_does_is_in_the_timeline(self):
        self.peer.rcpt = "451 4.2.0 come back later"
        message = self.submit(BOB)
        self.wait_for(message, "accepted", "deferred")
        self.server.cli("queue", "hold", message)
        held = self.wait_for(message, "accepted", "deferred", "held")["items"][-1]
        self.assertEqual((held["address"], held["attempts"]), (BOB, 1))
        self.server.cli("queue", "release", message)
        self.wait_for(message, "accepted", "deferred", "held", "released", "deferred")
        self.server.cli("queue", "drop", message)
        self.wait_for(message, "accepted", "deferred", "held", "released", "deferred", "dropped")
        self.assertIn("dropped", self.trace(message).stdout)

    def test_mail_within_the_house_is_delivered_at_once(self):
        message = self.submit(ALICE)
        events = self.wait_for(message, "accepted", "delivered")["items"]
        self.assertEqual(events[1]["address"], ALICE)

    def test_unknown_message_is_an_error(self):
        for message in ("0" * 32, "01a201d5193073e78bb0afba845a7f56", "no-id-at-all"):
            done = self.trace(message)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("no such message", done.stderr)

    def test_backup_holds_timelines(self):
        message = self.submit(ALICE)
        self.wait_for(message, "accepted", "delivered")
        backup = os.path.join(self.server.directory, "backup")
        self.server.cli("backup", backup)
        self.assertTrue([n for n in os.listdir(backup) if re.fullmatch(r"events-\d{6}\.db", n)], os.listdir(backup))


if __name__ == "__main__":
    main()
