"""Memory of the server at rest, and of idle IMAP sessions over TLS."""
import pathlib
import socket

from harness import Server, unverified, wait_until

ACCOUNTS = 50
PASSWORD = "a long enough password"


def resident_kib(pid):
    """Resident memory (proc(5), VmRSS)."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def command(stream, line, until):
    stream.sendall(line.encode() + b"\r\n")
    answer = b""
    while until not in answer:
        piece = stream.recv(4096)
        if not piece:
            raise AssertionError(f"the server closed a session after {line}: {answer}")
        answer += piece


def idle_session(port, context, address):
    stream = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=30))
    stream.recv(4096)
    command(stream, f'a LOGIN "{address}" "{PASSWORD}"', b"a OK")
    command(stream, "b SELECT INBOX", b"b OK")
    command(stream, "c IDLE", b"+ ")
    return stream


def measure(sessions):
    limits = f"[limits]\nimap_sessions = {sessions + 100}\n"
    context = unverified()
    with Server("postern.example", extra=limits) as server:
        addresses = [f"user{n}@bench.example" for n in range(ACCOUNTS)]
        for address in addresses:
            server.add_account(address, PASSWORD)
        pid = server.process.pid
        lines = [f"At rest, {ACCOUNTS} accounts: {resident_kib(pid) / 1024:.0f} MiB resident.", ""]
        warm = [idle_session(server.ports["imaps"], context, a) for a in addresses]
        before, held = resident_kib(pid), []
        for n in range(sessions - len(warm)):
            held.append(idle_session(server.ports["imaps"], context, addresses[n % ACCOUNTS]))
        after = resident_kib(pid)
        each = (after - before) / len(held)
        lines.append(f"{sessions} IMAP sessions over TLS, logged in, a mailbox selected, in IDLE: {after / 1024:.0f} MiB "
                     f"resident, {each:.1f} KiB a session.")
        # They are alive: each hears of its own DONE.
        for stream in held[:: max(1, len(held) // 100)]:
            command(stream, "DONE", b"c OK")
        for stream in held + warm:
            stream.close()
        wait_until(lambda: server.cli("status") is not None, "the server answers")
    return "\n".join(lines)
