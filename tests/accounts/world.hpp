// One server's accounts on a database of the test's own, with Argon2 at its smallest.
#pragma once

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "accounts/account.hpp"
#include "accounts/aliases.hpp"
#include "accounts/audit/schema.hpp"
#include "accounts/authenticator.hpp"
#include "accounts/credentials.hpp"
#include "accounts/directory.hpp"
#include "accounts/domains.hpp"
#include "accounts/names.hpp"
#include "accounts/registry.hpp"
#include "accounts/schema.hpp"
#include "accounts/sender_grants.hpp"
#include "accounts/signing_keys.hpp"
#include "accounts/tenants.hpp"
#include "core/log.hpp"
#include "storage/database.hpp"
#include "storage/keystore.hpp"
#include "storage/schema.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/temp_directory.hpp"

namespace postern::accounts::test {

inline constexpr Argon2Parameters kSmall{64, 1, 1};

template <class T>
T must(Result<T> result) {
  if (!result) FAIL("unexpected error: " << result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

inline Address address(std::string_view text) { return must(parse_address(text)); }

inline std::unique_ptr<storage::Database> open_control(const std::string& path) {
  storage::Database::Options options;
  options.path = path;
  options.schemas = {schema(), audit::schema(), storage::outbox_schema()};
  return must(storage::Database::open(std::move(options)));
}

inline std::shared_ptr<storage::MasterKey> open_master(const std::string& path) {
  must(storage::make_master_key_file(path));
  return must(storage::open_master_key_file(path));
}

struct World {
  World() { log::configure(log::Level::error, log::Format::text, ""); }

  postern::test::TempDirectory directory;
  postern::test::FakeClock clock;
  asio::io_context context{1};
  std::unique_ptr<storage::Database> control = open_control(directory.file("control.db"));
  storage::Keystore keystore{open_master(directory.file("master.key"))};
  Registry registry{*control};
  Directory look_up{registry, keystore, {1000}};

  /// A change whose error counts as the test's failure when the caller wraps it in must().
  template <class F>
  auto change(F f) {
    using T = typename std::invoke_result_t<F, sql::Transaction&>::value_type;
    return registry.change_blocking<T>(storage::Database::Closure<T>(std::move(f)));
  }
  template <class F>
  auto scoped(TenantId tenant, F f) {
    return change([tenant, f = std::move(f)](sql::Transaction& tx) {
      sql::TenantScope scope(tx, tenant);
      return f(scope);
    });
  }
  template <class T>
  T run(Task<T> task) {
    return postern::test::run_task(context, std::move(task));
  }

  Tenant tenant(const std::string& name) {
    const NewTenant fresh{TenantId::make(), name, 2, "wrapped", clock.now()};
    auto made = fresh;
    made.wrapped_data_key = must(keystore.make_wrapped_data_key(fresh.id));
    return must(change([made](sql::Transaction& tx) { return add_tenant(tx, made); }));
  }
  Result<Domain> try_domain(TenantId tenant, const std::string& name) {
    const NewDomain fresh{DomainId::make(), tenant, name, DomainOrigin::operator_added,
                          clock.now()};
    return change([fresh](sql::Transaction& tx) { return add_domain(tx, fresh); });
  }
  Domain domain(TenantId tenant, const std::string& name) { return must(try_domain(tenant, name)); }
  Result<Account> try_account(TenantId tenant, const std::string& name) {
    const NewAccount fresh{AccountId::make(), address(name), "", clock.now()};
    return scoped(tenant, [fresh](sql::TenantScope& scope) { return add_account(scope, fresh); });
  }
  Account account(TenantId tenant, const std::string& name) {
    return must(try_account(tenant, name));
  }
  Result<Alias> try_alias(TenantId tenant, const std::string& name,
                          const std::vector<std::string>& targets) {
    std::vector<Address> parsed;
    for (const auto& target : targets) parsed.push_back(address(target));
    return scoped(tenant, [from = address(name), parsed](sql::TenantScope& scope) {
      return add_alias(scope, from, parsed);
    });
  }
  void alias(TenantId tenant, const std::string& name, const std::vector<std::string>& targets) {
    must(try_alias(tenant, name, targets));
  }
  Credential password(const Account& account, const std::string& text,
                      Argon2Parameters parameters = kSmall) {
    return must(
        scoped(account.tenant, [this, id = account.id, credential = CredentialId::make(),
                                hash = argon2_hash(text, parameters)](sql::TenantScope& scope) {
          return set_password(scope, id, credential, hash, clock.now());
        }));
  }
  /// The row, and the text to log in with.
  std::pair<Credential, std::string> app_password(const Account& account,
                                                  const std::string& label) {
    const auto made = make_app_password();
    const NewAppPassword fresh{CredentialId::make(),           account.id, made.selector, label,
                               argon2_hash(made.text, kSmall), clock.now()};
    auto row = must(scoped(account.tenant, [fresh](sql::TenantScope& scope) {
      return add_app_password(scope, fresh);
    }));
    return {row, made.text};
  }
  std::shared_ptr<const Resolution> resolved(const std::string& name) {
    return must(run(look_up.resolve_recipient(name)));
  }
  Verdict verdict(const std::string& name) { return resolved(name)->verdict; }
  /// The addresses that mail for `name` reaches, sorted, each with its detail after a slash.
  std::vector<std::string> reached(const std::string& name) {
    std::vector<std::string> out;
    for (const auto& route : resolved(name)->routes) {
      out.push_back(route.detail.empty() ? route.address : route.address + "/" + route.detail);
    }
    std::ranges::sort(out);
    return out;
  }
};

}  // namespace postern::accounts::test
