// Statements, their file, and what they show that the database alone can't.
#include "accounts/audit/witness.hpp"

#include <sys/stat.h>

#include <fstream>

#include "core/crypto.hpp"
#include "core/encoding.hpp"
#include "tests/accounts/audit/world.hpp"

using namespace postern;
using namespace postern::accounts::audit;
using namespace postern::accounts::audit::test;

namespace {

// RFC 8032 §7.1, TEST 1, in PEM.
constexpr std::string_view kPrivatePem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";
constexpr std::string_view kPublicPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
    "-----END PUBLIC KEY-----\n";

WitnessKey published_key(const postern::test::TempDirectory& directory) {
  const auto path = directory.write("published.pem", kPrivatePem);
  ::chmod(path.c_str(), 0600);
  return must(WitnessKey::load(path));
}

struct Witnessed : World {
  WitnessKey key = WitnessKey::generate();
  std::string file = directory.file("witness.jsonl");
  TenantId third = TenantId::make();

  Witnessed() {
    append(mine, 5);
    append(theirs, 3);
  }
  Heads heads() {
    return must(control->read_blocking<Heads>(
        [this](sql::Transaction& tx) { return collect_heads(tx, chain, clock.now()); }));
  }
  void state() { must(append_statement(file, heads(), key)); }
  WitnessCheck check() {
    WitnessCheck check;
    const auto report = must(verify_statements(file, key.public_key(), [&](const Statement& one) {
      must(control->read_blocking<bool>([&](sql::Transaction& tx) -> Result<bool> {
        check_against(tx, chain, one, key.public_key(), check);
        return true;
      }));
    }));
    REQUIRE(report.sound());
    return check;
  }
  std::string of(TenantId id) const { return " WHERE tenant_id = " + sql(id); }
  std::vector<std::string> lines() const {
    std::ifstream in(file);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
  }
  void rewrite(const std::vector<std::string>& lines) const {
    std::ofstream out(file, std::ios::trunc | std::ios::binary);
    for (const auto& line : lines) out << line << '\n';
  }
  std::vector<std::string> file_findings() const {
    const auto report = must(verify_statements(file, key.public_key(), [](const Statement&) {}));
    std::vector<std::string> out;
    for (const auto& finding : report.findings) {
      out.push_back(std::to_string(finding.line) + " " + std::string(to_string(finding.problem)));
    }
    return out;
  }
  /// With the server's own key: the history of one chain made anew from edited records, by the
  /// program's own functions.
  void make_anew(TenantId id, const std::vector<Record>& records) {
    raw("DELETE FROM audit_records; DELETE FROM audit_heads; DELETE FROM audit_chains; "
        "DELETE FROM audit_seal");
    for (const auto& one : records) must(try_append(id, one));
  }
};

std::vector<Contradiction> kinds(const WitnessCheck& check) {
  std::vector<Contradiction> out;
  for (const auto& finding : check.findings) out.push_back(finding.contradiction);
  return out;
}

}  // namespace

TEST_CASE("ed25519_gives_the_published_signature", "[audit]") {
  // RFC 8032 §7.1, TEST 1: the empty message.
  const postern::test::TempDirectory directory;
  const auto key = published_key(directory);
  const auto signature = key.sign("");
  CHECK(hex_encode(signature) ==
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
        "f9b46bd25bf5f0595bbe24655141438e7a100b");
  CHECK(key.public_key().pem() == kPublicPem);
  const auto known = must(PublicKey::from_pem(kPublicPem));
  CHECK(known.verifies("", signature));
  CHECK_FALSE(known.verifies("x", signature));
  CHECK_FALSE(known.verifies("", ""));
  CHECK_FALSE(known.verifies("", std::string(64, '\0')));
  // SHA-256 of the 32 bytes, by Python's hashlib.
  CHECK(known.fingerprint() == "21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9");
}

TEST_CASE("witness_key_file_is_private_and_never_overwritten", "[audit]") {
  const postern::test::TempDirectory directory;
  const auto path = directory.file("witness.pem");
  const auto key = WitnessKey::generate();
  must(key.save(path));
  struct stat info{};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK(key.save(path).error().code == Errc::exists);
  CHECK(must(WitnessKey::load(path)).sign("x") == key.sign("x"));
  ::chmod(path.c_str(), 0640);
  CHECK(WitnessKey::load(path).error().code == Errc::denied);
  CHECK(WitnessKey::load(directory.file("none")).error().code == Errc::not_found);
  const auto broken = directory.write("broken.pem", "no key");
  ::chmod(broken.c_str(), 0600);
  CHECK(WitnessKey::load(broken).error().code == Errc::corrupt);
  CHECK(PublicKey::from_pem("no key").error().code == Errc::invalid);
  CHECK(PublicKey::from_pem(std::string(5'000, 'x')).error().code == Errc::invalid);
}

TEST_CASE("statement_signature_is_what_another_program_computes", "[audit]") {
  // Signed with Python's cryptography over the documented encoding.
  const postern::test::TempDirectory directory;
  std::string id;
  for (char c = 0; c < 16; ++c) id += c;
  const Heads heads{from_micros(1'767'225'600'000'000),
                    {{TenantId{*uuid_from_bytes(id)}, 7, std::string(32, '\xaa')}}};
  const auto signature = published_key(directory).sign(encode_heads(heads, std::string(32, '\0')));
  CHECK(base64_encode(signature) ==
        "c9KXRGVz6j3cAPlGLPAnHO1jj7X4EaNnuVnwGVB7mTmvbwmcWc+c8p6A5RO3jNH6MKFrggcHmuweifSJ5YmdBg==");
}

TEST_CASE("statement_line_is_read_as_written_and_no_other_way", "[audit]") {
  Statement statement{{from_micros(5), {{TenantId::make(), 7, std::string(32, 'm')}}},
                      std::string(32, 'p'),
                      std::string(64, 's')};
  const auto line = statement_line(statement);
  const auto read = must(parse_statement(line));
  CHECK(read.heads.at == from_micros(5));
  REQUIRE(read.heads.ends.size() == 1);
  CHECK(read.heads.ends[0].chain == statement.heads.ends[0].chain);
  CHECK(read.heads.ends[0].number == 7);
  CHECK(read.heads.ends[0].mac == std::string(32, 'm'));
  CHECK(read.previous == statement.previous);
  CHECK(read.signature == statement.signature);
  auto upper = line;
  upper[upper.find("6d6d") + 1] = 'D';
  for (const auto& bad : {std::string(), std::string("{}"), line + " ", " " + line, upper,
                          line.substr(0, line.size() - 1)}) {
    INFO(bad);
    CHECK_FALSE(parse_statement(bad));
  }
  statement.heads.ends[0].number = 0;
  CHECK_FALSE(parse_statement(statement_line(statement)));
}

TEST_CASE("heads_are_the_newest_records_of_all_open_chains", "[audit]") {
  Witnessed world;
  const auto heads = world.heads();
  REQUIRE(heads.ends.size() == 3);
  CHECK(heads.ends[0].chain == kPlatform);
  CHECK(heads.ends[0].number == 2);
  for (const auto& end : heads.ends) {
    const auto last = world.all(end.chain).back();
    CHECK(end.number == last.number);
    CHECK(end.mac == last.mac);
  }
}

TEST_CASE("false_head_is_never_signed", "[audit]") {
  Witnessed world;
  world.raw("UPDATE audit_heads SET next_number = 3" + world.of(world.mine));
  const auto refused = world.control->read_blocking<Heads>(
      [&](sql::Transaction& tx) { return collect_heads(tx, world.chain, world.clock.now()); });
  CHECK(refused.error().code == Errc::corrupt);
}

TEST_CASE("statements_agree_with_an_honest_history", "[audit]") {
  Witnessed world;
  world.state();
  world.append(world.mine, 2);
  world.append(world.third, 1);
  world.state();
  world.state();
  const auto check = world.check();
  CHECK(check.sound());
  CHECK(check.matched == 3 + 4 + 4);
  CHECK(world.lines().size() == 3);
  struct stat info{};
  REQUIRE(::stat(world.file.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("chain_made_anew_with_the_servers_key_contradicts_the_witness", "[audit]") {
  Witnessed world;
  world.state();
  std::vector<Record> records;
  for (const auto& entry : world.all(world.mine)) records.push_back(entry.record);
  SECTION("a record edited") { records[2].actor = "Eve"; }
  SECTION("a record left out and the rest moved up") {
    records.erase(records.begin() + 2);
    records.push_back(world.record("domain.create"));
  }
  SECTION("the newest left out") { records.pop_back(); }
  world.make_anew(world.mine, records);
  world.append(world.theirs, 3);
  // The database by itself is in order.
  CHECK(world.verify().sound());
  const auto check = world.check();
  CHECK_FALSE(check.sound());
  const auto mine = std::ranges::find_if(
      check.findings, [&](const auto& finding) { return finding.chain == world.mine; });
  REQUIRE(mine != check.findings.end());
  CHECK(mine->number == 5);
  CHECK(mine->contradiction ==
        (records.size() == 4 ? Contradiction::record_missing : Contradiction::mac_differs));
}

TEST_CASE("everything_put_back_to_an_earlier_day_contradicts_the_witness", "[audit]") {
  Witnessed world;
  world.raw(
      "CREATE TABLE h AS SELECT * FROM audit_heads; "
      "CREATE TABLE s AS SELECT * FROM audit_seal");
  world.append(world.mine, 2);
  world.state();
  world.raw(
      "INSERT OR REPLACE INTO audit_heads SELECT * FROM h; "
      "INSERT OR REPLACE INTO audit_seal SELECT * FROM s");
  world.raw("DELETE FROM audit_records" + world.of(world.mine) + " AND number > 5");
  CHECK(world.verify().sound());
  CHECK(kinds(world.check()) == std::vector{Contradiction::record_missing});
}

TEST_CASE("everything_removed_contradicts_the_witness", "[audit]") {
  Witnessed world;
  world.state();
  world.raw(
      "DELETE FROM audit_records; DELETE FROM audit_heads; DELETE FROM audit_chains; "
      "DELETE FROM audit_seal");
  CHECK(world.verify().sound());
  CHECK(kinds(world.check()) == std::vector(3, Contradiction::chain_missing));
}

TEST_CASE("statements_about_what_was_cut_are_answered_by_the_cut", "[audit]") {
  Witnessed world;
  world.state();
  world.append(world.mine, 1);
  const auto cut = must(world.scoped(world.mine, [&](sql::TenantScope& scope) {
    return world.chain.cut_before(scope, world.clock.now() + std::chrono::hours(1),
                                  world.clock.now(), 5);
  }));
  CHECK(cut.last == 5);
  auto check = world.check();
  CHECK(check.sound());
  CHECK(check.cut == 1);
  CHECK(check.matched == 2);
  world.raw("UPDATE audit_heads SET cut_mac = zeroblob(32)" + world.of(world.mine));
  CHECK(kinds(world.check()) == std::vector{Contradiction::head_altered});
}

TEST_CASE("statements_about_an_erased_tenant_are_answered_by_its_closing", "[audit]") {
  Witnessed world;
  world.state();
  world.append(world.mine, 1);
  const auto close = [&](const WitnessKey* key) {
    must(world.change([&, by = world.record("")](sql::Transaction& tx) {
      return world.chain.close(tx, world.mine, by, key);
    }));
  };
  SECTION("signed") {
    close(&world.key);
    const auto check = world.check();
    CHECK(check.sound());
    CHECK(check.closed == 1);
    CHECK(check.closed_unsigned == 0);
  }
  SECTION("unsigned") {
    close(nullptr);
    const auto check = world.check();
    CHECK(check.sound());
    CHECK(check.closed == 1);
    CHECK(check.closed_unsigned == 1);
  }
  SECTION("signed with another key") {
    const auto other = WitnessKey::generate();
    close(&other);
    CHECK(kinds(world.check()) == std::vector{Contradiction::closing_unsigned});
  }
  SECTION("its closing removed") {
    close(&world.key);
    world.raw("DELETE FROM audit_records" + world.of(kPlatform) + " AND number = 3");
    CHECK(kinds(world.check()) == std::vector{Contradiction::closing_missing});
  }
}

TEST_CASE("closing_that_ends_before_the_statement_contradicts_it", "[audit]") {
  Witnessed world;
  world.state();
  auto records = world.all(world.mine);
  std::vector<Record> fewer;
  for (std::size_t i = 0; i < 4; ++i) fewer.push_back(records[i].record);
  world.make_anew(world.mine, fewer);
  must(world.change([&, by = world.record("")](sql::Transaction& tx) {
    return world.chain.close(tx, world.mine, by, &world.key);
  }));
  const auto check = world.check();
  CHECK(std::ranges::any_of(check.findings, [&](const auto& finding) {
    return finding.chain == world.mine &&
           finding.contradiction == Contradiction::closing_contradicts;
  }));
}

TEST_CASE("edited_file_of_statements_is_found_at_the_line", "[audit]") {
  Witnessed world;
  for (int i = 0; i < 4; ++i) {
    world.append(world.mine, 1);
    world.state();
  }
  const auto good = world.lines();
  REQUIRE(good.size() == 4);
  CHECK(world.file_findings().empty());
  using Lines = std::vector<std::string>;
  SECTION("a line taken out") {
    world.rewrite({good[0], good[2], good[3]});
    CHECK(world.file_findings() == Lines{"2 not linked to the line before"});
  }
  SECTION("the first line taken out") {
    world.rewrite({good[1], good[2], good[3]});
    CHECK(world.file_findings() == Lines{"1 not linked to the line before"});
  }
  SECTION("two lines swapped") {
    world.rewrite({good[0], good[2], good[1], good[3]});
    CHECK(world.file_findings().size() == 3);
  }
  SECTION("a number edited") {
    auto edited = good;
    const auto at = edited[1].find("\"number\":");
    edited[1].insert(at + 9, "1");
    world.rewrite(edited);
    CHECK(world.file_findings() ==
          Lines{"2 the signature doesn't hold", "3 not linked to the line before"});
  }
  SECTION("a line made unreadable") {
    auto edited = good;
    edited[1] = "gone";
    world.rewrite(edited);
    CHECK(world.file_findings() == Lines{"2 not a statement", "3 not linked to the line before"});
  }
  SECTION("a line signed with another key") {
    must(append_statement(world.file, world.heads(), WitnessKey::generate()));
    CHECK(world.file_findings() == Lines{"5 the signature doesn't hold"});
  }
}

TEST_CASE("line_that_a_crash_cut_short_is_told_apart_from_tampering", "[audit]") {
  Witnessed world;
  world.state();
  const auto whole = world.lines()[0];
  std::ofstream(world.file, std::ios::app | std::ios::binary) << whole.substr(0, 40);
  const auto report = [&] {
    return must(verify_statements(world.file, world.key.public_key(), [](const Statement&) {}));
  };
  CHECK(report().sound());
  CHECK(report().torn == 1);
  world.state();
  CHECK(world.lines().size() == 3);
  CHECK(report().sound());
  CHECK(report().torn == 1);
  CHECK(report().statements == 2);
  // Somebody shortens it further: the next line knows how it was.
  auto edited = world.lines();
  edited[1].pop_back();
  world.rewrite(edited);
  CHECK(world.file_findings() ==
        std::vector<std::string>{"2 not a statement", "3 not linked to the line before"});
}

TEST_CASE("statement_longer_than_a_chunk_is_linked_to", "[audit]") {
  Witnessed world;
  Heads many{world.clock.now(), {}};
  for (int i = 0; i < 1'500; ++i) many.ends.push_back({TenantId::make(), 1, std::string(32, 'm')});
  must(append_statement(world.file, many, world.key));
  CHECK(world.lines()[0].size() > 128 * 1024);
  must(append_statement(world.file, many, world.key));
  must(append_statement(world.file, {world.clock.now(), {}}, world.key));
  CHECK(world.file_findings().empty());
}

TEST_CASE("statements_beyond_the_given_size_are_left_out", "[audit]") {
  Witnessed world;
  world.state();
  world.state();
  const auto lines = world.lines();
  const auto first = lines[0].size() + 1;
  const auto count = [&](std::uint64_t bytes) {
    const auto report =
        must(verify_statements(world.file, world.key.public_key(), [](const Statement&) {}, bytes));
    CHECK(report.sound());
    return report.statements;
  };
  CHECK(count(0) == 0);
  CHECK(count(first - 1) == 0);  // without its line feed: cut short
  CHECK(count(first) == 1);
  CHECK(count(first + 1) == 1);
  CHECK(count(first + lines[1].size() + 1) == 2);
  CHECK(count(first + lines[1].size() + 100) == 2);
}

TEST_CASE("file_of_statements_that_is_not_there_is_an_error", "[audit]") {
  Witnessed world;
  CHECK_FALSE(verify_statements(world.file, world.key.public_key(), [](const Statement&) {}));
  CHECK_FALSE(append_statement(world.directory.file("none/x"), world.heads(), world.key));
}
