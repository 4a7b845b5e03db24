"""A hosted domain's DNS records drift and come back: NSD serves them, the owner reads her mail over IMAP with Python's
imaplib, and the API and the audit trail say the same."""
import http.client
import imaplib
import smtplib

from harness import main, unverified, wait_until, zone_text
from test_front_door import House

MAIL_PASSWORD = "mail password"


class Drift(House):
    EXTRA = '[web]\naddress_requests = 100000\n[domains]\ncheck_every = "2s"\nrecheck_after = "1s"\n'
    TTL = 1  # seconds: little has to wait for a cache

    def setUp(self):
        super().setUp()
        # The mailbox is in another domain than the one that drifts.
        self.box = f"owner@mail-{self.domain}"
        self.server.add_account(self.box, MAIL_PASSWORD, tenant=self.tenant)
        self.person(self.box, role="owner")
        self.made = self.server.cli("domain", "add", self.domain, "--tenant", self.tenant)
        self.reader = self.caller("domain.*", "audit.read")
        self.nsd.zones[f"mail-{self.domain}"] = "mx IN A 127.0.0.1"  # and none of what it should have
        self.serve(self.made["records"])

    def serve(self, records):
        self.nsd.zones[self.domain] = zone_text({"records": records}, self.TTL)
        self.nsd.restart()

    def shown(self):
        return self.reader.get(f"/v1/domains/{self.domain}").json

    def trail(self):
        items = self.reader.get("/v1/audit").json["items"]
        return [(r["action"], r["details"]) for r in items
                if r["action"].startswith("domain.drift") and r["target"] == f"domain:{self.domain}"]

    def metric(self, name):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.ports["metrics"], timeout=20)
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
        connection.close()
        value, = [line.split()[1] for line in lines if line.startswith(name + " ")]
        return int(value)

    def mails(self, subject):
        client = imaplib.IMAP4_SSL("127.0.0.1", self.server.ports["imaps"], ssl_context=unverified(), timeout=30)
        client.login(self.box, MAIL_PASSWORD)
        client.select("INBOX", readonly=True)
        _, found = client.search(None, "SUBJECT", f'"{subject}"')
        texts = []
        for number in found[0].split():
            _, parts = client.fetch(number, "(BODY[])")
            texts.append(parts[0][1].decode().replace("=\r\n", "").replace("=3D", "="))
        client.logout()
        return texts

    def wait_until_seen_good(self):
        def good():
            checked = self.reader.post(f"/v1/domains/{self.domain}/check").json
            return checked["ok"] and not checked["drifted"]
        wait_until(good, "all records are seen", seconds=60)

    def assert_mail_goes_on(self):
        self.server.cli("account", "add", f"x@{self.domain}", stdin="Drifting-Kelp-73-Lantern\n")
        with smtplib.SMTP("127.0.0.1", self.server.ports["mx"], timeout=30) as client:
            refused = client.sendmail("joe@elsewhere.example", [f"x@{self.domain}"],
                                      "From: joe@elsewhere.example\r\nSubject: still\r\n\r\nhere\r\n")
        self.assertEqual(refused, {})

    def test_lost_record_is_noticed_and_told_and_so_is_its_return(self):
        self.wait_until_seen_good()
        before = self.shown()
        self.assertEqual((before["drifted"], before["drift"]), (False, []))
        self.serve([r for r in self.made["records"] if r["purpose"] != "spf"])
        drifted = wait_until(lambda: (now := self.shown())["drifted"] and now, "drift is noticed", seconds=60)
        drift, = drifted["drift"]
        self.assertEqual((drift["purpose"], drift["name"], drift["status"]), ("spf", self.domain + ".", "missing"))
        self.assertTrue(drift["since"])
        listed = {d["domain"]: d["drifted"] for d in self.reader.get("/v1/domains").json["items"]}
        self.assertEqual(listed, {self.domain: True, f"mail-{self.domain}": False})
        (action, details), = self.trail()
        self.assertEqual((action, details["purpose"], details["found"]), ("domain.drift", "spf", ""))
        mail, = wait_until(lambda: self.mails("as they should be"), "the owner's mail", seconds=60)
        self.assertIn("wanted: v=spf1 mx -all", mail)
        self.assertIn("found:  nothing", mail)
        wait_until(lambda: self.metric("postern_domains_drifted") == 1, "the gauge says so")
        self.assert_mail_goes_on()

        self.serve(self.made["records"])
        wait_until(lambda: not self.shown()["drifted"], "drift ends", seconds=60)
        self.assertEqual(self.shown()["drift"], [])
        self.assertEqual([action for action, _ in self.trail()], ["domain.drift_ended", "domain.drift"])
        mail, = wait_until(lambda: self.mails("right again"), "the owner's second mail", seconds=60)
        self.assertIn(f"TXT record of {self.domain} (spf)", mail)
        wait_until(lambda: self.metric("postern_domains_drifted") == 0, "the gauge says so")
        self.assertTrue(self.server.cli("audit", "verify")["sound"])
        self.assertEqual(len(self.mails("as they should be")), 1)

    def test_dead_dns_and_unpublished_records_are_no_drift(self):
        # mail-DOMAIN never had its records; DOMAIN has, until nobody answers.
        self.wait_until_seen_good()
        self.nsd.stop()
        failed = self.metric("postern_domain_checks_failed_total")
        wait_until(lambda: self.metric("postern_domain_checks_failed_total") >= failed + 4, "looks that fail",
                   seconds=90)
        self.assertEqual((self.shown()["drifted"], self.trail()), (False, []))
        self.nsd.__enter__()


if __name__ == "__main__":
    main()
