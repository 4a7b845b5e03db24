#include "accounts/authenticator.hpp"

#include <atomic>

#include "accounts/credentials.hpp"
#include "accounts/generation_cache.hpp"
#include "accounts/login_record.hpp"
#include "accounts/login_trail.hpp"
#include "accounts/verified_logins.hpp"
#include "core/crypto.hpp"
#include "core/log.hpp"
#include "core/metrics.hpp"

namespace postern::accounts {

namespace {

struct Counters {
  metrics::Counter proved{"postern_logins_total", "Logins by outcome", R"(outcome="proved")"};
  metrics::Counter remembered{"postern_logins_total", "Logins by outcome",
                              R"(outcome="remembered")"};
  metrics::Counter denied{"postern_logins_total", "Logins by outcome", R"(outcome="denied")"};
  metrics::Counter blocked{"postern_logins_total", "Logins by outcome", R"(outcome="blocked")"};
  metrics::Counter deferred{"postern_logins_total", "Logins by outcome", R"(outcome="deferred")"};
};

Counters& counters() {
  static Counters all;
  return all;
}

/// A record in memory, with when its last use was written down.
struct CachedRecord {
  explicit CachedRecord(LoginRecord r)
      : record(std::move(r)), noted(record.last_used ? to_micros(*record.last_used) : INT64_MIN) {}
  const LoginRecord record;
  std::atomic<std::int64_t> noted;
};

bool same(const LoginRecord& a, const LoginRecord& b) {
  return a.state == b.state && a.login.credential == b.login.credential && a.hash == b.hash;
}

}  // namespace

struct Authenticator::Impl {
  Impl(Registry& r, PasswordPool& p, Clock& c, const AuthenticatorOptions& options)
      : registry(&r),
        passwords(&p),
        clock(&c),
        last_used_interval(options.last_used_interval),
        guard(options.limits),
        trail(options.trail),
        trail_interval(options.trail_interval),
        verified(options.cache_entries, options.cache_ttl),
        records(options.cache_entries),
        standing(options.cache_entries) {}

  Registry* registry;
  PasswordPool* passwords;
  Clock* clock;
  Micros last_used_interval;
  LoginGuard guard;
  const audit::Chain* trail;
  Micros trail_interval;
  VerifiedLogins verified;
  GenerationCache<CachedRecord> records;
  GenerationCache<const bool> standing;
};

namespace {

using Record = std::shared_ptr<CachedRecord>;

/// One attempt: what stays the same from step to step.
struct Attempt {
  std::string name;  ///< under which guesses are counted, account or not
  std::optional<Address> address;
  std::optional<std::string> selector;
  std::string secret;
  asio::ip::address remote;
  Protocol protocol = Protocol::smtp;

  ~Attempt() { crypto::wipe(secret); }
};
using SharedAttempt = std::shared_ptr<const Attempt>;

constexpr std::size_t kLongestName = 320;  // octets of a login that is no address

SharedAttempt make_attempt(std::string_view login, std::string& password,
                           const asio::ip::address& remote, Protocol protocol) {
  auto address = parse_address(login);
  auto attempt = std::make_shared<Attempt>();
  attempt->name = address ? address->text() : std::string(login.substr(0, kLongestName));
  if (address) attempt->address = std::move(*address);
  attempt->selector = app_password_selector(password);
  attempt->secret = canonical_secret(password);
  attempt->remote = remote;
  attempt->protocol = protocol;
  crypto::wipe(password);
  return attempt;
}

std::unexpected<Error> deny(const Attempt& attempt, std::string_view why) {
  counters().denied.add();
  log::info("login.denied", {{"protocol", to_string(attempt.protocol)},
                             {"remote", attempt.remote.to_string()},
                             {"why", why}});
  return fail(Errc::denied, "wrong name or password");
}

LoginAttempt attempt_on_record(const Attempt& attempt, const LoginRecord& row, Timestamp now) {
  LoginAttempt entry{attempt.name, std::nullopt, attempt.remote, attempt.protocol, now};
  if (row.state != LoginRecord::State::unknown) entry.login = row.login;
  return entry;
}

std::unexpected<Error> defer(Error error) {
  counters().deferred.add();
  return std::unexpected(std::move(error));
}

}  // namespace

/// The steps of a login, as coroutines that own what they use.
struct Authenticator::Steps {
  using SharedImpl = std::shared_ptr<Impl>;

  static std::string key_of(const Attempt& attempt) {
    return attempt.address->text() + '\n' + attempt.selector.value_or("");
  }

  /// What is in memory of it; nullptr: nothing.
  static Record find_known(Impl& impl, const Attempt& attempt) {
    if (!attempt.address) return nullptr;
    return impl.records.find(impl.registry->generation(), key_of(attempt));
  }

  static Task<Result<Record>> load(SharedImpl impl, SharedAttempt attempt) {
    if (!attempt->address) co_return std::make_shared<CachedRecord>(LoginRecord{});
    const auto key = key_of(*attempt);
    const auto generation = impl->registry->generation();
    storage::Database::Closure<LoginRecord> closure =
        [address = *attempt->address,
         selector = attempt->selector](sql::Transaction& tx) -> Result<LoginRecord> {
      return read_login(tx, address, selector);
    };
    auto answer = co_await impl->registry->read<LoginRecord>(std::move(closure));
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    auto record = std::make_shared<CachedRecord>(std::move(*answer));
    impl->records.store(generation, key, record);
    co_return record;
  }

  static auto mac_of(Impl& impl, const Attempt& attempt, const CachedRecord& record) {
    return impl.verified.mac(record.record.login.address, record.record.hash, attempt.secret);
  }
  /// Whether this password was proved lately against what is stored now.
  static bool is_remembered(Impl& impl, const Attempt& attempt, const CachedRecord& record) {
    return record.record.state == LoginRecord::State::usable &&
           impl.verified.contains(mac_of(impl, attempt, record), impl.clock->now());
  }

  /// One Argon2, whatever the record says.
  static Task<Result<bool>> prove(SharedImpl impl, SharedAttempt attempt, Record record) {
    if (record->record.state == LoginRecord::State::unknown) {
      co_return co_await impl->passwords->verify_dummy(attempt->secret);
    }
    co_return co_await impl->passwords->verify(attempt->secret, record->record.hash);
  }

  /// Hashes the password anew when the settings have changed since. Failing is no failure of the
  /// login.
  static Task<void> renew_hash(SharedImpl impl, SharedAttempt attempt, Record record) {
    const auto& row = record->record;
    if (!impl->passwords->is_outdated(row.hash)) co_return;
    auto fresh = co_await impl->passwords->hash(attempt->secret);
    if (!fresh) co_return;
    storage::Database::Closure<void> closure = [login = row.login, old = row.hash,
                                                fresh = *fresh](sql::Transaction& tx) {
      sql::TenantScope scope(tx, login.identity.tenant);
      return replace_hash(scope, login.credential, old, fresh);
    };
    const auto stored = co_await impl->registry->change<void>(std::move(closure));
    if (stored) {
      impl->verified.insert(impl->verified.mac(row.login.address, *fresh, attempt->secret),
                            impl->clock->now());
    }
  }

  /// Whether the credential's last use is to be written. Of several logins at once, one writes.
  static bool use_is_due(const Impl& impl, CachedRecord& record, Timestamp now) {
    auto noted = record.noted.load();
    const bool due =
        noted == INT64_MIN || to_micros(now) - noted >= impl.last_used_interval.count();
    return due && record.noted.compare_exchange_strong(noted, to_micros(now));
  }

  using Right = LoginGuard::Right;

  /// Whether a right password goes on record this time.
  static bool is_told(Impl& impl, const Attempt& attempt, Right what, Timestamp now) {
    return impl.trail != nullptr &&
           impl.guard.tell(what, attempt.name, attempt.remote, now, impl.trail_interval);
  }

  /// A trail that takes nothing keeps nothing else from being done.
  static void not_on_record(const Error& error) {
    log::error("login.not_on_record", {{"error", error.message}});
  }

  static Task<void> note_login(SharedImpl impl, SharedAttempt attempt, Record record) {
    const auto now = impl->clock->now();
    const auto use = use_is_due(*impl, *record, now) ? LastUse::noted : LastUse::known;
    const auto entry = attempt_on_record(*attempt, record->record, now);
    if (is_told(*impl, *attempt, Right::admitted, now)) {
      const auto written = co_await record_success(*impl->registry, impl->trail, entry, use);
      if (written) co_return;
      impl->guard.not_told(Right::admitted, attempt->name, attempt->remote);
      not_on_record(written.error());
    }
    if (use == LastUse::known) co_return;
    const auto written = co_await record_success(*impl->registry, nullptr, entry, use);
    if (!written) log::warn("login.last_used_not_written", {{"error", written.error().message}});
  }

  /// A wrong password, or a name that nobody has: the same work. A repeat isn't told of again.
  static Task<Result<Login>> deny_guess(SharedImpl impl, SharedAttempt attempt, Record record,
                                        std::string_view why) {
    const auto now = impl->clock->now();
    const auto guess = impl->guard.failed(attempt->name, attempt->remote, attempt->secret, now);
    if (guess.login_blocked || guess.network_blocked) {
      log::warn("login.blocked", {{"protocol", to_string(attempt->protocol)},
                                  {"network", network_of(attempt->remote)}});
    }
    if (impl->trail != nullptr && impl->guard.goes_on_record(guess, now)) {
      const auto written = co_await record_denial(*impl->registry, *impl->trail,
                                                  attempt_on_record(*attempt, record->record, now),
                                                  guess, audit::Outcome::failure, why);
      if (!written) not_on_record(written.error());
    }
    co_return deny(*attempt, why);
  }

  static Task<Result<Login>> deny_suspended(SharedImpl impl, SharedAttempt attempt, Record record) {
    const auto now = impl->clock->now();
    if (is_told(*impl, *attempt, Right::suspended, now)) {
      const auto written = co_await record_denial(*impl->registry, *impl->trail,
                                                  attempt_on_record(*attempt, record->record, now),
                                                  {}, audit::Outcome::denied, "suspended");
      if (!written) {
        impl->guard.not_told(Right::suspended, attempt->name, attempt->remote);
        not_on_record(written.error());
      }
    }
    co_return deny(*attempt, "suspended");
  }

  static Task<Result<Login>> admit(SharedImpl impl, SharedAttempt attempt, Record record) {
    impl->guard.succeeded(attempt->name, attempt->remote, impl->clock->now());
    co_await note_login(impl, attempt, record);
    co_return record->record.login;
  }

  static Task<Result<Login>> verify(SharedImpl impl, SharedAttempt attempt) {
    if (impl->guard.blocked_until(attempt->name, attempt->remote, impl->clock->now())) {
      counters().blocked.add();
      co_return fail(Errc::too_large, "too many wrong passwords from there");
    }
    auto record = find_known(*impl, *attempt);
    if (!record || !is_remembered(*impl, *attempt, *record)) {
      // Asked whatever is in memory, so that the time doesn't tell who lately logged in.
      auto loaded = co_await load(impl, attempt);
      if (!loaded) co_return defer(std::move(loaded.error()));
      record = std::move(*loaded);
    }
    if (is_remembered(*impl, *attempt, *record)) {
      counters().remembered.add();
      co_return co_await admit(impl, attempt, record);
    }
    const auto right = co_await prove(impl, attempt, record);
    if (!right) co_return defer(right.error());
    const auto& row = record->record;
    if (row.state == LoginRecord::State::unknown) {
      co_return co_await deny_guess(impl, attempt, record, "no such login");
    }
    if (!*right) co_return co_await deny_guess(impl, attempt, record, "wrong password");
    if (row.state == LoginRecord::State::suspended) {
      co_return co_await deny_suspended(impl, attempt, record);
    }
    // The row may have changed while the hash was being computed.
    auto again = co_await load(impl, attempt);
    if (!again) co_return defer(std::move(again.error()));
    if (!same((*again)->record, row)) co_return deny(*attempt, "changed meanwhile");
    impl->verified.insert(mac_of(*impl, *attempt, *record), impl->clock->now());
    co_await renew_hash(impl, attempt, record);
    counters().proved.add();
    co_return co_await admit(impl, attempt, *again);
  }
};

Authenticator::Authenticator(Registry& registry, PasswordPool& passwords, Clock& clock,
                             AuthenticatorOptions options)
    : impl_(std::make_shared<Impl>(registry, passwords, clock, options)) {}
Authenticator::~Authenticator() = default;

Task<Result<Login>> Authenticator::verify(std::string login, std::string password,
                                          asio::ip::address remote, Protocol protocol) {
  const auto attempt = make_attempt(login, password, remote, protocol);
  // Says nothing of whether the account exists, and keeps megabytes out of Argon2.
  if (attempt->secret.size() > kMaxPassword) co_return deny(*attempt, "too long");
  co_return co_await Steps::verify(impl_, attempt);
}

Task<Result<bool>> Authenticator::still_valid(Login login) {
  auto impl = impl_;
  const auto key = login.credential.text();
  const auto generation = impl->registry->generation();
  if (const auto known = impl->standing.find(generation, key)) co_return *known;
  storage::Database::Closure<bool> closure = [login](sql::Transaction& tx) -> Result<bool> {
    return read_still_valid(tx, login);
  };
  auto answer = co_await impl->registry->read<bool>(std::move(closure));
  if (answer) impl->standing.store(generation, key, std::make_shared<const bool>(*answer));
  co_return answer;
}

std::size_t Authenticator::cached() const { return impl_->verified.size(); }

LoginGuard& Authenticator::guard() { return impl_->guard; }

std::vector<LoginGuard::Block> Authenticator::blocks() const {
  return impl_->guard.blocks(impl_->clock->now());
}

std::size_t Authenticator::unblock(std::string_view login_or_network) {
  return impl_->guard.unblock(login_or_network, impl_->clock->now());
}

}  // namespace postern::accounts
