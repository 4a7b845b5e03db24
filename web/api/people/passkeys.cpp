// Passkeys: /v1/me/passkeys registers them, /v1/session/passkey signs in with one.
#include "accounts/factors/webauthn.hpp"
#include "accounts/people/passkey.hpp"
#include "accounts/people/person.hpp"
#include "core/encoding.hpp"
#include "web/access/ceremonies.hpp"
#include "web/access/own_act.hpp"
#include "web/access/sessions.hpp"
#include "web/api/handlers.hpp"
#include "web/api/json_lists.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
namespace webauthn = accounts::webauthn;
using accounts::Passkey;
using Purpose = Ceremonies::Purpose;

namespace {

Response refused_passkey() {
  return problem(401, "Not signed in", "this passkey doesn't open anything here");
}

// The host of the origin that people reach this server at: what passkeys belong to.
std::string host_of(std::string_view origin) {
  origin.remove_prefix(origin.find("://") + 3);
  if (origin.starts_with('[')) return std::string(origin.substr(0, origin.find(']') + 1));
  return std::string(origin.substr(0, origin.find(':')));
}

webauthn::Ceremony ceremony_of(const Services& services, std::string challenge) {
  webauthn::Ceremony ceremony;
  ceremony.challenge = std::move(challenge);
  ceremony.rp_id = host_of(services.public_url);
  ceremony.rp_name = services.settings->hostname;
  ceremony.origins = {services.public_url};
  return ceremony;
}

// WebAuthn Level 3 §5.8.4: names like "internal" and "hybrid", which tell a browser where to look
// for a passkey; one that it doesn't know is passed over. Stored with commas.
Result<std::string> join_transports(const std::vector<std::string>& transports) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; };
  std::string joined;
  for (const auto& transport : transports) {
    if (transport.empty() || !std::ranges::all_of(transport, fits))
      return fail(Errc::invalid, "a transport is lower case letters and hyphens");
    if (!joined.empty()) joined += ',';
    joined += transport;
  }
  if (joined.size() > accounts::kMaxTransports) return fail(Errc::invalid, "too many transports");
  return joined;
}

std::vector<std::string> split_transports(std::string_view joined) {
  std::vector<std::string> transports;
  while (!joined.empty()) {
    const auto end = std::min(joined.find(','), joined.size());
    transports.emplace_back(joined.substr(0, end));
    joined.remove_prefix(std::min(end + 1, joined.size()));
  }
  return transports;
}

std::vector<webauthn::KnownCredential> known_credentials(const std::vector<Passkey>& passkeys) {
  std::vector<webauthn::KnownCredential> known;
  known.reserve(passkeys.size());
  for (const auto& passkey : passkeys)
    known.push_back({passkey.credential_id, split_transports(passkey.transports)});
  return known;
}

std::string binary(const Call& call, std::string_view name) {
  return base64url_decode(call.text(name)).value_or("");
}

accounts::Backup backup_of(bool eligible, bool backed_up) {
  if (!eligible) return accounts::Backup::not_eligible;
  return backed_up ? accounts::Backup::backed_up : accounts::Backup::eligible;
}

json::object to_json(const Passkey& passkey) {
  return {{"id", base64url_encode(passkey.credential_id)},
          {"label", passkey.label},
          {"backed_up", passkey.backup == accounts::Backup::backed_up},
          {"created_at", timestamp_text(passkey.created)},
          {"last_used_at", time_or_null(passkey.last_used)}};
}

Response options_response(const std::string& flow, json::object options) {
  return json_response(json::object{{"flow", flow}, {"options", std::move(options)}});
}

Task<Result<std::vector<Passkey>>> my_passkeys(Call& call) {
  using Passkeys = std::vector<Passkey>;
  co_return co_await call.services.registry->read<Passkeys>(
      [id = call.session->person](sql::Transaction& tx) -> Result<Passkeys> {
        return accounts::list_passkeys(tx, id);
      });
}

}  // namespace

Task<Response> offer_passkey(Call& call) {
  auto mine = co_await my_passkeys(call);
  if (!mine) co_return problem(mine.error());
  const auto ceremony = ceremony_of(call.services, webauthn::make_challenge());
  const auto person = call.session->person;
  const auto flow = call.services.ceremonies->begin(
      {Purpose::registration, person, ceremony.challenge}, call.now());
  co_return options_response(
      flow, webauthn::creation_options(
                ceremony, {std::string(person.view()), call.caller.name, call.caller.name},
                webauthn::ResidentKey::required, known_credentials(*mine)));
}

Task<Response> add_passkey(Call& call) {
  const auto person = call.session->person;
  const auto begun =
      call.services.ceremonies->finish(call.text("flow"), Purpose::registration, call.now());
  if (!begun || begun->person != person)
    co_return problem(400, "Invalid request", "this ceremony is over: begin again", "flow");
  const auto client_data = binary(call, "client_data_json");
  const auto attestation = binary(call, "attestation_object");
  auto credential = webauthn::verify_registration(ceremony_of(call.services, begun->challenge),
                                                  {client_data, attestation});
  if (!credential)
    co_return problem(400, "Invalid request",
                      "this is not a passkey for here: " + credential.error().message);
  auto transports = join_transports(call.texts("transports"));
  if (!transports) co_return bad_member("transports", transports.error());
  Passkey fresh;
  fresh.transports = std::move(*transports);
  fresh.credential_id = credential->id;
  fresh.person = person;
  fresh.public_key = credential->public_key;
  fresh.algorithm = static_cast<std::int32_t>(credential->algorithm);
  fresh.counter = credential->sign_count;
  fresh.label = call.text("label");
  fresh.backup = backup_of(credential->backup_eligible, credential->backed_up);
  fresh.created = call.now();
  auto added = co_await own_act<Passkey>(
      call,
      [fresh, session = call.session->id,
       now = call.now()](sql::Transaction& tx) -> Result<Passkey> {
        auto passkey = accounts::add_passkey(tx, fresh);
        if (!passkey) return passkey;
        // It was just used, with user verification.
        auto set = accounts::set_session_verified(tx, session, accounts::Factor::passkey, now);
        if (!set) return std::unexpected(set.error());
        return passkey;
      });
  if (!added) co_return problem(added.error());
  co_return json_response(to_json(*added), 201);
}

Task<Response> list_passkeys(Call& call) {
  auto mine = co_await my_passkeys(call);
  if (!mine) co_return problem(mine.error());
  json::array items;
  for (const auto& passkey : *mine) items.push_back(to_json(passkey));
  co_return json_response(json::object{{"items", std::move(items)}});
}

Task<Response> delete_passkey(Call& call) {
  const auto id = base64url_decode(call.parameter("passkey"));
  if (!id) co_return problem(404, "Not found", "no such passkey");
  auto removed =
      co_await own_act<void>(call, [id = *id, person = call.session->person](sql::Transaction& tx) {
        return accounts::remove_passkey(tx, person, id);
      });
  if (!removed && removed.error().code == Errc::not_found)
    co_return problem(404, "Not found", "no such passkey");
  if (!removed) co_return problem(removed.error());
  co_return no_content();
}

Task<Response> passkey_challenge(Call& call) {
  const auto ceremony = ceremony_of(call.services, webauthn::make_challenge());
  const auto flow =
      call.services.ceremonies->begin({Purpose::sign_in, {}, ceremony.challenge}, call.now());
  co_return options_response(flow, webauthn::request_options(ceremony, {}));
}

namespace {

struct Shown {
  webauthn::Ceremony ceremony;
  std::string credential_id;
  std::string client_data;
  std::string authenticator_data;
  std::string signature;
  std::string user_handle;
};

// The person whose passkey it is, and its use on record. Errc::denied, Errc::not_found,
// Errc::invalid.
Result<PersonId> open_with(sql::Transaction& tx, const Shown& shown, Timestamp now) {
  auto passkey = accounts::find_passkey(tx, shown.credential_id);
  if (!passkey) return std::unexpected(passkey.error());
  const auto algorithm = webauthn::algorithm_from_number(passkey->algorithm);
  if (!algorithm) return fail(Errc::corrupt, "a stored passkey of an unknown algorithm");
  const bool eligible = passkey->backup != accounts::Backup::not_eligible;
  const webauthn::StoredCredential stored{
      passkey->credential_id, *algorithm, passkey->public_key,
      passkey->counter,       eligible,   std::string(passkey->person.view())};
  const webauthn::AssertionResponse response{shown.credential_id, shown.client_data,
                                             shown.authenticator_data, shown.signature,
                                             std::string_view(shown.user_handle)};
  auto proved = webauthn::verify_assertion(shown.ceremony, stored, response,
                                           webauthn::Identified::by_passkey);
  if (!proved) return std::unexpected(proved.error());
  const auto person = accounts::find_person(tx, passkey->person);
  if (!person) return std::unexpected(person.error());
  if (person->status != accounts::PersonStatus::active || person->is_locked(now))
    return fail(Errc::denied, "the person may not sign in");
  const auto backup = backup_of(eligible, proved->backed_up);
  auto noted =
      accounts::note_passkey_use(tx, shown.credential_id, {proved->sign_count, backup, now});
  if (!noted) return std::unexpected(noted.error());
  return passkey->person;
}

bool is_refusal(const Error& error) {
  return error.code == Errc::denied || error.code == Errc::not_found ||
         error.code == Errc::invalid || error.code == Errc::unsupported;
}

}  // namespace

// A sign-in by itself, or the second factor of a session of the same person.
Task<Response> sign_in_with_passkey(Call& call) {
  const auto begun =
      call.services.ceremonies->finish(call.text("flow"), Purpose::sign_in, call.now());
  if (!begun) co_return refused_passkey();
  const Shown shown{ceremony_of(call.services, begun->challenge),
                    binary(call, "credential_id"),
                    binary(call, "client_data_json"),
                    binary(call, "authenticator_data"),
                    binary(call, "signature"),
                    binary(call, "user_handle")};
  auto person = co_await call.services.registry->note<PersonId>(
      [shown, now = call.now()](sql::Transaction& tx) { return open_with(tx, shown, now); });
  if (!person && !is_refusal(person.error())) co_return problem(person.error());
  if (!person) co_return refused_passkey();
  SessionStart start{*person, bits(accounts::Factor::passkey), true, std::nullopt};
  if (call.session) {
    if (call.session->person != *person) co_return refused_passkey();
    start.factors |= call.session->factors;
    start.in_place_of = call.session->id;
  }
  co_return co_await answer_with_session(call, start);
}

}  // namespace postern::web::api
