#include "accounts/audit/witness.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "accounts/audit/encoder.hpp"
#include "accounts/audit/json_fields.hpp"
#include "core/crypto.hpp"
#include "core/encoding.hpp"

namespace postern::accounts::audit {

namespace {

std::unexpected<Error> malformed() {
  return fail(Errc::corrupt, "not a statement about audit chains");
}

Result<ChainEnd> parse_end(const boost::json::value& value) {
  const auto* object = value.if_object();
  const auto chain = parse_uuid(text_field(object, "chain"));
  const auto number = number_field(object, "number");
  auto mac = hex_decode(text_field(object, "mac"));
  if (!chain || !number || *number < 1 || !mac || mac->size() != kMacSize) return malformed();
  return ChainEnd{TenantId{*chain}, static_cast<std::uint64_t>(*number), std::move(*mac)};
}

Result<Statement> parse_object(const boost::json::object& object) {
  Statement statement;
  const auto at = number_field(&object, "at");
  const auto* heads = object.if_contains("heads");
  auto previous = hex_decode(text_field(&object, "previous"));
  auto signature = base64_decode(text_field(&object, "signature"));
  if (!at || heads == nullptr || !heads->is_array() || !previous || !signature) return malformed();
  statement.heads.at = from_micros(*at);
  statement.previous = std::move(*previous);
  statement.signature = std::move(*signature);
  statement.heads.ends.reserve(heads->get_array().size());
  for (const auto& value : heads->get_array()) {
    auto end = parse_end(value);
    if (!end) return std::unexpected(end.error());
    statement.heads.ends.push_back(std::move(*end));
  }
  return statement;
}

}  // namespace

Result<Heads> collect_heads(sql::Transaction& tx, const Chain& chain, Timestamp now) {
  Heads heads{now, {}};
  for (const auto id : listed_chains(tx)) {
    sql::TenantScope scope(tx, id);
    const auto head = read_head(scope);
    auto mac = chain.chain_mac(id);
    if (!head || !crypto::constant_time_equal(head_mac(mac, id, *head), head->head_mac)) {
      return fail(Errc::corrupt,
                  fmt::format("the head of the audit chain {} isn't genuine", id.text()));
    }
    if (head->closed != Closed::no || head->next_number <= 1) continue;
    heads.ends.push_back({id, static_cast<std::uint64_t>(head->next_number - 1), head->mac});
  }
  return heads;
}

std::string encode_heads(const Heads& heads, std::string_view previous) {
  std::string out;
  Encoder encoder(out, "postern audit heads 1");
  encoder.time(heads.at).text(previous).number(std::uint64_t{heads.ends.size()});
  for (const auto& end : heads.ends) encoder.id(end.chain).number(end.number).text(end.mac);
  return out;
}

std::string statement_line(const Statement& statement) {
  boost::json::array ends;
  ends.reserve(statement.heads.ends.size());
  for (const auto& end : statement.heads.ends) {
    ends.push_back(boost::json::object{
        {"chain", end.chain.text()}, {"number", end.number}, {"mac", hex_encode(end.mac)}});
  }
  return canonical({{"at", to_micros(statement.heads.at)},
                    {"heads", std::move(ends)},
                    {"previous", hex_encode(statement.previous)},
                    {"signature", base64_encode(statement.signature)}});
}

Result<Statement> parse_statement(std::string_view line) {
  if (line.size() > kMaxStatement) return fail(Errc::too_large, "the statement is too long");
  boost::system::error_code error;
  const auto value = boost::json::parse(line, error);
  if (error || !value.is_object()) return malformed();
  auto statement = parse_object(value.get_object());
  // Another spelling of the same would change the line's hash and not its signature.
  if (statement && statement_line(*statement) != line) return malformed();
  return statement;
}

std::string_view to_string(StatementProblem problem) {
  switch (problem) {
    case StatementProblem::malformed: return "not a statement";
    case StatementProblem::bad_signature: return "the signature doesn't hold";
    case StatementProblem::broken_link: return "not linked to the line before";
  }
  return "unknown";
}

std::string_view to_string(Contradiction contradiction) {
  switch (contradiction) {
    case Contradiction::record_missing: return "record missing";
    case Contradiction::mac_differs: return "record isn't the one it was";
    case Contradiction::chain_missing: return "chain missing";
    case Contradiction::head_altered: return "head altered";
    case Contradiction::closing_missing: return "chain's closing isn't in the platform's chain";
    case Contradiction::closing_unsigned: return "chain's closing is signed with another key";
    case Contradiction::closing_contradicts: return "chain's closing tells another end";
  }
  return "unknown";
}

}  // namespace postern::accounts::audit
