#include "dkim/lookups.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

#include "core/ascii.hpp"
#include "dkim/domain.hpp"

namespace postern::dkim {

namespace {

Question normal(const std::string& name, dns::Type type) {
  std::string lower = ascii::to_lower(name);
  if (lower.ends_with('.')) lower.pop_back();
  return {std::move(lower), type};
}

std::shared_ptr<const dns::Answer> no_such_name() {
  static const auto answer = [] {
    auto made = std::make_shared<dns::Answer>();
    made->status = dns::Status::nxdomain;
    return std::shared_ptr<const dns::Answer>(std::move(made));
  }();
  return answer;
}

// What the askers and the waiter share; it outlives a waiter that is given up.
struct Batch {
  explicit Batch(const Executor& executor, std::shared_ptr<Lookups> target)
      : done(executor), table(std::move(target)) {}
  asio::steady_timer done;
  std::shared_ptr<Lookups> table;
  std::size_t open = 0;
  std::exception_ptr error;
};

Task<> ask(dns::Resolver* resolver, Question question, std::shared_ptr<Batch> batch) {
  auto answer = co_await resolver->query(question.first, question.second);
  batch->table->store(question, std::move(answer));
}

}  // namespace

std::shared_ptr<const dns::Answer> Lookups::find(const std::string& name, dns::Type type) const {
  if (!is_queryable(name)) return no_such_name();
  auto question = normal(name, type);
  if (const auto found = answers_.find(question); found != answers_.end()) return found->second;
  if (resolver_ == nullptr || full()) return nullptr;
  // Kept, so that a later look at this table sees the same.
  auto answer = resolver_->cached(question.first, type);
  if (answer != nullptr) answers_.emplace(std::move(question), answer);
  return answer;
}

void Lookups::store(const Question& question, std::shared_ptr<const dns::Answer> answer) {
  if (answer == nullptr) answer = std::make_shared<const dns::Answer>();  // Status::temporary
  answers_.insert_or_assign(normal(question.first, question.second), std::move(answer));
}

Task<> resolve_all(dns::Resolver& resolver, std::vector<Question> questions,
                   std::shared_ptr<Lookups> table) {
  const Executor executor = co_await asio::this_coro::executor;
  auto batch = std::make_shared<Batch>(executor, table);
  std::map<Question, bool> seen;
  std::vector<Question> fresh;
  for (const auto& question : questions) {
    if (table->find(question.first, question.second) != nullptr) continue;
    auto key = normal(question.first, question.second);
    if (seen.emplace(key, true).second) fresh.push_back(std::move(key));
  }
  if (fresh.empty()) co_return;
  batch->open = fresh.size();
  batch->done.expires_at(asio::steady_timer::time_point::max());
  for (auto& question : fresh) {
    asio::co_spawn(executor, ask(&resolver, std::move(question), batch),
                   [batch](std::exception_ptr error) {
                     if (error) batch->error = std::move(error);
                     if (--batch->open == 0) batch->done.cancel();
                   });
  }
  // An answer from the cache may have come before this line.
  if (batch->open > 0) {
    boost::system::error_code ignored;
    co_await batch->done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (batch->error) std::rethrow_exception(batch->error);
}

}  // namespace postern::dkim
