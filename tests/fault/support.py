"""What the fault tests share: clients that remember what became of each message, a mail server that remembers what it
took, and the comparison of both with what lies in the mailboxes.

A client knows one of four outcomes of an attempt:
  accepted  250 after the message's end: exactly one copy
  refused   another answer: no copy
  unsent    the connection broke before the message's end was sent: no copy
  unknown   it broke between the message's end and the answer: SMTP can't say, at most one copy
"""
import collections
import contextlib
import dataclasses
import hashlib
import imaplib
import os
import pathlib
import random
import re
import smtplib
import socketserver
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
import harness  # noqa: E402
from edge_world import EdgeServer, unverified  # noqa: E402, F401
from harness import POSTERN, wait_until  # noqa: E402, F401

PASSWORD = "correct horse battery staple"
REMOTE = "remote.example"
LONG = os.environ.get("POSTERN_FAULT_LONG", "") not in ("", "0")
SEED = int(os.environ.get("POSTERN_FAULT_SEED") or random.SystemRandom().randrange(1_000_000))
SANITIZED = b"__asan_init" in pathlib.Path(POSTERN).read_bytes()


class FaultServer(EdgeServer):
    """Freed memory is given back soon, so that what a sanitizer keeps aside doesn't hide what the server holds."""

    def __init__(self, *arguments, nofile=None, **rest):
        super().__init__(*arguments, **rest)
        self.nofile = nofile

    def start(self, wait=True):
        options = [os.environ.get("ASAN_OPTIONS", "detect_leaks=1"), "quarantine_size_mb=8"]
        env = {**os.environ, "ASAN_OPTIONS": ":".join(options)}
        if SANITIZED:
            env.setdefault("LSAN_OPTIONS", f"suppressions={harness.ROOT}/tests/lsan.supp:print_suppressions=0")
        if self.nofile:
            # UBSan looks at memory through a pipe, and takes an object for invalid when it can't make one.
            suppressions = os.path.join(self.directory, "ubsan.supp")
            pathlib.Path(suppressions).write_text("vptr:*\n")
            env["UBSAN_OPTIONS"] = f"{env.get('UBSAN_OPTIONS', '')}:suppressions={suppressions}"
        limit = ["prlimit", f"--nofile={self.nofile}:{self.nofile}"] if self.nofile else []
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen([*limit, POSTERN, "serve", "--config", self.config], stdout=self.log,
                                        stderr=self.log, env=env)
        if wait:
            self.wait_ready(60)

    def whole_log(self):
        return pathlib.Path(self.log_path).read_text(errors="replace")

    def metric(self, name):
        """The sum over all labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['metrics']}/metrics", timeout=20) as answer:
            lines = answer.read().decode().splitlines()
        values = [float(line.rsplit(" ", 1)[1]) for line in lines if re.match(name + r"[{ ]", line)]
        if not values:
            raise AssertionError(f"no metric {name}")
        return sum(values)

    def memory(self, field="VmRSS"):
        """Bytes."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB", text, re.M)[1]) * 1024

    def waiting(self):
        return self.cli("queue", "list")["items"]


def check_databases(test, server):
    """Of a stopped server: every database is sound, and the queue, empty for its owner, holds nothing that is left
    over."""
    for path in sorted(pathlib.Path(server.data).glob("*.db")):
        with contextlib.closing(sqlite3.connect(path)) as database:
            test.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)], path)
            test.assertEqual(database.execute("PRAGMA foreign_key_check").fetchall(), [], path)
            if path.name == "queue.db":
                for table in ("queue_messages", "queue_recipients", "queue_schedule", "bodies", "body_pieces"):
                    count, = database.execute(f"SELECT count(*) FROM {table}").fetchone()
                    test.assertEqual(count, 0, f"{table} of the drained queue")
    test.assertEqual(os.listdir(os.path.join(server.data, "staging")), [])


def check_log(test, server):
    log = server.whole_log()
    for bad in ("AddressSanitizer", "runtime error:", "LeakSanitizer", "session_failed", "delivery_job_failed"):
        test.assertNotIn(bad, log, log[-3000:])


# --- messages ---

@dataclasses.dataclass
class Message:
    id: str
    sender: str
    recipients: list
    body: bytes
    outcomes: list = dataclasses.field(default_factory=list)
    replies: list = dataclasses.field(default_factory=list)

    @property
    def text(self):
        head = f"From: {self.sender}\r\nTo: {', '.join(self.recipients)}\r\nSubject: {self.id}\r\n\r\n"
        return head.encode() + self.body

    @property
    def least(self):
        return self.outcomes.count("accepted")

    @property
    def most(self):
        return self.least + self.outcomes.count("unknown")


class Ledger:
    """All messages that clients tried to send."""

    def __init__(self, label):
        self.label, self.lock, self.messages = label, threading.Lock(), {}

    def new(self, sender, recipients, size, rng):
        line = bytes(rng.choices(b"abcdefghijklmnopqrstuvwxyz0123456789 ", k=75)) + b"\r\n"
        with self.lock:
            name = f"{self.label}-{len(self.messages)}"
            body = (name.encode() + b"\r\n.\r\n..dots\r\n" + line * (size // len(line)))
            message = self.messages[name] = Message(name, sender, list(recipients), body)
        return message

    def all(self):
        with self.lock:
            return list(self.messages.values())

    def count(self, outcome):
        return sum(m.outcomes.count(outcome) for m in self.all())

    def counts(self):
        return dict(collections.Counter(o for m in self.all() for o in m.outcomes))


class Client:
    """One SMTP session at a time. `kind`: "mx", "submission" or "submissions"; `login` where mail is submitted."""

    def __init__(self, server, kind="mx", login=None, timeout=30):
        self.port, self.kind, self.login, self.timeout = server.ports[kind], kind, login, timeout
        self.smtp = None

    def connect(self):
        if self.smtp:
            return
        if self.kind == "submissions":
            smtp = smtplib.SMTP_SSL("127.0.0.1", self.port, context=unverified(), timeout=self.timeout,
                                    local_hostname="client.example")
        else:
            smtp = smtplib.SMTP("127.0.0.1", self.port, timeout=self.timeout, local_hostname="client.example")
        try:
            smtp.ehlo_or_helo_if_needed()
            if self.kind == "submission":
                smtp.starttls(context=unverified())
                smtp.ehlo()
            if self.login:
                smtp.login(self.login, PASSWORD)
        except BaseException:
            smtp.close()
            raise
        self.smtp = smtp

    def close(self):
        if self.smtp:
            self.smtp.close()
        self.smtp = None

    def send(self, message):
        """One attempt; gives and records its outcome. Connecting is no attempt: its errors are raised."""
        self.connect()
        outcome = "unsent"
        try:
            replies = [self.smtp.mail(message.sender)] + [self.smtp.rcpt(to) for to in message.recipients]
            replies = [r for r in replies if r[0] // 100 != 2] or [self.smtp.docmd("DATA")]
            if replies[0][0] != 354:
                outcome, reply = "refused", replies[0]
                self.smtp.rset()
            else:
                text = re.sub(rb"(?m)^\.", b"..", message.text)
                for at in range(0, len(text), 65536):
                    self.smtp.sock.sendall(text[at:at + 65536])
                outcome = "unknown"
                self.smtp.sock.sendall(b".\r\n")
                reply = self.smtp.getreply()
                outcome = "accepted" if reply[0] == 250 else "refused"
            message.replies.append((reply[0], reply[1].decode()))
            if reply[0] == 421:
                self.close()
        except (OSError, smtplib.SMTPException):
            self.close()
        message.outcomes.append(outcome)
        return outcome


# --- another mail server ---

# `queued`: the server's id of the message, so that a client's second attempt isn't taken for a second delivery.
Arrival = collections.namedtuple("Arrival", "id queued recipients body connected ended")


class Sink(socketserver.ThreadingTCPServer):
    """Takes all mail and remembers it from the moment that it says 250. `rcpt` is what it says to recipients."""
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port=0, delay=lambda: 0, rcpt="250 2.1.5 Ok"):
        super().__init__(("127.0.0.1", port), SinkSession)
        self.port = self.server_address[1]
        self.delay, self.rcpt, self.arrivals, self.attempts, self.connections = delay, rcpt, [], 0, 0
        self.lock = threading.Lock()

    @property
    def route(self):
        return f'[[delivery.route]]\ndomain = "{REMOTE}"\nhost = "127.0.0.1"\nport = {self.port}\n'

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # those are sessions that a kill breaks
            super().handle_error(request, client_address)


class SinkSession(socketserver.StreamRequestHandler):
    timeout = 60
    disable_nagle_algorithm = True

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        with self.server.lock:
            self.server.connections += 1
        self.say("220 sink.remote.example ESMTP")
        connected, recipients = time.monotonic(), []
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                self.say("250-sink.remote.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES")
            elif verb == b"MAIL":
                recipients = []
                self.say("250 2.1.0 Ok")
            elif verb == b"RCPT":
                self.server.attempts += 1
                if self.server.rcpt.startswith("250"):
                    recipients.append(re.search(r"<(.*?)>", line.decode())[1])
                self.say(self.server.rcpt)
            elif verb == b"DATA":
                if not recipients:
                    self.say("554 5.5.1 No valid recipients")
                    continue
                self.say("354 Go on")
                lines = []
                while (line := self.rfile.readline()) != b".\r\n":
                    if not line.endswith(b"\r\n"):
                        return  # the sender died: nothing was taken
                    lines.append(line[1:] if line.startswith(b".") else line)
                self.take(b"".join(lines), recipients, connected)
            elif verb == b"QUIT":
                return self.say("221 2.0.0 Bye")
            else:
                self.say("250 2.0.0 Ok")

    def take(self, text, recipients, connected):
        time.sleep(self.server.delay())
        head, _, body = text.partition(b"\r\n\r\n")
        subject = re.search(rb"(?mi)^Subject: (\S+)\r?$", head)[1].decode()
        queued = re.search(rb"\swith ESMTP\w* id (\w+)", head)[1].decode()
        with self.server.lock:
            self.server.arrivals.append(Arrival(subject, queued, recipients, body, connected, time.monotonic()))
        self.say("250 2.0.0 kept")


# --- mailboxes ---

def imap_login(server, user, timeout=60):
    imap = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=unverified(), timeout=timeout)
    imap.login(user, PASSWORD)
    return imap


def subjects(imap, mailbox="INBOX"):
    """UIDVALIDITY and {uid: subject}."""
    status, data = imap.select(f'"{mailbox}"', readonly=True)
    if status != "OK":
        raise AssertionError(f"SELECT {mailbox}: {data}")
    validity = int(imap.response("UIDVALIDITY")[1][0])
    found = {}
    for item in imap.uid("FETCH", "1:*", "(UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]:
        if isinstance(item, tuple):
            uid = int(re.search(rb"UID (\d+)", item[0])[1])
            found[uid] = re.search(rb"(?i)Subject: (.*?)\r\n", item[1])[1].decode()
    return validity, found


def read_account(server, user):
    """[(subject, body)] of all folders."""
    imap = imap_login(server, user)
    found = []
    for line in imap.list()[1]:
        folder = re.search(rb' "?([^"]+)"?$', line)[1].decode()
        if b"\\Noselect" in line or imap.select(f'"{folder}"', readonly=True)[1] == [b"0"]:
            continue
        for item in imap.uid("FETCH", "1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)] BODY.PEEK[TEXT])")[1]:
            if not isinstance(item, tuple):
                continue
            if b"HEADER.FIELDS" in item[0]:
                subject = re.search(rb"(?i)Subject: (.*?)\r\n", item[1])[1].decode()
            else:
                found.append((subject, item[1]))
    imap.logout()
    return found


def digest(body):
    return hashlib.sha256(body).hexdigest()[:16]


class Audit:
    """Compares mailboxes and sink with what the clients were told."""

    def __init__(self, ledger):
        self.ledger, self.wrong = ledger, []

    def expect(self, address, copies):
        """`copies`: [(id, body)] that lie at `address`."""
        by_id = collections.defaultdict(list)
        for name, body in copies:
            by_id[name].append(body)
        known = {m.id: m for m in self.ledger.all() if address in m.recipients}
        for stranger in set(by_id) - set(known):
            self.wrong.append(f"{address}: {len(by_id[stranger])} of {stranger!r}, which nobody sent there")
        for message in known.values():
            got = len(by_id[message.id])
            if not message.least <= got <= message.most:
                self.wrong.append(f"{address}: {got} copies of {message.id} ({len(message.body)} octets), whose "
                                  f"attempts were {message.outcomes} {message.replies}")
            for body in by_id[message.id]:
                if digest(body) != digest(message.body):
                    self.wrong.append(f"{address}: {message.id} has another text: {len(body)} octets, not "
                                      f"{len(message.body)}")

    def mailboxes(self, server, addresses):
        for address in addresses:
            self.expect(address, read_account(server, address))

    def sink(self, sink, kills, slack, at_most):
        """Once each, but for what was under way at a kill: `kills` are (before, after) in time. Two copies must come
        from connections of two lives of the server, the first one's 250 at most `slack` before the end of its life, and
        at most `at_most` messages a kill. Gives [(server's id, seconds from its 250 to the kill)]."""
        arrivals = collections.defaultdict(list)
        for arrival in sink.arrivals:
            for recipient in arrival.recipients:
                arrivals[recipient, arrival.id, arrival.queued].append(arrival)
        repeated, once, per_kill = {}, collections.defaultdict(list), collections.defaultdict(set)
        for (recipient, name, queued), copies in arrivals.items():
            copies.sort(key=lambda a: a.ended)
            once[recipient].append((name, copies[0].body))
            for before, after in zip(copies, copies[1:]):
                excuses = [begun for begun, ended in kills
                           if before.connected <= ended and after.connected >= begun and before.ended >= begun - slack]
                if not excuses or digest(after.body) != digest(before.body):
                    self.wrong.append(f"{recipient}: {name} again, queued as {queued}, with no kill to blame: "
                                      f"{[(c.recipients, c.connected, c.ended) for c in copies]}")
                else:
                    per_kill[excuses[0]].add(queued)
                    repeated[queued, excuses[0]] = excuses[0] - before.ended
        for names in per_kill.values():
            if len(names) > at_most:
                self.wrong.append(f"{len(names)} repeated after one kill; no more than {at_most} are under way")
        for recipient in {r for m in self.ledger.all() for r in m.recipients if r.endswith("@" + REMOTE)}:
            self.expect(recipient, once[recipient])
        return [(queued, seconds) for (queued, _), seconds in repeated.items()]

    def check(self, test, note=""):
        test.assertEqual(self.wrong[:20], [], f"{len(self.wrong)} wrong of {len(self.ledger.all())}; {note}")


class Load:
    """Threads that send until told to stop. `work(rng, client)` makes the next message."""

    def __init__(self, ledger, seed):
        self.ledger, self.seed, self.stopping, self.threads, self.errors = ledger, seed, threading.Event(), [], []

    def add(self, client, make, pause=0.0, again=False):
        rng = random.Random(f"{self.seed}/{len(self.threads)}")
        thread = threading.Thread(target=self.run, args=(client, make, rng, pause, again), daemon=True)
        self.threads.append(thread)

    def run(self, client, make, rng, pause, again):
        try:
            while not self.stopping.is_set():
                try:
                    client.connect()
                except (OSError, smtplib.SMTPException):
                    self.stopping.wait(0.05)  # the server is away
                    continue
                message = make(rng)
                outcome = client.send(message)
                if outcome == "unknown" and again and rng.random() < 0.5:
                    # As real clients do; it may make a second copy, but no third.
                    self.repeat(client, message)
                self.stopping.wait(pause)
        except Exception as error:  # noqa: BLE001: shown by stop()
            self.errors.append(error)
        finally:
            client.close()

    def repeat(self, client, message):
        while not self.stopping.is_set():
            try:
                client.connect()
                client.send(message)
                return
            except (OSError, smtplib.SMTPException):
                self.stopping.wait(0.05)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
        if self.errors or any(t.is_alive() for t in self.threads):
            raise AssertionError(f"clients failed: {self.errors}")
