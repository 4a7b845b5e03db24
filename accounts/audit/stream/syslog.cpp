#include "accounts/audit/stream/syslog.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "accounts/audit/export.hpp"
#include "core/encoding.hpp"

namespace postern::accounts::audit {

namespace {

constexpr int kLogAudit = 13;  // facility, RFC 5424 §6.2.1
constexpr int kInformational = 6;
constexpr int kWarning = 4;
constexpr std::size_t kMaxHostname = 255;  // RFC 5424 §6
constexpr std::size_t kMaxMessageId = 32;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

int priority(Outcome outcome) {
  return kLogAudit * 8 + (outcome == Outcome::success ? kInformational : kWarning);
}

std::string_view or_nil(std::string_view text) { return text.empty() ? "-" : text; }

void add_parameter(std::string& out, std::string_view name, std::string_view value) {
  out += fmt::format(" {}=\"{}\"", name, escape_parameter(value));
}

std::string structured_data(const Entry& entry, std::string_view chain) {
  const auto& record = entry.record;
  std::string out = "[postern@32473";
  add_parameter(out, "chain", chain);
  add_parameter(out, "number", fmt::format("{}", entry.number));
  add_parameter(out, "id", record.id.text());
  add_parameter(out, "action", record.action);
  add_parameter(out, "outcome", to_string(record.outcome));
  add_parameter(out, "actorKind", to_string(record.actor_kind));
  add_parameter(out, "actor", record.actor);
  if (!record.original_actor.empty()) add_parameter(out, "originalActor", record.original_actor);
  add_parameter(out, "address", record.address);
  add_parameter(out, "target", record.target);
  add_parameter(out, "mac", hex_encode(entry.mac));
  return out + ']';
}

}  // namespace

std::string json_line(const Entry& entry) { return boost::json::serialize(to_json(entry)) + "\n"; }

std::string json_lines(const std::vector<Entry>& entries) {
  std::string out;
  for (const auto& entry : entries) out += json_line(entry);
  return out;
}

std::string escape_parameter(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  for (const char c : value) {
    if (c == '"' || c == '\\' || c == ']') out += '\\';
    out += c;
  }
  return out;
}

std::string syslog_message(const Entry& entry, std::string_view chain, std::string_view hostname) {
  const auto& record = entry.record;
  return fmt::format("<{}>1 {} {} postern - {} {} {}{}", priority(record.outcome),
                     time_text(record.at), or_nil(hostname.substr(0, kMaxHostname)),
                     or_nil(std::string_view(record.action).substr(0, kMaxMessageId)),
                     structured_data(entry, chain), kByteOrderMark,
                     boost::json::serialize(to_json(entry)));
}

std::string syslog_frames(const std::vector<Entry>& entries, std::string_view chain,
                          std::string_view hostname) {
  std::string out;
  for (const auto& entry : entries) {
    const auto message = syslog_message(entry, chain, hostname);
    out += fmt::format("{} {}", message.size(), message);
  }
  return out;
}

}  // namespace postern::accounts::audit
