#include "accounts/factors/client_data.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "core/crypto.hpp"
#include "core/encoding.hpp"

namespace postern::accounts::webauthn {

namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 4;  // the members that exist have one level

std::optional<std::string_view> string_member(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string_view(value->get_string());
}

Result<json::object> parse(std::string_view text) {
  if (text.size() > kMaxClientData) return fail(Errc::too_large, "client data: too long");
  json::parse_options options;  // no comments, no trailing commas, valid UTF-8
  options.max_depth = kMaxDepth;
  json::error_code error;
  auto value = json::parse(text, error, {}, options);
  if (error || !value.is_object()) return fail(Errc::invalid, "client data: not a JSON object");
  return std::move(value.get_object());
}

Result<void> check_challenge(const Ceremony& ceremony, const json::object& data) {
  // An empty or short one of ours would be a bug that lets everything in.
  if (ceremony.challenge.size() != kChallengeSize) {
    return fail(Errc::invalid, "client data: there is no challenge to compare with");
  }
  const auto encoded = string_member(data, "challenge");
  const auto challenge = encoded ? base64url_decode(*encoded) : std::nullopt;
  if (!challenge) return fail(Errc::invalid, "client data: challenge is missing or malformed");
  if (!crypto::constant_time_equal(*challenge, ceremony.challenge)) {
    return fail(Errc::denied, "client data: another challenge");
  }
  return {};
}

Result<void> check_origin(const Ceremony& ceremony, const json::object& data) {
  const auto origin = string_member(data, "origin");
  if (!origin) return fail(Errc::invalid, "client data: origin is missing");
  if (std::ranges::find(ceremony.origins, *origin) == ceremony.origins.end()) {
    return fail(Errc::denied, "client data: another origin");
  }
  if (const auto* cross = data.if_contains("crossOrigin")) {
    if (!cross->is_bool()) return fail(Errc::invalid, "client data: crossOrigin is no boolean");
    if (cross->get_bool()) return fail(Errc::denied, "client data: from a cross-origin frame");
  }
  if (data.contains("topOrigin")) {
    return fail(Errc::denied, "client data: from a frame of another page");
  }
  return {};
}

}  // namespace

Result<void> check_client_data(const Ceremony& ceremony, std::string_view type,
                               std::string_view client_data_json) {
  const auto data = parse(client_data_json);
  if (!data) return std::unexpected(data.error());
  const auto given = string_member(*data, "type");
  if (!given) return fail(Errc::invalid, "client data: type is missing");
  if (*given != type) return fail(Errc::denied, "client data: another type of ceremony");
  if (auto challenge = check_challenge(ceremony, *data); !challenge) return challenge;
  return check_origin(ceremony, *data);
}

}  // namespace postern::accounts::webauthn
