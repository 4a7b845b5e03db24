// /v1/session: signing in with a password and second factor, by a mailed link or code; and out.
//
// A name that doesn't exist, a wrong password and a locked person take the same steps (one read,
// one Argon2 run, one write) and get the same answer.
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "accounts/factors/one_time_token.hpp"
#include "accounts/factors/recovery_codes.hpp"
#include "accounts/factors/totp.hpp"
#include "accounts/login_trail.hpp"
#include "accounts/names.hpp"
#include "accounts/people/one_time_token.hpp"
#include "core/crypto.hpp"
#include "core/log.hpp"
#include "web/access/cookies.hpp"
#include "web/access/person_caller.hpp"
#include "web/access/person_mail.hpp"
#include "web/access/sessions.hpp"
#include "web/api/handlers.hpp"
#include "web/api/people/session_json.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
using accounts::Factor;
using accounts::Person;
using accounts::audit::Outcome;

namespace {

Response sign_in_failed() {
  return problem(401, "Not signed in",
                 "wrong address, password or code, or too many tries: wait some minutes");
}

Response sent() { return json_response(json::object{{"status", "sent"}}, 202); }

accounts::LockOut lock_rule(const Call& call) {
  const auto& web = call.services.settings->web;
  return {static_cast<std::uint32_t>(web.lock_failures), Micros(web.lock_time)};
}

bool may_sign_in(const Person& person, Timestamp now) {
  return person.status == accounts::PersonStatus::active && !person.is_locked(now);
}

Task<Result<std::optional<Person>>> find_by_email(Call& call, std::string email) {
  using Found = std::optional<Person>;
  co_return co_await call.services.registry->read<Found>(
      [email](sql::Transaction& tx) -> Result<Found> {
        auto person = accounts::find_person(tx, email);
        if (!person) return Found{};
        return Found{std::move(*person)};
      });
}

// As the doors of mail count them.
std::string guarded_name(const std::string& email) {
  const auto address = accounts::parse_address(email);
  return address ? address->text() : email;
}

// Over all doors together: who guesses here is shut out of mail too, from there.
std::optional<Response> shut_out(const Call& call, const std::string& email) {
  const auto until = call.services.authenticator->guard().blocked_until(
      guarded_name(email), address_of(call.request.peer), call.now());
  if (!until) return std::nullopt;
  return too_many_requests("too many wrong tries from here: wait", *until - call.now());
}

enum class OnRecord : std::uint8_t { no, yes };

struct Refusal {
  std::optional<PersonId> person;  ///< who was named, if there is such a person
  accounts::LoginAttempt attempt;
  accounts::LoginGuard::Guess guess;
  OnRecord on_record = OnRecord::no;
};

Result<void> enter_refusal(sql::Transaction& tx, const Act& act, const Refusal& refusal) {
  if (refusal.on_record == OnRecord::no) return {};
  auto blocked = accounts::enter_blocks(tx, *act.chain, refusal.attempt, refusal.guess);
  if (!blocked) return blocked;
  if (!refusal.person) {
    auto record = record_of(act, "person:" + refusal.attempt.name);
    record.outcome = Outcome::failure;
    return act.chain->append(tx, TenantId{}, record);
  }
  auto found = accounts::find_person(tx, *refusal.person);
  if (!found) return std::unexpected(found.error());
  return enter_about_person(tx, act, *found, Outcome::failure);
}

// Towards a lock when there is somebody to lock; and in the trail. A trail that takes nothing keeps
// the failure from nothing else, and from being counted least of all.
Task<Result<void>> note_failure(Call& call, const Refusal& refusal) {
  const Act act = make_act(call.services, call.request, call.caller, call.route.name);
  const auto count = [person = refusal.person, now = act.at,
                      rule = lock_rule(call)](sql::Transaction& tx) -> Result<void> {
    if (!person) return {};
    auto counted = accounts::note_sign_in_failure(tx, *person, now, rule);
    if (!counted) return std::unexpected(counted.error());
    return {};
  };
  const auto noted = co_await call.services.registry->note<void>(
      [count, act, refusal](sql::Transaction& tx) -> Result<void> {
        if (auto counted = count(tx); !counted) return counted;
        return enter_refusal(tx, act, refusal);
      });
  if (noted) co_return Result<void>{};
  log::error("sign_in.not_on_record", {{"error", noted.error().message}});
  co_return co_await call.services.registry->note<void>(count);
}

// What is written about a person is more than about nobody, by some statements: it takes place
// within this time, and so doesn't show.
constexpr std::chrono::milliseconds kRefusalTime{25};

Task<void> wait_until(std::chrono::steady_clock::time_point when) {
  asio::steady_timer timer(co_await asio::this_coro::executor, when);
  co_await timer.async_wait(asio::use_awaitable);
}

Task<Response> refuse_sign_in(Call& call, std::optional<PersonId> person, std::string email,
                              std::string guess) {
  const auto answer_at = std::chrono::steady_clock::now() + kRefusalTime;
  auto& guard = call.services.authenticator->guard();
  Refusal refusal{person,
                  {guarded_name(email), std::nullopt, address_of(call.request.peer),
                   accounts::Protocol::http, call.now()},
                  {},
                  OnRecord::no};
  refusal.guess = guard.failed(refusal.attempt.name, refusal.attempt.remote, guess, call.now());
  crypto::wipe(guess);
  if (guard.goes_on_record(refusal.guess, call.now())) refusal.on_record = OnRecord::yes;
  const auto noted = co_await note_failure(call, refusal);
  co_await wait_until(answer_at);
  co_return noted ? sign_in_failed() : problem(noted.error());
}

}  // namespace

Task<Response> sign_in(Call& call) {
  if (auto refused = shut_out(call, call.text("email"))) co_return std::move(*refused);
  auto found = co_await find_by_email(call, call.text("email"));
  if (!found) co_return problem(found.error());
  const auto& person = *found;
  const bool open = person && may_sign_in(*person, call.now()) && person->password_hash;
  auto password = call.text("password");
  auto matches = open ? co_await call.services.passwords->verify(password, *person->password_hash)
                      : co_await call.services.passwords->verify_dummy(password);
  crypto::wipe(password);
  if (!matches) co_return problem(matches.error());
  if (!open || !*matches) {
    co_return co_await refuse_sign_in(call, person ? std::optional(person->id) : std::nullopt,
                                      call.text("email"), call.text("password"));
  }
  call.services.authenticator->guard().succeeded(guarded_name(call.text("email")),
                                                 address_of(call.request.peer), call.now());
  co_return co_await answer_with_session(call, {person->id, bits(Factor::password)});
}

namespace {

// True when the code is right, and then it is spent.
Result<bool> spend_totp(sql::Transaction& tx, const Person& person, const std::string& secret,
                        const std::string& code, Timestamp now) {
  const auto step = accounts::match_totp(secret, code, now, person.totp_last_step);
  if (!step) return false;
  auto accepted = accounts::accept_totp_step(tx, person.id, *step);
  if (!accepted && accepted.error().code != Errc::denied) return std::unexpected(accepted.error());
  return accepted.has_value();
}

Result<bool> spend_recovery_code(sql::Transaction& tx, const Person& person,
                                 const std::string& code) {
  const auto canonical = accounts::canonical_recovery_code(code);
  if (!canonical) return false;
  auto used = accounts::use_recovery_code(
      tx, person.id, accounts::recovery_code_digest(person.recovery_salt, *canonical));
  if (!used && used.error().code != Errc::denied) return std::unexpected(used.error());
  return used.has_value();
}

Task<Result<std::optional<Person>>> person_of(Call& call) {
  using Found = std::optional<Person>;
  co_return co_await call.services.registry->read<Found>(
      [id = call.session->person](sql::Transaction& tx) -> Result<Found> {
        auto person = accounts::find_person(tx, id);
        if (!person) return std::unexpected(person.error());
        return Found{std::move(*person)};
      });
}

Task<Result<bool>> spend_code(Call& call, const Person& person) {
  const bool totp = call.text("kind") == "totp";
  std::string secret;
  if (totp) {
    if (!person.totp_secret) co_return false;
    auto opened =
        call.services.keystore->master().unwrap("totp:" + person.id.text(), *person.totp_secret);
    if (!opened) co_return std::unexpected(opened.error());
    secret = std::move(*opened);
  }
  co_return co_await call.services.registry->note<bool>(
      [id = person.id, totp, secret, code = call.text("code"),
       now = call.now()](sql::Transaction& tx) -> Result<bool> {
        if (auto held = accounts::hold_person(tx, id); !held) return std::unexpected(held.error());
        auto who = accounts::find_person(tx, id);
        if (!who) return std::unexpected(who.error());
        return totp ? spend_totp(tx, *who, secret, code, now) : spend_recovery_code(tx, *who, code);
      });
}

}  // namespace

Task<Response> give_second_factor(Call& call) {
  auto person = co_await person_of(call);
  if (!person) co_return problem(person.error());
  const Person& who = **person;
  if (auto refused = shut_out(call, who.email)) co_return std::move(*refused);
  if (!may_sign_in(who, call.now())) co_return sign_in_failed();
  auto right = co_await spend_code(call, who);
  if (!right) co_return problem(right.error());
  if (!*right) co_return co_await refuse_sign_in(call, who.id, who.email, call.text("code"));
  const auto factor = call.text("kind") == "totp" ? Factor::totp : Factor::recovery_code;
  co_return co_await answer_with_session(
      call, {who.id, call.session->factors | bits(factor), true, call.session->id});
}

Task<Response> show_session(Call& call) {
  co_return co_await session_response(call, *call.session, session_token(call.request), 200);
}

Task<Response> sign_out(Call& call) {
  const Act act = make_act(call.services, call.request, call.caller, call.route.name);
  auto ended = co_await call.services.registry->note<void>(
      [act, session = *call.session](sql::Transaction& tx) -> Result<void> {
        if (auto done = accounts::revoke_session(tx, session.person, session.id); !done)
          return done;
        return act.chain->append(tx, TenantId{}, record_of(act, "person:" + act.caller.name));
      });
  if (!ended) co_return problem(ended.error());
  auto response = no_content();
  clear_session_cookies(response, call.request.peer.transport);
  co_return response;
}

// Whether there is such a person shows neither in the answer nor in its time: the mail is made
// afterwards.
Task<Response> request_link(Call& call) {
  mail_later(call.services, {PersonMail::sign_in_link, call.text("email")});
  co_return sent();
}

Task<Response> request_code(Call& call) {
  mail_later(call.services, {PersonMail::email_code, call.text("email")});
  co_return sent();
}

namespace {

Task<Response> begin_by_mail(Call& call, const Result<PersonId>& person, Factor factor) {
  if (!person && person.error().code != Errc::not_found) co_return problem(person.error());
  if (!person) co_return sign_in_failed();
  co_return co_await answer_with_session(call, {*person, bits(factor)});
}

// A mailed secret proves the address too.
Result<PersonId> let_in(sql::Transaction& tx, const accounts::OneTimeToken& token, Timestamp now) {
  if (!token.person) return fail(Errc::not_found, "no such person");
  auto person = accounts::find_person(tx, *token.person);
  if (!person) return std::unexpected(person.error());
  if (person->status == accounts::PersonStatus::unverified) {
    auto proved = accounts::set_person_status(tx, person->id, accounts::PersonStatus::active);
    if (!proved) return std::unexpected(proved.error());
    person->status = accounts::PersonStatus::active;
  }
  if (!may_sign_in(*person, now)) return fail(Errc::not_found, "the person may not sign in");
  return person->id;
}

}  // namespace

Task<Response> confirm_link(Call& call) {
  const auto digest = accounts::token_digest(call.text("token"), accounts::kLinkPrefix);
  if (!digest) co_return sign_in_failed();
  auto person = co_await call.services.registry->note<PersonId>(
      [digest = *digest, now = call.now()](sql::Transaction& tx) -> Result<PersonId> {
        auto token = accounts::consume_token(tx, digest, accounts::TokenKind::sign_in_link, now);
        if (!token) return std::unexpected(token.error());
        return let_in(tx, *token, now);
      });
  co_return co_await begin_by_mail(call, person, Factor::mailed_link);
}

Task<Response> confirm_code(Call& call) {
  const auto email = call.text("email");
  if (auto refused = shut_out(call, email)) co_return std::move(*refused);
  const auto digest = email_code_digest(call.services, email, call.text("code"));
  if (!digest) co_return sign_in_failed();
  using Checked = std::optional<PersonId>;
  auto checked = co_await call.services.registry->note<Checked>(
      [email, digest = *digest, now = call.now()](sql::Transaction& tx) -> Result<Checked> {
        auto check = accounts::check_code(tx, email, digest, now);
        if (!check) return std::unexpected(check.error());
        // A wrong code is counted, so it must not undo the transaction.
        if (check->outcome != accounts::CodeCheck::Outcome::right) return Checked{};
        auto person = let_in(tx, *check->token, now);
        if (!person) return Checked{};
        return Checked{*person};
      });
  if (!checked && checked.error().code != Errc::invalid) co_return problem(checked.error());
  if (!checked || !*checked)
    co_return co_await refuse_sign_in(call, std::nullopt, email, call.text("code"));
  co_return co_await answer_with_session(call, {**checked, bits(Factor::mailed_code)});
}

}  // namespace postern::web::api
