#include "core/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>

namespace postern::metrics {

namespace {
// The series of one metric name. The renderer of each appends its lines.
struct Family {
  std::string help;
  std::string_view type;
  std::vector<std::function<void(std::string&)>> series;
};

struct Registry {
  std::mutex mutex;
  std::map<std::string, Family> families;
};

Registry& registry() {
  // Made by the first static metric of any file, and never destroyed: threads may still count while
  // static objects die.
  static Registry* const made = new Registry;
  return *made;
}

void enroll(const std::string& name, std::string help, std::string_view type,
            std::function<void(std::string&)> render) {
  auto& all = registry();
  std::scoped_lock lock(all.mutex);
  auto& family = all.families[name];
  if (family.series.empty()) {
    family.help = std::move(help);
    family.type = type;
  }
  family.series.push_back(std::move(render));
}

std::string braces(const std::string& labels) {
  return labels.empty() ? labels : "{" + labels + "}";
}

std::string escape_help(const std::string& help) {
  std::string out;
  for (const char c : help) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}
}  // namespace

Counter::Counter(std::string name, std::string help, std::string labels) {
  enroll(name, std::move(help), "counter",
         [this, series = name + braces(labels)](std::string& out) {
           out += fmt::format("{} {}\n", series, value());
         });
}

Gauge::Gauge(std::string name, std::string help, std::string labels) {
  enroll(name, std::move(help), "gauge", [this, series = name + braces(labels)](std::string& out) {
    out += fmt::format("{} {}\n", series, value());
  });
}

Histogram::Histogram(std::string name, std::string help, std::vector<double> bounds,
                     std::string labels)
    : bounds_(std::move(bounds)), buckets_(bounds_.size() + 1) {
  enroll(
      name, std::move(help), "histogram",
      [this, name, labels = std::move(labels)](std::string& out) { render_to(out, name, labels); });
}

void Histogram::observe(double value) {
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  const auto index = static_cast<std::size_t>(bound - bounds_.begin());
  buckets_[index].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

void Histogram::render_to(std::string& out, const std::string& name,
                          const std::string& labels) const {
  const std::string prefix = labels.empty() ? "" : labels + ",";
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    count += buckets_[i].load(std::memory_order_relaxed);
    const auto bound = i < bounds_.size() ? fmt::format("{}", bounds_[i]) : std::string("+Inf");
    out += fmt::format("{}_bucket{{{}le=\"{}\"}} {}\n", name, prefix, bound, count);
  }
  out += fmt::format("{}_sum{} {}\n", name, braces(labels), sum_.load(std::memory_order_relaxed));
  out += fmt::format("{}_count{} {}\n", name, braces(labels), count);
}

std::string render() {
  auto& all = registry();
  std::scoped_lock lock(all.mutex);
  std::string out;
  for (const auto& [name, family] : all.families) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escape_help(family.help), name,
                       family.type);
    for (const auto& series : family.series) series(out);
  }
  return out;
}

}  // namespace postern::metrics
