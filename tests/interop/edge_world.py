"""The servers, peers and DNS that test_edges.py shares, and short ways to talk to them."""
import collections
import contextlib
import email
import email.utils
import imaplib
import json
import os
import pathlib
import re
import signal
import smtplib
import socket
import socketserver
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import types
import unittest

from harness import POSTERN, Nsd, Server, free_ports, unverified, wait_until

PASSWORD = "correct horse battery staple"
ALICE = "alice@alpha.example"
world = types.SimpleNamespace()  # what setUpModule starts, shared by all


def run(*arguments, stdin="", timeout=60):
    return subprocess.run([str(a) for a in arguments], input=stdin, text=True, capture_output=True, timeout=timeout)


class EdgeServer(Server):
    """A server with settings of [delivery] and [dns] that the harness doesn't write."""

    def __init__(self, hostname, delivery="", private="true", dns_servers=None, dns_more="", **rest):
        super().__init__(hostname, **rest)
        self.delivery, self.private, self.dns_servers, self.dns_more = delivery, private, dns_servers, dns_more

    def write_config(self):
        super().write_config()
        self.edit("allow_private = true", f"allow_private = {self.private}\n{self.delivery}")
        if self.dns_servers:
            self.edit('servers = ["127.0.0.1:1"]', f"servers = {json.dumps(self.dns_servers)}\n{self.dns_more}")

    def edit(self, old, new):
        config = pathlib.Path(self.config)
        text = config.read_text()
        assert text.count(old) == 1, f"{old} is in the settings {text.count(old)} times"
        config.write_text(text.replace(old, new))

    def reload(self, old, new):
        before = os.path.getsize(self.log_path)
        self.edit(old, new)
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: b" reloaded" in pathlib.Path(self.log_path).read_bytes()[before:], "the settings anew")


Message = collections.namedtuple("Message", "sender recipients text encrypted")


class Peer(socketserver.ThreadingTCPServer):
    """Another mail server. `starttls`: None, "works", "refused", "garbage", "closes" or "hangs"."""
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address, port, starttls=None, rcpt="250 2.1.5 Ok"):
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, port), PeerSession)
        self.starttls, self.rcpt = starttls, rcpt
        self.messages, self.attempts, self.handshakes, self.connections = [], [], 0, 0

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # those are the sessions that a test breaks
            super().handle_error(request, client_address)

    def received(self, subject):
        return [m for m in list(self.messages) if m.text["Subject"] == subject]


class PeerSession(socketserver.StreamRequestHandler):
    timeout = 60
    encrypted = False

    def finish(self):
        super().finish()
        self.connection.close()

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        self.server.connections += 1
        self.say("220 peer.example ESMTP")
        sender, recipients = None, []
        while line := self.rfile.readline():
            verb = line.split()[0].upper() if line.strip() else b""
            if verb == b"EHLO":
                offer = self.server.starttls and not self.encrypted
                self.say("250-peer.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES"
                         + ("\r\n250 STARTTLS" if offer else "\r\n250 HELP"))
            elif verb == b"STARTTLS":
                if not self.start_tls():
                    return
            elif verb == b"MAIL":
                sender, recipients = line.decode().strip(), []
                self.say("250 2.1.0 Ok")
            elif verb == b"RCPT":
                recipients.append(re.search(r"<(.*?)>", line.decode())[1])
                self.server.attempts.append((time.monotonic(), recipients[-1]))
                self.say(self.server.rcpt)
            elif verb == b"DATA":
                if not self.server.rcpt.startswith("2"):
                    self.say("554 5.5.1 No valid recipients")
                    continue
                self.say("354 Go on")
                text = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.messages.append(Message(sender, recipients, email.message_from_bytes(text), self.encrypted))
                self.say("250 2.0.0 Ok")
            elif verb == b"QUIT":
                self.say("221 2.0.0 Bye")
                return
            else:
                self.say("250 2.0.0 Ok")

    def start_tls(self):
        how = self.server.starttls
        self.server.handshakes += 1
        if how == "refused":
            self.say("454 4.7.0 TLS not available due to temporary reason")
            return True
        self.say("220 2.0.0 Go ahead")
        if how == "garbage":
            self.wfile.write(b"this is no handshake\r\n" * 20)
        if how in ("garbage", "closes"):
            return False
        if how == "hangs":
            while self.connection.recv(4096):
                pass
            return False
        self.connection = world.peer_tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.encrypted = True
        return True


class Inbox:
    """A mailbox read over IMAPS; each message is fetched once."""

    def __init__(self, server, user):
        self.imap = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=unverified(), timeout=30)
        self.imap.login(user, PASSWORD)
        self.seen = {}

    def close(self):
        self.imap.logout()

    def messages(self):
        self.imap.select("INBOX", readonly=True)
        for uid in self.imap.uid("SEARCH", "ALL")[1][0].split():
            if uid not in self.seen:
                self.seen[uid] = email.message_from_bytes(self.imap.uid("FETCH", uid, "(BODY.PEEK[])")[1][0][1])
        return list(self.seen.values())

    def by_subject(self, subject):
        return [m for m in self.messages() if m["Subject"] == subject]

    def reports(self, address, action):
        """(fields of the recipient, whole report) of each delivery report on `address`."""
        found = []
        for message in self.messages():
            if message.get_content_type() != "multipart/report":
                continue
            for fields in message.get_payload(1).get_payload()[1:]:
                if fields["Final-Recipient"] == f"rfc822; {address}" and fields["Action"] == action:
                    found.append((fields, message))
        return found


def mail_text(sender, subject):
    return f"From: {sender}\r\nSubject: {subject}\r\n\r\nx\r\n"


def submit(server, to, subject, sender=ALICE, rcpt_options=()):
    with smtplib.SMTP_SSL("127.0.0.1", server.ports["submissions"], context=unverified(), timeout=30) as smtp:
        smtp.login(sender, PASSWORD)
        smtp.sendmail(sender, [to], mail_text(sender, subject), rcpt_options=rcpt_options)


def waiting(destination):
    return world.sender.cli("queue", "list", "--destination", destination)["items"]


def peer_port(addresses):
    """A port that is free at each of the addresses: that of all other mail servers."""
    for _ in range(50):
        port, = free_ports(1)
        with contextlib.ExitStack() as stack:
            try:
                for address in addresses:
                    s = stack.enter_context(socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET))
                    s.bind((address, port))
                return port
            except OSError:
                continue
    raise AssertionError("no port is free at all loopback addresses")


PEERS = {"plain": ("127.0.0.2", None), "tls": ("127.0.0.3", "works"), "refused": ("127.0.0.4", "refused"),
         "garbage": ("127.0.0.5", "garbage"), "closes": ("127.0.0.6", "closes"), "hangs": ("127.0.0.7", "hangs"),
         "later": ("127.0.0.8", None), "six": ("::1", None)}

# Where mail goes: names below "example". Nobody listens at 127.0.0.9.
DESTINATIONS = "\n".join(f"{name} IN MX 10 mx.{name}\nmx.{name} IN {'AAAA' if ':' in address else 'A'} {address}"
                         for name, (address, _) in PEERS.items()) + """
nullmx   IN MX 0 .
implicit IN A 127.0.0.2
implicit6 IN AAAA ::1
unusable IN MX 10 nowhere
unusable IN A 127.0.0.2
second   IN MX 10 dead
second   IN MX 20 mx.plain
dead     IN A 127.0.0.9
alias    IN CNAME plain
mapped   IN MX 10 mx.mapped
mx.mapped IN AAAA ::ffff:127.0.0.2
looped   IN MX 10 mx.looped
mx.looped IN A 127.0.0.1
"""


def record_lines(domain_answer, leave_out=(), instead=None):
    """The domain's records as zone file lines; `instead` gives other values by purpose."""
    lines = ["mx IN A 127.0.0.1"]
    for record in domain_answer["records"]:
        purpose = record["purpose"]
        values = (instead or {}).get(purpose, [record["zone_value"]])
        if purpose not in leave_out:
            lines += [f'{record["name"]} 60 IN {record["type"]} {value}' for value in values]
    return "\n".join(lines)


# Domains whose DNS is other than printed in one way, and what `domain check` should say of each kind of record.
def changed_domains(good):
    other_key = [r["zone_value"] for r in good["records"] if r["purpose"] == "dkim"][:1]
    return {
        "no-mx": (dict(leave_out=["mx"]), {"mx": "missing"}),
        "other-mx": (dict(instead={"mx": ["10 mail.elsewhere.example."]}), {"mx": "different"}),
        "null-mx": (dict(instead={"mx": ["0 ."]}), {"mx": "different"}),
        "no-spf": (dict(leave_out=["spf"]), {"spf": "missing"}),
        "other-spf": (dict(instead={"spf": ['"v=spf1 ip4:192.0.2.1 -all"']}), {"spf": "different"}),
        # RFC 7208 §3.2, §4.5: more than one record is an error.
        "two-spf": (dict(instead={"spf": ['"v=spf1 mx -all"', '"v=spf1 a -all"']}), {"spf": "different"}),
        "other-dkim": (dict(instead={"dkim": other_key}), {"dkim": "different"}),
        "no-dkim": (dict(leave_out=["dkim"]), {"dkim": "missing"}),
        "no-dmarc": (dict(leave_out=["dmarc"]), {"dmarc": "missing"}),
        # RFC 7208 §5.1: what stands after "all" is never looked at.
        "late-spf": (dict(instead={"spf": ['"v=spf1 -all mx"']}), {"spf": "different"}),
        # RFC 7208 §4.6.2: "+" is what a mechanism without a qualifier has.
        "plus-spf": (dict(instead={"spf": ['"v=spf1 +mx -all"']}), {}),
    }


def start_servers(stack):
    directory = stack.enter_context(tempfile.TemporaryDirectory())
    made = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
               "2", "-subj", "/CN=mx.tls.example", "-keyout", f"{directory}/key.pem", "-out",
               f"{directory}/certificate.pem")
    assert made.returncode == 0, made.stderr
    world.peer_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    world.peer_tls.load_cert_chain(f"{directory}/certificate.pem", f"{directory}/key.pem")

    port = peer_port(["127.0.0.1", "127.0.0.9", *(address for address, _ in PEERS.values())])
    world.peers = {}
    for name, (address, starttls) in PEERS.items():
        refusal = {"rcpt": "451 4.2.0 Come back later"} if name == "later" else {}
        world.peers[name] = stack.enter_context(Peer(address, port, starttls, **refusal))

    start_sender(stack, port)
    start_strict(stack, port)


def serve_dns(stack, port, zones):
    nsd = Nsd({"example": DESTINATIONS, **zones})
    nsd.port = port
    stack.enter_context(nsd)


ROUTE = '[[delivery.route]]\ndomain = "routed.example"\nhost = "{}"\nport = {}\n'


def start_sender(stack, port):
    dns, world.mx6, world.submissions6, world.everywhere = free_ports(4)
    more = "".join(f'[[listen]]\nkind = "{kind}"\naddress = "{address}"\n' for kind, address in (
        ("mx", f"[::1]:{world.mx6}"), ("submissions", f"[::1]:{world.submissions6}"),
        ("imap", f"0.0.0.0:{world.everywhere}"), ("imap", f"[::]:{world.everywhere}")))
    ports = dict(zip(Server.KINDS, free_ports(len(Server.KINDS))), mx=port)
    world.sender = stack.enter_context(EdgeServer(
        "mx.alpha.example", dns=dns, delivery_port=port, ports=ports,
        delivery='retry = ["1s"]\ndelay_warning = "1s"\nexpiry = "1m"\ncommand_timeout = "3s"',
        extra=more + ROUTE.format("::1", port) + "[limits]\nrecipients = 1000\n"))
    world.sender.cli("tenant", "add", "alpha")
    domain = world.sender.cli("domain", "add", "alpha.example", "--tenant", "alpha")
    serve_dns(stack, dns, {"alpha.example": record_lines(domain)})
    world.sender.cli("account", "add", ALICE, stdin=PASSWORD + "\n")
    # These are tried for a minute, beside the tests; WhatTakesAMinute looks at the end.
    for who in ("default", "never", "failure", "delay"):
        notify = [] if who == "default" else [f"NOTIFY={who.upper()}"]
        submit(world.sender, f"{who}@later.example", f"for {who}", rcpt_options=notify)


def start_strict(stack, port):
    dns, = free_ports(1)
    world.strict = stack.enter_context(EdgeServer(
        "mx.beta.example", dns=dns, delivery_port=port, private="false",
        extra=ROUTE.format("127.0.0.2", port) + """[limits]
message_size = "64KiB"
header_size = "16KiB"
recipients = 100
command_line = "512B"
http_body = "16KiB"
imap_literal = "64KiB"
smtp_idle = "5m"
login_time = "1m"
"""))
    world.strict.cli("tenant", "add", "beta")
    good = world.strict.cli("domain", "add", "beta.example", "--tenant", "beta")
    zones = {"beta.example": record_lines(good)}
    world.changed = changed_domains(good)
    for name, (change, _) in world.changed.items():
        answer = world.strict.cli("domain", "add", f"{name}.example", "--tenant", "beta")
        zones[f"{name}.example"] = record_lines(answer, **change)
    serve_dns(stack, dns, zones)
    for user in ("bob", "carol", "dora"):
        world.strict.cli("account", "add", f"{user}@beta.example", stdin=PASSWORD + "\n")


def start_slow_things(stack):
    """More that WhatTakesAMinute looks at."""
    silent = stack.enter_context(SlowDns(seconds=None))
    deaf = stack.enter_context(EdgeServer("mx.gamma.example", dns_servers=[silent.address]))
    stack.callback(deaf.stop, signal.SIGKILL)  # while it waits for DNS it would not end at once
    deaf.cli("tenant", "add", "gamma")
    deaf.cli("domain", "add", "gamma.example", "--tenant", "gamma")
    world.deaf_check = stack.enter_context(subprocess.Popen(
        [POSTERN, "--config", deaf.config, "domain", "check", "gamma.example"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    stack.callback(world.deaf_check.kill)

    slow = stack.enter_context(SlowDns(seconds=6))
    world.patient = stack.enter_context(EdgeServer("mx.delta.example", dns_servers=[slow.address],
                                                   dns_more='timeout = "9s"\ntries = 1'))
    world.patient.add_account("dan@delta.example", PASSWORD)
    submit(world.patient, "bob@no.such.example", "slow", sender="dan@delta.example")

    world.drip = Drip(world.strict)
    stack.callback(world.drip.socket.close)


class SlowDns(threading.Thread):
    """A DNS server that knows no name, and takes some seconds to say so; None: says nothing ever."""

    def __init__(self, seconds):
        super().__init__(daemon=True)
        self.seconds = seconds
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def __enter__(self):
        if self.seconds is not None:
            self.start()
        return self

    def __exit__(self, *_):
        self.socket.close()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                query, client = self.socket.recvfrom(4096)
                question = query[12:query.index(b"\0", 12) + 5]  # RFC 1035 §4.1: NXDOMAIN, and the question again
                answer = query[:2] + b"\x81\x83" + b"\0\1" + b"\0\0" * 3 + question
                timer = threading.Timer(self.seconds, self.send, [answer, client])
                timer.daemon = True
                timer.start()

    def send(self, answer, client):
        with contextlib.suppress(OSError):
            self.socket.sendto(answer, client)


class Drip(threading.Thread):
    """A client of the management socket that sends an octet of a header every half second."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(os.path.join(server.data, "postern.sock"))
        self.socket.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        self.socket.settimeout(0.5)
        self.seconds = None
        self.start()

    def run(self):
        begun = time.monotonic()
        while time.monotonic() < begun + 60:
            try:
                self.socket.sendall(b"x")
                if self.socket.recv(1000) == b"":
                    break
            except socket.timeout:
                continue
            except OSError:
                break
        else:
            return
        self.seconds = time.monotonic() - begun


def setUpModule():
    stack = contextlib.ExitStack()
    unittest.addModuleCleanup(stack.close)
    start_servers(stack)
    start_slow_things(stack)
    world.inbox = Inbox(world.sender, ALICE)
    stack.callback(world.inbox.close)
