// What a server tells a witness, and what a witness's file holds: never a crash, and what is taken
// is exactly what would be written.
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "accounts/audit/setback.hpp"
#include "accounts/audit/witness.hpp"
#include "web/api/audit/heads_json.hpp"

using namespace postern;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void read_answer(std::string_view input) {
  const auto heads = web::api::parse_heads(input);
  if (!heads) return;
  require(accounts::audit::compare_heads(*heads, *heads).empty());
  const auto again = web::api::parse_heads(boost::json::serialize(web::api::to_json(*heads)));
  require(again && again->at == heads->at && again->ends.size() == heads->ends.size());
}

void read_line(std::string_view input) {
  const auto statement = accounts::audit::parse_statement(input);
  require(!statement || accounts::audit::statement_line(*statement) == input);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  read_answer(input);
  read_line(input);
  return 0;
}
