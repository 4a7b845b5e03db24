#include "web/http/entity_tag.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "core/crypto.hpp"
#include "core/encoding.hpp"

namespace postern::web {

namespace {

constexpr std::size_t kOctets = 12;  // of the hash

std::string tag_of(std::string_view text) {
  return fmt::format("\"{}\"", base64url_encode(crypto::sha256(text).substr(0, kOctets)));
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string entity_tag(const boost::json::value& shown) {
  return tag_of(boost::json::serialize(shown));
}

Response with_entity_tag(Response response) {
  response.headers.emplace_back("ETag", tag_of(trimmed(response.body)));
  return response;
}

bool entity_tag_matches(std::string_view wanted, const boost::json::value& current) {
  if (trimmed(wanted).empty() || trimmed(wanted) == "*") return true;
  const auto have = entity_tag(current);
  while (!wanted.empty()) {
    const auto comma = wanted.find(',');
    if (trimmed(wanted.substr(0, comma)) == have) return true;
    wanted = comma == std::string_view::npos ? std::string_view{} : wanted.substr(comma + 1);
  }
  return false;
}

Response precondition_failed() {
  return problem(412, "Changed meanwhile", "somebody else changed it: look again, then repeat");
}

}  // namespace postern::web
