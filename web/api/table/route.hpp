// The route table's rows: method, path, name, who may, what goes in and comes out, handler. One
// list (web/api/table/routes.hpp); the checks, the validation, the API's description,
// the audit records and the tests come from it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "accounts/access/permission.hpp"
#include "core/task.hpp"
#include "web/api/table/shape.hpp"
#include "web/http/message.hpp"

namespace postern::web {

class Call;

/// Handlers are named coroutines; the call lives in the frame that awaits them.
using Handler = Task<Response> (*)(Call& call);

/// Who may call a route.
struct Guard {
  enum class Kind : std::uint8_t {
    anyone,            ///< no sign-in: health, sign-in itself
    half_signed_in,    ///< a person, though their second factor is still to come
    person_enrolling,  ///< a person, though they still have to set up a second factor
    person,            ///< any person who is signed in, about themselves
    permission,        ///< whoever holds the permission
  };
  Kind kind;
  accounts::Permission permission{};  ///< of Kind::permission
  enum class StepUp : std::uint8_t { no, yes } step_up = StepUp::no;
};
inline constexpr Guard kAnyone{Guard::Kind::anyone};
inline constexpr Guard kHalfSignedIn{Guard::Kind::half_signed_in};
inline constexpr Guard kPersonEnrolling{Guard::Kind::person_enrolling};
inline constexpr Guard kPerson{Guard::Kind::person};
inline constexpr Guard kPersonAnew{Guard::Kind::person, {}, Guard::StepUp::yes};
constexpr Guard may(accounts::Permission permission) {
  return {Guard::Kind::permission, permission};
}
/// What destroys or gives away: a person must have given a second factor within five minutes.
constexpr Guard may_anew(accounts::Permission permission) {
  return {Guard::Kind::permission, permission, Guard::StepUp::yes};
}

/// Whether callers that are narrowed to some domains or mailboxes may call a route. Where it is
/// `checked`, every name goes through Reach; the others are about a whole tenant. Only asked where
/// the guard is a permission.
enum class Narrowed : std::uint8_t { refused, checked };

struct Answer {
  enum class Form : std::uint8_t { nothing, one, list, text } form = Form::nothing;
  const Shape* shape = nullptr;
  unsigned status = 204;
  std::string_view media_type = "application/json";
};
constexpr Answer gives(const Shape& shape, unsigned status = 200) {
  return {Answer::Form::one, &shape, status};
}
/// {"items": [...], "cursor": "..."}
constexpr Answer lists(const Shape& shape) { return {Answer::Form::list, &shape, 200}; }
constexpr Answer gives_text(std::string_view media_type) {
  return {Answer::Form::text, nullptr, 200, media_type};
}

struct Route {
  Method method;
  std::string_view pattern;  ///< "/v1/domains/{domain}/check"; a {name} is one segment
  std::string_view name;     ///< "domain.check": the operation's id and the audit record's action
  Guard guard;
  std::string_view summary;  ///< one line, for people
  Handler handler;
  Answer answer{};
  const Shape* body = nullptr;
  std::span<const Member> query{};
  Narrowed narrowed = Narrowed::refused;
  std::size_t body_bytes = 64UL * 1024;  ///< at most
};

/// Finds the route of a request and fills request.parameters. The answer is a route, or the problem
/// to send: 404, or 405 with Allow.
struct Match {
  const Route* route = nullptr;
  Response refusal;
};
Match find_route(std::span<const Route> routes, Request& request);

/// The names in a pattern's braces, in order.
std::vector<std::string_view> parameters_of(std::string_view pattern);

}  // namespace postern::web
