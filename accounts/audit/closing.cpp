#include "accounts/audit/closing.hpp"

#include <boost/json.hpp>

#include "accounts/audit/encoder.hpp"
#include "accounts/audit/json_fields.hpp"
#include "core/encoding.hpp"

namespace postern::accounts::audit {

namespace {

constexpr std::string_view kTargetKind = "tenant:";

std::string encode(const Closing& closing) {
  std::string out;
  Encoder(out, "postern audit closing 1")
      .id(closing.chain)
      .number(closing.last)
      .text(closing.mac)
      .number(closing.count)
      .time(closing.at);
  return out;
}

}  // namespace

std::string chain_name(TenantId chain) {
  return chain == TenantId{} ? std::string(kPlatformName) : chain.text();
}

std::string chain_target(TenantId chain) { return std::string(kTargetKind) + chain.text(); }

std::optional<TenantId> chain_of_target(std::string_view target) {
  if (!target.starts_with(kTargetKind)) return std::nullopt;
  const auto id = parse_uuid(target.substr(kTargetKind.size()));
  if (!id) return std::nullopt;
  return TenantId{*id};
}

void sign_closing(Closing& closing, const WitnessKey& key) {
  closing.key = key.public_key().fingerprint();
  closing.signature = key.sign(encode(closing));
}

bool verify_closing(const Closing& closing, const PublicKey& key) {
  return key.verifies(encode(closing), closing.signature);
}

std::string closing_details(const Closing& closing) {
  boost::json::object object{{"chain", closing.chain.text()},
                             {"last", closing.last},
                             {"mac", hex_encode(closing.mac)},
                             {"count", closing.count},
                             {"at", to_micros(closing.at)}};
  if (!closing.signature.empty()) {
    object["key"] = closing.key;
    object["signature"] = base64_encode(closing.signature);
  }
  return canonical(object);
}

Result<Closing> parse_closing(std::string_view details) {
  boost::system::error_code error;
  const auto value = boost::json::parse(details, error);
  const auto* object = error ? nullptr : value.if_object();
  const auto chain = parse_uuid(text_field(object, "chain"));
  const auto last = number_field(object, "last");
  const auto mac = hex_decode(text_field(object, "mac"));
  const auto count = number_field(object, "count");
  const auto at = number_field(object, "at");
  const auto signature = base64_decode(text_field(object, "signature"));
  if (!chain || !last || !mac || !count || !at || !signature || *last < 0 || *count < 0) {
    return fail(Errc::corrupt, "a closing record has an unknown form");
  }
  return Closing{TenantId{*chain},
                 static_cast<std::uint64_t>(*last),
                 *mac,
                 static_cast<std::uint64_t>(*count),
                 from_micros(*at),
                 std::string(text_field(object, "key")),
                 *signature};
}

}  // namespace postern::accounts::audit
