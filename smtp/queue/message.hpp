// What the queue holds: a message with its envelope, and a state for each recipient.
//
// Values only. Addresses are paths as they came (smtp::to_string(Path)); the null return path is
// the empty string. ENVID and ORCPT are kept decoded from xtext and encoded again when sent on, so
// that reports can quote them (RFC 3461 §6.3). Strings came from peers and passed the server's
// limits.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/id.hpp"
#include "core/lane.hpp"
#include "core/time.hpp"
#include "smtp/queue/reply.hpp"
#include "storage/body/body_store.hpp"

namespace postern::smtp::queue {

inline constexpr std::size_t kMaxRecipients = 1'000;  ///< of one message; beyond: Errc::too_large
inline constexpr std::chrono::hours kIdempotencyTime{24};

/// How a recipient is reached: over SMTP, or in a mailbox of this server.
enum class Transport : std::uint8_t { remote = 0, local = 1 };

/// queued and held are live; the others are final.
enum class State : std::uint8_t {
  queued = 0,
  delivered = 1,
  failed = 2,
  expired = 3,
  held = 4,
  dropped = 5
};
std::string_view to_string(State state);
std::string_view to_string(Transport transport);

/// RET= (RFC 3461 §4.3).
enum class Ret : std::uint8_t { unspecified = 0, full = 1, headers = 2 };

/// NOTIFY= (RFC 3461 §4.1). No bit: the parameter was absent.
struct Notify {
  static constexpr std::uint8_t kNever = 1;
  static constexpr std::uint8_t kSuccess = 2;
  static constexpr std::uint8_t kFailure = 4;
  static constexpr std::uint8_t kDelay = 8;
  std::uint8_t bits = 0;

  bool operator==(const Notify&) const = default;
  [[nodiscard]] bool present() const { return bits != 0; }
  [[nodiscard]] bool has(std::uint8_t bit) const { return (bits & bit) != 0; }
  /// "SUCCESS,DELAY"; empty when absent.
  [[nodiscard]] std::string text() const;
};

/// BODY= (RFC 6152).
enum class BodyType : std::uint8_t { seven_bit = 0, eight_bit = 1 };
/// Whether the envelope or header needs SMTPUTF8 on the way (RFC 6531 §3.6).
enum class Utf8 : std::uint8_t { not_needed = 0, needed = 1 };

/// Where copies for mailboxes here are filed: what the checks at acceptance made of the message.
enum class Filing : std::uint8_t { inbox = 0, junk = 1 };

/// What holds for all recipients.
struct Envelope {
  TenantId tenant;
  MessageId id;
  ObjectId body;            ///< of the sealed body, in the same file
  std::uint64_t size = 0;   ///< plaintext bytes of the body
  std::string return_path;  ///< empty: "<>", which never gets a report
  std::string envelope_id;  ///< ENVID, decoded; empty when absent
  Ret ret = Ret::unspecified;
  BodyType body_type = BodyType::seven_bit;
  Utf8 utf8 = Utf8::not_needed;
  Filing filing = Filing::inbox;
  Lane lane = Lane::transactional;
  std::string stream;  ///< the tenant's name for this kind of mail; may be empty
  Timestamp created_at{};
  Timestamp expires_at{};             ///< the retries end here, with a report
  std::optional<Timestamp> deadline;  ///< worthless after this: dropped, not delivered late
  std::string submitter;      ///< the authenticated login or address; empty for relayed mail
  CredentialId credential{};  ///< nil when there was none
  std::string origin;  ///< "smtp 192.0.2.1", "api", "report": for people who look at the queue
};

struct NewRecipient {
  std::string address{};
  Transport transport = Transport::remote;
  Notify notify{};
  std::string original{};  ///< ORCPT with its type ("rfc822;a@b"), decoded; empty when absent
};

/// A key that makes acceptance happen at most once within kIdempotencyTime.
struct Idempotency {
  std::string key;          ///< as the client sent it, at most kMaxIdempotencyKey bytes
  std::string fingerprint;  ///< of what must be equal (sender, recipients): see fingerprint()
};
inline constexpr std::size_t kMaxIdempotencyKey = 255;

/// SHA-256 of sender and recipients, in an order of their own.
std::string fingerprint(std::string_view return_path, const std::vector<NewRecipient>& recipients);

struct NewMessage {
  Envelope envelope;
  std::vector<NewRecipient> recipients;
  std::shared_ptr<const storage::SealedBody> body;  ///< envelope.body and .size are taken from it
  std::optional<Idempotency> idempotency;
};

struct Recipient {
  std::uint32_t number = 0;  ///< 0, 1, 2... within the message
  std::string address;
  std::string destination;  ///< the domain, lower case
  Transport transport = Transport::remote;
  Notify notify;
  std::string original;
  State state = State::queued;
  std::uint32_t attempts = 0;
  std::optional<Timestamp> next_attempt;
  std::optional<Timestamp> last_attempt;
  Reply last_reply;        ///< code 0: none yet
  std::string remote_mta;  ///< who gave last_reply
  bool delay_reported = false;
};

/// A message as stored, with some or all of its recipients.
struct QueuedMessage {
  Envelope envelope;
  std::vector<Recipient> recipients;
  /// Only for a message handed over fresh: saves the first attempt a read.
  std::shared_ptr<const storage::SealedBody> body;
};

/// The part after the last '@', lower case; an address literal with its brackets.
std::string destination_of(std::string_view address);

/// The id under which a local recipient's copy is applied: the same for each try, so that a repeat
/// is seen.
DeliveryId delivery_id(MessageId message, std::uint32_t recipient);

}  // namespace postern::smtp::queue
