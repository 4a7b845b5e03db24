"""What a test run leaves for tests/check-secrets: every secret that a test made or was given, and what the servers kept.

Active when POSTERN_LEFTOVERS names a directory: `secrets` (a JSON string a line) lies in it, outside of any server's
folder, and a folder for each server that has ended with its log, its databases, its metrics and what its API answers.
Each answer stands below a line with its status and its path, the metrics below one with theirs.
"""
import http.client
import json
import os
import pathlib
import shutil
import socket
import sqlite3
import tempfile

KEPT = 64 << 20  # bytes of one file; what is larger holds the same rows many times over
SHORTEST = 8     # characters: shorter ones are words that stand anywhere, or codes that are spent
# Members of answers and requests that are secret by their name; "key" too where it is an API key.
NAMES = {"password", "secret", "codes", "sign_in_link", "csrf_token"}


def directory():
    name = os.environ.get("POSTERN_LEFTOVERS")
    return pathlib.Path(name) if name else None


def note(*secrets):
    """These must be nowhere afterwards."""
    where = directory()
    if where is None:
        return
    where.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(one) + "\n" for one in secrets if len(one) >= SHORTEST)
    with open(where / "secrets", "a", encoding="utf-8") as file:  # one write: tests may run side by side
        file.write(lines)


def note_document(document):
    """The secrets of an answer or a request, by their names."""
    if isinstance(document, list):
        for one in document:
            note_document(one)
    if not isinstance(document, dict):
        return
    for name, value in document.items():
        if name in NAMES or (name == "key" and str(value).startswith("pst_")):
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, str):
                    note(one.partition("#")[2] or one)  # of a link, the token
                if isinstance(one, str) and name == "codes":
                    note(one.replace("-", ""))  # as the server spells a recovery code
        else:
            note_document(value)


def note_files(data):
    """The master key, and the lines of the certificate's private key."""
    key = pathlib.Path(data, "master.key")
    if key.exists():
        note(key.read_text().strip())
    pem = pathlib.Path(data, "tls", "key.pem")
    if pem.exists():
        note(*[line for line in pem.read_text().splitlines() if len(line) >= 40 and not line.startswith("-")])


def read_all(path):
    """Every reading route without a parameter, over the management socket: the answers in one text."""
    class Local(http.client.HTTPConnection):
        def connect(self):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(20)
            self.sock.connect(path)

    def get(target):
        connection = Local("postern")
        connection.request("GET", target)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def take(target):
        status, text = get(target)
        texts.append(f"{status} {target}\n{text}\n")

    tenants = [one["name"] for one in json.loads(get("/v1/tenants")[1]).get("items", [])][:3]
    texts = []
    for target, ways in json.loads(get("/v1/openapi.json")[1])["paths"].items():
        if "get" not in ways or "{" in target:
            continue
        take(target)
        for tenant in tenants:
            take(f"{target}?tenant={tenant}")
    return "".join(texts)


def take_answers(server):
    """Before the server ends: its metrics, and what its API still tells."""
    where = directory()
    if where is None:
        return
    server.leftovers = pathlib.Path(tempfile.mkdtemp(prefix=server.hostname + "-", dir=where))
    try:
        connection = http.client.HTTPConnection("127.0.0.1", server.ports["metrics"], timeout=20)
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        head = f"{answer.status} /metrics\n".encode()
        (server.leftovers / "metrics").write_bytes(head + answer.read())
        connection.close()
        answers = read_all(os.path.join(server.data, "postern.sock"))
        (server.leftovers / "answers").write_text(answers, encoding="utf-8")
    except (OSError, ValueError, http.client.HTTPException, KeyError) as error:
        # A test may have killed it, taken its disk or its sockets away.
        (server.leftovers / "without-answers").write_text(repr(error))


def take_files(server):
    """After its end: the log and the databases; what the log still has to be written is there then."""
    where = getattr(server, "leftovers", None)
    if where is None:
        return
    log = pathlib.Path(server.log_path)
    for path in [log, *sorted(pathlib.Path(server.data).glob("*.db*"))]:
        if not path.exists():
            continue
        if path.stat().st_size <= KEPT:
            shutil.copyfile(path, where / path.name)
        else:
            with open(path, "rb") as source, open(where / path.name, "wb") as copy:
                copy.write(source.read(KEPT))


def rows(path):
    """A database's values, so that what spans two pages of the file is whole. The files stay as they are."""
    with tempfile.TemporaryDirectory() as scratch:
        for suffix in ("", "-wal"):
            if os.path.exists(path + suffix):
                shutil.copyfile(path + suffix, os.path.join(scratch, "x.db" + suffix))
        database = sqlite3.connect(os.path.join(scratch, "x.db"))
        try:
            yield from values(database)
        finally:
            database.close()


def values(database):
    tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        for row in database.execute(f'SELECT * FROM "{table}"'):
            for value in row:
                if isinstance(value, (str, bytes)):
                    yield value.encode() if isinstance(value, str) else value
