"""Starts Postern servers on free loopback ports, with their own data directories and a DNS server.

Every wait is bounded: a server that doesn't come up, or a condition that doesn't become true, fails
the test with the server's log.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

import leftovers

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def parse_build(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/asan")
    known, rest = parser.parse_known_args(argv)
    return (ROOT / known.build).resolve(), rest


BUILD, _REST = parse_build()
POSTERN = BUILD / "postern"


def main():
    unittest.main(argv=[sys.argv[0], "-v", *_REST])


def unverified():
    """For self-signed certificates."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def zone_text(domain_answer, ttl=60):
    """What `domain add` printed, as the records of an NSD zone."""
    lines = ["mx IN A 127.0.0.1"]
    for record in domain_answer["records"]:
        lines.append(f'{record["name"]} {ttl} IN {record["type"]} {record["zone_value"]}')
    return "\n".join(lines)


def free_ports(count):
    """Distinct ports that were free a moment ago."""
    sockets = []
    for _ in range(count):
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        sockets.append(s)
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def wait_until(condition, what, seconds=20.0):
    """Polls until `condition()` is truthy and returns its value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"timed out after {seconds} s: {what}")


def port_open(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Server:
    """One server: `with Server("mx.alpha.example", dns=53535) as server: ...`"""

    KINDS = ("mx", "submission", "submissions", "imap", "imaps", "metrics")

    def __init__(self, hostname, dns=None, delivery_port=25, extra="", top="", ports=None, listen_extra=""):
        self.hostname = hostname
        self.directory = tempfile.mkdtemp(prefix="postern-test-")
        self.data = os.path.join(self.directory, "data")
        self.config = os.path.join(self.data, "postern.toml")
        self.ports = ports or dict(zip(self.KINDS, free_ports(len(self.KINDS))))
        self.dns = dns
        self.delivery_port = delivery_port
        self.extra = extra
        self.top = top
        self.process = None
        self.log_path = os.path.join(self.directory, "log")

    def init(self):
        subprocess.run([POSTERN, "init", "--data", self.data, "--hostname", self.hostname], check=True,
                       stdout=subprocess.DEVNULL, timeout=60)
        leftovers.note_files(self.data)
        self.write_config()

    def write_config(self):
        listens = "\n".join(f'[[listen]]\nkind = "{kind}"\naddress = "127.0.0.1:{self.ports[kind]}"\n'
                            for kind in self.KINDS)
        dns = f'[dns]\nservers = ["127.0.0.1:{self.dns}"]\n' if self.dns else '[dns]\nservers = ["127.0.0.1:1"]\n'
        pathlib.Path(self.config).write_text(f"""
hostname = "{self.hostname}"
data = "{self.data}"
{self.top}
[tls]
certificate = "{self.data}/tls/certificate.pem"
key = "{self.data}/tls/key.pem"
{dns}
[delivery]
port = {self.delivery_port}
allow_private = true
{listens}
{self.extra}
""")

    def start(self, wait=True):
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen([POSTERN, "serve", "--config", self.config], stdout=self.log, stderr=self.log)
        if wait:
            self.wait_ready()

    def wait_ready(self, seconds=30):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.read_log()}")
            return all(port_open(p) for p in self.ports.values())
        wait_until(ready, f"{self.hostname} listens on {self.ports}", seconds)

    def stop(self, sig=signal.SIGTERM, seconds=30):
        """Ends the server and gives its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not stop in {seconds} s:\n{self.read_log()}")
        self.log.close()
        self.process = None
        return code

    def read_log(self):
        return pathlib.Path(self.log_path).read_text(errors="replace")[-8000:]

    def cli(self, *arguments, stdin="", check=True):
        """Runs a verb with --json and gives the parsed answer."""
        done = subprocess.run([POSTERN, "--config", self.config, "--json", *arguments], input=stdin, text=True,
                              capture_output=True, timeout=60)
        if check and done.returncode != 0:
            raise AssertionError(f"postern {' '.join(arguments)} ended with {done.returncode}: {done.stderr}\n{self.read_log()}")
        document = json.loads(done.stdout) if done.stdout.strip() else None
        leftovers.note_document(document)
        # What a verb reads is a password, or the body of a request.
        text = stdin.strip()
        if done.returncode == 0 and text.startswith(("{", "[")):
            leftovers.note_document(json.loads(text))
        elif done.returncode == 0 and text:
            leftovers.note(text)
        return document

    def add_account(self, address, password, tenant=None):
        """Makes tenant and domain when they aren't there."""
        domain = address.split("@")[1]
        tenant = tenant or domain.split(".")[0]
        if tenant not in [t["name"] for t in self.cli("tenant", "list")["items"]]:
            self.cli("tenant", "add", tenant)
        if domain not in [d["domain"] for d in self.cli("domain", "list")["items"]]:
            self.cli("domain", "add", domain, "--tenant", tenant)
        return self.cli("account", "add", address, stdin=password + "\n")

    def __enter__(self):
        self.init()
        self.start()
        return self

    def __exit__(self, *_):
        try:
            leftovers.take_answers(self)
            code = self.stop()
            if code not in (0, None):
                raise AssertionError(f"the server ended with {code}:\n{self.read_log()}")
        finally:
            leftovers.take_files(self)
            shutil.rmtree(self.directory, ignore_errors=True)


class Nsd:
    """NSD, an authoritative DNS server nobody here wrote, serving zones given as text."""

    def __init__(self, zones, ttl=60):
        """`ttl`: seconds, also of answers that say no."""
        self.ttl = ttl
        self.directory = tempfile.mkdtemp(prefix="postern-nsd-")
        self.port, = free_ports(1)
        self.zones = zones
        self.process = None

    def __enter__(self):
        d = self.directory
        lines = [f"""server:
  ip-address: 127.0.0.1@{self.port}
  do-ip6: no
  username: ""
  chroot: ""
  zonesdir: "{d}"
  pidfile: "{d}/nsd.pid"
  database: ""
  xfrdfile: "{d}/xfrd.state"
  zonelistfile: "{d}/zone.list"
  logfile: "{d}/log"
remote-control:
  control-enable: no
"""]
        for name, text in self.zones.items():
            pathlib.Path(d, name + ".zone").write_text(
                f"$ORIGIN {name}.\n$TTL {self.ttl}\n"
                f"@ IN SOA ns.{name}. hostmaster.{name}. 1 3600 600 86400 {self.ttl}\n"
                f"@ IN NS ns.{name}.\nns IN A 127.0.0.1\n{text}\n")
            lines.append(f'zone:\n  name: "{name}"\n  zonefile: "{name}.zone"\n')
        conf = pathlib.Path(d, "nsd.conf")
        conf.write_text("".join(lines))
        program = shutil.which("nsd") or "/usr/sbin/nsd"
        self.process = subprocess.Popen([program, "-d", "-c", str(conf)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_until(lambda: port_open(self.port), "NSD answers")
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(20)

    def restart(self):
        """Serves the zones as they are now."""
        self.stop()
        self.__enter__()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
