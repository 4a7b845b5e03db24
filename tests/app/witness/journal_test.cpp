#include "app/witness/journal.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "accounts/audit/mac.hpp"
#include "tests/support/temp_directory.hpp"

using namespace postern;
using namespace postern::accounts::audit;
using witness::Journal;

namespace {

struct Desk {
  test::TempDirectory directory;
  std::string path = directory.file("statements");
  WitnessKey key = WitnessKey::generate();
  TenantId mine = TenantId::make();

  Heads heads(std::uint64_t number, char mac = 'm') const {
    return {Timestamp{}, {{mine, number, std::string(kMacSize, mac)}}};
  }
  Journal open() const {
    auto journal = Journal::open(path, key);
    REQUIRE(journal);
    return std::move(*journal);
  }
  std::uint64_t sound_statements() const {
    const auto report = verify_statements(path, key.public_key(), [](const Statement&) {});
    REQUIRE(report);
    CHECK(report->sound());
    return report->statements;
  }
  void append(const std::string& text) const {
    std::ofstream(path, std::ios::app | std::ios::binary) << text;
  }
};

std::size_t setbacks(Journal& journal, const Heads& heads) {
  const auto findings = journal.take(heads);
  REQUIRE(findings);
  return findings->size();
}

}  // namespace

TEST_CASE("journal_notices_what_went_back_and_keeps_it_as_a_statement", "[audit]") {
  Desk desk;
  auto journal = desk.open();
  CHECK(setbacks(journal, desk.heads(5)) == 0);
  CHECK(setbacks(journal, desk.heads(6)) == 0);
  CHECK(setbacks(journal, desk.heads(4)) == 1);
  CHECK(setbacks(journal, desk.heads(4)) == 0);
  CHECK(desk.sound_statements() == 4);
}

TEST_CASE("journal_goes_on_from_the_last_statement_of_an_earlier_process", "[audit]") {
  Desk desk;
  {
    auto journal = desk.open();
    CHECK(setbacks(journal, desk.heads(1)) == 0);
    CHECK(setbacks(journal, desk.heads(5)) == 0);
  }
  SECTION("as it was") {}
  SECTION("with a line after it that a crash cut short") { desk.append(R"({"at":1,"hea)"); }
  SECTION("with several such lines") { desk.append("{\"at\":1,\"hea\n{\"at\":1,\n{"); }
  auto journal = desk.open();
  CHECK(setbacks(journal, desk.heads(4)) == 1);
}

TEST_CASE("journal_of_another_key_or_of_something_else_is_refused", "[audit]") {
  Desk desk;
  {
    auto journal = desk.open();
    CHECK(setbacks(journal, desk.heads(1)) == 0);
  }
  SECTION("another key") {
    const auto other = Journal::open(desk.path, WitnessKey::generate());
    REQUIRE_FALSE(other);
    CHECK(other.error().code == Errc::corrupt);
  }
  SECTION("a file of something else") {
    for (int i = 0; i < 200; ++i) desk.append("a log line\n");
    const auto journal = Journal::open(desk.path, desk.key);
    REQUIRE_FALSE(journal);
    CHECK(journal.error().code == Errc::corrupt);
  }
}

TEST_CASE("journal_without_a_file_begins_one", "[audit]") {
  Desk desk;
  auto journal = desk.open();
  CHECK(setbacks(journal, desk.heads(1)) == 0);
  CHECK(desk.sound_statements() == 1);
}
