"""Postfix and OpenDKIM as the peers to measure against, and what loads them."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from harness import free_ports, port_open, wait_until
from peers import DkimKey, OpenDkim, program, run

HERE = pathlib.Path(__file__).resolve().parent


class Postfix:
    """Postfix with the files of postfix/, behind OpenDKIM that signs with RSA-2048, relaying to `sink`."""

    name = "postfix"

    def __init__(self, sink):
        self.directory = tempfile.mkdtemp(prefix="postern-bench-")
        os.chmod(self.directory, 0o755)
        self.config = os.path.join(self.directory, "etc")
        self.accept, self.relay = free_ports(2)
        self.sink = sink
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        d = pathlib.Path(self.directory)
        for name in ("etc", "spool", "data"):
            (d / name).mkdir()
        shutil.chown(d / "data", "postfix", "postfix")
        signer = self.stack.enter_context(OpenDkim("postfix.example", DkimKey(self.directory, "bench.example", "s1")))
        for name in ("main.cf", "master.cf"):
            text = (HERE / "postfix" / name).read_text()
            (d / "etc" / name).write_text(text.format(directory=d, accept=self.accept, relay=self.relay,
                                                      sink=self.sink, signer=signer.port))
        run(program("postfix"), "-c", self.config, "start")
        self.stack.callback(lambda: run(program("postfix"), "-c", self.config, "stop", check=False))
        wait_until(lambda: port_open(self.accept) and port_open(self.relay), "Postfix answers")
        return self

    def __exit__(self, *_):
        self.stack.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def clear(self):
        """Between rounds: nothing waits from the round before."""
        run(program("postsuper"), "-c", self.config, "-d", "ALL", check=False, seconds=300)


class Sink:
    """smtp-sink until it has taken `count` messages."""

    def __init__(self, port, count):
        self.process = subprocess.Popen([program("smtp-sink"), "-u", "nobody", "-M", str(count), f"127.0.0.1:{port}", "1000"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: port_open(port), "smtp-sink answers")

    def wait(self, seconds):
        self.process.wait(seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def cpu_seconds():
    """CPU seconds this machine has worked since it started, all programs together (proc(5))."""
    fields = pathlib.Path("/proc/stat").read_text().splitlines()[0].split()
    user, nice, system, _idle, _iowait, irq, softirq = map(int, fields[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def smtp_source(port, sender, recipient, messages, connections, size):
    """Postfix's load generator, with connections reused; gives the seconds it took."""
    begin = time.monotonic()
    run(program("smtp-source"), "-d", "-s", connections, "-l", size, "-m", messages, "-f", sender, "-t", recipient,
        f"127.0.0.1:{port}", seconds=600)
    return time.monotonic() - begin


def smtp_load(build, port, mode, messages, **options):
    """Our load generator (smtp_load.cpp); gives what it prints."""
    arguments = [item for name, value in options.items() for item in (f"--{name}", value)]
    return json.loads(run(build / "smtp_load", "--port", port, "--mode", mode, "--messages", messages, *arguments,
                          seconds=600).stdout)
