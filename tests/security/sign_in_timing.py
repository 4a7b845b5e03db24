"""The time of a refused sign-in doesn't tell whether there is such a user: over HTTP, SMTP and IMAP.

Blocks of three attempts in an order thrown by lot: an existing user with a wrong password, an unknown one, and an
unknown one with a twentieth of Argon2's time added by the client; each with another password, since a repeated guess
is less work than a first one. Existing and unknown differ when a rank test over
the blocks' differences says so (p below 0.001) and their median is more than 3 % of Argon2's time. The added delay has
to be noticed by the same rule: where it isn't, the machine is too noisy to tell anything, more samples are taken, and in
the end the test fails.

    tests/security/sign_in_timing.py --build build/asan     (half an hour; tests/run --all)
"""
import base64
import concurrent.futures
import http.client
import imaplib
import json
import math
import os
import pathlib
import random
import smtplib
import statistics
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
from harness import Server, free_ports, main, port_open, unverified, wait_until  # noqa: E402

PASSWORD = "correct horse battery staple"
WRONG = "incorrect horse battery staple"
KNOWN = "box@timing.example"
SAMPLES = int(os.environ.get("POSTERN_TIMING_SAMPLES", "400"))  # of each kind, a round
ROUNDS = 3
WARM = 20          # attempts before the measured ones
SEED = int(os.environ.get("POSTERN_TIMING_SEED") or random.SystemRandom().randrange(1_000_000))
SHARE = 0.03       # of Argon2's time: medians that are closer are the same
ADDED = 0.05       # of Argon2's time: what the control adds
P = 0.001
REFUSAL = 0.025    # seconds between a verdict over HTTP and its answer (web/api/people/session.cpp)
# About as much work as by default, in less memory: fetching 19 MiB from the system takes as long as others let it.
SETTINGS = """[auth]
argon2_memory = "2MiB"
argon2_time = 16
guesses = 1000000
known_guesses = 1000000
network_guesses = 1000000
[web]
address_requests = 1000000
lock_failures = 1000
lock_time = "1s"
[audit]
login_refusals = 1000000
"""
KINDS = ("known", "unknown", "delayed")


def signed_rank_p(differences):
    """Wilcoxon's signed-rank test, two-sided, by its normal approximation: for hundreds of differences. It looks at
    ranks, so a pause of the whole machine in one block weighs no more than any other block."""
    ordered = sorted((d for d in differences if d), key=abs)
    count = len(ordered)
    above = sum(rank for rank, d in enumerate(ordered, 1) if d > 0)
    mean = count * (count + 1) / 4
    deviation = math.sqrt(count * (count + 1) * (2 * count + 1) / 24)
    return math.erfc(abs(above - mean) / deviation / math.sqrt(2))


class Http:
    """One kept connection: a sign-in is a request and its answer."""
    SIDE_BY_SIDE = 1

    def __init__(self, server, port):
        self.connection = http.client.HTTPSConnection("127.0.0.1", port, context=unverified(), timeout=60)

    def attempt(self, user, extra, password=WRONG):
        body = json.dumps({"email": user, "password": password})
        began = time.perf_counter()
        self.connection.request("POST", "/v1/session", body)
        answer = self.connection.getresponse()
        answer.read()
        if extra:
            time.sleep(extra)
        took = time.perf_counter() - began
        assert answer.status in (401, 400), answer.status
        return took

    def without_argon2(self):
        return self.attempt(KNOWN, 0, "")  # refused by its shape

    def close(self):
        self.connection.close()


class Mail:
    """A connection an attempt, since a failed one delays those behind it. The delay of a failed login (a second, or most
    of one) is waited for side by side; while one attempt connects and is at Argon2, no other does anything."""
    SIDE_BY_SIDE = 6
    settled = 0.3  # seconds, less than the delay: by then Argon2 is through

    def __init__(self, server, port):
        self.ports = server.ports
        self.turn = threading.Lock()

    def attempt(self, user, extra, password=WRONG):
        with self.turn:
            connection = self.connect()
            began = time.perf_counter()
            self.send(connection, user, password)
            time.sleep(self.settled)
        self.refused(connection)
        if extra:
            time.sleep(extra)
        took = time.perf_counter() - began
        self.end(connection)
        return took

    def close(self):
        pass


class Smtp(Mail):
    def connect(self):
        connection = smtplib.SMTP_SSL("127.0.0.1", self.ports["submissions"], context=unverified(), timeout=60)
        connection.ehlo()
        return connection

    def send(self, connection, user, password):
        connection.putcmd("AUTH PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()).decode())

    def refused(self, connection):
        code, text = connection.getreply()
        assert code == 535, (code, text)

    def end(self, connection):
        connection.close()

    def without_argon2(self):
        return self.attempt("x" * 400, 0)  # longer than any login: refused behind the same delay


class Imap(Mail):
    def connect(self):
        return imaplib.IMAP4_SSL("127.0.0.1", self.ports["imaps"], ssl_context=unverified())

    def send(self, connection, user, password):
        connection.send(f'a LOGIN "{user}" "{password}"\r\n'.encode())

    def refused(self, connection):
        line = connection.readline()
        assert line.startswith(b"a NO [AUTHENTICATIONFAILED]"), line

    def end(self, connection):
        connection.shutdown()


class Timing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"POSTERN_TIMING_SEED={SEED}", file=sys.stderr)
        cls.lot = random.Random(SEED)
        cls.port, = free_ports(1)
        listen = f'[[listen]]\nkind = "https"\naddress = "127.0.0.1:{cls.port}"\n'
        cls.server = cls.enterClassContext(Server("mx.timing.example", extra=listen + SETTINGS))
        wait_until(lambda: port_open(cls.port), "the https listener")
        cls.server.add_account(KNOWN, PASSWORD)
        cls.add_person()
        cls.argon2 = cls.argon2_time()

    @classmethod
    def add_person(cls):
        link = cls.server.cli("person", "add", KNOWN, "--tenant", "timing", "--role", "admin")["sign_in_link"]
        connection = http.client.HTTPSConnection("127.0.0.1", cls.port, context=unverified(), timeout=60)
        connection.request("POST", "/v1/session/link/confirm", json.dumps({"token": link.split("#")[1]}))
        answer = connection.getresponse()
        csrf = json.loads(answer.read())["csrf_token"]
        cookies = "; ".join(c.split(";")[0] for c in answer.headers.get_all("Set-Cookie"))
        connection.request("POST", "/v1/me/password", json.dumps({"password": PASSWORD}),
                           {"Cookie": cookies, "X-CSRF-Token": csrf})
        assert connection.getresponse().status == 204
        connection.close()

    @classmethod
    def argon2_time(cls):
        """What a sign-in takes beyond one that is refused before it comes to Argon2."""
        door = Http(cls.server, cls.port)
        with_it = [door.attempt("nobody@timing.example", 0) for _ in range(30)]
        without = [door.without_argon2() for _ in range(30)]
        door.close()
        argon2 = statistics.median(with_it) - statistics.median(without) - REFUSAL
        print(f"Argon2: {argon2 * 1000:.1f} ms", file=sys.stderr)
        return argon2

    def measure(self, door, count):
        """Blocks of one attempt of each kind, right after one another in an order by lot: a machine's moods are in
        all three. Seconds by kind. Every attempt at an unknown user is at another one."""
        orders = [self.lot.sample(KINDS, len(KINDS)) for _ in range(count)]
        names = [f"b{self.lot.randrange(10**9)}@timing.example" for _ in range(2 * count)]
        guesses = [f"{WRONG} {self.lot.randrange(10**9)}" for _ in range(3 * count)]
        extra = {"known": 0, "unknown": 0, "delayed": ADDED * self.argon2}

        def block(number):
            unknown, guess = iter(names[2 * number:2 * number + 2]), iter(guesses[3 * number:3 * number + 3])
            return {kind: door.attempt(KNOWN if kind == "known" else next(unknown), extra[kind], next(guess))
                    for kind in orders[number]}

        with concurrent.futures.ThreadPoolExecutor(door.SIDE_BY_SIDE) as pool:
            return list(pool.map(block, range(count)))

    def tells(self, blocks, one, other, what):
        differences = [block[one] - block[other] for block in blocks]
        apart = statistics.median(differences)
        p = signed_rank_p(differences)
        print(f"{what}, {one} and {other}: {apart * 1e6:+.0f} us apart ({apart / self.argon2:+.2%} of Argon2), "
              f"p = {p:.4f}, {len(blocks)} blocks", file=sys.stderr)
        return p < P and abs(apart) > SHARE * self.argon2

    def check(self, door):
        self.addCleanup(door.close)
        self.measure(door, WARM)
        blocks = []
        for _ in range(ROUNDS):
            self.argon2 = self.argon2_time()  # of the machine as it is now
            door.settled = min(0.5, 3 * self.argon2)
            blocks += self.measure(door, SAMPLES)
            noticed = self.tells(blocks, "delayed", "unknown", type(door).__name__)
            told = self.tells(blocks, "known", "unknown", type(door).__name__)
            if noticed:
                break
        else:
            self.fail("the added delay was not noticed: too noisy a machine to tell anything")
        self.assertFalse(told, "the time of a sign-in tells whether there is such a user")

    def test_http(self):
        self.check(Http(self.server, self.port))

    def test_smtp(self):
        door = Smtp(self.server, self.port)
        # Another control: a login that Argon2 never sees, behind the same delay.
        with_it = [door.attempt("nobody@timing.example", 0) for _ in range(10)]
        without = [door.without_argon2() for _ in range(10)]
        self.assertGreater(statistics.median(with_it) - statistics.median(without), self.argon2 / 2)
        self.check(door)

    def test_imap(self):
        self.check(Imap(self.server, self.port))


if __name__ == "__main__":
    main()
