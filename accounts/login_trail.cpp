#include "accounts/login_trail.hpp"

#include <boost/json/object.hpp>

#include "accounts/credentials.hpp"

namespace postern::accounts {

namespace json = boost::json;

namespace {

audit::Door door_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::smtp: return audit::Door::smtp;
    case Protocol::imap: return audit::Door::imap;
    case Protocol::http: return audit::Door::http;
  }
  return audit::Door::http;
}

TenantId chain_of(const LoginAttempt& attempt) {
  return attempt.login ? attempt.login->identity.tenant : TenantId{};
}

audit::Record record_of(const LoginAttempt& attempt, std::string_view action,
                        audit::Outcome outcome) {
  audit::Record record;
  record.at = attempt.at;
  record.action = action;
  record.outcome = outcome;
  record.door = door_of(attempt.protocol);
  record.address = attempt.remote.to_string();
  record.target = (attempt.login ? "account:" : "login:") + attempt.name;
  return record;
}

Result<void> enter_success(sql::Transaction& tx, const audit::Chain& trail,
                           const LoginAttempt& attempt) {
  auto record = record_of(attempt, "login.attempt", audit::Outcome::success);
  record.actor_kind = audit::ActorKind::account;
  record.actor_id = attempt.login->identity.account.text();
  record.actor = attempt.login->address;
  record.details = audit::canonical({{"credential", attempt.login->credential.text()}});
  return trail.append(tx, chain_of(attempt), record);
}

Result<void> enter_denial(sql::Transaction& tx, const audit::Chain& trail,
                          const LoginAttempt& attempt, audit::Outcome outcome,
                          std::string_view why) {
  auto record = record_of(attempt, "login.attempt", outcome);
  record.details = audit::canonical({{"why", json::string_view(why.data(), why.size())}});
  return trail.append(tx, chain_of(attempt), record);
}

}  // namespace

Task<Result<void>> record_success(Registry& registry, const audit::Chain* trail,
                                  LoginAttempt attempt, LastUse use) {
  storage::Database::Closure<void> closure =
      [trail, use, entry = std::move(attempt)](sql::Transaction& tx) -> Result<void> {
    if (use == LastUse::noted) {
      sql::TenantScope scope(tx, entry.login->identity.tenant);
      auto noted = note_use(scope, entry.login->credential, entry.at);
      if (!noted) return noted;
    }
    if (trail == nullptr) return {};
    return enter_success(tx, *trail, entry);
  };
  co_return co_await registry.note<void>(std::move(closure));
}

Task<Result<void>> record_denial(Registry& registry, const audit::Chain& trail,
                                 LoginAttempt attempt, LoginGuard::Guess guess,
                                 audit::Outcome outcome, std::string_view why) {
  storage::Database::Closure<void> closure =
      [&trail, guess, outcome, why,
       entry = std::move(attempt)](sql::Transaction& tx) -> Result<void> {
    if (auto done = enter_denial(tx, trail, entry, outcome, why); !done) return done;
    return enter_blocks(tx, trail, entry, guess);
  };
  co_return co_await registry.note<void>(std::move(closure));
}

Result<void> enter_blocks(sql::Transaction& tx, const audit::Chain& trail,
                          const LoginAttempt& attempt, const LoginGuard::Guess& guess) {
  const auto network = network_of(attempt.remote);
  if (guess.login_blocked) {
    auto record = record_of(attempt, "login.block", audit::Outcome::denied);
    record.details = audit::canonical({{"network", network}});
    auto done = trail.append(tx, chain_of(attempt), record);
    if (!done) return done;
  }
  if (!guess.network_blocked) return {};
  auto record = record_of(attempt, "login.block", audit::Outcome::denied);
  record.target = "network:" + network;
  return trail.append(tx, TenantId{}, record);
}

}  // namespace postern::accounts
