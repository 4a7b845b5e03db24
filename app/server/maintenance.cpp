#include "app/server/maintenance.hpp"

#include <fmt/format.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

#include "accounts/domains.hpp"
#include "accounts/tenants.hpp"
#include "app/server/audit_retention.hpp"
#include "app/server/removed_accounts.hpp"
#include "core/log.hpp"
#include "web/access/access_control.hpp"
#include "web/access/audit.hpp"

namespace postern::server {

namespace {

constexpr std::chrono::minutes kPause{1};      // between rounds
constexpr std::chrono::hours kCutEvery{1};     // of audit chains
constexpr std::chrono::hours kViewGrace{1};    // views of an expunged message end within this
constexpr std::chrono::days kRepeatGrace{30};  // nothing in the queue is tried for longer
constexpr std::chrono::days kProofTime{14};    // for a domain that has to be proved
constexpr int kStep = 500;                     // objects erased in one transaction
constexpr std::size_t kTenantPage = 100;

}  // namespace

struct Maintenance::State {
  State(Parts& all, web::Services& its_services, std::chrono::milliseconds retention)
      : parts(all),
        services(its_services),
        event_retention(retention),
        timer(all.runtime->context(0)) {}
  Parts& parts;
  web::Services& services;
  std::atomic<std::chrono::milliseconds> event_retention;
  asio::steady_timer timer;
  std::optional<std::chrono::steady_clock::time_point> cut;  ///< when audit chains were last cut
  bool stopped = false;
};

namespace {

using Tenants = std::vector<accounts::Tenant>;

Task<Result<Tenants>> next_tenants(accounts::Registry& registry, std::string after) {
  co_return co_await registry.read<Tenants>([after](sql::Transaction& tx) -> Result<Tenants> {
    return accounts::list_tenants(tx, after, kTenantPage);
  });
}

using Sweep = Task<Result<std::int64_t>> (mailbox::MailboxStore::*)(mailbox::Place, Timestamp, int);

// Errors are logged and left to the next round: nothing here is urgent.
Task<void> sweep_tenant(mailbox::MailboxStore& mailboxes, mailbox::Place place, Sweep sweep,
                        Timestamp older_than) {
  for (;;) {
    auto swept = co_await (mailboxes.*sweep)(place, older_than, kStep);
    if (!swept) {
      log::warn("sweep_failed",
                {{"tenant", place.tenant.text()}, {"error", swept.error().message}});
      co_return;
    }
    if (*swept < kStep) co_return;
  }
}

Task<void> sweep_all(Parts& parts) {
  std::string after;
  for (;;) {
    auto tenants = co_await next_tenants(*parts.registry, after);
    if (!tenants || tenants->empty()) co_return;
    for (const auto& tenant : *tenants) {
      const mailbox::Place place{tenant.id, tenant.shard};
      const auto now = system_clock().now();
      co_await sweep_tenant(*parts.mailboxes, place, &mailbox::MailboxStore::sweep,
                            now - kViewGrace);
      co_await sweep_tenant(*parts.mailboxes, place, &mailbox::MailboxStore::sweep_deliveries,
                            now - kRepeatGrace);
    }
    after = tenants->back().name;
  }
}

// No bump: what isn't routed has nothing in a cache that would have to go.
Task<void> drop_unproved(accounts::Registry& registry) {
  auto dropped = co_await registry.note<std::size_t>(
      [before = system_clock().now() - kProofTime](sql::Transaction& tx) -> Result<std::size_t> {
        return accounts::drop_unproved_domains(tx, before);
      });
  if (!dropped) log::warn("unproved_domains_kept", {{"error", dropped.error().message}});
  if (dropped && *dropped > 0) log::info("unproved_domains_dropped", {{"domains", *dropped}});
}

Task<void> drop_old_events(Parts& parts, Micros retention) {
  const auto oldest = storage::month_of(system_clock().now() - retention);
  auto dropped = co_await parts.workers->run<std::vector<storage::Month>>(
      [store = parts.store.get(), oldest] { return store->events().drop_before(oldest); });
  if (!dropped) {
    log::warn("events_not_dropped", {{"error", dropped.error().message}});
    co_return;
  }
  for (const auto month : *dropped) {
    log::info("events_dropped",
              {{"month", fmt::format("{:04}-{:02}", static_cast<int>(month.year()),
                                     static_cast<unsigned>(month.month()))}});
  }
}

Task<void> cut_audit(Parts& parts, Micros retention,
                     std::optional<std::chrono::steady_clock::time_point>& last) {
  const auto now = std::chrono::steady_clock::now();
  if (last && now - *last < kCutEvery) co_return;
  last = now;
  co_await cut_audit_chains(*parts.registry, *parts.audit, system_clock().now(), retention);
}

}  // namespace

Maintenance::Maintenance(Parts& parts, web::Services& services,
                         std::chrono::milliseconds event_retention)
    : state_(std::make_shared<State>(parts, services, event_retention)) {}

void Maintenance::set_event_retention(std::chrono::milliseconds retention) {
  state_->event_retention = retention;
}

void Maintenance::start() {
  struct Loop {
    static Task<void> run(std::shared_ptr<State> state) {
      while (!state->stopped) {
        state->timer.expires_after(kPause);
        boost::system::error_code error;
        co_await state->timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
        if (state->stopped) co_return;
        co_await erase_removed_accounts(state->parts.store->control(), *state->parts.mailboxes,
                                        system_clock());
        if (auto done = co_await web::settle_intents(state->services); !done) {
          log::warn("audit_intents_wait", {{"error", done.error().message}});
        }
        if (auto done = co_await state->services.access->flush_usage(); !done) {
          log::warn("key_usage_waits", {{"error", done.error().message}});
        }
        co_await drop_unproved(*state->parts.registry);
        co_await cut_audit(state->parts, state->services.settings->audit.retention, state->cut);
        co_await drop_old_events(state->parts, state->event_retention.load());
        co_await sweep_all(state->parts);
      }
    }
  };
  asio::co_spawn(state_->timer.get_executor(), Loop::run(state_), asio::detached);
}

void Maintenance::stop() {
  asio::post(state_->timer.get_executor(), [state = state_] {
    state->stopped = true;
    state->timer.cancel();
  });
}

}  // namespace postern::server
