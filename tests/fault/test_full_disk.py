"""A data directory on a small file system that fills up: what was answered with 250 is there once, what was refused is
not there at all, the server stays up, and it takes mail again when there is room.

The file system is a tmpfs, so this needs root. POSTERN_FAULT_LONG=1 fills it more often.
"""
import imaplib
import os
import random
import re
import shutil
import signal
import subprocess
import time
import unittest

from support import (LONG, PASSWORD, REMOTE, SEED, Audit, Client, FaultServer, Ledger, Load, Sink, check_databases,
                     check_log, imap_login, read_account, wait_until)
import harness

MIB = 1 << 20
ALICE, CAROL, BOB = "alice@alpha.example", "carol@alpha.example", "bob@beta.example"
X = f"x@{REMOTE}"
OUTSIDE = "someone@elsewhere.example"
FILLINGS = 25 if LONG else 4


class Disk:
    """A tmpfs, and files that fill it."""

    def __init__(self, path, size, inodes):
        self.path = path
        os.makedirs(path)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},nr_inodes={inodes},mode=755", "postern-test", path],
                       check=True, capture_output=True, timeout=30)

    def unmount(self):
        subprocess.run(["umount", "-l", self.path], check=True, timeout=30)

    def free(self):
        info = os.statvfs(self.path)
        return info.f_bavail * info.f_frsize

    def fill(self, leave):
        """Takes all but `leave` octets, at once."""
        with open(os.path.join(self.path, "filler"), "ab") as file:
            while (free := self.free() - leave) > 0:
                try:
                    os.posix_fallocate(file.fileno(), file.tell(), free)
                    file.seek(0, os.SEEK_END)
                except OSError:
                    continue  # the server took some meanwhile: what is left now

    def empty(self):
        os.unlink(os.path.join(self.path, "filler"))

    def take_inodes(self):
        os.makedirs(os.path.join(self.path, "files"))
        try:
            for number in range(100_000):
                open(os.path.join(self.path, "files", str(number)), "w").close()
        except OSError:
            return
        raise AssertionError("the file system takes any number of files")

    def give_inodes(self):
        shutil.rmtree(os.path.join(self.path, "files"))


@unittest.skipUnless(os.geteuid() == 0, "needs root to mount a tmpfs")
class FullDisk(unittest.TestCase):
    def setUp(self):
        self.rng = random.Random(SEED)
        self.sink = Sink()
        self.sink.__enter__()
        self.addCleanup(self.sink.__exit__)
        self.server = FaultServer("mx.alpha.example", delivery='retry = ["1s"]',
                                  extra=f'[storage]\ndisk_reserve = "16MiB"\n{self.sink.route}')
        try:
            self.disk = Disk(os.path.join(self.server.directory, "disk"), "160m", 600)
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(self.server.directory)
            self.skipTest(f"no tmpfs can be mounted here: {error}")
        self.server.data = os.path.join(self.disk.path, "data")
        self.server.config = os.path.join(self.server.data, "postern.toml")
        self.addCleanup(shutil.rmtree, self.server.directory, ignore_errors=True)
        self.addCleanup(self.disk.unmount)
        self.server.init()
        self.server.start()
        self.pid = self.server.process.pid
        self.addCleanup(self.end)
        for address in (ALICE, CAROL, BOB):
            self.server.add_account(address, PASSWORD)
        self.ledger = Ledger(f"d{SEED}")
        self.clients = {kind: Client(self.server, kind, None if kind == "mx" else ALICE)
                        for kind in ("mx", "submissions")}
        for client in self.clients.values():
            self.addCleanup(client.close)

    def end(self):
        if self.server.process:
            self.server.stop(signal.SIGKILL)

    def message(self, sender, recipients, size=1000):
        return self.ledger.new(sender, recipients, size, self.rng)

    def send(self, kind, sender, recipients, size=1000):
        """Gives the answer."""
        message = self.message(sender, recipients, size)
        self.clients[kind].send(message)
        return message.replies[-1] if message.replies else message.outcomes

    def send_one_of_each(self):
        """Every way into the server: {way: answer}."""
        return {
            "mx": self.send("mx", OUTSIDE, [ALICE]),
            "mx, large": self.send("mx", OUTSIDE, [ALICE], 400_000),
            "mx, two tenants": self.send("mx", OUTSIDE, [ALICE, BOB]),
            "submitted, local": self.send("submissions", ALICE, [CAROL]),
            "submitted, large": self.send("submissions", ALICE, [CAROL], 400_000),
            "submitted, other tenant": self.send("submissions", ALICE, [BOB]),
            "submitted, remote": self.send("submissions", ALICE, [X]),
            "submitted, remote, large": self.send("submissions", ALICE, [X], 400_000),
        }

    def expect_all_accepted(self):
        for way, reply in self.send_one_of_each().items():
            self.assertEqual(reply[0], 250, (way, reply, self.server.read_log()))

    def wait_accepts(self):
        """Until mail of each kind is taken again."""
        wait_until(lambda: self.server.metric("postern_disk_below_reserve") == 0, "the server sees the room", 10)
        self.expect_all_accepted()

    def wait_below(self):
        wait_until(lambda: self.server.metric("postern_disk_below_reserve") == 1, "the server sees the full disk", 10)

    def expect_all_there_once(self, gone=()):
        self.sink.rcpt = "250 2.1.5 Ok"
        wait_until(lambda: not self.server.waiting(), "the queue is empty", 60)
        audit = Audit(self.ledger)
        for address in (ALICE, CAROL, BOB):
            copies = read_account(self.server, address)
            self.assertEqual([s for s, _ in copies if s in gone], [], "what was deleted is back")
            deleted = [(m.id, m.body) for m in self.ledger.all() if m.id in gone and address in m.recipients]
            audit.expect(address, copies + deleted)
        self.assertEqual(audit.sink(self.sink, [], 0, 0), [])
        audit.check(self, f"seed {SEED}")
        print(self.ledger.counts(), flush=True)

    def expect_sound(self):
        self.assertEqual(self.server.process.pid, self.pid, "it is the same process still")
        self.assertEqual(self.server.stop(), 0, self.server.read_log())
        check_databases(self, self.server)
        check_log(self, self.server)

    def uid_of(self, imap, subject):
        return imap.uid("SEARCH", "SUBJECT", subject)[1][0].split()[0].decode()

    def test_below_the_reserve_mail_is_refused_and_reading_and_deleting_go_on(self):
        self.sink.rcpt = "451 4.2.0 not now"  # so that some waits in the queue
        self.expect_all_accepted()
        first = self.ledger.all()[0]
        imap = imap_login(self.server, ALICE)
        imap.select("INBOX")
        self.disk.fill(leave=8 * MIB)
        self.wait_below()
        for way, (code, text) in self.send_one_of_each().items():
            self.assertEqual((code, text[:5]), (452, "4.3.1"), (way, text))

        # No new attempts: those under way end, and no more come in three retry times.
        wait_until(lambda: self.server.metric("postern_delivery_in_flight") == 0, "no attempt is under way", 20)
        attempts, until = self.sink.attempts, time.monotonic() + 3
        while time.monotonic() < until:
            self.assertEqual(self.sink.attempts, attempts, "an attempt below the reserve")
            time.sleep(0.1)

        self.assertIn(first.body, imap.uid("FETCH", self.uid_of(imap, first.id), "(BODY.PEEK[])")[1][0][1])
        with self.assertRaisesRegex(imaplib.IMAP4.error, "APPEND|NO|room|now|LIMIT|UNAVAILABLE"):
            status, data = imap.append("INBOX", None, None, first.text)
            raise imaplib.IMAP4.error(f"{status} {data}") if status == "NO" else AssertionError(status)
        imap.uid("STORE", self.uid_of(imap, first.id), "+FLAGS", r"(\Deleted)")
        self.assertEqual(imap.expunge()[0], "OK")
        self.assertEqual(imap.uid("SEARCH", "SUBJECT", first.id)[1], [b""])
        imap.logout()

        self.disk.empty()
        self.wait_accepts()
        self.expect_all_there_once(gone={first.id})
        self.expect_sound()

    def test_bodies_that_arrive_below_the_reserve_leave_room_for_deletions(self):
        self.expect_all_accepted()
        for _ in range(30):  # for one whose database has written little, so that a deletion makes its log grow
            self.send("mx", OUTSIDE, [BOB])
        imap = imap_login(self.server, BOB)
        self.addCleanup(imap.shutdown)
        imap.select("INBOX")
        self.disk.fill(leave=8 * MIB)
        self.wait_below()
        # Two that send and don't finish; what they send doesn't compress, and neither is above the size limit.
        senders, answers = [Client(self.server, "mx") for _ in range(2)], []
        for sender in senders:
            self.addCleanup(sender.close)
            sender.connect()
            sender.smtp.mail(OUTSIDE)
            sender.smtp.rcpt(ALICE)
            answers.append(sender.smtp.docmd("DATA")[0])
            if answers[-1] == 354:
                sender.smtp.sock.sendall(b"Subject: never ends\r\n\r\n")
        before, sent = self.disk.free(), 0
        while 354 in answers and self.disk.free() > MIB // 4 and sent < 40 * MIB:
            text = self.rng.randbytes(32 * 1024).hex().encode()
            for sender, answer in zip(senders, answers):
                if answer == 354:
                    sender.smtp.sock.sendall(b"".join(text[at:at + 900] + b"\r\n" for at in range(0, len(text), 900)))
                    sent += len(text)
            time.sleep(0.02)  # slowly, so as to stop just before there is no room for their bodies either
        left = self.disk.free()
        failed = []
        for uid in imap.uid("SEARCH", "ALL")[1][0].split():
            status, data = imap.uid("STORE", uid, "+FLAGS", r"(\Deleted)")
            if status != "OK":
                failed.append((uid, data))
        expunged = imap.expunge()
        note = f"free: {before} before, {left} after two senders sent {sent} octets; they were told {answers}"
        print(f"{len(failed)} deletions failed, EXPUNGE {expunged[0]}; {note}", flush=True)
        self.assertEqual((failed[:2], expunged[0]), ([], "OK"), f"{note}\n{self.server.read_log()[-1500:]}")
        self.assertGreater(left, before // 2, f"what is refused anyhow ate the reserve; {note}")

    def test_full_to_the_last_octet_under_load(self):
        load = Load(self.ledger, SEED)

        def make(sender, choices):
            return lambda rng: self.ledger.new(sender, rng.choice(choices), rng.choice([1000, 10_000, 400_000]), rng)
        # One after the other is quick enough: a few hundred would fill the disk by themselves.
        load.add(Client(self.server, "mx"), make(OUTSIDE, [[ALICE], [BOB], [ALICE, BOB]]), pause=0.1)
        load.add(Client(self.server, "submissions", ALICE), make(ALICE, [[CAROL], [BOB], [X], [CAROL, X]]), pause=0.1)
        load.add(Client(self.server, "submissions", BOB), make(BOB, [[ALICE], [X]]), pause=0.1)
        imap = imap_login(self.server, ALICE)
        with load:
            for number in range(FILLINGS):
                before = self.ledger.count("accepted")
                wait_until(lambda: self.ledger.count("accepted") >= before + 3, f"mail is taken, round {number}: "
                           f"{self.ledger.counts()}\n{self.server.read_log()}", 30)
                time.sleep(self.rng.uniform(0, 0.3))  # any moment of the watch's second
                refused = self.ledger.count("refused")
                self.disk.fill(leave=0)
                wait_until(lambda: self.ledger.count("refused") >= refused + 3, f"mail is refused, round {number}: "
                           f"{self.ledger.counts()}\n{self.server.read_log()}", 30)
                self.assertEqual(imap.noop()[0], "OK")
                self.assertEqual(imap.select("INBOX", readonly=True)[0], "OK")
                self.disk.empty()
        imap.logout()
        self.wait_accepts()
        # The watch looks once a second: in between it was SQLite that found no room.
        lost = re.findall(r"batch_lost .*? why=(.*)", self.server.whole_log())
        failed = self.server.metric("postern_sql_failed_batches_total")
        self.assertGreater(failed, 0, "SQLite never found the disk full")
        refusals = {(code, text[:5]) for m in self.ledger.all() for code, text in m.replies if code != 250}
        print(f"{len(lost)} batches lost: {sorted(set(lost))}; refusals: {sorted(refusals)}", flush=True)
        self.assertEqual(refusals, {(452, "4.3.1")})
        self.assertEqual(self.ledger.count("unknown") + self.ledger.count("unsent"), 0, "no session was lost")
        self.expect_all_there_once()
        self.expect_sound()

    def test_killed_on_a_full_disk_and_started_there(self):
        self.sink.rcpt = "451 4.2.0 not now"
        self.expect_all_accepted()
        self.disk.fill(leave=0)
        wait_until(lambda: self.send("mx", OUTSIDE, [ALICE])[0] != 250, "mail is refused", 20)
        self.server.stop(signal.SIGKILL)
        self.clients["mx"].close()
        self.clients["submissions"].close()
        # With no room at all it may not come up; then it says why and ends, and harms nothing.
        self.server.start(wait=False)
        self.pid = self.server.process.pid

        def state():
            if self.server.process.poll() is not None:
                return "ended"
            return all(harness.port_open(port) for port in self.server.ports.values()) and "up"
        up = wait_until(state, "it starts or ends", 30)
        print(f"on a full disk: {up}", flush=True)
        if up == "up":
            self.assertEqual(self.send("mx", OUTSIDE, [ALICE])[0], 452)
            self.disk.empty()
        else:
            self.assertGreater(self.server.process.returncode, 0, self.server.read_log())
            self.disk.empty()
            self.server.stop()
            self.server.start()
            self.pid = self.server.process.pid
        self.wait_accepts()
        self.expect_all_there_once()
        self.expect_sound()

    def test_no_more_files_refuses_what_needs_one(self):
        self.expect_all_accepted()
        self.disk.take_inodes()
        small = self.send("mx", OUTSIDE, [ALICE])
        large = self.send("mx", OUTSIDE, [ALICE], 400_000)
        self.assertEqual(small[0], 250, small)
        self.assertEqual((large[0], large[1][:5]), (452, "4.3.1"), large)
        self.disk.give_inodes()
        self.wait_accepts()
        self.expect_all_there_once()
        self.expect_sound()


if __name__ == "__main__":
    harness.main()
