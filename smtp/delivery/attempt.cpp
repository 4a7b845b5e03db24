#include "smtp/delivery/attempt.hpp"

#include <algorithm>

namespace postern::smtp::delivery {

using queue::AttemptResult;
using queue::DestinationNews;
using queue::make_reply;
using queue::Reply;
using Kind = AttemptResult::Kind;

namespace {
// A 4xx that asks us to slow down rather than speaking of a recipient (RFC 3463 §3.4, §3.5, §3.8).
bool asks_to_slow_down(const AttemptResult& result) {
  if (result.kind != Kind::deferred) return false;
  const auto& reply = result.reply;
  if (reply.code == 421) return true;
  const auto& e = reply.enhanced;
  return e.status_class == 4 &&
         (e.subject == 7 || (e.subject == 3 && e.detail == 2) || (e.subject == 4 && e.detail == 5));
}

DestinationNews news_of(const TransactionResult& result) {
  return std::ranges::any_of(result.recipients, asks_to_slow_down) ? DestinationNews::slow_down
                                                                   : DestinationNews::answered;
}

/// What a hop came to.
struct HopEnd {
  std::optional<TransactionResult> result;  ///< absent: the next hop is tried
  Reply error;
  std::string said_by;  ///< the host, when `error` is its reply
};

Task<std::shared_ptr<Connection>> open_connection(std::shared_ptr<Worker> worker, Hop hop,
                                                  TlsPolicy policy, HopEnd* end) {
  auto stream = co_await connect_tcp(asio::ip::tcp::endpoint(hop.address, hop.port),
                                     asio::ip::address(), worker->settings->timeouts.connect);
  if (!stream) {
    end->error = make_reply(451, {4, 4, 1},
                            "no connection to " + hop.host + " (" + hop.address.to_string() +
                                "): " + stream.error().message);
    end->said_by.clear();
    co_return nullptr;
  }
  ClientFsm::Options options;
  options.hostname = worker->settings->hostname;
  options.tls = worker->tls ? policy : TlsPolicy::never;
  options.peer = hop.host;
  co_return std::make_shared<Connection>(std::move(*stream), hop, std::move(options),
                                         worker->settings->timeouts, worker->tls);
}

// A connection that is ready for a transaction, or null with end->error.
Task<std::shared_ptr<Connection>> reach(std::shared_ptr<Worker> worker, Hop hop, HopEnd* end) {
  auto policy = worker->settings->tls;
  for (;;) {
    auto connection = co_await open_connection(worker, hop, policy, end);
    if (!connection) co_return nullptr;
    worker->busy.push_back(connection);
    const bool ready = co_await connection->greet();
    if (ready) co_return connection;
    end->error = connection->error();
    end->said_by = hop.host;
    const bool in_clear =
        connection->handshake_failed() && policy == TlsPolicy::opportunistic && !worker->closing;
    if (!in_clear) co_return nullptr;
    policy =
        TlsPolicy::never;  // RFC 7435: better in clear than not at all, where nothing promises TLS
  }
}

void forget_dead(Worker& worker) {
  std::erase_if(worker.busy, [](const auto& weak) { return weak.expired(); });
}

Task<TransactionResult> run_transaction(std::shared_ptr<Worker> worker,
                                        std::shared_ptr<Connection> connection,
                                        TransactionPlan plan, std::shared_ptr<BodySource> body) {
  auto result = co_await connection->transact(std::move(plan), std::move(body));
  if (worker->closing) {
    connection->close();
  } else if (connection->ready()) {
    worker->pool.put(connection);
  }
  co_return result;
}

// Over a connection kept from before. Absent when there is none, or when it turns out to be dead.
Task<std::optional<TransactionResult>> try_pooled(std::shared_ptr<Worker> worker, Route route,
                                                  TransactionPlan plan,
                                                  std::shared_ptr<BodySource> body) {
  for (const auto& hop : route) {
    while (auto connection = worker->pool.take(hop)) {
      worker->busy.push_back(connection);
      auto result = co_await run_transaction(worker, connection, plan, body);
      if (connection->heard() || connection->ready()) co_return result;
    }
  }
  co_return std::nullopt;
}

Task<AttemptReport> try_fresh(std::shared_ptr<Worker> worker, Route route, TransactionPlan plan,
                              std::shared_ptr<BodySource> body) {
  HopEnd end;
  end.error = make_reply(451, {4, 4, 1}, "the server is stopping");
  for (const auto& hop : route) {
    if (worker->closing) break;
    auto connection = co_await reach(worker, hop, &end);
    if (!connection) continue;
    auto result = co_await run_transaction(worker, connection, plan, body);
    const auto news = news_of(result);
    co_return AttemptReport{std::move(result.recipients), news};
  }
  // Greetings with 5xx included: what a server says of us before it knows the message is no verdict
  // on it.
  co_return same_for_all(plan.recipients, Kind::deferred, end.error, end.said_by,
                         worker->closing ? DestinationNews::nothing : DestinationNews::unreachable);
}
}  // namespace

void Worker::close_busy() {
  closing = true;
  for (const auto& weak : busy) {
    if (const auto connection = weak.lock()) connection->close();
  }
  pool.clear();
}

AttemptReport same_for_all(const std::vector<queue::Recipient>& recipients, Kind kind,
                           const Reply& reply, const std::string& remote_mta,
                           DestinationNews news) {
  AttemptReport report;
  report.news = news;
  for (const auto& recipient : recipients) {
    AttemptResult result;
    result.recipient = recipient.number;
    result.kind = kind;
    result.reply = reply;
    result.remote_mta = remote_mta;
    report.results.push_back(std::move(result));
  }
  return report;
}

Task<AttemptReport> attempt_remote(std::shared_ptr<Worker> worker, TransactionPlan plan,
                                   std::string destination, std::shared_ptr<BodySource> body) {
  forget_dead(*worker);
  auto route = co_await find_route(*worker->resolver, *worker->settings, std::move(destination));
  if (!route) {
    const auto kind = route.error().permanent() ? Kind::failed : Kind::deferred;
    co_return same_for_all(plan.recipients, kind, route.error(), {}, DestinationNews::nothing);
  }
  auto pooled = co_await try_pooled(worker, *route, plan, body);
  if (pooled) {
    const auto news = news_of(*pooled);
    co_return AttemptReport{std::move(pooled->recipients), news};
  }
  co_return co_await try_fresh(worker, std::move(*route), std::move(plan), std::move(body));
}

Task<AttemptReport> attempt_local(LocalTransport* local, TransactionPlan plan,
                                  std::shared_ptr<BodySource> body) {
  AttemptReport report;
  report.news = DestinationNews::answered;
  for (const auto& recipient : plan.recipients) {
    LocalDelivery delivery;
    delivery.id = queue::delivery_id(plan.message->envelope.id, recipient.number);
    delivery.message = plan.message;
    delivery.recipient = recipient;
    delivery.body = body;
    auto reply = co_await local->deliver(std::move(delivery));
    AttemptResult result;
    result.recipient = recipient.number;
    result.reply =
        reply ? *reply
              : make_reply(451, {4, 3, 0}, "local delivery failed: " + reply.error().message);
    result.kind = result.reply.positive()    ? Kind::delivered
                  : result.reply.permanent() ? Kind::failed
                                             : Kind::deferred;
    report.results.push_back(std::move(result));
  }
  co_return report;
}

}  // namespace postern::smtp::delivery
