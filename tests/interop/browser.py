"""Chromium without a screen, with authenticators of its own for passkeys (the DevTools protocol's WebAuthn domain).

    with Browser(server.certificate()) as browser:
        browser.open(f"https://localhost:{port}/sign-in#{token}")
        browser.click("Sign in")
        browser.wait_for_text("You are signed in")

Buttons and fields are found as people find them: what isn't visible isn't there. Every wait is bounded. What the page
complains about (an error in the console, an exception, something that its Content-Security-Policy forbids) fails the
test when the browser closes, unless the test takes it with `take_complaints()`.

The protocol goes over two pipes rather than a WebSocket: there is no port to find and no library to install, and the
browser ends with them, however the test ends.
"""
import base64
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import time

from harness import wait_until

PROGRAM = "chromium-headless-shell"
SECONDS = 20.0  # for one answer; a page's own time limits are longer, so a test sees this one
FINDER = """
const seen = (selector) => [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility());
const only = (found, what) => {
  if (found.length > 1) throw new Error(`${found.length} visible: ${what}`);
  return found[0];
};
const button = (label) => only(seen("button, a[href], [role=button]").filter(
  (one) => one.innerText.trim() === label), label);
const field = (name) => only(seen(`[name="${CSS.escape(name)}"]`), name);
"""


class ScriptError(Exception):
    """What a script threw; `name` is the error's: "NotAllowedError"."""

    def __init__(self, details):
        text = details.get("exception", {}).get("description", details["text"])
        super().__init__(text)
        self.name = text.partition(":")[0]


class Refused(Exception):
    """The browser doesn't do this, or not now: the page may be going away."""


def spki_hash(certificate):
    """Of a PEM file: how Chromium is told to believe this very key, whoever signed it and whatever name it has."""
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-pubkey"], capture_output=True, check=True,
                         timeout=20).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=key, capture_output=True, check=True,
                         timeout=20).stdout
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-binary"], input=der, capture_output=True, check=True,
                            timeout=20).stdout
    return base64.b64encode(digest).decode()


class Browser:
    """One browser with one page, an empty profile, and no way to any host but this one."""

    def __init__(self, certificate):
        """`certificate`: the PEM file of the server whose pages are opened."""
        self.certificate = certificate
        self.process = None
        self.complaints = []
        self.requests = []  # method and address of each, pages and scripts too
        self.loaded = set()
        self.number = 0
        self.pending = b""

    def __enter__(self):
        program = shutil.which(PROGRAM)
        if program is None:
            raise AssertionError(f"{PROGRAM} isn't installed: run deploy/install-deps --tests")
        self.directory = tempfile.mkdtemp(prefix="postern-browser-")
        try:
            self.start(program)
            self.attach()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, *_):
        try:
            # They come without being asked for, but before any later answer.
            if kind is None:
                self.run_script("() => 0")
        finally:
            self.close()
        if kind is None and self.complaints:
            raise AssertionError("the page complained:\n" + "\n".join(self.complaints))

    def start(self, program):
        arguments = [
            "--no-sandbox",  # it refuses to have one as root
            "--disable-gpu", "--hide-scrollbars", "--window-size=1000,800", "--no-first-run",
            "--disable-background-networking", "--disable-component-update",
            f"--user-data-dir={self.directory}/profile",
            f"--ignore-certificate-errors-spki-list={spki_hash(self.certificate)}",
            "--host-resolver-rules=MAP localhost 127.0.0.1,MAP * ~NOTFOUND,EXCLUDE 127.0.0.1",
            "--remote-debugging-pipe"]
        theirs, self.writing = os.pipe()
        self.reading, theirs_too = os.pipe()
        # It reads from 3 and writes to 4. The last of four new descriptors is neither, so nothing is overwritten.
        redirected = f'exec "$@" 3<&{theirs} 4>&{theirs_too}'
        with open(f"{self.directory}/log", "wb") as log:
            self.process = subprocess.Popen(["bash", "-c", redirected, "bash", program, *arguments], stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                                            pass_fds=(theirs, theirs_too),
                                            env={**os.environ, "HOME": self.directory})
        os.close(theirs)
        os.close(theirs_too)

    def attach(self):
        self.session = None
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "WebAuthn"):
            self.command(f"{domain}.enable")
        self.command("Page.setLifecycleEventsEnabled", enabled=True)

    def close(self):
        if self.process is not None:
            os.close(self.writing)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                pass
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # all of them have ended
            self.process.wait(10)
            os.close(self.reading)
            self.process = None
        shutil.rmtree(self.directory, ignore_errors=True)

    # The protocol.
    def command(self, method, **parameters):
        """The answer; what else comes before it is noted."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        try:
            os.write(self.writing, json.dumps(message).encode() + b"\0")
        except BrokenPipeError:
            raise AssertionError(f"the browser ended: {method}\n{self.read_log()}") from None
        deadline = time.monotonic() + SECONDS
        while True:
            answer = self.receive(deadline, method)
            if answer.get("id") != self.number:
                continue
            if "error" in answer:
                raise Refused(f"{method}: {answer['error']['message']}")
            return answer["result"]

    def receive(self, deadline, what):
        while b"\0" not in self.pending:
            ready, _, _ = select.select([self.reading], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"timed out after {SECONDS} s: {what}\n{self.read_log()}")
            got = os.read(self.reading, 1 << 16)
            if not got:
                raise AssertionError(f"the browser ended: {what}\n{self.read_log()}")
            self.pending += got
        first, self.pending = self.pending.split(b"\0", 1)
        message = json.loads(first)
        if "method" in message:
            self.note(message["method"], message["params"])
        return message

    def note(self, event, about):
        if event == "Log.entryAdded":
            entry = about["entry"]
            # An API's refusal is an error of the network's to the console, and a test's own business.
            refusal = entry["source"] == "network" and "/v1/" in entry.get("url", "")
            if entry["source"] == "security" or entry["level"] == "error" and not refusal:
                self.complaints.append(f"{entry['source']}: {entry['text']}")
        elif event == "Runtime.consoleAPICalled" and about["type"] in ("error", "assert"):
            words = [str(one.get("value", one.get("description"))) for one in about["args"]]
            self.complaints.append("console: " + " ".join(words))
        elif event == "Runtime.exceptionThrown":
            self.complaints.append(f"exception: {ScriptError(about['exceptionDetails'])}")
        elif event == "Network.requestWillBeSent":
            self.requests.append((about["request"]["method"], about["request"]["url"]))
        elif event == "Page.lifecycleEvent" and about["name"] == "load":
            self.loaded.add(about["loaderId"])

    def read_log(self):
        return pathlib.Path(self.directory, "log").read_text(errors="replace")[-4000:]

    def take_complaints(self):
        """What the page complained about so far; it fails no test any more."""
        self.run_script("() => 0")
        taken, self.complaints = self.complaints, []
        return taken

    # Pages.
    def open(self, url):
        """Returns when it is loaded. An address that differs in the fragment only is opened anew too."""
        self.command("Page.navigate", url="about:blank")
        started = self.command("Page.navigate", url=url)
        if "errorText" in started:
            raise AssertionError(f"{url}: {started['errorText']}")
        deadline = time.monotonic() + SECONDS
        while started["loaderId"] not in self.loaded:
            self.receive(deadline, f"{url} is loaded")

    def run_script(self, function, *arguments):
        """What a JavaScript function gives, or its promise does. ScriptError."""
        answer = self.command("Runtime.evaluate", expression=f"({function})(...{json.dumps(arguments)})",
                              awaitPromise=True, returnByValue=True, userGesture=True)
        if "exceptionDetails" in answer:
            raise ScriptError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def wait_for(self, function, *arguments, what):
        """Until the function gives something true, which is returned."""
        def look():
            try:
                return self.run_script(function, *arguments)
            except Refused:  # between two pages
                return None
        try:
            return wait_until(look, what, SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}; at {self.url()}:\n{self.text()}") from None

    def url(self):
        return self.run_script("() => location.href")

    def text(self):
        """As it is seen."""
        return self.run_script("() => document.body?.innerText ?? ''")

    def wait_for_text(self, text):
        self.wait_for("(text) => document.body?.innerText.includes(text)", text, what=f"the page says {text!r}")

    def click(self, label):
        """The visible button or link with just this text, once it is enabled and nothing covers it."""
        self.press("button", label)

    def fill(self, name, text):
        """Types into the visible field of this name, instead of what was there."""
        self.press("field", name)
        self.run_script(f"(name) => {{ {FINDER} field(name).select(); }}", name)
        self.command("Input.insertText", text=text)

    def press(self, kind, name):
        place = self.wait_for(f"""(name) => {{
            {FINDER}
            const one = {kind}(name);
            if (!one || one.disabled) return null;
            one.scrollIntoView({{ block: "center", behavior: "instant" }});
            const box = one.getBoundingClientRect();
            const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
            return one.contains(document.elementFromPoint(x, y)) && {{ x, y }};
        }}""", name, what=f"a {kind} {name!r} to click on")
        for event in ("mousePressed", "mouseReleased"):
            self.command("Input.dispatchMouseEvent", type=event, button="left", clickCount=1, **place)

    def wrong_field(self):
        """The name of the visible field that is marked as wrong."""
        return self.run_script(f"() => {{ {FINDER} return only(seen('[aria-invalid=true]'), 'wrong field')?.name; }}")

    def screenshot(self, path):
        picture = self.command("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(picture))

    # Passkeys.
    def add_authenticator(self, **more):
        """Its id. It has a finger on it already, and the finger is the right one; `more` says otherwise (the
        members of VirtualAuthenticatorOptions)."""
        options = {"protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal", "hasResidentKey": True,
                   "hasUserVerification": True, "isUserVerified": True, **more}
        return self.command("WebAuthn.addVirtualAuthenticator", options=options)["authenticatorId"]

    def remove_authenticator(self, authenticator):
        self.command("WebAuthn.removeVirtualAuthenticator", authenticatorId=authenticator)

    def set_user_verified(self, authenticator, verified):
        self.command("WebAuthn.setUserVerified", authenticatorId=authenticator, isUserVerified=verified)

    def passkeys_of(self, authenticator):
        """With their private keys and counters, as put_passkeys() takes them."""
        return self.command("WebAuthn.getCredentials", authenticatorId=authenticator)["credentials"]

    def put_passkeys(self, authenticator, passkeys):
        for passkey in passkeys:
            self.command("WebAuthn.addCredential", authenticatorId=authenticator, credential=passkey)

    def create_passkey(self, options):
        """From PublicKeyCredentialCreationOptionsJSON, the RegistrationResponseJSON. ScriptError."""
        return self.run_script("""(options) => navigator.credentials.create(
            { publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }).then((made) => made.toJSON())""",
                               options)

    def use_passkey(self, options):
        """From PublicKeyCredentialRequestOptionsJSON, the AuthenticationResponseJSON. ScriptError."""
        return self.run_script("""(options) => navigator.credentials.get(
            { publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }).then((used) => used.toJSON())""",
                               options)
