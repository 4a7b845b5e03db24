"""Mail programs nobody here wrote, on free loopback ports and each with a directory of its own: Postfix,
OpenDKIM, and the two command-line signers and verifiers.

Every wait is bounded, like those of harness.py.
"""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from harness import free_ports, port_open, wait_until

NOBODY = 65534  # Debian's user and group "nobody"


def program(name):
    """A program by name, also from where daemons are: sbin isn't in everybody's PATH."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found:
        raise AssertionError(f"{name} isn't installed: deploy/install-deps --tests")
    return found


def run(*arguments, stdin=b"", seconds=60, check=True):
    """Runs a program to its end; bytes in, bytes out."""
    done = subprocess.run([str(a) for a in arguments], input=stdin, capture_output=True, timeout=seconds)
    if check and done.returncode != 0:
        said = (done.stdout[-4000:] + done.stderr[-4000:]).decode(errors="replace")
        raise AssertionError(f"{' '.join(str(a) for a in arguments)} ended with {done.returncode}:\n{said}")
    return done


def temporary_directory(name):
    """One that the daemons' own users may pass through."""
    directory = tempfile.mkdtemp(prefix=f"postern-{name}-")
    os.chmod(directory, 0o755)
    return directory


class DkimKey:
    """A key pair and the TXT record that publishes it, made by opendkim-genkey or, for Ed25519, dkimpy's dknewkey."""

    def __init__(self, directory, domain, selector, algorithm="rsa"):
        self.domain, self.selector, self.algorithm = domain, selector, algorithm
        if algorithm == "rsa":
            run(program("opendkim-genkey"), "-b", "2048", "-d", domain, "-s", selector, "-D", directory)
            self.private = os.path.join(directory, f"{selector}.private")
            self.zone = pathlib.Path(directory, f"{selector}.txt").read_text()
        else:
            run(program("dknewkey"), "--ktype", "ed25519", os.path.join(directory, selector))
            self.private = os.path.join(directory, f"{selector}.key")
            value = pathlib.Path(directory, f"{selector}.dns").read_text().strip()
            self.zone = f'{selector}._domainkey IN TXT "{value}"\n'

    def sign(self, message):
        """The message (CRLF) with a DKIM-Signature of dkimpy's dkimsign."""
        algorithm = "rsa-sha256" if self.algorithm == "rsa" else "ed25519-sha256"
        return run(program("dkimsign"), "--signalg", algorithm, self.selector, self.domain, self.private,
                   stdin=message).stdout

    def sign_with_sha1(self, message):
        """The message with the rsa-sha1 signature that opendkim-testmsg still makes."""
        return run(program("opendkim-testmsg"), "-C", "-d", self.domain, "-k", self.private, "-s", self.selector,
                   stdin=message).stdout


# Runs under the distribution's Python, whose packages dkimpy and dnspython are.
DKIMPY_VERIFY = """
import json, sys, dkim, dns.resolver
resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers, resolver.port, resolver.lifetime = ["127.0.0.1"], int(sys.argv[1]), 5
def txt(name, timeout=5):
    answer = resolver.resolve(name.decode() if isinstance(name, bytes) else name, "TXT")
    return b"".join(answer[0].strings)
message = sys.stdin.buffer.read()
count = sum(1 for name, _ in dkim.DKIM(message).headers if name.lower() == b"dkim-signature")
out = []
for index in range(count):
    verifier = dkim.DKIM(message)
    try:
        passed = verifier.verify(idx=index, dnsfunc=txt)
    except dkim.ValidationError:
        passed = False
    fields = verifier.signature_fields
    out.append({"algorithm": fields[b"a"].decode(), "domain": fields[b"d"].decode(), "passed": bool(passed)})
print(json.dumps(out))
"""


def dkimpy_verify(message, dns_port):
    """What dkimpy says to each DKIM-Signature of a message: algorithm, domain, passed."""
    message = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return json.loads(run("/usr/bin/python3", "-c", DKIMPY_VERIFY, dns_port, stdin=message).stdout)


class OpenDkim:
    """OpenDKIM as a milter: a signer with `key`, or without one a verifier that knows the public keys in `known`,
    lines of "selector._domainkey.domain record" that may be set until it starts."""

    def __init__(self, hostname, key=None):
        self.directory = temporary_directory("opendkim")
        self.port, = free_ports(1)
        self.hostname = hostname
        self.key = key
        self.known = ""
        self.process = None

    def write_config(self):
        path = pathlib.Path(self.directory, "known")
        path.write_text(self.known)
        lines = [f"Socket inet:{self.port}@127.0.0.1", f"AuthservID {self.hostname}", "UserID root", "Syslog no",
                 f"PidFile {self.directory}/pid", "RequireSafeKeys no"]
        if self.key:
            lines += ["Mode s", f"Domain {self.key.domain}", f"Selector {self.key.selector}",
                      f"KeyFile {self.key.private}", "Canonicalization relaxed/simple", "InternalHosts 127.0.0.1"]
        else:
            lines += ["Mode v", f"TestPublicKeys {path}", "InternalHosts 192.0.2.1"]
        config = pathlib.Path(self.directory, "opendkim.conf")
        config.write_text("\n".join(lines) + "\n")
        return config

    @property
    def milter(self):
        return f"inet:127.0.0.1:{self.port}"

    def __enter__(self):
        self.process = subprocess.Popen([program("opendkim"), "-f", "-x", str(self.write_config())],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.process.poll() is not None or port_open(self.port), "OpenDKIM answers")
        if self.process.poll() is not None:
            raise AssertionError(f"OpenDKIM ended with {self.process.returncode}")
        return self

    def __exit__(self, *_):
        self.process.kill()  # it keeps nothing, and takes seconds to notice SIGTERM
        self.process.wait(20)
        shutil.rmtree(self.directory, ignore_errors=True)


POSTFIX_MAIN = """
compatibility_level = 3.6
queue_directory = {directory}/spool
data_directory = {directory}/data
maillog_file = {directory}/log
maillog_file_prefixes = {directory}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
myhostname = {hostname}
myorigin = {domain}
mydestination =
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = {domain} {more_domains}
virtual_mailbox_base = {directory}/mail
virtual_mailbox_maps = texthash:{directory}/mailboxes
virtual_uid_maps = static:{nobody}
virtual_gid_maps = static:{nobody}
relayhost = [127.0.0.1]:{relay_port}
smtpd_tls_security_level = may
smtpd_tls_chain_files = {directory}/chain.pem
smtpd_tls_received_header = yes
smtpd_tls_loglevel = 1
smtp_tls_security_level = secure
smtp_tls_CAfile = {relay_certificate}
smtp_tls_secure_cert_match = {relay_name}
smtp_tls_loglevel = 1
milter_default_action = tempfail
non_smtpd_milters = {signer}
minimal_backoff_time = 2s
maximal_backoff_time = 5s
queue_run_delay = 2s
"""

# `world` is what other servers meet; `plain` is one that offers nothing but what RFC 5321 demands; `trusted` is
# for the domain's own users.
POSTFIX_MASTER = """
127.0.0.1:{world} inet n - n - - smtpd
    -o smtpd_milters={verifier}
127.0.0.1:{plain} inet n - n - - smtpd
    -o smtpd_discard_ehlo_keywords=pipelining,size,etrn,starttls,enhancedstatuscodes,dsn,8bitmime,smtputf8,chunking
127.0.0.1:{trusted} inet n - n - - smtpd
    -o smtpd_milters={signer}
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """Postfix as the mail server of domains, with virtual mailboxes as Maildirs. Everything else it relays over
    STARTTLS to the server that relay_to() names, which must prove its name.

    `domains` gives the users of each domain; the first one is Postfix's own. Its master starts as root only.
    """

    def __init__(self, hostname, domains, signer, verifier):
        self.directory = temporary_directory("postfix")
        self.config = os.path.join(self.directory, "etc")
        self.world, self.plain, self.trusted = free_ports(3)
        self.domains = domains
        domain, *more = domains
        self.settings = {"directory": self.directory, "hostname": hostname, "domain": domain,
                         "more_domains": " ".join(more), "nobody": NOBODY, "world": self.world, "plain": self.plain,
                         "trusted": self.trusted, "signer": signer.milter, "verifier": verifier.milter}
        self.started = False

    def relay_to(self, server):
        self.settings.update(relay_port=server.ports["mx"], relay_name=server.hostname,
                             relay_certificate=os.path.join(server.data, "tls", "certificate.pem"))

    def __enter__(self):
        try:
            self.write_files()
            run(program("postfix"), "-c", self.config, "start")
            self.started = True
            wait_until(lambda: all(port_open(p) for p in (self.world, self.plain, self.trusted)), "Postfix answers")
        except BaseException:
            self.__exit__()
            raise
        return self

    def write_files(self):
        d = pathlib.Path(self.directory)
        for name in ("etc", "spool", "data", "mail"):
            (d / name).mkdir()
        shutil.chown(d / "data", "postfix", "postfix")
        os.chown(d / "mail", NOBODY, NOBODY)
        (d / "mailboxes").write_text("".join(f"{user}@{domain} {domain}/{user}/\n"
                                             for domain, users in self.domains.items() for user in users))
        run(program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", d / "key.pem",
            "-out", d / "certificate.pem", "-subj", f"/CN={self.settings['hostname']}")
        (d / "chain.pem").write_text((d / "key.pem").read_text() + (d / "certificate.pem").read_text())
        (d / "etc" / "main.cf").write_text(POSTFIX_MAIN.format(**self.settings))
        (d / "etc" / "master.cf").write_text(POSTFIX_MASTER.format(**self.settings))

    def __exit__(self, *_):
        if self.started:
            run(program("postfix"), "-c", self.config, "stop", check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    def sendmail(self, message, sender, recipients, *more):
        """Hands a message (CRLF) to Postfix's sendmail, which wants the lines of a local file."""
        run(program("sendmail"), "-C", self.config, "-i", "-f", sender, *more, "--", *recipients,
            stdin=message.replace(b"\r\n", b"\n"))

    def messages(self, address):
        """What is in a user's Maildir, with the line ends of the wire."""
        user, domain = address.split("@")
        folder = pathlib.Path(self.directory, "mail", domain, user)
        files = sorted([*folder.glob("new/*"), *folder.glob("cur/*")])
        return [f.read_bytes().replace(b"\n", b"\r\n") for f in files]

    def queue(self):
        lines = run(program("postqueue"), "-c", self.config, "-j").stdout.splitlines()
        return [json.loads(line) for line in lines]

    def log(self):
        path = pathlib.Path(self.directory, "log")
        return path.read_text(errors="replace") if path.exists() else ""
