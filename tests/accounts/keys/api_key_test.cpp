#include "accounts/keys/api_key.hpp"

#include "tests/accounts/people/people.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;

namespace {

struct Keys : PeopleWorld {
  TenantId acme = tenant("acme").id;

  ApiKey add(const std::string& secret) { return must(try_key(acme, secret, plain_key(secret))); }
  ApiKey read(ApiKeyId id) {
    return must(scoped(acme, [id](sql::TenantScope& s) { return find_api_key(s, id); }));
  }
  Result<void> revoke(ApiKeyId id) {
    return scoped(
        acme, [=, now = clock.now()](sql::TenantScope& s) { return revoke_api_key(s, id, now); });
  }
  KeyRotation rotation(ApiKeyId old, const std::string& secret, Micros overlap) {
    return {old,           ApiKeyId::make(), digest(secret),        "pk_next",
            "who rotates", clock.now(),      clock.now() + overlap, std::nullopt};
  }
  Result<ApiKey> rotate(const KeyRotation& rotation) {
    return scoped(acme, [rotation](sql::TenantScope& s) { return rotate_api_key(s, rotation); });
  }
  void use(ApiKeyId id, const std::string& address) {
    must(scoped(acme, [=, now = clock.now()](sql::TenantScope& s) -> Result<void> {
      note_key_use(s, id, address, now);
      return {};
    }));
  }
  std::vector<ApiKey> list(ApiKeyId after, std::size_t limit) {
    return look(acme, [=](sql::TenantScope& s) { return list_api_keys(s, after, limit); });
  }
};

}  // namespace

TEST_CASE("key_comes_back_as_it_was_made", "[keys]") {
  Keys world;
  world.domain(world.acme, "a.example");
  auto key = world.plain_key(" Shop ");
  key.scopes = permissions("message.send,message.read");
  key.narrowing = {{"A.example"}, {}};
  key.addresses = {"2001:DB8::/32", "192.0.2.1"};
  key.reads_per_minute = 0;
  key.monthly_cap = 1ULL << 53;
  key.expires = world.clock.now() + 1h;
  key.revoked = world.clock.now();      // not taken
  key.last_used_address = "192.0.2.2";  // not taken
  must(world.try_key(world.acme, "secret", key));
  const auto found = must(world.by_secret("secret"));
  CHECK(found.tenant == world.acme);
  CHECK(found.key.id == key.id);
  CHECK(found.key.label == "Shop");
  CHECK(found.key.prefix == "pk_abcd");
  CHECK(found.key.scopes == permissions("message.read,message.send"));
  CHECK(found.key.narrowing.domains == std::vector<std::string>{"a.example"});
  CHECK(found.key.addresses == std::vector<std::string>{"192.0.2.1/32", "2001:db8::/32"});
  CHECK(found.key.reads_per_minute == 0U);
  CHECK_FALSE(found.key.writes_per_minute);
  CHECK(found.key.monthly_cap == 1ULL << 53);
  CHECK(found.key.created_by == "maker");
  CHECK(found.key.created == world.clock.now());
  CHECK(found.key.expires == key.expires);
  CHECK_FALSE(found.key.last_used);
  CHECK(found.key.last_used_address.empty());
  CHECK_FALSE(found.key.revoked);
  CHECK_FALSE(found.key.replaced_by);
  check_error(world.by_secret("other"), Errc::not_found);
}

TEST_CASE("key_with_bad_values_is_refused", "[keys]") {
  Keys world;
  const auto refused = [&](Errc code, auto change) {
    auto key = world.plain_key();
    change(key);
    check_error(world.try_key(world.acme, "secret", key), code);
  };
  refused(Errc::invalid, [](ApiKey& k) { k.label = ""; });
  refused(Errc::invalid, [](ApiKey& k) { k.prefix = ""; });
  refused(Errc::invalid, [](ApiKey& k) { k.prefix = "a b"; });
  refused(Errc::invalid, [](ApiKey& k) { k.prefix = std::string(kMaxKeyPrefix + 1, 'p'); });
  refused(Errc::invalid, [](ApiKey& k) { k.scopes = {}; });
  refused(Errc::invalid, [](ApiKey& k) { k.scopes.add(Permission::server_read); });
  refused(Errc::invalid, [](ApiKey& k) { k.addresses = {"everywhere"}; });
  refused(Errc::invalid, [](ApiKey& k) { k.monthly_cap = (1ULL << 53) + 1; });
  refused(Errc::invalid, [](ApiKey& k) { k.expires = k.created; });
  refused(Errc::invalid, [](ApiKey& k) { k.created_by = std::string(kMaxMadeBy + 1, 'x'); });
  refused(Errc::not_found, [](ApiKey& k) { k.narrowing.domains = {"none.example"}; });
  check_error(world.try_key(TenantId::make(), "secret", world.plain_key()), Errc::not_found);
  check_error(
      world.scoped(world.acme, [key = world.plain_key()](
                                   sql::TenantScope& s) { return add_api_key(s, "short", key); }),
      Errc::invalid);
  auto good = world.plain_key();
  good.prefix = std::string(kMaxKeyPrefix, 'p');
  must(world.try_key(world.acme, "secret", good));
  const auto other = world.tenant("other").id;
  check_error(world.try_key(other, "secret", world.plain_key()), Errc::exists);
}

TEST_CASE("key_expires_and_revoked_key_is_unknown_at_once", "[keys]") {
  Keys world;
  auto key = world.plain_key();
  key.expires = world.clock.now() + 1h;
  must(world.try_key(world.acme, "short", key));
  const auto id = world.add("long").id;
  world.clock.advance(1h - 1us);
  CHECK(world.by_secret("short"));
  world.clock.advance(1us);
  check_error(world.by_secret("short"), Errc::denied);
  CHECK(world.by_secret("long"));
  must(world.revoke(id));
  check_error(world.by_secret("long"), Errc::not_found);
  check_error(world.revoke(id), Errc::not_found);
  CHECK(world.read(id).revoked == world.clock.now());
}

TEST_CASE("keys_are_listed_in_pages", "[keys]") {
  Keys world;
  const auto first = world.add("1").id;
  const auto second = world.add("2").id;
  REQUIRE(world.list({}, 1).size() == 1);
  CHECK(world.list({}, 1)[0].id == first);
  CHECK(world.list(first, 1)[0].id == second);
  CHECK(world.list(second, 1).empty());
}

TEST_CASE("rotated_key_and_its_successor_run_side_by_side_for_the_overlap", "[keys]") {
  Keys world;
  auto key = world.plain_key();
  key.addresses = {"192.0.2.0/24"};
  key.monthly_cap = 7;
  must(world.try_key(world.acme, "old", key));
  world.use(key.id, "192.0.2.1");
  world.clock.advance(1h);
  const auto fresh = must(world.rotate(world.rotation(key.id, "new", 24h)));
  CHECK(fresh.label == key.label);
  CHECK(fresh.prefix == "pk_next");
  CHECK(fresh.scopes == key.scopes);
  CHECK(fresh.addresses == key.addresses);
  CHECK(fresh.monthly_cap == 7U);
  CHECK(fresh.created_by == "who rotates");
  CHECK(fresh.created == world.clock.now());
  CHECK_FALSE(world.read(fresh.id).last_used);
  CHECK(world.read(key.id).replaced_by == fresh.id);
  CHECK(must(world.by_secret("old")).key.id == key.id);
  CHECK(must(world.by_secret("new")).key.id == fresh.id);
  check_error(world.rotate(world.rotation(key.id, "again", 1h)), Errc::denied);
  world.clock.advance(24h);
  check_error(world.by_secret("old"), Errc::denied);
  CHECK(world.by_secret("new"));
  check_error(world.rotate(world.rotation(key.id, "again", 1h)), Errc::denied);
}

TEST_CASE("rotation_never_lengthens_the_old_keys_life", "[keys]") {
  Keys world;
  auto key = world.plain_key();
  key.expires = world.clock.now() + 1h;
  must(world.try_key(world.acme, "old", key));
  check_error(world.rotate(world.rotation(key.id, "new", kMaxKeyOverlap + 1us)), Errc::invalid);
  check_error(world.rotate(world.rotation(key.id, "new", -1us)), Errc::invalid);
  check_error(world.rotate(world.rotation(ApiKeyId::make(), "new", 1h)), Errc::not_found);
  auto taken = world.rotation(key.id, "old", 1h);
  check_error(world.rotate(taken), Errc::exists);
  CHECK_FALSE(world.read(key.id).replaced_by);
  must(world.rotate(world.rotation(key.id, "new", kMaxKeyOverlap)));
  CHECK(world.read(key.id).expires == key.expires);

  const auto second = world.add("second").id;
  must(world.rotate(world.rotation(second, "third", 0s)));
  check_error(world.by_secret("second"), Errc::denied);
  const auto revoked = world.add("revoked").id;
  must(world.revoke(revoked));
  check_error(world.rotate(world.rotation(revoked, "fourth", 1h)), Errc::denied);
}

TEST_CASE("use_of_a_key_is_written_once_a_minute_or_for_a_new_address", "[keys]") {
  Keys world;
  const auto id = world.add("secret").id;
  const auto start = world.clock.now();
  world.use(id, "192.0.2.1");
  CHECK(world.read(id).last_used == start);
  CHECK(world.read(id).last_used_address == "192.0.2.1");
  world.clock.advance(1min - 1us);
  world.use(id, "192.0.2.1");
  CHECK(world.read(id).last_used == start);
  world.use(id, "192.0.2.2");
  CHECK(world.read(id).last_used == start + 1min - 1us);
  CHECK(world.read(id).last_used_address == "192.0.2.2");
  world.clock.advance(1min);
  world.use(id, "192.0.2.2");
  CHECK(world.read(id).last_used == world.clock.now());
}

TEST_CASE("keys_of_a_tenant_are_bounded_and_ended_ones_go_after_a_time", "[keys]") {
  Keys world;
  const auto old = world.add("old").id;
  must(world.scoped(world.acme,
                    [old](sql::TenantScope& s) { return add_key_usage(s, old, {202601, 1, 1}); }));
  must(world.scoped(world.acme, [&](sql::TenantScope& s) -> Result<void> {
    for (std::size_t i = 1; i < kMaxApiKeys; ++i) {
      auto key = world.plain_key();
      if (auto made = add_api_key(s, digest("k" + std::to_string(i)), key); !made)
        return std::unexpected(made.error());
    }
    return {};
  }));
  const auto more = [&](const std::string& secret) {
    return world.try_key(world.acme, secret, world.plain_key());
  };
  check_error(more("more"), Errc::too_large);
  check_error(world.rotate(world.rotation(old, "next", 1h)), Errc::too_large);
  must(world.revoke(old));
  CHECK(more("more"));
  check_error(more("still more"), Errc::too_large);

  world.clock.advance(kEndedKeyKept);
  const auto last = must(world.by_secret("more")).key.id;
  must(world.revoke(last));
  must(more("at the time"));
  CHECK(world.read(old).revoked);
  world.clock.advance(1us);
  must(world.revoke(must(world.by_secret("at the time")).key.id));
  must(more("after it"));
  check_error(world.scoped(world.acme, [old](sql::TenantScope& s) { return find_api_key(s, old); }),
              Errc::not_found);
  CHECK(world.read(last).revoked);
  CHECK(world.look(world.acme, [old](sql::TenantScope& s) { return list_key_usage(s, old, 0, 10); })
            .empty());
}

TEST_CASE("ended_keys_are_bounded_too", "[keys]") {
  Keys world;
  must(world.scoped(world.acme, [&](sql::TenantScope& s) -> Result<void> {
    for (std::size_t i = 0; i < kMaxApiKeys + 2; ++i) {
      const auto key = world.plain_key();
      if (auto made = add_api_key(s, digest("k" + std::to_string(i)), key); !made)
        return std::unexpected(made.error());
      if (auto ended = revoke_api_key(s, key.id, key.created); !ended) return ended;
    }
    return {};
  }));
  must(world.try_key(world.acme, "running", world.plain_key()));
  CHECK(world.list({}, 2 * kMaxApiKeys).size() == kMaxApiKeys + 1);
}

TEST_CASE("usage_adds_up_by_month", "[keys]") {
  Keys world;
  const auto id = world.add("secret").id;
  const auto add = [&](ApiKeyId key, const KeyUsage& more) {
    return world.scoped(world.acme,
                        [=](sql::TenantScope& s) { return add_key_usage(s, key, more); });
  };
  const auto read = [&](Month month) {
    return world.look(world.acme,
                      [=](sql::TenantScope& s) { return read_key_usage(s, id, month); });
  };
  must(add(id, {202611, 2, 1}));
  must(add(id, {202611, 5, 0}));
  must(add(id, {202612, 1, 1}));
  CHECK(read(202611).reads == 7);
  CHECK(read(202611).writes == 1);
  CHECK(read(202612).reads == 1);
  CHECK(read(202701).reads == 0);
  const auto page = world.look(
      world.acme, [=](sql::TenantScope& s) { return list_key_usage(s, id, 202611, 10); });
  REQUIRE(page.size() == 1);
  CHECK(page[0].month == 202612);
  check_error(add(ApiKeyId::make(), {202611, 1, 1}), Errc::not_found);
}

TEST_CASE("month_is_the_calendars_in_utc", "[keys]") {
  using namespace std::chrono;
  CHECK(month_of(sys_days{2026y / November / 30} + 24h - 1us) == 202611);
  CHECK(month_of(sys_days{2026y / December / 1}) == 202612);
  CHECK(month_of(sys_days{2027y / January / 1}) == 202701);
}
