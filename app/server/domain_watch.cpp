#include "app/server/domain_watch.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <vector>

#include "accounts/domain_records.hpp"
#include "accounts/signing_keys.hpp"
#include "app/server/drift_mail.hpp"
#include "core/log.hpp"
#include "core/metrics.hpp"
#include "web/api/mail/dns_records.hpp"

namespace postern::server {

using accounts::Domain;
using accounts::Noted;
using accounts::Telling;
using web::api::DnsRecord;

namespace {

constexpr std::size_t kAtATime = 4;      // domains being looked up
constexpr std::size_t kLeastAPass = 20;  // domains; a small server's are all looked at in one
constexpr std::size_t kMostAPass = 10'000;

metrics::Gauge drifted("postern_domains_drifted",
                       "Hosted domains of which a DNS record is no longer as it should be");
metrics::Counter checks("postern_domain_checks_total", "Looks at the DNS records of a domain");
metrics::Counter failed("postern_domain_checks_failed_total",
                        "Looks of which some DNS answer was missing");

Task<void> put_off(Watching watching, std::string domain, Timestamp until) {
  auto done =
      co_await watching.registry->note<void>([domain, until](sql::Transaction& tx) -> Result<void> {
        accounts::put_off_check(tx, domain, until);
        return {};
      });
  if (!done) log::warn("domain_check_waits", {{"domain", domain}, {"error", done.error().message}});
}

struct DriftNews {
  Telling telling;
  std::vector<std::string> recipients;
};

Task<Result<DriftNews>> find_news(accounts::Registry& registry, Domain domain, Timestamp now) {
  co_return co_await registry.read<DriftNews>(
      [domain = std::move(domain), now](sql::Transaction& tx) -> Result<DriftNews> {
        sql::TenantScope scope(tx, domain.tenant);
        DriftNews news{accounts::find_telling(scope, domain.name, now), {}};
        if (!news.telling.empty()) news.recipients = drift_recipients(scope);
        return news;
      });
}

Task<bool> send_to_all(accounts::Mailer& mailer, accounts::Mail mail,
                       std::vector<std::string> recipients) {
  bool sent = false;
  for (auto& recipient : recipients) {
    mail.to = std::move(recipient);
    const auto done = co_await mailer.send(mail);  // the mailer logs what fails
    sent = sent || done.has_value();
  }
  co_return sent;
}

// Told once anybody could be: otherwise one bad address would have the others told again and again.
Task<void> tell(Watching watching, Domain domain, std::vector<DnsRecord> wanted) {
  const auto now = watching.clock->now();
  auto news = co_await find_news(*watching.registry, domain, now);
  if (!news) log::warn("domain_drift_not_told", {{"error", news.error().message}});
  if (!news || news->telling.empty()) co_return;
  if (news->recipients.empty()) {
    log::info("domain_drift_not_told", {{"domain", domain.name}, {"error", "nobody owns it"}});
    co_await put_off(watching, domain.name, now + watching.timing.check_every);
    co_return;
  }
  const bool sent = co_await send_to_all(
      *watching.mailer, drift_mail(domain.name, wanted, news->telling, now), news->recipients);
  if (!sent) co_return;  // the next look is soon
  auto noted = co_await watching.registry->note<void>(
      [domain, telling = news->telling, now, timing = watching.timing](sql::Transaction& tx) {
        sql::TenantScope scope(tx, domain.tenant);
        accounts::note_told(scope, domain.name, telling, now, timing);
        return Result<void>{};
      });
  if (!noted)
    log::warn("domain_drift_told_not_noted",
              {{"domain", domain.name}, {"error", noted.error().message}});
}

Task<Result<std::vector<DnsRecord>>> find_wanted(Watching watching, Domain domain) {
  co_return co_await watching.registry->read<std::vector<DnsRecord>>(
      [domain = std::move(domain),
       hostname = watching.hostname](sql::Transaction& tx) -> Result<std::vector<DnsRecord>> {
        sql::TenantScope scope(tx, domain.tenant);
        return web::api::wanted_records(domain.name, hostname,
                                        accounts::list_signing_keys(scope, domain.name));
      });
}

Task<Result<Noted>> look_and_note(Watching watching, Domain domain, std::vector<DnsRecord> wanted) {
  const auto checked = co_await web::api::check_records(*watching.resolver, std::move(wanted));
  checks.add();
  const auto unknown = [](const auto& one) {
    return one.status == accounts::RecordStatus::unknown;
  };
  if (std::ranges::any_of(checked, unknown)) failed.add();
  accounts::Look look{web::api::observations_of(checked), watching.clock->now(), watching.timing};
  co_return co_await accounts::note_look(*watching.registry, *watching.audit, std::move(domain),
                                         std::move(look));
}

bool is_untold(const accounts::WatchedRecord& record) {
  return record.adrift() != record.told.has_value();
}

Task<void> watch_domain(Watching watching, Domain domain) {
  const auto wanted = co_await find_wanted(watching, domain);
  auto noted = wanted ? co_await look_and_note(watching, domain, *wanted)
                      : Result<Noted>(std::unexpected(wanted.error()));
  if (!noted) {
    if (noted.error().code == Errc::not_found) co_return;  // removed meanwhile
    log::warn("domain_look_not_noted", {{"domain", domain.name}, {"error", noted.error().message}});
    co_await put_off(watching, domain.name, watching.clock->now() + watching.timing.recheck_after);
    co_return;
  }
  if (std::ranges::any_of(noted->records, is_untold)) co_await tell(watching, domain, *wanted);
}

// Some at a time: as many coroutines, each of which takes the next domain when it is done with one.
struct Pass {
  Pass(const Executor& executor, Watching what, std::vector<Domain> domains)
      : watching(std::move(what)), due(std::move(domains)), done(executor) {}
  Watching watching;
  std::vector<Domain> due;
  asio::steady_timer done;
  std::size_t next = 0;
  std::size_t open = 0;
};

// What breaks at one domain costs it a look, and the others nothing.
Task<void> try_domain(Watching watching, Domain domain) {
  try {
    co_await watch_domain(watching, domain);
    co_return;
  } catch (const std::exception& error) {
    log::error("domain_watch_failed", {{"domain", domain.name}, {"error", error.what()}});
  }
  co_await put_off(watching, domain.name, watching.clock->now() + watching.timing.recheck_after);
}

Task<void> take_domains(std::shared_ptr<Pass> pass) {
  while (pass->next < pass->due.size()) {
    co_await try_domain(pass->watching, pass->due[pass->next++]);
  }
}

void log_broken(const std::exception_ptr& error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const std::exception& thrown) {
    log::error("domain_watch_failed", {{"error", thrown.what()}});
  }
}

Task<void> run_pass(std::shared_ptr<Pass> pass) {
  pass->open = std::min(kAtATime, pass->due.size());
  pass->done.expires_at(asio::steady_timer::time_point::max());
  for (std::size_t i = pass->open; i > 0; --i) {
    asio::co_spawn(pass->done.get_executor(), take_domains(pass),
                   [pass](const std::exception_ptr& error) {
                     if (--pass->open == 0) pass->done.cancel();
                     log_broken(error);
                   });
  }
  if (pass->open == 0) co_return;
  boost::system::error_code ignored;
  co_await pass->done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

Task<Result<std::vector<Domain>>> find_due(Watching watching) {
  co_return co_await watching.registry->read<std::vector<Domain>>(
      [now = watching.clock->now(),
       timing = watching.timing](sql::Transaction& tx) -> Result<std::vector<Domain>> {
        const auto limit = watch_limit(accounts::count_watched(tx).watched, timing);
        return accounts::list_domains_to_check(tx, now, timing.check_every, limit);
      });
}

Task<void> show_drifted(accounts::Registry& registry) {
  const auto counts = co_await registry.read<accounts::WatchCounts>(
      [](sql::Transaction& tx) -> Result<accounts::WatchCounts> {
        return accounts::count_watched(tx);
      });
  if (counts) drifted.set(counts->adrift);
}

}  // namespace

Micros watch_pause(const accounts::WatchTiming& timing) {
  return std::clamp<Micros>(timing.recheck_after / 10, std::chrono::seconds(1),
                            std::chrono::minutes(1));
}

std::size_t watch_limit(std::int64_t domains, const accounts::WatchTiming& timing) {
  const auto share = static_cast<double>(watch_pause(timing).count()) /
                     static_cast<double>(timing.check_every.count());
  const auto needed = 2 * share * static_cast<double>(domains);
  return std::min(kLeastAPass + static_cast<std::size_t>(needed), kMostAPass);
}

Task<std::size_t> watch_domains(Watching watching) {
  auto due = co_await find_due(watching);
  if (!due) {
    log::warn("domains_not_watched", {{"error", due.error().message}});
    co_return 0;
  }
  const auto count = due->size();
  co_await run_pass(
      std::make_shared<Pass>(co_await asio::this_coro::executor, watching, std::move(*due)));
  co_await show_drifted(*watching.registry);
  co_return count;
}

struct DomainWatch::State {
  State(asio::io_context& context, Watching what) : watching(std::move(what)), timer(context) {}
  Watching watching;
  asio::steady_timer timer;
  bool stopped = false;
};

DomainWatch::DomainWatch(asio::io_context& context, Watching watching)
    : state_(std::make_shared<State>(context, std::move(watching))) {}

void DomainWatch::start() {
  struct Loop {
    static Task<void> run(std::shared_ptr<State> state) {
      while (!state->stopped) {
        state->timer.expires_after(watch_pause(state->watching.timing));
        boost::system::error_code error;
        co_await state->timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
        if (state->stopped) co_return;
        co_await try_pass(state->watching);
      }
    }
    static Task<void> try_pass(Watching watching) {
      try {
        co_await watch_domains(std::move(watching));
      } catch (const std::exception& error) {  // the next one may do better
        log::error("domain_watch_failed", {{"error", error.what()}});
      }
    }
  };
  asio::co_spawn(state_->timer.get_executor(), Loop::run(state_), log_broken);
}

void DomainWatch::stop() {
  asio::post(state_->timer.get_executor(), [state = state_] {
    state->stopped = true;
    state->timer.cancel();
  });
}

}  // namespace postern::server
