#include "core/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>

#include "core/log_line.hpp"

namespace postern::log {

namespace {
// Where lines go now. A writer copies the pointer, so that a reload never waits for a slow disk.
struct Target {
  std::mutex mutex;
  std::shared_ptr<spdlog::logger> logger;
  std::atomic<Level> level{Level::info};
  std::atomic<Format> format{Format::text};
};

std::shared_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("postern", std::move(sink));
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::trace);
  return logger;
}

Target& target() {
  // Never destroyed: the last threads may still log while the process ends.
  static Target* const made = [] {
    auto* t = new Target;
    t->logger = make_logger(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    return t;
  }();
  return *made;
}
}  // namespace

Result<void> configure(Level level, Format format, const std::string& path) {
  spdlog::sink_ptr sink;
  try {
    if (path.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
    }
  } catch (const spdlog::spdlog_ex& e) {
    return fail(Errc::io, "cannot open the log file " + path + ": " + e.what());
  }
  auto logger = make_logger(std::move(sink));
  auto& t = target();
  std::scoped_lock lock(t.mutex);
  t.logger.swap(logger);
  t.level.store(level, std::memory_order_relaxed);
  t.format.store(format, std::memory_order_relaxed);
  return {};
}

bool enabled(Level level) { return level >= target().level.load(std::memory_order_relaxed); }

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  auto& t = target();
  if (level < t.level.load(std::memory_order_relaxed)) return;
  const auto line = make_line(t.format.load(std::memory_order_relaxed),
                              std::chrono::system_clock::now(), level, event, fields);
  std::shared_ptr<spdlog::logger> logger;
  {
    std::scoped_lock lock(t.mutex);
    logger = t.logger;
  }
  // As a string_view, the line is data and not a format.
  logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace postern::log
