"""The pages that mailed links lead to, as somebody with a browser meets them: the links come from the mails."""
import imaplib
import re

from harness import main, unverified, wait_until
from test_browser import InBrowser
from test_front_door import Caller, PASSWORD, OTHER_PASSWORD, totp

MAIL_PASSWORD = "mail of house and garden"


class Pages(InBrowser):
    @classmethod
    def settings(cls):
        return super().settings().replace("[web]\n", "[web]\nsign_up = true\n")

    def link_for(self, address, subject):
        """The link in the mail to a mailbox of ours, once it is there."""
        def look():
            client = imaplib.IMAP4_SSL("127.0.0.1", self.server.ports["imaps"], ssl_context=unverified())
            client.login(address, MAIL_PASSWORD)
            client.select("INBOX")
            _, found = client.search(None, "SUBJECT", f'"{subject}"')
            text = client.fetch(found[0].split()[-1], "(BODY[])")[1][0][1].decode() if found[0] else ""
            client.logout()
            link = re.search(r"https://\S+#\S+", text.replace("=\r\n", "").replace("=3D", "="))
            return link and link.group()
        return wait_until(look, f"a mail about {subject}")

    def open_link(self, link, heading):
        """The secret leaves the address bar at once, and was in no request."""
        self.browser.open(link)
        self.browser.wait_for_text(heading)
        address, secret = link.split("#")
        self.assertEqual(self.browser.url(), address)
        self.assertFalse([url for _, url in self.browser.requests if secret in url])

    def ask(self, page, button):
        self.browser.open(f"{self.home}/{page}")
        if page == "sign-in":
            self.browser.click("Sign in without a password")
        self.browser.fill("email", self.ann)
        self.browser.click(button)
        self.browser.wait_for_text("Look into your mail")

    def ann_with_mail(self, role="viewer"):
        self.server.add_account(self.ann, MAIL_PASSWORD, tenant=self.tenant)
        return self.person(role=role)

    def sees_signed_in(self):
        self.browser.wait_for_text("You are signed in")
        self.assertIn(self.ann, self.browser.text())
        self.assertIn(self.tenant, self.browser.text())

    def test_sign_in_link_is_asked_for_opened_and_spent(self):
        self.ann_with_mail()
        self.ask("sign-in", "Email me a sign-in link")
        link = self.link_for(self.ann, "sign-in link")
        self.open_link(link, "Go on to sign in")
        self.browser.click("Sign in")
        self.sees_signed_in()
        self.browser.click("Sign out")
        self.browser.wait_for_text("You are signed out")
        self.open_link(link, "Go on to sign in")
        self.browser.click("Sign in")
        self.browser.wait_for_text("This link doesn't work any more")
        self.browser.click("Go on without it")
        self.browser.wait_for_text("Sign in without a password")

    def test_looking_at_a_link_without_a_press_spends_nothing(self):
        link = self.server.cli("person", "add", self.ann, "--tenant", self.tenant, "--role", "viewer")["sign_in_link"]
        self.open_link(link, "Go on to sign in")
        self.open_link(link, "Go on to sign in")
        self.browser.click("Sign in")
        self.sees_signed_in()

    def test_link_pasted_into_the_open_page_is_taken(self):
        link = self.server.cli("person", "add", self.ann, "--tenant", self.tenant, "--role", "viewer")["sign_in_link"]
        self.browser.open(f"{self.home}/sign-in")
        self.browser.wait_for_text("Sign in without a password")
        self.browser.run_script("(link) => { location.href = link; }", link)
        self.browser.wait_for_text("Go on to sign in")
        self.browser.click("Sign in")
        self.sees_signed_in()

    def test_link_works_beside_a_session_that_is_open(self):
        links = [self.server.cli("person", "add", f"{name}@{self.domain}", "--tenant", self.tenant, "--role",
                                 "viewer")["sign_in_link"] for name in ("bob", "ann")]
        for link in links:
            self.open_link(link, "Go on to sign in")
            self.browser.click("Sign in")
            self.browser.wait_for_text("You are signed in")
        self.sees_signed_in()

    def test_second_factor_is_asked_for_by_code(self):
        ann = self.ann_with_mail()
        secret = ann.post("/v1/me/totp").json["secret"]
        self.assertEqual(ann.post("/v1/me/totp/confirm", {"secret": secret, "code": totp(secret)}).status, 204)
        codes = ann.post("/v1/me/recovery-codes").json["codes"]
        self.ask("sign-in", "Email me a sign-in link")
        self.open_link(self.link_for(self.ann, "sign-in link"), "Go on to sign in")
        self.browser.click("Sign in")
        self.browser.wait_for_text("Confirm that it is you")
        self.assertNotIn("Use a passkey", self.browser.text())
        self.browser.fill("code", "not a code")
        self.browser.click("Confirm")
        self.browser.wait_for_text("too many tries")
        self.assertNotIn("You are signed in", self.browser.text())
        self.browser.fill("code", codes[0])
        self.browser.click("Confirm")
        self.sees_signed_in()

    def test_code_of_an_app_is_taken_as_apps_show_it(self):
        ann = self.person(role="viewer")
        secret = ann.post("/v1/me/totp").json["secret"]
        self.assertEqual(ann.post("/v1/me/totp/confirm", {"secret": secret, "code": totp(secret)}).status, 204)
        self.browser.open(f"{self.home}/sign-in")
        self.browser.fill("email", self.ann)
        self.browser.fill("password", PASSWORD)
        self.browser.click("Sign in")
        self.browser.wait_for_text("Confirm that it is you")
        code = totp(secret, "30 seconds")  # the one of now was for the set-up
        self.browser.fill("code", f"{code[:3]} {code[3:]}")
        self.browser.click("Confirm")
        self.sees_signed_in()

    def test_cookie_of_a_neighbour_keeps_nobody_from_signing_out(self):
        link = self.server.cli("person", "add", self.ann, "--tenant", self.tenant, "--role", "viewer")["sign_in_link"]
        self.open_link(link, "Go on to sign in")
        self.browser.run_script("() => { document.cookie = 'postern-csrf=of-a-neighbour; path=/sign-in'; }")
        self.browser.click("Sign in")
        self.sees_signed_in()
        self.browser.click("Sign out")
        self.browser.wait_for_text("You are signed out")

    def test_second_factor_is_a_passkey_where_there_is_one(self):
        ann = self.ann_with_mail()
        self.browser.open(f"{self.home}/healthz")
        self.browser.add_authenticator()
        begun = ann.post("/v1/me/passkeys/options").json
        made = self.browser.create_passkey(begun["options"])["response"]
        answer = ann.post("/v1/me/passkeys", {
            "flow": begun["flow"], "label": "Laptop", "client_data_json": made["clientDataJSON"],
            "attestation_object": made["attestationObject"]})
        self.assertEqual(answer.status, 201, answer.raw)
        self.ask("sign-in", "Email me a sign-in link")
        self.open_link(self.link_for(self.ann, "sign-in link"), "Go on to sign in")
        self.browser.click("Sign in")
        self.browser.wait_for_text("Confirm that it is you")
        self.browser.click("Use a passkey")
        self.sees_signed_in()

    def test_password_is_reset_and_a_weak_one_is_refused_at_the_field(self):
        self.ann_with_mail()
        self.ask("password-reset", "Email me a link")
        self.open_link(self.link_for(self.ann, "Reset"), "Choose a new password")
        self.browser.fill("password", "password1234")
        self.browser.click("Set the password")
        self.browser.wait_for("() => document.querySelector('[aria-invalid=true]') !== null",
                              what="the field that was wrong")
        self.assertEqual(self.browser.wrong_field(), "password")
        self.browser.fill("password", OTHER_PASSWORD)
        self.browser.click("Set the password")
        self.browser.wait_for_text("Your password is set")
        self.browser.click("Sign in")
        self.browser.wait_for_text("Sign in without a password")
        for password, answer in ((PASSWORD, "too many tries"), (OTHER_PASSWORD, "You are signed in")):
            self.browser.fill("email", self.ann)
            self.browser.fill("password", password)
            self.browser.click("Sign in")
            self.browser.wait_for_text(answer)
        self.sees_signed_in()

    def test_sign_up_makes_a_tenant_with_its_owner(self):
        self.server.add_account(self.ann, MAIL_PASSWORD, tenant=self.tenant)
        self.ask("sign-up", "Email me a link")
        self.open_link(self.link_for(self.ann, "sign-up"), "Finish your sign-up")
        self.browser.fill("tenant", self.tenant)  # there is one of this name
        self.browser.fill("name", "Ann")
        self.browser.fill("password", PASSWORD)
        self.browser.click("Sign up")
        self.browser.wait_for("() => document.querySelector('form:not([hidden]) [role=alert]').textContent !== ''",
                              what="what was wrong")
        self.browser.fill("tenant", f"{self.tenant}-own")
        self.browser.click("Sign up")
        self.sees_signed_in()
        self.assertIn(f"{self.tenant}-own", self.browser.text())

    def test_invitation_is_accepted(self):
        bob = self.person(f"bob@{self.domain}")
        self.server.add_account(self.ann, MAIL_PASSWORD, tenant=self.tenant)
        self.assertEqual(bob.post("/v1/invitations", {"email": self.ann, "role": "viewer"}).status, 201)
        self.open_link(self.link_for(self.ann, "invited"), "You are invited")
        self.browser.fill("name", "Ann")
        self.browser.fill("password", PASSWORD)
        self.browser.click("Accept")
        self.sees_signed_in()
        self.assertIn(self.ann, [person["email"] for person in bob.get("/v1/people").json["items"]])

    def test_server_that_does_not_answer_is_told_of(self):
        self.browser.open(f"{self.home}/password-reset")
        self.browser.fill("email", self.ann)
        self.server.stop()
        self.addCleanup(self.server.start)
        self.browser.click("Email me a link")
        self.browser.wait_for_text("That didn't work")


if __name__ == "__main__":
    main()
