#include "web/api/audit/heads_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <set>

#include "accounts/audit/closing.hpp"
#include "accounts/audit/json_fields.hpp"
#include "accounts/audit/mac.hpp"
#include "core/encoding.hpp"
#include "web/api/timestamp.hpp"

namespace postern::web::api {

namespace json = boost::json;
namespace audit = accounts::audit;

namespace {

std::unexpected<Error> malformed() {
  return fail(Errc::corrupt, "the answer isn't about the audit chains' ends");
}

/// As to_json() writes it: no other spelling.
std::optional<TenantId> parse_chain(std::string_view text) {
  if (text == audit::kPlatformName) return TenantId{};
  const auto id = parse_uuid(text);
  if (!id || TenantId{*id} == TenantId{} || TenantId{*id}.text() != text) return std::nullopt;
  return TenantId{*id};
}

Result<audit::ChainEnd> parse_end(const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr || object->size() != 3) return malformed();
  const auto chain = parse_chain(audit::text_field(object, "chain"));
  const auto number = audit::number_field(object, "number");
  const auto text = audit::text_field(object, "mac");
  auto mac = hex_decode(text);
  if (!chain || !number || *number < 1 || !mac || mac->size() != audit::kMacSize ||
      hex_encode(*mac) != text) {
    return malformed();
  }
  return audit::ChainEnd{*chain, static_cast<std::uint64_t>(*number), std::move(*mac)};
}

}  // namespace

json::object to_json(const audit::Heads& heads) {
  json::array ends;
  ends.reserve(heads.ends.size());
  for (const auto& end : heads.ends) {
    ends.push_back(json::object{{"chain", audit::chain_name(end.chain)},
                                {"number", end.number},
                                {"mac", hex_encode(end.mac)}});
  }
  return {{"at", timestamp_text(heads.at)}, {"heads", std::move(ends)}};
}

Result<audit::Heads> parse_heads(std::string_view text) {
  if (text.size() > audit::kMaxStatement) return fail(Errc::too_large, "the answer is too long");
  boost::system::error_code error;
  const auto value = json::parse(text, error);
  const auto* object = error ? nullptr : value.if_object();
  const auto* ends = object == nullptr ? nullptr : object->if_contains("heads");
  const auto at = parse_timestamp(audit::text_field(object, "at"));
  if (object == nullptr || object->size() != 2 || !at || ends == nullptr || !ends->is_array())
    return malformed();
  audit::Heads heads{*at, {}};
  heads.ends.reserve(ends->get_array().size());
  std::set<TenantId> seen;
  for (const auto& one : ends->get_array()) {
    auto end = parse_end(one);
    if (!end || !seen.insert(end->chain).second) return malformed();
    heads.ends.push_back(std::move(*end));
  }
  return heads;
}

}  // namespace postern::web::api
