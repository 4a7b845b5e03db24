"""The audit trail streamed to receivers nobody here wrote: Python's HTTPS server and a strict reader of RFC 5425 frames
and RFC 5424 messages, and rsyslog. The receivers fail, and the server is killed; every record arrives, in order."""
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from harness import POSTERN, Server, free_ports, main, wait_until

SECRET = "collector-secret-31337"
LOOPBACK = "[outbound]\nallow_loopback = true\n"


def certificate(directory):
    """For 127.0.0.1, signed by itself."""
    cert, key = os.path.join(directory, "cert.pem"), os.path.join(directory, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "30", "-subj", "/CN=receiver", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
                    "-out", cert], check=True, capture_output=True, timeout=60)
    return cert, key


def server_context(cert, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


class HttpsReceiver:
    """Answers as `plan` says ("500", "close", then 204), and keeps what it took."""

    def __init__(self, cert, key, plan=()):
        self.plan, self.taken, self.requests = list(plan), [], []
        self.hanging, self.ended = threading.Event(), threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((self.path, dict(self.headers), body))
                step = outer.plan.pop(0) if outer.plan else "204"
                if step == "hang":
                    outer.hanging.set()
                    outer.ended.wait(60)
                    step = "close"
                if step == "close":
                    self.connection.close()
                    return
                if step == "204":
                    outer.taken += [json.loads(line) for line in body.decode().splitlines()]
                self.send_response(int(step))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = server_context(cert, key).wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()


PARAM = r'[!#-<>-\\^-~]{1,32}="(?:[^"\\\]]|\\["\\\]])*"'
MESSAGE = re.compile(
    rb"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) "
    rb"([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) "
    rb"\[(postern@32473)((?: " + PARAM.encode() + rb")+)\] \xef\xbb\xbf(.*)", re.DOTALL)


def frames(data):
    """RFC 5425 §4.3: MSG-LEN SP SYSLOG-MSG, and nothing left over."""
    while data:
        head = re.match(rb"([1-9]\d*) ", data)
        assert head, data[:40]
        end = head.end() + int(head[1])
        assert end <= len(data), "a frame is cut"
        yield data[head.end():end]
        data = data[end:]


class SyslogReceiver:
    """Reads each connection to its close_notify, and answers that."""

    def __init__(self, cert, key):
        self.messages, self.connections = [], 0
        self.context = server_context(cert, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                plain, _ = self.listener.accept()
                plain.settimeout(20)
                with self.context.wrap_socket(plain, server_side=True) as connection:
                    self.connections += 1
                    data = b""
                    while piece := connection.recv(65536):  # SSLEOFError without close_notify
                        data += piece
                    self.messages += list(frames(data))
                    connection.unwrap()
            except ssl.SSLError:
                continue
            except OSError:
                return

    def close(self):
        self.listener.close()


class Streams(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="postern-stream-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.cert, self.key = certificate(self.directory)
        before = os.environ.get("SSL_CERT_FILE")
        os.environ["SSL_CERT_FILE"] = self.cert  # the system's roots, for the server
        self.addCleanup(lambda: os.environ.update(SSL_CERT_FILE=before) if before else os.environ.pop("SSL_CERT_FILE"))

    def serve(self, extra=LOOPBACK):
        server = Server("mx.alpha.example", extra=extra)
        server.__enter__()
        self.addCleanup(server.__exit__)
        server.cli("tenant", "add", "alpha")
        return server

    def receiver(self, kind, *more):
        made = kind(self.cert, self.key, *more)
        self.addCleanup(made.close)
        return made

    def set(self, server, url, *more):
        return server.cli("audit", "stream", "set", url, "--tenant", "alpha", *more)

    def stream(self, server):
        return server.cli("audit", "stream", "show", "--tenant", "alpha")

    def settled(self, server, seconds=60):
        """The stream's state once the receiver has taken everything."""
        return wait_until(lambda: (s := self.stream(server))["state"] == "ok" and s, "the stream is done", seconds)

    def act(self, server, names):
        for name in names:
            server.cli("domain", "add", f"{name}.example", "--tenant", "alpha")

    def trail(self, server):
        return server.cli("audit", "list", "--tenant", "alpha", "--limit", "1000")["items"][::-1]


class Https(Streams):
    def test_failing_receiver_gets_every_record_in_order_at_last(self):
        server = self.serve()
        receiver = self.receiver(HttpsReceiver, ["500", "close"])
        secret = os.path.join(self.directory, "secret")
        pathlib.Path(secret).write_text(SECRET + "\n")
        self.act(server, ["one", "two"])
        made = self.set(server, f"https://127.0.0.1:{receiver.port}/in?token=path-secret", "--secret-file", secret,
                        "--after", "0")
        self.assertEqual(made["destination"], f"https://127.0.0.1:{receiver.port}")
        failing = wait_until(lambda: (s := self.stream(server))["state"] == "failing" and s, "the failure shows")
        self.assertEqual(failing["last_error"], "the receiver answered 500")
        self.act(server, ["three"])
        done = self.settled(server)
        trail = self.trail(server)
        self.assertEqual(receiver.taken, trail)  # the same JSON, in order, each once
        self.assertEqual([r["number"] for r in trail], list(range(1, len(trail) + 1)))
        self.assertEqual((done["delivered"], done["skipped"], done["failures"], done["waiting"]), (len(trail), 0, 0, 0))
        path, headers, _ = receiver.requests[0]
        self.assertEqual(path, "/in?token=path-secret")
        self.assertEqual(headers["Authorization"], f"Bearer {SECRET}")
        self.assertEqual(headers["Content-Type"], "application/x-ndjson")
        self.assertGreaterEqual(len(receiver.requests), 3)

    def test_secret_is_in_no_answer_log_or_file(self):
        server = self.serve()
        receiver = self.receiver(HttpsReceiver, ["500"])
        secret = os.path.join(self.directory, "secret")
        pathlib.Path(secret).write_text(SECRET)
        self.set(server, f"https://127.0.0.1:{receiver.port}/in?token=path-secret",
                 "--secret-file", secret)
        self.settled(server)
        answers = json.dumps([self.stream(server), self.trail(server), server.cli("audit", "list")])
        everything = answers.encode() + pathlib.Path(server.log_path).read_bytes()
        for path in pathlib.Path(server.data).rglob("*"):
            everything += path.read_bytes() if path.is_file() else b""
        self.assertIn(b"audit.set_stream", everything)
        for text in (SECRET, "path-secret"):
            self.assertNotIn(text.encode(), everything)

    def test_server_killed_again_and_again_loses_nothing(self):
        server = self.serve()
        receiver = self.receiver(HttpsReceiver)
        self.set(server, f"https://127.0.0.1:{receiver.port}/", "--after", "0")
        for round_ in range(3):
            self.act(server, [f"r{round_}n{i}" for i in range(5)])
            server.stop(signal.SIGKILL)
            server.start()
        self.settled(server)
        numbers = [r["number"] for r in receiver.taken]
        trail = self.trail(server)
        self.assertEqual(sorted(set(numbers)), [r["number"] for r in trail])
        first = list(dict.fromkeys(numbers))
        self.assertEqual(first, sorted(first))  # a batch may come again; none comes too early
        for record in receiver.taken:
            self.assertEqual(record, trail[record["number"] - 1])

    def test_shutdown_waits_for_no_receiver(self):
        server = self.serve()
        receiver = self.receiver(HttpsReceiver, ["hang"])
        self.set(server, f"https://127.0.0.1:{receiver.port}/", "--after", "0")
        self.assertTrue(receiver.hanging.wait(20))
        began = time.monotonic()
        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - began, 10)
        receiver.ended.set()
        server.start()
        self.settled(server)
        self.assertEqual(receiver.taken, self.trail(server))

    def test_backlog_beyond_the_bound_is_skipped_counted_and_told(self):
        server = self.serve(LOOPBACK + "[audit]\nstream_backlog = 10\n")
        port, = free_ports(1)
        self.set(server, f"https://127.0.0.1:{port}/")
        self.act(server, [f"d{i}" for i in range(20)])
        done = wait_until(lambda: (s := self.stream(server))["skipped"] and s, "records are skipped", 40)
        told = [r for r in self.trail(server) if r["action"] == "audit.stream_skip"]
        self.assertEqual(sum(r["details"]["count"] for r in told), done["skipped"])
        self.assertEqual({r["details"]["reason"] for r in told}, {"backlog"})
        self.assertEqual(server.cli("audit", "verify")["sound"], True)

    def test_platforms_trail_has_a_stream_of_its_own(self):
        server = self.serve()
        receiver = self.receiver(HttpsReceiver)
        server.cli("audit", "stream", "set", f"https://127.0.0.1:{receiver.port}/", "--after", "0")
        wait_until(lambda: server.cli("audit", "stream", "show")["state"] == "ok", "the platform's stream is done")
        actions = {r["action"] for r in receiver.taken}
        self.assertTrue({"tenant.create", "platform.set_audit_stream"} <= actions, actions)
        server.cli("audit", "stream", "remove")
        self.assertIsNone(server.cli("audit", "stream", "show", check=False))


class Refusals(Streams):
    def refused(self, server, url, *more):
        done = subprocess.run([POSTERN, "--config", server.config, "--json", "audit", "stream", "set", url, "--tenant",
                               "alpha", *more], capture_output=True, text=True, timeout=60)
        self.assertNotEqual(done.returncode, 0, url)
        return done.stderr + done.stdout

    def test_loopback_and_private_addresses_are_refused_without_the_setting(self):
        server = self.serve(extra="")
        for url in ("https://127.0.0.1/", "https://[::1]/", "https://localhost/", "https://169.254.169.254/",
                    "https://10.0.0.1/", "syslog+tls://127.0.0.1:6514", "syslog+tls://10.0.0.1:6514",
                    "syslog+tls://localhost", "syslog+tls://logs.example.net:25", "https://logs.example.net:6514/",
                    "http://logs.example.net/", "syslog://logs.example.net:514", "ftp://logs.example.net/",
                    "https://user@logs.example.net/", "syslog+tls://logs.example.net:6514/path"):
            self.refused(server, url)
        self.assertIsNone(server.cli("audit", "stream", "show", "--tenant", "alpha", check=False))

    def test_host_beside_the_tenants_list_is_refused(self):
        server = self.serve()
        body = json.dumps({"hosts": ["*.logs.example.net", "127.0.0.2"]})
        server.cli("api", "PUT", "/v1/outbound/hosts?tenant=alpha", body)
        self.refused(server, "https://127.0.0.1:8443/")
        self.refused(server, "https://logs.example.net/")
        self.set(server, "https://eu.logs.example.net/")
        self.set(server, "syslog+tls://127.0.0.2")

    def test_certificate_of_another_authority_is_refused(self):
        server = self.serve()
        other = tempfile.mkdtemp(dir=self.directory)
        receiver = HttpsReceiver(*certificate(other))
        self.addCleanup(receiver.close)
        self.set(server, f"https://127.0.0.1:{receiver.port}/", "--after", "0")
        self.act(server, ["one"])
        failing = wait_until(lambda: (s := self.stream(server))["state"] == "failing" and s, "the failure shows")
        self.assertIn("certificate", failing["last_error"])
        self.assertEqual(receiver.requests, [])


class Syslog(Streams):
    def test_messages_are_what_the_standards_say(self):
        server = self.serve()
        receiver = self.receiver(SyslogReceiver)
        self.act(server, ["one", "two"])
        self.set(server, f"syslog+tls://127.0.0.1:{receiver.port}", "--after", "0")
        self.settled(server)
        trail = self.trail(server)
        self.assertEqual(len(receiver.messages), len(trail))
        for message, record in zip(receiver.messages, trail):
            parsed = MESSAGE.fullmatch(message)
            self.assertTrue(parsed, message)
            priority, time, host, app, process, kind, _, parameters, text = parsed.groups()
            self.assertEqual((priority, host, app, process), (b"110", b"mx.alpha.example", b"postern", b"-"))
            self.assertEqual((time.decode(), kind.decode()), (record["at"], record["action"]))
            self.assertEqual(json.loads(text), record)
            self.assertIn(f' number="{record["number"]}"', parameters.decode())

    def test_receiver_that_is_away_gets_it_all_when_it_is_back(self):
        server = self.serve()
        port, = free_ports(1)
        self.set(server, f"syslog+tls://127.0.0.1:{port}", "--after", "0")
        self.act(server, ["one"])
        wait_until(lambda: self.stream(server)["state"] == "failing", "the failure shows")
        receiver = self.receiver(SyslogReceiver)
        self.set(server, f"syslog+tls://127.0.0.1:{receiver.port}")
        self.settled(server)
        numbers = [json.loads(m[m.index(b"\xef\xbb\xbf") + 3:])["number"] for m in receiver.messages]
        self.assertEqual(numbers, [r["number"] for r in self.trail(server)])


@unittest.skipUnless(shutil.which("rsyslogd") or os.path.exists("/usr/sbin/rsyslogd"), "rsyslog isn't installed")
class Rsyslog(Streams):
    def test_rsyslog_takes_every_record(self):
        port, = free_ports(1)
        out = os.path.join(self.directory, "out")
        conf = pathlib.Path(self.directory, "rsyslog.conf")
        conf.write_text(f"""
global(workDirectory="{self.directory}" maxMessageSize="64k" defaultNetstreamDriver="ossl"
       defaultNetstreamDriverCAFile="{self.cert}" defaultNetstreamDriverCertFile="{self.cert}"
       defaultNetstreamDriverKeyFile="{self.key}")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imtcp" address="127.0.0.1" port="{port}")
template(name="line" type="string" string="%syslogfacility% %syslogseverity% %hostname% %app-name% %msgid% %structured-data% %msg%\\n")
*.* action(type="omfile" file="{out}" template="line")
""")
        program = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
        process = subprocess.Popen([program, "-n", "-f", str(conf), "-i", os.path.join(self.directory, "pid")],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.terminate)
        server = self.serve()
        self.act(server, ["one", "two"])
        self.set(server, f"syslog+tls://127.0.0.1:{port}", "--after", "0")
        self.settled(server)
        trail = self.trail(server)

        def lines():
            text = pathlib.Path(out).read_text(encoding="utf-8") if os.path.exists(out) else ""
            mine = [line for line in text.splitlines() if " postern " in line]
            return mine if len(mine) >= len(trail) else None
        found = wait_until(lines, "rsyslog has written them")
        self.assertEqual(len(found), len(trail))
        for line, record in zip(found, trail):
            facility, severity, host, app, kind, rest = line.split(" ", 5)
            self.assertEqual((facility, severity, host, app, kind),
                             ("13", "6", "mx.alpha.example", "postern", record["action"]))
            self.assertTrue(rest.startswith("[postern@32473 chain="), rest)
            self.assertEqual(json.loads(rest[rest.index("{"):]), record)


if __name__ == "__main__":
    main()
