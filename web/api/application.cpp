#include "web/api/application.hpp"

#include <fmt/format.h>

#include "web/access/access_control.hpp"
#include "web/access/audit.hpp"
#include "web/access/cookies.hpp"
#include "web/api/call.hpp"
#include "web/api/table/route_metrics.hpp"
#include "web/api/table/validate.hpp"
#include "web/http/security_headers.hpp"

namespace postern::web {

namespace {

using accounts::Caller;
using accounts::CallerKind;

constexpr std::chrono::minutes kFreshFactor{5};  // how long a second factor counts as fresh

Response sign_in_needed() {
  Response refusal = problem(401, "Not signed in", "this needs an API key or a session");
  refusal.headers.emplace_back("WWW-Authenticate", "Bearer");
  return refusal;
}

// Whoever acts in no tenant, over http, has to say in which one they mean to.
bool needs_tenant(const Route& route, const Caller& caller) {
  return route.guard.kind == Guard::Kind::permission && !caller.tenant &&
         caller.kind == CallerKind::person &&
         accounts::realm_of(route.guard.permission) == accounts::Realm::tenant &&
         !caller.may(route.guard.permission);
}

// A sign-in that isn't whole is good for one thing: to make it so.
std::optional<Response> refusal_by_factors(const Route& route, const Caller& caller) {
  using enum accounts::SignIn;
  if (caller.kind != CallerKind::person || caller.sign_in == whole) return std::nullopt;
  const bool ends_it = route.guard.kind == Guard::Kind::half_signed_in;
  const bool enrolls = route.guard.kind == Guard::Kind::person_enrolling;
  if (ends_it || (enrolls && caller.sign_in == enrolling)) return std::nullopt;
  return caller.sign_in == half
             ? problem(403, "Second factor needed", "give your second factor first")
             : problem(403, "Second factor needed", "set up a second factor first");
}

bool is_by_cookie(const Request& request) {
  return !request.headers.contains("authorization") && !session_token(request).empty();
}

// Browsers say so themselves (W3C Fetch Metadata); this covers sign-in, which has no session yet.
bool is_from_another_site(const Request& request) {
  const auto site = request.headers.find("sec-fetch-site");
  return request.method != Method::get && site != request.headers.end() &&
         site->second != "same-origin" && site->second != "none";
}

// Why this caller may not, or nullopt.
std::optional<Response> refusal_of(const Route& route, const Caller& caller, Timestamp now) {
  if (route.guard.kind == Guard::Kind::anyone) return std::nullopt;
  if (caller.kind == CallerKind::nobody) return sign_in_needed();
  if (route.guard.kind != Guard::Kind::permission && caller.kind != CallerKind::person) {
    return problem(403, "Not allowed", "this is about a person who is signed in");
  }
  if (auto refused = refusal_by_factors(route, caller)) return refused;
  if (needs_tenant(route, caller)) {
    return problem(403, "Not allowed",
                   "say in which tenant, with the header Postern-Tenant: you may not do this "
                   "without one");
  }
  if (route.guard.kind == Guard::Kind::permission && !caller.may(route.guard.permission)) {
    return problem(403, "Not allowed",
                   fmt::format("this needs the permission {}", to_string(route.guard.permission)));
  }
  // What people do about themselves is in no domain.
  const bool of_tenant = route.guard.kind == Guard::Kind::permission;
  if (of_tenant && route.narrowed == Narrowed::refused && !caller.narrowing.none()) {
    return problem(403, "Not allowed", "this is about the whole tenant, and you are narrowed");
  }
  const bool fresh = caller.verified_at && now - *caller.verified_at < kFreshFactor;
  if (route.guard.step_up == Guard::StepUp::yes && caller.kind == CallerKind::person && !fresh) {
    Response refusal = problem(403, "Confirm that it is you",
                               "this needs a second factor given within the last five minutes");
    refusal.headers.emplace_back("Postern-Step-Up", "required");
    return refusal;
  }
  return std::nullopt;
}

}  // namespace

Task<Response> Api::serve(const Route& route, Request request) {
  if (auto refused = refuse_unreadable(request)) co_return std::move(*refused);
  if (is_from_another_site(request))
    co_return problem(403, "Not from here", "this request was made by another site's page");
  auto identity = co_await services_->access->identify(request);
  // Whoever signs in anew may still hold the cookie of a session that has ended. It was counted as
  // a stranger's request.
  constexpr unsigned kTooMany = 429;
  if (!identity && identity.error().status != kTooMany && route.guard.kind == Guard::Kind::anyone &&
      is_by_cookie(request))
    identity = Identity{};
  if (!identity) co_return identity.error();
  const Caller& caller = identity->caller;
  const auto now = services_->clock->now();
  if (auto refused = refusal_of(route, caller, now)) {
    if (caller.kind != CallerKind::nobody) {
      auto entered = co_await enter_denial(*services_, request, caller, route.name);
      if (!entered) co_return problem(entered.error());
    }
    co_return std::move(*refused);
  }
  if (auto refused = validate(route, request)) co_return std::move(*refused);
  Call call(*services_, route, std::move(request), std::move(*identity));
  co_return co_await route.handler(call);
}

Task<Response> Api::answer(Request request) {
  const auto begun = std::chrono::steady_clock::now();
  const auto transport = request.peer.transport;
  const auto method = request.method;
  Match match = find_route(routes_, request);
  const auto name = match.route == nullptr ? std::string_view("none") : match.route->name;
  auto response = match.route == nullptr ? std::move(match.refusal)
                                         : co_await serve(*match.route, std::move(request));
  count_answer(name, method, response.status, std::chrono::steady_clock::now() - begun);
  add_security_headers(response, transport);
  co_return response;
}

}  // namespace postern::web
