#include "storage/keystore.hpp"

#include <sys/stat.h>

#include <filesystem>

#include "tests/storage/support.hpp"

namespace postern::storage::test {

namespace {
namespace fs = std::filesystem;

void write_file(const std::string& path, std::string_view text, mode_t mode = 0600) {
  FILE* file = std::fopen(path.c_str(), "w");
  REQUIRE(file != nullptr);
  std::fwrite(text.data(), 1, text.size(), file);
  std::fclose(file);
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

struct Fixture {
  TempDirectory directory;
  std::string path = directory / "master.key";
  Fixture() { must(make_master_key_file(path)); }
};
}  // namespace

TEST_CASE("master_key_file_is_private_and_made_once") {
  Fixture f;
  CHECK((fs::status(f.path).permissions() & fs::perms::all) ==
        (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(fs::file_size(f.path) == 65);
  CHECK(make_master_key_file(f.path).error().code == Errc::exists);
  CHECK(open_master_key_file(f.path));
}

TEST_CASE("master_key_file_that_others_can_read_is_denied") {
  Fixture f;
  for (const mode_t mode : {0640U, 0604U, 0660U, 0644U, 0610U, 0601U}) {
    REQUIRE(::chmod(f.path.c_str(), mode) == 0);
    CHECK(open_master_key_file(f.path).error().code == Errc::denied);
  }
  REQUIRE(::chmod(f.path.c_str(), 0400) == 0);
  CHECK(open_master_key_file(f.path));
  CHECK(open_master_key_file(f.directory.path()).error().code == Errc::denied);
  CHECK(open_master_key_file(f.directory / "none").error().code == Errc::not_found);
}

TEST_CASE("master_key_file_that_is_no_key_is_corrupt") {
  TempDirectory directory;
  const auto path = directory / "key";
  const std::string hex(64, 'a');
  for (const auto& text : {std::string{}, std::string("\n"), hex.substr(1), hex + "a", hex + "\n\n",
                           std::string(63, 'a') + "g", hex.substr(1) + "\n", " " + hex.substr(1)}) {
    INFO(text);
    write_file(path, text);
    CHECK(open_master_key_file(path).error().code == Errc::corrupt);
  }
  for (const auto& text : {hex, hex + "\n"}) {
    write_file(path, text);
    CHECK(open_master_key_file(path));
  }
}

TEST_CASE("wrapped_secret_opens_in_its_context_only") {
  Fixture f;
  auto master = must(open_master_key_file(f.path));
  const std::string secret("a\0secret", 8);
  const auto wrapped = must(master->wrap("dkim key", secret));
  CHECK(must(master->unwrap("dkim key", wrapped)) == secret);
  CHECK_THAT(wrapped, !Catch::Contains("secret"));
  CHECK(must(master->wrap("dkim key", secret)) != wrapped);
  CHECK(master->unwrap("another", wrapped).error().code == Errc::corrupt);
  CHECK(must(must(open_master_key_file(f.path))->unwrap("dkim key", wrapped)) == secret);
  must(make_master_key_file(f.directory / "other.key"));
  auto other = must(open_master_key_file(f.directory / "other.key"));
  CHECK(other->unwrap("dkim key", wrapped).error().code == Errc::corrupt);
}

TEST_CASE("damaged_wrapped_secret_is_corrupt") {
  Fixture f;
  auto master = must(open_master_key_file(f.path));
  const auto wrapped = must(master->wrap("c", "secret"));
  for (std::size_t i = 0; i < wrapped.size(); ++i) {
    auto damaged = wrapped;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    CHECK(master->unwrap("c", damaged).error().code == Errc::corrupt);
    CHECK(master->unwrap("c", wrapped.substr(0, i)).error().code == Errc::corrupt);
  }
  CHECK(master->unwrap("c", wrapped + "x").error().code == Errc::corrupt);
  CHECK(must(master->unwrap("c", must(master->wrap("c", "")))).empty());
}

TEST_CASE("keystore_unwraps_once_and_only_for_its_tenant") {
  Fixture f;
  Keystore keys(must(open_master_key_file(f.path)));
  const auto tenant = TenantId::make();
  const auto wrapped = must(keys.make_wrapped_data_key(tenant));
  CHECK(keys.cached(tenant) == nullptr);
  const auto key = must(keys.data_key(tenant, wrapped));
  CHECK(key->tenant == tenant);
  const auto use = key->derive("a use");
  CHECK(use.size() == 32);
  CHECK(key->derive("another use") != use);
  CHECK(must(keys.data_key(tenant, wrapped)) == key);
  CHECK(keys.cached(tenant) == key);
  CHECK(keys.data_key(TenantId::make(), wrapped).error().code == Errc::corrupt);
  CHECK(must(keys.data_key(tenant, must(keys.make_wrapped_data_key(tenant))))->derive("a use") !=
        use);
  keys.forget(tenant);
  CHECK(keys.cached(tenant) == nullptr);
  CHECK(must(Keystore(must(open_master_key_file(f.path))).data_key(tenant, wrapped))
            ->derive("a use") == use);
}

}  // namespace postern::storage::test
