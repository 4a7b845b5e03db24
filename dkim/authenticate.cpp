#include "dkim/authenticate.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "dkim/dmarc/tree_walk.hpp"
#include "dkim/fields.hpp"
#include "dkim/results/authentication_results.hpp"

namespace postern::dkim {

namespace {

// Everything that the parallel checks share and that a late one still needs when nobody waits.
struct Work {
  explicit Work(const Executor& executor) : changed(executor) {}
  dns::Resolver* resolver = nullptr;
  Envelope envelope;
  MessagePtr message;
  Options options;
  asio::steady_timer changed;  ///< cancelled when the last running check ends
  std::size_t running = 0;

  spf::Outcome helo;
  spf::Outcome mail_from;
  std::vector<SignatureResult> signatures;
  std::vector<std::string> authors;
  dmarc::Outcome dmarc;
};
using WorkPtr = std::shared_ptr<Work>;

spf::Query make_query(const Work& work) {
  spf::Query query;
  query.ip = work.envelope.ip.value_or(asio::ip::address{});
  query.mail_from = work.envelope.mail_from;
  query.helo = work.envelope.helo;
  query.receiving_domain = work.options.authserv_id;
  query.now = to_micros(work.options.now) / 1'000'000;
  return query;
}

void ended(const WorkPtr& work) {
  if (--work->running == 0) work->changed.cancel();
}

Task<> run_helo(WorkPtr work) {
  work->helo = co_await spf::check_helo(*work->resolver, make_query(*work));
  ended(work);
}

Task<> run_mail_from(WorkPtr work) {
  work->mail_from = co_await spf::check_mail_from(*work->resolver, make_query(*work));
  ended(work);
}

Task<> run_dkim(WorkPtr work) {
  work->signatures = co_await verify(*work->resolver, work->message, {.now = work->options.now});
  ended(work);
}

// Only warms the resolver's cache: the policy's names are asked while SPF and DKIM wait for theirs.
Task<> run_policy_lookup(WorkPtr work) {
  const std::string author = work->authors.front();
  (void)co_await dmarc::walk(*work->resolver, author, std::make_shared<Lookups>(*work->resolver));
  ended(work);
}

Task<> run_dmarc(WorkPtr work) {
  work->dmarc = co_await dmarc::evaluate_all(*work->resolver, work->authors, work->mail_from,
                                             work->signatures);
  ended(work);
}

void start(const WorkPtr& work, Task<> task) {
  ++work->running;
  asio::co_spawn(work->changed.get_executor(), std::move(task), asio::detached);
}

Task<bool> wait_until(WorkPtr work, std::chrono::steady_clock::time_point end) {
  if (work->running > 0) {
    work->changed.expires_at(end);
    boost::system::error_code ignored;
    co_await work->changed.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return work->running == 0;
}

WorkPtr copy_of(const Work& work, const Executor& executor) {
  auto copy = std::make_shared<Work>(executor);
  copy->resolver = work.resolver;
  copy->envelope = work.envelope;
  copy->message = work.message;
  copy->options = work.options;
  copy->helo = work.helo;
  copy->mail_from = work.mail_from;
  copy->signatures = work.signatures;
  copy->authors = work.authors;
  copy->dmarc = work.dmarc;
  return copy;
}

// What holds until a check says otherwise: it did not end in time.
void expect_nothing(Work& work) {
  work.helo.result = work.mail_from.result = spf::Verdict::temperror;
  work.helo.identity = spf::Identity::helo;
  work.helo.reason = work.mail_from.reason = work.dmarc.reason = "no answer in time";
  work.dmarc.result = dmarc::Verdict::temperror;
  work.helo.domain = work.envelope.helo;
  const auto& from = work.envelope.mail_from;
  work.mail_from.domain = from.empty() ? work.envelope.helo : from.substr(from.rfind('@') + 1);
  // With their domains, so that DMARC knows what might have aligned.
  work.signatures = read_signatures(work.message, {.now = work.options.now});
  for (auto& signature : work.signatures) {
    if (signature.result == Verdict::temperror) signature.reason = "no answer in time";
  }
}

std::string_view dmarc_word(Disposition disposition) {
  switch (disposition) {
    case Disposition::deliver: return "none";
    case Disposition::junk: return "quarantine";
    case Disposition::reject: return "reject";
  }
  return "none";
}

Verdicts conclude(const Work& work) {
  Verdicts verdicts{.helo = work.helo,
                    .mail_from = work.mail_from,
                    .signatures = work.signatures,
                    .dmarc = work.dmarc,
                    .results_field = {}};
  verdicts.disposition = dispose(work.dmarc, work.mail_from, work.signatures, work.options.refusal);
  ResultsInput input;
  input.authserv_id = work.options.authserv_id;
  if (work.envelope.ip) {
    input.helo = work.helo;
    input.mail_from = work.mail_from;
  }
  input.mail_from_address = work.envelope.mail_from;
  input.helo_name = work.envelope.helo;
  input.signatures = work.signatures;
  input.dmarc = work.dmarc;
  input.disposition = dmarc_word(verdicts.disposition);
  verdicts.results_field = render_authentication_results(input);
  return verdicts;
}

}  // namespace

std::string_view to_string(Disposition disposition) {
  switch (disposition) {
    case Disposition::deliver: return "deliver";
    case Disposition::junk: return "junk";
    case Disposition::reject: return "reject";
  }
  return "deliver";
}

Disposition dispose(const dmarc::Outcome& dmarc, const spf::Outcome& mail_from,
                    const std::vector<SignatureResult>& signatures, Refusal refusal) {
  if (dmarc.result != dmarc::Verdict::fail || dmarc.policy == dmarc::Policy::none)
    return Disposition::deliver;
  if (dmarc.policy == dmarc::Policy::quarantine || refusal == Refusal::never)
    return Disposition::junk;
  if (refusal == Refusal::on_policy) return Disposition::reject;
  // A list's message usually passes SPF for the list or carries some valid signature; one that has
  // neither, and whose sender's own SPF says fail, has nobody to vouch for it.
  const bool vouched = std::ranges::any_of(signatures, [](const SignatureResult& signature) {
    return signature.result == Verdict::pass;
  });
  const bool refused = mail_from.result == spf::Verdict::fail && !vouched;
  return refused ? Disposition::reject : Disposition::junk;
}

Task<Verdicts> authenticate(dns::Resolver& resolver, Envelope envelope, MessagePtr message,
                            Options options) {
  const auto began = std::chrono::steady_clock::now();
  const Executor executor = co_await asio::this_coro::executor;
  auto work = std::make_shared<Work>(executor);
  work->resolver = &resolver;
  work->envelope = std::move(envelope);
  work->message = std::move(message);
  work->options = std::move(options);
  expect_nothing(*work);
  if (!work->envelope.ip) work->helo.result = work->mail_from.result = spf::Verdict::none;
  auto authors = dmarc::author_domains(split_message(work->message->header).header);
  if (authors) work->authors = std::move(*authors);

  if (work->envelope.ip) {
    start(work, run_helo(work));
    start(work, run_mail_from(work));
  }
  start(work, run_dkim(work));
  if (authors && work->running > 0) start(work, run_policy_lookup(work));
  // The last fifth of the budget is DMARC's, so that a slow SPF include doesn't cost the verdict.
  const bool in_time = co_await wait_until(work, began + work->options.budget * 4 / 5);
  // A late check goes on writing into the old work, which nobody reads from here on.
  const auto last = in_time ? work : copy_of(*work, executor);
  if (authors) {
    start(last, run_dmarc(last));
    co_await wait_until(last, began + last->options.budget);
  } else {
    last->dmarc.result = dmarc::Verdict::permerror;
    last->dmarc.reason = authors.error().message;
  }
  co_return conclude(*last);
}

}  // namespace postern::dkim
