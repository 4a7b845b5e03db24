#include "core/dns/resolver.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <utility>

#include "core/dns/cache.hpp"
#include "core/dns/channel.hpp"
#include "core/dns/message.hpp"
#include "core/metrics.hpp"
#include "core/random.hpp"

namespace postern::dns {

namespace {
using Shared = std::shared_ptr<const Answer>;
using SteadyClock = std::chrono::steady_clock;

constexpr int kMaxAliases = 8;  // queries for the targets of CNAMEs that servers don't follow
constexpr std::uint32_t kUnsaidTtl = 5;  // seconds for a negative answer whose server names no time

metrics::Counter cache_hits("postern_dns_cache_hits_total", "DNS queries answered from the cache");
metrics::Counter sent("postern_dns_queries_total", "DNS queries sent to name servers");
metrics::Counter failures("postern_dns_failures_total", "DNS queries without a usable answer");

Shared make_answer(Status status) {
  auto answer = std::make_shared<Answer>();
  answer->status = status;
  return answer;
}

// One question on its way, shared by all who ask it. They wait for the timer, which is cancelled
// when the answer is there, and otherwise ends their wait.
struct Flight {
  Flight(asio::io_context& context, std::chrono::milliseconds limit) : signal(context, limit) {}
  asio::steady_timer signal;
  Shared answer;
  std::string name;  // asked for now: the question's, or where its CNAMEs lead
  std::uint32_t ttl = UINT32_MAX;
  Edns edns = Edns::on;
  int aliases = 0;
  bool authenticated = true;
};

class CaresResolver final : public Resolver {
 public:
  CaresResolver(asio::io_context& context, Options options)
      : context_(context),
        options_(std::move(options)),
        cache_(options_.cache_entries, options_.cache_bytes),
        channel_(context, options_),
        trusted_(channel_.local_servers_only()) {}

  Task<Shared> query(std::string name, Type type) override {
    // Nothing of this object is touched after the wait: it may be gone.
    const auto canonical = canonical_name(name);
    if (!canonical) co_return make_answer(Status::nxdomain);
    if (auto known = known_answer(*canonical, type)) co_return known;
    const auto flight = join(*canonical, type);
    if (!flight) co_return make_answer(Status::temporary);
    if (!flight->answer) {
      boost::system::error_code woken;
      co_await flight->signal.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    co_return flight->answer ? flight->answer : make_answer(Status::temporary);
  }

  Shared cached(const std::string& name, Type type) override {
    const auto canonical = canonical_name(name);
    return canonical ? known_answer(*canonical, type) : make_answer(Status::nxdomain);
  }

 private:
  using Key = std::pair<std::string, Type>;

  Shared known_answer(const std::string& canonical, Type type) {
    auto known = cache_.get(canonical, type, SteadyClock::now());
    if (known) cache_hits.add();
    return known;
  }

  std::shared_ptr<Flight> join(const std::string& name, Type type) {
    const Key key(name, type);
    if (const auto found = flights_.find(key); found != flights_.end()) return found->second;
    if (flights_.size() >= options_.max_in_flight) {
      failures.add();
      return nullptr;
    }
    auto flight = std::make_shared<Flight>(context_, options_.total);
    flight->name = name;
    flights_.emplace(key, flight);
    send(key, flight);
    return flight;
  }

  void send(const Key& key, const std::shared_ptr<Flight>& flight) {
    std::uint16_t id = 0;
    fill_random(&id, sizeof id);
    sent.add();
    channel_.send(encode_query(flight->name, key.second, id, flight->edns),
                  [this, key, flight](std::string_view wire) { receive(key, flight, wire); });
  }

  void receive(const Key& key, const std::shared_ptr<Flight>& flight, std::string_view wire) {
    if (wire.empty()) return finish(key, *flight, Answer{});
    Response response = parse_response(wire, flight->name, key.second);
    flight->authenticated = flight->authenticated && response.answer.authenticated;
    if (response.format_error && flight->edns == Edns::on) {
      flight->edns = Edns::off;
      return send(key, flight);
    }
    if (!response.alias.empty()) {
      flight->ttl = std::min(flight->ttl, response.answer.ttl);
      const auto target = canonical_name(response.alias);
      if (!target || ++flight->aliases > kMaxAliases) return finish(key, *flight, Answer{});
      flight->name = *target;
      return send(key, flight);
    }
    response.answer.ttl = std::min(response.answer.ttl, flight->ttl);
    response.answer.authenticated = flight->authenticated && trusted_;
    finish(key, *flight, std::move(response.answer));
  }

  void finish(const Key& key, Flight& flight, Answer answer) {
    if (answer.status == Status::temporary) failures.add();
    const auto keep = std::chrono::seconds(lifetime(answer));
    flight.answer = std::make_shared<const Answer>(std::move(answer));
    cache_.put(key.first, key.second, flight.answer, SteadyClock::now() + keep);
    flights_.erase(key);
    flight.signal.cancel();
  }

  [[nodiscard]] std::uint32_t lifetime(const Answer& answer) const {
    switch (answer.status) {
      case Status::ok: return std::clamp(answer.ttl, options_.min_ttl, options_.max_ttl);
      case Status::nodata:
      case Status::nxdomain:
        return std::min(answer.ttl != 0 ? answer.ttl : kUnsaidTtl, options_.negative_ttl);
      case Status::temporary: return options_.failure_ttl;
    }
    return 0;
  }

  asio::io_context& context_;
  const Options options_;
  Cache cache_;
  std::map<Key, std::shared_ptr<Flight>> flights_;
  Channel channel_;  // last: its end still calls finish() of every flight
  const bool trusted_;
};
}  // namespace

std::shared_ptr<Resolver> make_resolver(asio::io_context& context, Options options) {
  return std::make_shared<CaresResolver>(context, std::move(options));
}

}  // namespace postern::dns
