"""The HTTP API under load by wrk: an authenticated read and an authenticated, audited, durable write."""
import pathlib
import re
import subprocess
import tempfile

from harness import Server, free_ports, port_open, wait_until

CONNECTIONS = 32
SECONDS = 8

WRITE = """
local n = 0
local id = 0
function setup(thread) thread:set("id", id); id = id + 1 end
function request()
  n = n + 1
  local body = string.format('{"address": "a%d-%d@bench.example", "targets": ["user@bench.example"]}', id, n)
  return wrk.format("POST", nil, nil, body)
end
"""


def wrk(url, key, script=None):
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-H", f"Authorization: Bearer {key}"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as lua:
        if script:
            lua.write(script)
            lua.flush()
            command += ["-s", lua.name]
        text = subprocess.run([*command, url], capture_output=True, text=True, check=True, timeout=120).stdout
    if "Non-2xx" in text:
        raise AssertionError(text)
    return {name: re.search(pattern, text).group(1) for name, pattern in
            (("rate", r"Requests/sec:\s+(\S+)"), ("p50", r"50%\s+(\S+)"), ("p99", r"99%\s+(\S+)"))}


def measure():
    port, = free_ports(1)
    listen = f'[[listen]]\nkind = "http"\naddress = "127.0.0.1:{port}"\n'
    limits = "[web]\nkey_reads = 10000000\nkey_writes = 10000000\n"
    with Server("postern.example", extra=listen + limits) as server:
        wait_until(lambda: port_open(port), "the http listener")
        server.add_account("user@bench.example", "a long enough password", tenant="bench")
        key = server.cli("key", "add", "--tenant", "bench", "--scope", "*")["key"]
        base = f"http://127.0.0.1:{port}/v1"
        read = wrk(f"{base}/domains/bench.example", key)
        written = wrk(f"{base}/aliases", key, WRITE)
        if not server.cli("audit", "verify")["sound"]:
            raise AssertionError("the audit trail isn't sound after the writes")
    rows = ["| work | a second | p50 | p99 |", "| --- | --- | --- | --- |"]
    for name, got in (("an authenticated read (a domain with its records)", read),
                      ("an authenticated write (an alias, audited, on disk)", written)):
        rows.append(f"| {name} | {float(got['rate']):.0f} | {got['p50']} | {got['p99']} |")
    return "\n".join([f"{CONNECTIONS} connections of wrk without TLS on loopback, {SECONDS} seconds each.", "", *rows])
