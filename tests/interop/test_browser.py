"""Passkeys as a browser makes and uses them: Chromium with an authenticator of its own takes the options that the API
gave as they are, by the standard's own functions (WebAuthn Level 3 §5.1.8 to §5.1.10), and the API gets what comes of
it. Only navigator.credentials runs in the browser; the API's other calls are Python's."""
import contextlib
import sqlite3

from browser import Browser, ScriptError
from harness import free_ports, main, port_open, wait_until
from test_front_door import Caller, House


class InBrowser(House):
    """A server that the browser knows as https://localhost:PORT, and by a second port as somebody else."""

    @classmethod
    def settings(cls):
        cls.other_port, = free_ports(1)
        return (f'[web]\naddress_requests = 100000\npublic_url = "https://localhost:{cls.port}"\n'
                f'[[listen]]\nkind = "https"\naddress = "127.0.0.1:{cls.other_port}"\n')

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        wait_until(lambda: port_open(cls.other_port), "the second https listener")
        cls.home = f"https://localhost:{cls.port}"

    def setUp(self):
        super().setUp()
        self.browser = self.enterContext(Browser(f"{self.server.data}/tls/certificate.pem"))


class Passkeys(InBrowser):
    def setUp(self):
        super().setUp()
        self.browser.open(f"{self.home}/healthz")

    def begin(self, caller, path, **changes):
        """A ceremony's name and its options."""
        begun = caller.post(f"{path}/options")
        self.assertEqual(begun.status, 200, begun.raw)
        return begun.json["flow"], {**begun.json["options"], **changes}

    def begin_registration(self, caller, **selection):
        flow, options = self.begin(caller, "/v1/me/passkeys")
        options["authenticatorSelection"].update(selection)
        return flow, options

    def begin_sign_in(self, caller=None, **changes):
        return self.begin(caller or Caller(self.port), "/v1/session/passkey", **changes)

    def hand_in(self, caller, flow, made):
        return caller.post("/v1/me/passkeys", {"flow": flow, "label": "Laptop",
                                               "client_data_json": made["response"]["clientDataJSON"],
                                               "attestation_object": made["response"]["attestationObject"],
                                               "transports": made["response"]["transports"]})

    def proof(self, flow, used):
        return {"flow": flow, "credential_id": used["id"], "client_data_json": used["response"]["clientDataJSON"],
                "authenticator_data": used["response"]["authenticatorData"],
                "signature": used["response"]["signature"], "user_handle": used["response"]["userHandle"]}

    def register(self, caller):
        flow, options = self.begin_registration(caller)
        made = self.browser.create_passkey(options)
        answer = self.hand_in(caller, flow, made)
        self.assertEqual(answer.status, 201, answer.raw)
        self.assertEqual(answer.json["id"], made["id"])
        return answer.json

    def sign_in_with_passkey(self, caller):
        flow, options = self.begin_sign_in(caller)
        return caller.post("/v1/session/passkey", self.proof(flow, self.browser.use_passkey(options)))

    def assert_browser_refuses(self, name, function, options):
        with self.assertRaises(ScriptError) as caught:
            function(options)
        self.assertEqual(caught.exception.name, name)

    # Registration.
    def test_passkey_made_from_the_options_as_they_are_is_accepted_and_listed(self):
        ann = self.person()
        self.browser.add_authenticator()
        made = self.register(ann)
        self.assertEqual((made["label"], made["backed_up"]), ("Laptop", False))
        self.assertEqual([one["id"] for one in ann.get("/v1/me/passkeys").json["items"]], [made["id"]])

    def test_passkey_that_is_synchronised_is_known_as_that(self):
        self.browser.add_authenticator(defaultBackupEligibility=True, defaultBackupState=True)
        ann = self.person()
        self.assertTrue(self.register(ann)["backed_up"])
        self.assertEqual(self.sign_in_with_passkey(Caller(self.port)).status, 201)

    def test_security_key_by_usb_is_accepted_as_well(self):
        self.browser.add_authenticator(transport="usb")
        self.register(self.person())
        self.assertEqual(self.sign_in_with_passkey(Caller(self.port)).status, 201)

    def test_authenticator_that_is_registered_already_is_not_registered_twice(self):
        ann = self.person()
        self.browser.add_authenticator()
        self.register(ann)
        _, options = self.begin_registration(ann)
        self.assertEqual(options["excludeCredentials"][0]["transports"], ["internal"])
        self.assert_browser_refuses("InvalidStateError", self.browser.create_passkey, options)

    def test_transport_that_can_be_none_is_refused_by_name(self):
        ann = self.person()
        self.browser.add_authenticator()
        for transports in (["USB"], ["usb,ble"], [""], ["usb"] * 26):
            flow, options = self.begin_registration(ann)
            made = self.browser.create_passkey(options)
            made["response"]["transports"] = transports
            answer = self.hand_in(ann, flow, made)
            self.assertEqual((answer.status, answer.json.get("field")), (400, "transports"), transports)

    def test_registration_is_good_for_one_answer(self):
        ann = self.person()
        self.browser.add_authenticator()
        flow, options = self.begin_registration(ann)
        made = self.browser.create_passkey(options)
        self.assertEqual(self.hand_in(ann, flow, made).status, 201)
        self.assertEqual(self.hand_in(ann, flow, made).json["field"], "flow")

    # Sign-in.
    def test_passkey_alone_signs_in_without_a_name(self):
        ann = self.person()
        self.browser.add_authenticator()
        made = self.register(ann)
        stranger = Caller(self.port)
        answer = self.sign_in_with_passkey(stranger)
        self.assertEqual((answer.status, answer.json["sign_in"]), (201, "whole"), answer.raw)
        self.assertEqual(stranger.get("/v1/session").json["email"], self.ann)
        self.assertEqual(stranger.get("/v1/domains").status, 200)
        used, = stranger.get("/v1/me/passkeys").json["items"]
        self.assertEqual(used["id"], made["id"])
        self.assertIsNotNone(used["last_used_at"])

    def test_passkey_that_was_removed_signs_in_no_more(self):
        ann = self.person()
        self.browser.add_authenticator()
        made = self.register(ann)
        self.assertEqual(ann.delete(f"/v1/me/passkeys/{made['id']}").status, 204)
        self.assertEqual(self.sign_in_with_passkey(Caller(self.port)).status, 401)

    def test_assertion_is_good_for_one_sign_in(self):
        self.browser.add_authenticator()
        self.register(self.person())
        flow, options = self.begin_sign_in()
        used = self.browser.use_passkey(options)
        self.assertEqual(Caller(self.port).post("/v1/session/passkey", self.proof(flow, used)).status, 201)
        self.assertEqual(Caller(self.port).post("/v1/session/passkey", self.proof(flow, used)).status, 401)
        another, _ = self.begin_sign_in()
        self.assertEqual(Caller(self.port).post("/v1/session/passkey", self.proof(another, used)).status, 401)

    def test_copy_of_a_passkey_is_refused_by_its_counter(self):
        original = self.browser.add_authenticator()
        self.register(self.person())
        held = self.browser.passkeys_of(original)
        self.assertEqual(self.sign_in_with_passkey(Caller(self.port)).status, 201)
        self.browser.remove_authenticator(original)
        self.browser.put_passkeys(self.browser.add_authenticator(), held)
        self.assertEqual(self.sign_in_with_passkey(Caller(self.port)).status, 401)

    # User verification: a passkey stands for two factors only with it.
    def test_browser_makes_no_passkey_where_nobody_can_be_verified(self):
        _, options = self.begin_registration(self.person())
        self.browser.add_authenticator(hasUserVerification=False, isUserVerified=False)
        self.assert_browser_refuses("NotAllowedError", self.browser.create_passkey, options)

    def test_browser_uses_no_passkey_when_the_finger_is_a_wrong_one(self):
        authenticator = self.browser.add_authenticator()
        self.register(self.person())
        self.browser.set_user_verified(authenticator, False)
        _, options = self.begin_sign_in()
        self.assert_browser_refuses("NotAllowedError", self.browser.use_passkey, options)

    def test_registration_without_verification_is_refused_when_a_page_asked_for_none(self):
        ann = self.person()
        self.browser.add_authenticator(hasUserVerification=False, isUserVerified=False)
        flow, options = self.begin_registration(ann, userVerification="discouraged")
        answer = self.hand_in(ann, flow, self.browser.create_passkey(options))
        self.assertEqual(answer.status, 400, answer.raw)
        self.assertEqual(ann.get("/v1/me/passkeys").json["items"], [])

    def test_sign_in_without_verification_is_refused_when_a_page_asked_for_none(self):
        authenticator = self.browser.add_authenticator()
        self.register(self.person())
        self.browser.set_user_verified(authenticator, False)
        flow, options = self.begin_sign_in(userVerification="discouraged")
        used = self.browser.use_passkey(options)
        self.assertEqual(Caller(self.port).post("/v1/session/passkey", self.proof(flow, used)).status, 401)

    # The second factor.
    def test_passkey_is_asked_for_after_the_password(self):
        self.browser.add_authenticator()
        self.register(self.person())
        half = Caller(self.port)
        self.assertEqual(self.sign_in(half, self.ann).json["sign_in"], "half")
        self.assertEqual(half.get("/v1/domains").status, 403)
        whole = self.sign_in_with_passkey(half)
        self.assertEqual((whole.status, whole.json["sign_in"]), (201, "whole"), whole.raw)
        self.assertEqual(half.get("/v1/domains").status, 200)

    def test_passkey_of_somebody_else_is_no_second_factor(self):
        bob, ann = self.person(f"bob@{self.domain}"), self.person()
        bobs = self.browser.add_authenticator()
        self.register(bob)
        self.browser.remove_authenticator(bobs)
        self.browser.add_authenticator()
        self.register(ann)
        half = Caller(self.port)
        self.sign_in(half, f"bob@{self.domain}")
        self.assertEqual(self.sign_in_with_passkey(half).status, 401)
        self.assertEqual(half.get("/v1/domains").status, 403)

    def test_call_that_needs_a_fresh_factor_goes_on_after_a_passkey(self):
        ann = self.person()
        self.server.cli("domain", "add", self.domain, "--tenant", self.tenant)
        self.browser.add_authenticator()
        self.register(ann)
        self.pass_minutes(6)
        refused = ann.delete(f"/v1/domains/{self.domain}")
        self.assertEqual((refused.status, refused.headers["Postern-Step-Up"]), (403, "required"))
        before = dict(ann.cookies)
        self.assertEqual(self.sign_in_with_passkey(ann).status, 201)
        self.assertEqual(ann.delete(f"/v1/domains/{self.domain}").status, 204)
        stale = Caller(self.port)
        stale.cookies = before
        self.assertEqual(stale.get("/v1/session").status, 401)

    def pass_minutes(self, minutes):
        """Since the second factors of all sessions: the server has no other clock than the machine's."""
        self.server.stop()
        with contextlib.closing(sqlite3.connect(f"{self.server.data}/control.db")) as database:
            database.execute("UPDATE web_sessions SET verified_at = verified_at - ?", (minutes * 60 * 1000000,))
            database.commit()
        self.server.start()
        wait_until(lambda: port_open(self.port), "the https listener")

    # Other origins.
    def test_passkey_made_at_another_port_is_refused(self):
        ann = self.person()
        self.browser.add_authenticator()
        self.browser.open(f"https://localhost:{self.other_port}/healthz")
        flow, options = self.begin_registration(ann)
        answer = self.hand_in(ann, flow, self.browser.create_passkey(options))
        self.assertEqual(answer.status, 400, answer.raw)

    def test_assertion_made_at_another_port_is_refused(self):
        self.browser.add_authenticator()
        self.register(self.person())
        self.browser.open(f"https://localhost:{self.other_port}/healthz")
        flow, options = self.begin_sign_in()
        used = self.browser.use_passkey(options)
        self.assertEqual(Caller(self.port).post("/v1/session/passkey", self.proof(flow, used)).status, 401)

    def test_browser_gives_nothing_to_another_host(self):
        ann = self.person()
        self.browser.add_authenticator()
        self.register(ann)
        self.browser.open(f"https://127.0.0.1:{self.port}/healthz")
        _, options = self.begin_sign_in()
        self.assert_browser_refuses("SecurityError", self.browser.use_passkey, options)
        _, options = self.begin_registration(ann)
        self.assert_browser_refuses("SecurityError", self.browser.create_passkey, options)


class Complaints(InBrowser):
    def test_what_the_policy_of_a_page_forbids_is_noticed(self):
        self.browser.open(f"{self.home}/healthz")
        self.assertEqual(self.browser.take_complaints(), [])
        self.browser.run_script("() => document.body.setAttribute('onclick', 'document.title = 1')")
        self.browser.run_script("() => fetch('/readyz').catch(() => 0)")
        forbidden = "\n".join(self.browser.take_complaints())
        self.assertIn("inline event handler", forbidden)
        self.assertIn("/readyz", forbidden)


if __name__ == "__main__":
    main()
