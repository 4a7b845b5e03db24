// A session's person as a caller: in which tenant, with which permissions.
#pragma once

#include <string>

#include "accounts/access/caller.hpp"
#include "accounts/people/person.hpp"
#include "accounts/people/web_session.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::web {

/// Of a session's token (accounts/factors/one_time_token.hpp).
inline constexpr std::string_view kSessionPrefix = "pst_session_";

struct PersonQuestion {
  std::string token_digest;
  std::string tenant;  ///< name or id of the one to act in; empty: the only one, if it is that
  Micros session_idle{};
  Timestamp now;
  bool require_second_factor = false;
};

struct PersonAnswer {
  accounts::Caller caller;
  accounts::WebSession session;
  bool tenant_unknown = false;  ///< there is none of that name in which they may act
};

/// Permissions come from the membership; else from a connection that the tenant gave, and then the
/// caller's `original` says so; in no tenant an operator has the platform's. Errc::not_found: the
/// session has ended, or the person may not sign in any more.
Result<PersonAnswer> find_person_caller(sql::Transaction& tx, const PersonQuestion& question);

/// Whether a second factor can be asked of the person.
bool has_second_factor(sql::Transaction& tx, const accounts::Person& person);

}  // namespace postern::web
