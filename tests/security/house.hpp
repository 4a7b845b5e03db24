// A whole server in one process, without a socket: the parts that `postern serve` makes, over a
// data directory that `postern init` made, and the API's route table on top.
//
// Requests take the way that a parsed HTTP request takes: Api::answer on an io thread. Mail to
// people is kept instead of sent, DNS is written down by the test, queued mail is never attempted,
// and the clock that the API reads stands still until the test moves it. Argon2 runs at its
// smallest. Limits by number of requests are far away, since a test asks thousands of times.
#pragma once

#include <boost/json/value.hpp>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/mailer.hpp"
#include "app/server/parts.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_resolver.hpp"
#include "tests/support/temp_directory.hpp"
#include "web/access/access_control.hpp"
#include "web/access/ceremonies.hpp"
#include "web/api/application.hpp"
#include "web/api/table/routes.hpp"
#include "web/services.hpp"

namespace postern::test {

template <class T>
T must(Result<T> result) {
  if (!result) FAIL("unexpected error: " << result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// By what a request shows who it is from.
struct Credential {
  enum class Kind : std::uint8_t { none, management, key, session };
  enum class Csrf : std::uint8_t { sent, left_out };
  Kind kind = Kind::none;
  std::string secret{};  ///< the key or the session's token
  Csrf csrf = Csrf::sent;
  std::string tenant{};  ///< in which it means to act, if it says so (Postern-Tenant)
};
inline const Credential kNobody{};
inline const Credential kManagement{Credential::Kind::management};
inline Credential with_key(std::string key) { return {Credential::Kind::key, std::move(key)}; }
inline Credential with_session(std::string token) {
  return {Credential::Kind::session, std::move(token)};
}

using Texts = std::map<std::string, std::string>;

class RecordingMailer final : public accounts::Mailer {
 public:
  Task<Result<void>> send(accounts::Mail mail) override;
  /// Those sent since it was last asked.
  std::vector<accounts::Mail> take();

 private:
  std::mutex mutex_;
  std::vector<accounts::Mail> mails_;
};

class House {
 public:
  House();
  ~House();
  House(const House&) = delete;
  House& operator=(const House&) = delete;

  web::Response call(web::Request request, const Credential& who);
  web::Response call(web::Method method, const std::string& path, const Credential& who,
                     const boost::json::value& body = nullptr, const Texts& query = {});
  /// The same; the test fails unless the answer is a success. The answer's JSON, null without any.
  boost::json::value done(web::Method method, const std::string& path, const Credential& who,
                          const boost::json::value& body = nullptr, const Texts& query = {});

  /// Runs a coroutine on an io thread to its end.
  template <class T>
  T run(Task<T> task);
  /// The mail that was sent last, once one was.
  accounts::Mail mail();
  /// The door anew, after a change of `settings`.
  void make_services();

  TempDirectory directory;
  FakeClock clock{system_clock().now()};
  FakeResolver dns;
  RecordingMailer mailer;
  config::Settings settings;
  std::unique_ptr<server::Parts> parts;
  web::Services services;

 private:
  web::Ceremonies ceremonies_;
  RateLimiter person_mails_{10'000};
  std::unique_ptr<web::AccessControl> access_;
  std::unique_ptr<web::Api> api_;
  std::uint64_t requests_ = 0;
};

/// "a@b" as one segment of a path.
std::string percent_encoded(std::string_view text);
/// A member of a JSON object that is a text.
std::string text_at(const boost::json::value& value, std::string_view name);
boost::json::value json_of(const web::Response& response);
/// The token that an answer's Set-Cookie brought; empty: none.
std::string session_of(const web::Response& response);

}  // namespace postern::test

#include "tests/security/house_inl.hpp"
