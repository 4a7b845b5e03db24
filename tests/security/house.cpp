#include "tests/security/house.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "app/server/init.hpp"
#include "app/server/options.hpp"
#include "config/loader.hpp"
#include "core/crypto.hpp"
#include "core/log.hpp"
#include "core/random.hpp"
#include "tests/support/eventually.hpp"
#include "web/access/cookies.hpp"

namespace postern::test {

namespace json = boost::json;

namespace {

constexpr std::int64_t kPlenty = 10'000'000;  // requests a minute

config::Settings make_settings(const std::string& data) {
  must(server::initialise({data, "mail.house.example", server::Profile::local}));
  auto settings = must(config::load_file(std::filesystem::path(data) / "postern.toml"));
  settings.runtime.threads = 1;
  settings.auth.argon2_memory = config::ByteSize{64UL << 10};
  settings.auth.argon2_time = 1;
  settings.auth.threads = 1;
  settings.auth.network_guesses = kPlenty;
  settings.storage.disk_reserve = config::ByteSize{0};
  settings.web.sign_up = true;
  settings.web.address_requests = kPlenty;
  settings.web.key_reads = kPlenty;
  settings.web.key_writes = kPlenty;
  return settings;
}

// An RSA key takes longer than all else about a domain. Neighbours have different ones.
Result<dkim::KeyPair> take_key(dkim::Algorithm algorithm) {
  constexpr std::size_t kDifferent = 4;
  static std::mutex mutex;
  static std::map<dkim::Algorithm, std::vector<dkim::KeyPair>> made;
  static std::size_t taken = 0;
  std::scoped_lock lock(mutex);
  auto& keys = made[algorithm];
  if (keys.size() < kDifferent) keys.push_back(must(dkim::generate(algorithm)));
  return keys.at(taken++ / 2 % keys.size());  // a domain takes one of each algorithm
}

void show(web::Request& request, const Credential& who) {
  request.peer.door = web::Door::http;
  request.peer.transport = web::Transport::tls;
  request.peer.address = "192.0.2.7";
  if (!who.tenant.empty()) request.headers.try_emplace("postern-tenant", who.tenant);
  switch (who.kind) {
    case Credential::Kind::none: break;
    case Credential::Kind::management:
      request.peer = {web::Door::management, web::Transport::plain, "", 1000};
      break;
    case Credential::Kind::key: request.headers["authorization"] = "Bearer " + who.secret; break;
    case Credential::Kind::session:
      const auto csrf = web::csrf_token(who.secret);
      request.headers["cookie"] =
          fmt::format("__Host-postern={}; __Host-postern-csrf={}", who.secret, csrf);
      if (who.csrf == Credential::Csrf::sent) request.headers["x-csrf-token"] = csrf;
      break;
  }
}

}  // namespace

Task<Result<void>> RecordingMailer::send(accounts::Mail mail) {
  std::scoped_lock lock(mutex_);
  mails_.push_back(std::move(mail));
  co_return Result<void>{};
}

std::vector<accounts::Mail> RecordingMailer::take() {
  std::scoped_lock lock(mutex_);
  return std::exchange(mails_, {});
}

House::House() : settings(make_settings(directory.file("data"))) {
  must(log::configure(log::Level::error, log::Format::text, ""));
  parts = must(server::make_parts(settings));
  make_services();
  parts->runtime->start();
  parts->event_mover->start();  // delivery isn't: nothing leaves
}

House::~House() {
  parts->event_mover->stop();
  parts->runtime->stop();
}

void House::make_services() {
  services.settings = &settings;
  services.clock = &clock;
  services.store = parts->store.get();
  services.keystore = parts->keystore.get();
  services.registry = parts->registry.get();
  services.directory = parts->directory.get();
  services.passwords = parts->passwords.get();
  services.authenticator = parts->authenticator.get();
  services.delivery = parts->delivery.get();
  services.events = parts->events.get();
  services.audit = parts->audit.get();
  services.mailer = &mailer;
  services.person_mails = &person_mails_;
  services.ceremonies = &ceremonies_;
  services.codes_key = random_bytes(crypto::kKeySize);
  services.public_url = "https://mail.house.example";
  services.executor = [this] { return parts->executor(); };
  services.workers = parts->workers.get();
  services.generate_key = take_key;
  services.resolver = [this] { return &dns; };
  services.outbound = [this] { return &parts->outbound_client(); };  // checks alone: it isn't used
  services.version = "0";
  services.ready = [] { return true; };
  access_ = std::make_unique<web::AccessControl>(server::access_options(settings), *parts->registry,
                                                 clock);
  services.access = access_.get();
  api_ = std::make_unique<web::Api>(services, web::api_routes());
}

web::Response House::call(web::Request request, const Credential& who) {
  show(request, who);
  request.id = fmt::format("request-{}", ++requests_);
  return run(api_->answer(std::move(request)));
}

web::Response House::call(web::Method method, const std::string& path, const Credential& who,
                          const json::value& body, const Texts& query) {
  web::Request request;
  request.method = method;
  request.path = path;
  request.query = query;
  if (!body.is_null()) request.body = json::serialize(body);
  return call(std::move(request), who);
}

json::value House::done(web::Method method, const std::string& path, const Credential& who,
                        const json::value& body, const Texts& query) {
  const auto response = call(method, path, who, body, query);
  INFO(to_string(method) << " " << path << ": " << response.body);
  REQUIRE(response.status / 100 == 2);
  return json_of(response);
}

accounts::Mail House::mail() {
  std::vector<accounts::Mail> got;
  REQUIRE(eventually([&] {
    got = mailer.take();
    return !got.empty();
  }));
  return got.back();
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string text_at(const json::value& value, std::string_view name) {
  const auto& text = value.as_object().at({name.data(), name.size()}).as_string();
  return {text.data(), text.size()};
}

json::value json_of(const web::Response& response) {
  return response.body.empty() ? json::value() : json::parse(response.body);
}

std::string session_of(const web::Response& response) {
  constexpr std::string_view kCookie = "__Host-postern=";
  for (const auto& [name, value] : response.headers) {
    if (name == "Set-Cookie" && value.starts_with(kCookie))
      return value.substr(kCookie.size(), value.find(';') - kCookie.size());
  }
  return {};
}

}  // namespace postern::test
