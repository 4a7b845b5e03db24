#include "web/api/table/route_metrics.hpp"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/metrics.hpp"

namespace postern::web {

namespace {

// Made when they are first needed: most routes of most servers are never asked for.
class Answers {
 public:
  metrics::Counter& of(std::string_view route, unsigned status) {
    auto labels = fmt::format(R"(route="{}",status="{}xx")", route, status / 100);
    const std::scoped_lock lock(mutex_);
    auto& counter = counters_[labels];
    if (!counter) {
      counter = std::make_unique<metrics::Counter>("postern_http_requests_total",
                                                   "HTTP requests answered", std::move(labels));
    }
    return *counter;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<metrics::Counter>> counters_;
};

metrics::Histogram& seconds_of(Method method) {
  static const std::vector<double> bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                          0.05,   0.1,   0.25,   0.5,   1,    5};
  constexpr const char* kName = "postern_http_request_seconds";
  constexpr const char* kHelp = "From a whole request to its answer";
  static metrics::Histogram reads(kName, kHelp, bounds, R"(kind="read")");
  static metrics::Histogram writes(kName, kHelp, bounds, R"(kind="write")");
  return method == Method::get ? reads : writes;
}

}  // namespace

void count_answer(std::string_view route, Method method, unsigned status,
                  std::chrono::duration<double> took) {
  static auto& answers = *new Answers;  // counters live as long as the process
  answers.of(route, status).add();
  seconds_of(method).observe(took.count());
}

}  // namespace postern::web
