#include "web/api/mail/dns_records.hpp"

#include <catch2/catch.hpp>

#include "tests/support/fake_resolver.hpp"
#include "tests/support/run_task.hpp"

using namespace postern;
using namespace postern::web::api;

namespace {

DnsRecord spf() { return {Purpose::spf, "a.example", dns::Type::txt, "v=spf1 mx -all"}; }
DnsRecord mx() { return {Purpose::mx, "a.example", dns::Type::mx, "10 mx.a.example"}; }

dns::Answer texts(std::vector<std::string> values) {
  dns::Answer answer;
  answer.status = values.empty() ? dns::Status::nxdomain : dns::Status::ok;
  answer.texts = std::move(values);
  return answer;
}

}  // namespace

TEST_CASE("zone_value_splits_long_texts_at_255") {
  const DnsRecord record{Purpose::dkim, "s._domainkey.a.example", dns::Type::txt,
                         std::string(300, 'k')};
  CHECK(zone_value(record) == '"' + std::string(255, 'k') + "\" \"" + std::string(45, 'k') + '"');
  CHECK(zone_value(mx()) == "10 mx.a.example.");
}

TEST_CASE("spf_is_ok_when_it_allows_us_and_maybe_others") {
  struct Case {
    std::vector<std::string> found;
    RecordStatus status;
  };
  for (const auto& [found, status] : {
           Case{{"v=spf1 mx -all"}, RecordStatus::ok},
           Case{{"V=SPF1 include:x.example MX ~all"}, RecordStatus::ok},
           Case{{"v=spf1 +mx -all"}, RecordStatus::ok},
           Case{{"v=spf1 -all mx"}, RecordStatus::different},
           Case{{"v=spf1 -mx -all"}, RecordStatus::different},
           Case{{"v=spf1 + mx"}, RecordStatus::ok},
           Case{{"v=spf1 include:x.example -all"}, RecordStatus::different},
           Case{{"v=spf1 mx -all", "v=spf1 a -all"}, RecordStatus::different},
           Case{{"unrelated"}, RecordStatus::missing},
           Case{{}, RecordStatus::missing},
       }) {
    CHECK(compare_record(spf(), texts(found)).status == status);
  }
}

TEST_CASE("dkim_key_spacing_does_not_matter_but_the_key_does") {
  const DnsRecord wanted{Purpose::dkim, "s._domainkey.a.example", dns::Type::txt,
                         "v=DKIM1; k=rsa; p=AAAA"};
  CHECK(compare_record(wanted, texts({"v=DKIM1;k=rsa;p=AA AA"})).status == RecordStatus::ok);
  CHECK(compare_record(wanted, texts({"v=DKIM1; k=rsa; p=BBBB"})).status ==
        RecordStatus::different);
}

TEST_CASE("mx_is_ok_with_any_preference_among_others") {
  dns::Answer answer;
  answer.status = dns::Status::ok;
  answer.mx = {{5, "backup.a.example"}, {20, "MX.a.example"}};
  CHECK(compare_record(mx(), answer).status == RecordStatus::ok);
  answer.mx = {{10, "other.example"}};
  CHECK(compare_record(mx(), answer).status == RecordStatus::different);
}

TEST_CASE("a_failed_look_up_is_unknown_not_missing") {
  dns::Answer answer;
  answer.status = dns::Status::temporary;
  CHECK(compare_record(spf(), answer).status == RecordStatus::unknown);
}

TEST_CASE("wanted_records_of_a_domain") {
  accounts::SigningKey key;
  key.selector = "s1";
  key.public_record = "v=DKIM1; k=ed25519; p=x";
  const auto records = wanted_records("a.example", "mx.host.example", {key});
  REQUIRE(records.size() == 4);
  CHECK(records[0].value == "10 mx.host.example");
  CHECK(records[2].name == "s1._domainkey.a.example");
  CHECK(records[3].name == "_dmarc.a.example");
}

TEST_CASE("records_of_a_domain_that_is_not_there_are_gone") {
  test::FakeResolver dns;
  accounts::SigningKey key;
  key.selector = "s1";
  key.public_record = "v=DKIM1; k=ed25519; p=x";
  const auto wanted = wanted_records("a.example", "mx.host.example", {key});
  const auto statuses = [&] {
    const auto checked = test::run_task(check_records(dns, wanted));
    std::vector<RecordStatus> out;
    out.reserve(checked.size());
    for (const auto& one : checked) out.push_back(one.status);
    return out;
  };
  CHECK(statuses() == std::vector(4, RecordStatus::gone));
  dns.add_a("a.example", "192.0.2.1");
  CHECK(statuses() == std::vector(4, RecordStatus::missing));
  dns.clear();
  dns.set_status("a.example", dns::Type::mx, dns::Status::temporary);
  CHECK(statuses() == std::vector{RecordStatus::unknown, RecordStatus::missing,
                                  RecordStatus::missing, RecordStatus::missing});
}

TEST_CASE("observations_are_of_all_records_but_the_proof") {
  dns::Answer answer = texts({"v=spf1 -all", "v=spf1\n+all"});
  answer.ttl = 77;
  const std::vector checked{compare_record(proof_record("a.example", "abc"), answer),
                            compare_record(spf(), answer)};
  const auto seen = observations_of(checked);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].purpose == Purpose::spf);
  CHECK(seen[0].name == "a.example");
  CHECK(seen[0].status == RecordStatus::different);
  CHECK(seen[0].found == "v=spf1 -all | v=spf1?+all");
  CHECK(seen[0].ttl == std::chrono::seconds(77));
}
