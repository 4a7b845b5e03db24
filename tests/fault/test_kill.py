"""kill -9 under load, again and again: what was answered with 250 is there once, what was not is there at most once.

One window has no answer in SMTP: the server dies after another server's 250 and before its own commit. Then the
message goes out again. Only messages under way at a kill may, and no more of them than connections allow.

POSTERN_FAULT_SEED repeats a run's choices; POSTERN_KILL_ROUNDS or POSTERN_FAULT_LONG=1 (60 rounds) makes it longer.
"""
import collections
import ctypes
import os
import pathlib
import random
import re
import signal
import sqlite3
import threading
import time
import unittest

from support import (LONG, PASSWORD, REMOTE, SEED, Audit, Client, FaultServer, Ledger, Load, Sink, check_databases,
                     check_log, imap_login, subjects, wait_until)
import harness

ROUNDS = int(os.environ.get("POSTERN_KILL_ROUNDS") or (60 if LONG else 12))
CONNECTIONS = 4  # to the sink at a time
ALPHA = ["alice@alpha.example", "carol@alpha.example", "dora@alpha.example"]
BETA = ["bob@beta.example", "eve@beta.example"]
FAR = [f"{name}@{REMOTE}" for name in ("x", "y", "z")]
# From a delivery's 250 to its commit here: a commit's wait under sanitizers on a busy machine, no more.
COMMIT_SLACK = 10.0


def size_of(rng):
    return rng.choices([1_000, 10_000, 400_000], [70, 22, 8])[0]


class Kill(unittest.TestCase):
    def setUp(self):
        print(f"\nPOSTERN_FAULT_SEED={SEED}, {ROUNDS} rounds", flush=True)
        self.rng = random.Random(SEED)
        delays = random.Random(SEED + 1)
        self.sink = Sink(delay=lambda: delays.choice([0, 0, 0.02, 0.1]))
        self.sink.__enter__()
        self.addCleanup(self.sink.__exit__)
        self.server = FaultServer("mx.alpha.example", extra=self.sink.route, delivery="""retry = ["1s"]
destination_concurrency = 4
""")
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        for address in (*ALPHA, *BETA):
            self.server.add_account(address, PASSWORD)
        self.ledger = Ledger(f"k{SEED}")
        self.kills, self.known = [], {}

    def submitted(self, sender):
        own, others = (ALPHA, BETA) if sender in ALPHA else (BETA, ALPHA)

        def make(rng):
            to = rng.choice(["own", "own", "others", "far", "far", "all"])
            recipients = {"own": [rng.choice(own)], "others": [rng.choice(others)], "far": [rng.choice(FAR)],
                          "all": [rng.choice(own), rng.choice(others), *rng.sample(FAR, 2)]}[to]
            return self.ledger.new(sender, recipients, size_of(rng), rng)
        return make

    def inbound(self, rng):
        recipients = rng.choice([[rng.choice(ALPHA)], [rng.choice(BETA)], [rng.choice(ALPHA), rng.choice(BETA)],
                                 rng.sample(ALPHA, 2)])
        return self.ledger.new("someone@elsewhere.example", recipients, size_of(rng), rng)

    def load(self):
        load = Load(self.ledger, SEED)
        for sender in (ALPHA[0], ALPHA[1], BETA[0]):
            load.add(Client(self.server, "submissions", sender), self.submitted(sender), again=True)
        load.add(Client(self.server, "submission", ALPHA[2]), self.submitted(ALPHA[2]), pause=0.01)
        for _ in range(3):
            load.add(Client(self.server, "mx"), self.inbound, pause=0.01, again=True)
        return load

    def kill(self):
        begun = time.monotonic()
        self.server.stop(signal.SIGKILL)
        self.kills.append((begun, time.monotonic()))

    def one_round(self):
        before = self.ledger.count("accepted")
        wanted = self.rng.randrange(1, 60)
        wait_until(lambda: self.ledger.count("accepted") >= before + wanted, f"{wanted} messages more, before the next "
                   f"kill; {self.ledger.counts()}\n{self.server.read_log()}", 60)
        time.sleep(self.rng.uniform(0, 0.5))  # any moment is as good
        self.kill()
        if self.rng.random() < 0.3:  # while it starts, too
            self.server.start(wait=False)
            time.sleep(self.rng.uniform(0, 1))
            self.kill()
        self.server.start()
        self.look_at_uids(self.rng.choice([*ALPHA, *BETA]))

    def look_at_uids(self, user):
        """A UID that was seen keeps its message (RFC 9051 §2.3.1.1), whatever happened since."""
        imap = imap_login(self.server, user)
        validity, now = subjects(imap)
        imap.logout()
        old_validity, before = self.known.get(user, (validity, {}))
        self.assertEqual(validity, old_validity)
        changed = {uid: (name, now.get(uid)) for uid, name in before.items() if now.get(uid) != name}
        self.assertEqual(changed, {}, f"UIDs of {user} that changed")
        if before and set(now) - set(before):
            self.assertGreater(min(set(now) - set(before)), max(before), "a new message took an old UID")
        self.known[user] = validity, now

    def evidence(self, audit):
        """What the log says of the messages that something is wrong with."""
        ids = set(re.findall(r"queued as (\w+)", " ".join(audit.wrong)))
        lines = [line for line in self.server.whole_log().splitlines() if any(i in line for i in (" ready ", *ids))]
        return "\n".join(lines) + f"\nkills: {self.kills}, now {time.monotonic()}" if ids else ""

    def look_at_timelines(self):
        """Of some: accepted once, and each recipient has its delivery."""
        sample = [m for m in self.ledger.all() if m.outcomes == ["accepted"]]
        for message in self.rng.sample(sample, min(8, len(sample))):
            queued_as = message.replies[-1][1].rsplit(" ", 1)[1]

            def told():
                answer = self.server.cli("message", "trace", queued_as, check=False) or {}
                return [(e["event"], e.get("address", "")) for e in answer.get("items", [])]
            wanted = {("delivered", r) for r in message.recipients}
            # A message for mailboxes of several tenants from outside has an id for each; the reply names the first.
            split = message.sender not in (*ALPHA, *BETA) and len({r.split("@")[1] for r in message.recipients}) > 1
            whole = (lambda e: e & wanted) if split else (lambda e: e >= wanted)
            events = wait_until(lambda: (e := told()) and whole(set(e)) and e, f"{wanted} in {queued_as}: {told()}", 20)
            self.assertEqual([e for e, _ in events].count("accepted"), 1, events)
            self.assertEqual(len(events), len(set(events)), events)

    def test_killed_again_and_again_loses_nothing_and_doubles_nothing(self):
        with self.load():
            for number in range(ROUNDS):
                with self.subTest(round=number):
                    self.one_round()
        wait_until(lambda: not self.server.waiting(), "the queue is empty", 180)
        told = self.ledger.counts()
        self.assertGreater(told["accepted"], 10 * ROUNDS)
        audit = Audit(self.ledger)
        audit.mailboxes(self.server, [*ALPHA, *BETA])
        repeated = audit.sink(self.sink, self.kills, COMMIT_SLACK, CONNECTIONS)
        before = max([seconds for _, seconds in repeated], default=0)
        print(f"{len(self.kills)} kills; attempts {told}; {len(self.sink.arrivals)} deliveries at the sink, of which "
              f"{len(repeated)} messages repeated, the sink's 250 {before:.2f} s before the kill at most", flush=True)
        audit.check(self, f"seed {SEED}\n{self.evidence(audit)}")
        self.look_at_timelines()
        self.assertEqual(self.server.stop(), 0, self.server.read_log())
        check_databases(self, self.server)
        check_log(self, self.server)
        self.assertNotIn("batch_lost", self.server.whole_log())


class Thread:
    """One thread of a server, which stands still within `with` (ptrace(2))."""
    SEIZE, INTERRUPT, DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long

    def __init__(self, process, name):
        tasks = pathlib.Path(f"/proc/{process.pid}/task")
        self.id, = [int(t.name) for t in tasks.iterdir() if (t / "comm").read_text().strip() == name]

    def ask(self, request):
        if self.libc.ptrace(request, self.id, None, None) != 0:
            raise unittest.SkipTest(f"no ptrace here: {os.strerror(ctypes.get_errno())}")

    def __enter__(self):
        self.ask(self.SEIZE)
        self.ask(self.INTERRUPT)
        os.waitpid(self.id, self.WALL)
        return self

    def __exit__(self, *_):
        self.ask(self.DETACH)


@unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "needs two io threads")
class LateThread(unittest.TestCase):
    def test_message_that_the_schedule_delivered_first_is_not_delivered_again(self):
        """The commit is done, but the session's thread is late to hear of it. Meanwhile the queue's poll finds the row
        and delivers. Then the session hands its message to the queue: it must not go out again."""
        domains = [f"d{n}.example" for n in range(6)]  # each is served by one io thread
        with Sink() as sink:
            server = FaultServer("mx.alpha.example", extra="".join(
                f'[[delivery.route]]\ndomain = "{d}"\nhost = "127.0.0.1"\nport = {sink.port}\n' for d in domains)
                + "[runtime]\nthreads = 2\n")
            with server:
                server.add_account(ALPHA[0], PASSWORD)
                server.add_account(ALPHA[1], PASSWORD)
                ledger, rng, early = Ledger("late"), random.Random(SEED), 0
                for _ in range(10):  # the kernel chooses a connection's thread: either, by chance
                    message = ledger.new(ALPHA[0], [f"x@{d}" for d in domains], 500, rng)
                    early += self.hear_late(server, sink, message)
                    self.assertEqual(message.outcomes, ["accepted"])
                    wait_until(lambda: not server.waiting(), "the queue is empty", 30)
                    wait_until(lambda: server.metric("postern_delivery_in_flight") == 0, "nothing is under way", 20)
                    copies = collections.Counter(r for a in sink.arrivals if a.id == message.id for r in a.recipients)
                    self.assertEqual(copies, {r: 1 for r in message.recipients}, server.read_log()[-3000:])
                    if early >= 2:
                        return
        self.skipTest("the session was never on the thread that stood still")

    def hear_late(self, server, sink, message):
        """Sends while the queue's database is locked; then stops a thread, and lets the commit happen. Whether anything
        arrived before the thread went on."""
        before = len(sink.arrivals)
        client = Client(server, "submissions", message.sender)
        client.connect()
        lock = sqlite3.connect(os.path.join(server.data, "queue.db"), isolation_level=None, timeout=10)
        lock.execute("BEGIN IMMEDIATE")
        sender = threading.Thread(target=client.send, args=(message,))
        sender.start()
        time.sleep(0.5)  # it is signed and waits for the lock
        with Thread(server.process, "io-1"):
            lock.execute("ROLLBACK")
            lock.close()
            until = time.monotonic() + 3  # the schedule is polled each second
            while len(sink.arrivals) == before and time.monotonic() < until:
                time.sleep(0.05)
            time.sleep(0.3)  # to commit that it arrived
            early = len(sink.arrivals) > before and not message.outcomes
        sender.join(30)
        client.close()
        return early


if __name__ == "__main__":
    harness.main()
