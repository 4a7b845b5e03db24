#include "core/crypto.hpp"
#include "core/log.hpp"
#include "core/metrics.hpp"
#include "imap/capability.hpp"
#include "imap/cmd/handlers.hpp"

namespace postern::imap {

namespace {
metrics::Counter logins_accepted("postern_imap_logins_total", "IMAP logins", "result=\"accepted\"");
metrics::Counter logins_refused("postern_imap_logins_total", "IMAP logins", "result=\"refused\"");
}  // namespace

Task<Outcome> check_credentials(Session& session, std::string login, std::string password) {
  // The backend wipes the copy that it is given.
  auto account = co_await session.backend().authenticate(login, password, session.remote());
  crypto::wipe(password);
  if (account) {
    logins_accepted.add();
    log::info("imap_login", {{"login", (*account)->login()}, {"remote", session.remote()}});
    session.log_in(std::move(*account));
    co_return ok("Logged in", "CAPABILITY " + capabilities(session));
  }
  if (account.error().code == Errc::too_large) {
    logins_refused.add();
    co_await session.login_failed();
    co_return no("Too many failed logins, try again later", "UNAVAILABLE");
  }
  if (account.error().code != Errc::denied && account.error().code != Errc::not_found) {
    log::warn("imap_login_unavailable", {{"cause", account.error().message}});
    co_return no("Can't check the login now, try again later", "UNAVAILABLE");
  }
  logins_refused.add();
  co_await session.login_failed();
  co_return no("Wrong user name or password", "AUTHENTICATIONFAILED");
}

Task<Outcome> handle_login(Session& session, LoginCommand command) {
  if (session.plaintext_refused()) co_return no("TLS is required first", "PRIVACYREQUIRED");
  co_return co_await check_credentials(session, std::move(command.user),
                                       std::move(command.password));
}

}  // namespace postern::imap
