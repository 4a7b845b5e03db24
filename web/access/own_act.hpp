// What people do about themselves: a change of the people's tables, with its record in the
// platform's audit chain and in those of the person's tenants.
#pragma once

#include "accounts/people/person.hpp"
#include "web/access/sessions.hpp"
#include "web/api/call.hpp"

namespace postern::web {

template <class T>
Task<Result<T>> own_act(Call& call, std::function<Result<T>(sql::Transaction&)> change) {
  const Act act = make_act(call.services, call.request, call.caller, call.route.name);
  co_return co_await call.services.registry->change<T>(
      [act, id = call.session->person,
       change = std::move(change)](sql::Transaction& tx) -> Result<T> {
        const auto person = accounts::find_person(tx, id);
        if (!person) return std::unexpected(person.error());
        auto done = change(tx);
        if (!done) return done;
        auto entered = enter_about_person(tx, act, *person, accounts::audit::Outcome::success);
        if (!entered) return std::unexpected(entered.error());
        return done;
      });
}

}  // namespace postern::web
