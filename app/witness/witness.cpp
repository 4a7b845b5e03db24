#include "app/witness/witness.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <exception>
#include <optional>

#include "accounts/audit/closing.hpp"
#include "app/witness/heads_client.hpp"
#include "app/witness/journal.hpp"
#include "core/log.hpp"
#include "core/time.hpp"

namespace postern::witness {

namespace audit = accounts::audit;

namespace {

constexpr std::size_t kLogged = 10;  // findings a round; the file has them all

Result<Journal> open_journal(const Options& options) {
  auto key = audit::WitnessKey::load(options.key);
  if (!key) return std::unexpected(key.error());
  return Journal::open(options.file, std::move(*key));
}

Task<Result<Findings>> round(Journal& journal, const std::string& socket) {
  auto heads = co_await ask_heads(socket);
  if (!heads) co_return std::unexpected(heads.error());
  heads->at = system_clock().now();
  co_return journal.take(*heads);
}

void log_findings(const Findings& findings) {
  log::error("audit_heads_contradicted", {{"chains", findings.size()}});
  for (std::size_t i = 0; i < std::min(findings.size(), kLogged); ++i) {
    const auto& finding = findings[i];
    log::error("audit_head_contradicted", {{"chain", audit::chain_name(finding.chain)},
                                           {"number", finding.number},
                                           {"problem", to_string(finding.setback)}});
  }
}

Task<void> keep_watch(Journal& journal, const Options& options) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  Findings known;
  for (;;) {
    auto found = co_await round(journal, options.socket);
    if (!found) {
      log::error("audit_heads_not_stated", {{"error", found.error().message}});
    } else if (!found->empty()) {
      known = std::move(*found);
    }
    if (!known.empty()) log_findings(known);
    timer.expires_after(options.interval);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

Task<void> once(Journal& journal, const Options& options, std::optional<Result<Findings>>& out) {
  out = co_await round(journal, options.socket);
}

/// Until the task ends or a signal comes: statements are written without a pause in between, so
/// none is cut short. Throws what the task throws.
void run_until_signal(Task<void> task) {
  asio::io_context context{1};
  asio::signal_set signals(context, SIGTERM, SIGINT);
  signals.async_wait([&context](const boost::system::error_code&, int) { context.stop(); });
  std::exception_ptr trouble;
  asio::co_spawn(context, std::move(task), [&](std::exception_ptr e) {
    trouble = std::move(e);
    context.stop();
  });
  context.run();
  if (trouble) std::rethrow_exception(trouble);
}

}  // namespace

std::string describe(const audit::SetbackFinding& finding) {
  return fmt::format("{}: {} (it had record {})", audit::chain_name(finding.chain),
                     to_string(finding.setback), finding.number);
}

Result<Findings> run_once(const Options& options) {
  auto journal = open_journal(options);
  if (!journal) return std::unexpected(journal.error());
  std::optional<Result<Findings>> out;
  run_until_signal(once(*journal, options, out));
  if (!out) return fail(Errc::temporary, "stopped before there was an answer");
  return std::move(*out);
}

Result<void> run(const Options& options) {
  auto journal = open_journal(options);
  if (!journal) return std::unexpected(journal.error());
  log::info("witness_started", {{"socket", options.socket}, {"file", options.file}});
  run_until_signal(keep_watch(*journal, options));
  log::info("witness_stopped");
  return {};
}

}  // namespace postern::witness
