#include "accounts/audit/export.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json.hpp>

#include "core/encoding.hpp"

namespace postern::accounts::audit {

std::string time_text(Timestamp at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (at - seconds).count());
}

boost::json::object to_json(const Entry& entry) {
  const auto& record = entry.record;
  boost::system::error_code error;
  auto details = boost::json::parse(record.details, error);
  // Only an edited row isn't JSON; an export shows it all the same.
  if (error) details = record.details;
  return {{"number", entry.number},
          {"id", record.id.text()},
          {"at", time_text(record.at)},
          {"action", record.action},
          {"outcome", to_string(record.outcome)},
          {"actor_kind", to_string(record.actor_kind)},
          {"actor_id", record.actor_id},
          {"actor", record.actor},
          {"original_actor", record.original_actor},
          {"door", to_string(record.door)},
          {"address", record.address},
          {"target", record.target},
          {"details", std::move(details)},
          {"request_id", record.request_id},
          {"mac", hex_encode(entry.mac)}};
}

std::string_view csv_header() {
  return "number,id,at,action,outcome,actor_kind,actor_id,actor,original_actor,door,address,target,"
         "details,request_id,mac\r\n";
}

std::string csv_cell(std::string_view text) {
  constexpr std::string_view kFormula = "=+-@\t\r\n";
  std::string out;
  const bool formula = !text.empty() && kFormula.contains(text.front());
  const bool quoted = text.find_first_of(",\"\r\n") != std::string_view::npos;
  if (quoted) out += '"';
  if (formula) out += '\'';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  if (quoted) out += '"';
  return out;
}

std::string to_csv(const Entry& entry) {
  const auto& record = entry.record;
  std::string line = fmt::format("{}", entry.number);
  const auto cell = [&](std::string_view text) { line += ',' + csv_cell(text); };
  cell(record.id.text());
  cell(time_text(record.at));
  cell(record.action);
  cell(to_string(record.outcome));
  cell(to_string(record.actor_kind));
  cell(record.actor_id);
  cell(record.actor);
  cell(record.original_actor);
  cell(to_string(record.door));
  cell(record.address);
  cell(record.target);
  cell(record.details);
  cell(record.request_id);
  cell(hex_encode(entry.mac));
  return line + "\r\n";
}

}  // namespace postern::accounts::audit
