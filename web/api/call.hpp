// One request being answered: who asks, what came in (already validated), and the only ways to the
// accounts' data.
//
// Owner: the frame of Application::answer, which awaits the handler; so handlers may hold a
// reference across co_await.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "accounts/access/caller.hpp"
#include "accounts/access/reach.hpp"
#include "core/task.hpp"
#include "web/access/access_control.hpp"
#include "web/access/audit.hpp"
#include "web/api/table/route.hpp"
#include "web/services.hpp"

namespace postern::web {

class Call {
 public:
  Call(Services& all, const Route& its_route, Request its_request, Identity who)
      : services(all),
        route(its_route),
        request(std::move(its_request)),
        caller(std::move(who.caller)),
        session(std::move(who.session)) {}

  Services& services;
  const Route& route;
  Request request;
  accounts::Caller caller;
  std::optional<accounts::WebSession> session;  ///< by which a person came

  /// Members of the body and of the query, which validate() has checked: empty or nullopt when they
  /// weren't given.
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name) const;
  [[nodiscard]] std::optional<bool> flag(std::string_view name) const;
  [[nodiscard]] std::optional<Timestamp> time(std::string_view name) const;
  [[nodiscard]] bool given(std::string_view name) const;
  [[nodiscard]] std::string query(std::string_view name) const;
  [[nodiscard]] std::optional<std::int64_t> query_integer(std::string_view name) const;
  /// Of the path; the route has it.
  [[nodiscard]] const std::string& parameter(std::string_view name) const;
  /// If-Match as it came; empty: it didn't.
  [[nodiscard]] std::string if_match() const;
  [[nodiscard]] Timestamp now() const { return services.clock->now(); }

  template <class T>
  using Closure = std::function<Result<T>(accounts::Reach&)>;

  template <class T>
  Task<Result<T>> read(Closure<T> closure);
  /// What is done is in the audit trail in the same commit, under the route's name.
  template <class T>
  Task<Result<T>> change(Closure<T> closure);

 private:
  [[nodiscard]] const boost::json::value* member(std::string_view name) const;
};

template <class T>
Task<Result<T>> Call::read(Closure<T> closure) {
  auto looked_up = std::make_shared<std::string>();
  auto outcome = co_await services.registry->read<T>(
      [closure = std::move(closure), who = caller, looked_up](sql::Transaction& tx) -> Result<T> {
        accounts::Reach reach(tx, who);
        auto done = closure(reach);
        *looked_up = reach.unscoped_reason();
        return done;
      });
  // A person who looks across tenants leaves a trace.
  if (outcome && !looked_up->empty() && caller.kind == accounts::CallerKind::person) {
    auto entered = co_await enter_look(services, request, caller, route.name, *looked_up);
    if (!entered) co_return std::unexpected(entered.error());
  }
  co_return outcome;
}

template <class T>
Task<Result<T>> Call::change(Closure<T> closure) {
  const Act act = make_act(services, request, caller, route.name);
  co_return co_await services.registry->change<T>(
      [closure = std::move(closure), act](sql::Transaction& tx) -> Result<T> {
        accounts::Reach reach(tx, act.caller);
        auto done = closure(reach);
        if (!done) return done;
        if (auto entered = enter(act, tx, reach); !entered) return std::unexpected(entered.error());
        return done;
      });
}

}  // namespace postern::web
