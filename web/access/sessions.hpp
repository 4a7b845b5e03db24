// Signing a person in: the session's row, its cookies and its audit records, in one commit.
#pragma once

#include <string>

#include "accounts/people/person.hpp"
#include "accounts/people/web_session.hpp"
#include "core/task.hpp"
#include "web/api/call.hpp"

namespace postern::web {

struct SessionStart {
  PersonId person;
  accounts::Factors factors = 0;
  /// Whether these prove a second factor (a passkey does, with user verification).
  bool verified = false;
  /// The session that this one takes the place of: a token known before a step up is worth nothing
  /// after it.
  std::optional<SessionId> in_place_of{};
};

/// What the new session's cookies hold, for the answer.
struct StartedSession {
  accounts::WebSession session;
  std::string token;
};

/// Everything random or timed of a session to come, made outside of the transaction.
StartedSession prepare_session(const Call& call, const SessionStart& start);
/// Writes it, notes the sign-in and enters it in the platform's audit chain and in those of the
/// person's tenants. Errc::not_found.
Result<void> begin_session(sql::Transaction& tx, const Act& act, const StartedSession& started,
                           const SessionStart& start);

/// Prepares, writes and answers: 201, the session and its cookies.
Task<Response> answer_with_session(Call& call, SessionStart start);

/// What is about one person, by that person: in the platform's chain and in those of their tenants.
Result<void> enter_about_person(sql::Transaction& tx, const Act& act,
                                const accounts::Person& person, accounts::audit::Outcome outcome);

}  // namespace postern::web
