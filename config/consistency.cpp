#include "config/consistency.hpp"

#include <fmt/format.h>

#include <set>
#include <string>

#include "config/checks.hpp"
#include "config/table.hpp"

namespace postern::config {

namespace {

bool offers_login_before_tls(ListenKind kind) {
  return kind == ListenKind::submission || kind == ListenKind::imap || kind == ListenKind::http;
}

void check_listeners(const Settings& settings, Complaints& complaints) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < settings.listen.size(); ++i) {
    const auto& listen = settings.listen[i];
    const auto line = complaints.line_of(fmt::format("listen[{}].address", i));
    const auto endpoint = parse_endpoint(listen.address).value_or(Endpoint{});
    if (endpoint.port != 0 && !seen.insert(listen.address).second) {
      complaints.add(line, "listen.address", fmt::format("{} is listed twice", listen.address));
    }
    if (settings.plaintext_login && offers_login_before_tls(listen.kind) &&
        !is_loopback(endpoint)) {
      complaints.add_at("plaintext_login",
                        fmt::format("true is accepted on loopback listeners only, and the {} "
                                    "listener of line {} is at {}",
                                    to_string(listen.kind), line, listen.address));
    }
  }
}

void check_routes(const Settings& settings, Complaints& complaints) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < settings.delivery.route.size(); ++i) {
    const auto& route = settings.delivery.route[i];
    if (!seen.insert(route.domain).second) {
      complaints.add(complaints.line_of(fmt::format("delivery.route[{}].domain", i)),
                     "delivery.route.domain", fmt::format("{} is routed twice", route.domain));
    }
  }
}

void check_pairs(const Settings& settings, Complaints& complaints) {
  if (settings.tls.certificate.empty() != settings.tls.key.empty()) {
    complaints.add_at(settings.tls.key.empty() ? "tls.certificate" : "tls.key",
                      "tls.certificate and tls.key are set together or not at all");
  }
  if (settings.delivery.delay_warning >= settings.delivery.expiry) {
    complaints.add_at("delivery.delay_warning", "expected less than delivery.expiry");
  }
  const auto& auth = settings.auth;
  if (auth.argon2_memory.bytes > auth.memory.bytes) {
    complaints.add_at("auth.argon2_memory", "expected no more than auth.memory");
  }
  if (auth.longest_block < auth.first_block) {
    complaints.add_at("auth.longest_block", "expected at least auth.first_block");
  }
  // RFC 9106 §3.1: at least 8 KiB for each lane.
  if (auth.argon2_memory.bytes < static_cast<std::uint64_t>(auth.argon2_parallelism) * 8192) {
    complaints.add_at("auth.argon2_memory",
                      "expected at least 8KiB for each lane (auth.argon2_parallelism)");
  }
  if (settings.domains.recheck_after > settings.domains.check_every) {
    complaints.add_at("domains.recheck_after", "expected no more than domains.check_every");
  }
  if (settings.limits.header_size > settings.limits.message_size) {
    complaints.add_at("limits.header_size", "expected no more than limits.message_size");
  }
}

}  // namespace

void check_consistency(const Settings& settings, Complaints& complaints) {
  check_listeners(settings, complaints);
  check_routes(settings, complaints);
  check_pairs(settings, complaints);
}

void resolve_paths(Settings& settings, const std::filesystem::path& base) {
  settings.data = (base / settings.data).lexically_normal();
  for (const auto& field : settings_table()) {
    const auto* kind = std::get_if<PathKind<Settings>>(&field.kind);
    if (kind == nullptr) continue;
    auto& path = kind->at(settings);
    if (!path.empty()) {
      path = (base / path).lexically_normal();
    } else if (!kind->fallback.empty()) {
      path = settings.data / kind->fallback;
    }
  }
}

}  // namespace postern::config
