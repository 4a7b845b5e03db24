#include "core/outbound/resolve.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>

namespace postern::outbound {

namespace {

constexpr std::array kTypes{dns::Type::a, dns::Type::aaaa};

// Shared with the two queries, which may end after the wait for them did.
struct Lookup {
  Lookup(const Executor& executor, std::chrono::steady_clock::time_point deadline)
      : signal(executor, deadline) {}
  asio::steady_timer signal;
  std::array<std::shared_ptr<const dns::Answer>, kTypes.size()> answers;
  std::size_t waiting = kTypes.size();
  std::exception_ptr error;
};

Task<> ask(std::shared_ptr<Lookup> lookup, dns::Resolver& resolver, std::string name,
           std::size_t index) {
  lookup->answers[index] = co_await resolver.query(std::move(name), kTypes[index]);
}

std::size_t count(const std::shared_ptr<const dns::Answer>& answer) {
  return answer->status == dns::Status::ok ? answer->addresses.size() : 0;
}

Addresses take_turns(const Lookup& lookup) {
  Addresses out;
  const auto [v4, v6] = lookup.answers;
  out.reserve(count(v4) + count(v6));
  for (std::size_t i = 0; i < std::max(count(v4), count(v6)); ++i) {
    if (i < count(v4)) out.push_back(v4->addresses[i]);
    if (i < count(v6)) out.push_back(v6->addresses[i]);
  }
  return out;
}

bool is_temporary(const Lookup& lookup) {
  return lookup.answers[0]->status == dns::Status::temporary ||
         lookup.answers[1]->status == dns::Status::temporary;
}

Result<void> check(const Addresses& addresses, const Url& url, const OutboundOptions& options) {
  for (const auto& address : addresses) {
    if (const auto rule = refusal(address, options.addresses); !rule.empty()) {
      return fail(Errc::denied,
                  fmt::format("{} has an address that is refused: {}", url.host, rule));
    }
    if (url.scheme == Scheme::http && !address.is_loopback()) {
      return fail(Errc::denied, "http without TLS is for loopback addresses only");
    }
  }
  return {};
}

}  // namespace

Task<Result<Addresses>> look_up(dns::Resolver& resolver, std::string name,
                                std::chrono::steady_clock::time_point deadline) {
  const Executor executor = co_await asio::this_coro::executor;
  const auto lookup = std::make_shared<Lookup>(executor, deadline);
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    asio::co_spawn(executor, ask(lookup, resolver, name, i), [lookup](std::exception_ptr error) {
      if (error) lookup->error = std::move(error);
      if (--lookup->waiting == 0) lookup->signal.cancel();
    });
  }
  boost::system::error_code woken;
  while (lookup->waiting > 0 && !(lookup->signal.expiry() <= std::chrono::steady_clock::now())) {
    co_await lookup->signal.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  if (lookup->error) std::rethrow_exception(lookup->error);
  if (lookup->waiting > 0) co_return fail(Errc::timeout, "DNS took too long for " + name);
  auto addresses = take_turns(*lookup);
  if (!addresses.empty()) co_return addresses;
  if (is_temporary(*lookup)) co_return fail(Errc::io, "DNS has no answer for " + name);
  co_return fail(Errc::io, "DNS has no address for " + name);
}

Task<Result<Addresses>> resolve_checked(dns::Resolver& resolver, const Url& url,
                                        const OutboundOptions& options,
                                        std::chrono::steady_clock::time_point deadline) {
  Result<Addresses> addresses;
  if (url.address) {
    addresses->push_back(*url.address);
  } else {
    addresses = co_await look_up(resolver, url.host, deadline);
  }
  if (!addresses) co_return addresses;
  if (auto ok = check(*addresses, url, options); !ok) co_return std::unexpected(ok.error());
  co_return addresses;
}

}  // namespace postern::outbound
