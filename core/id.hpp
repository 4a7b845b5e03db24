// Identifiers: UUIDv7 (RFC 9562 §5.7), 16 bytes in the database, 32 hex digits in text.
//
// Ids of different things are different types: a TenantId can't be passed where a DomainId is
// expected.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(const Uuid&) const = default;
  [[nodiscard]] bool is_nil() const { return *this == Uuid{}; }
  /// The 16 raw bytes, as SQL blobs and key derivation take them.
  [[nodiscard]] std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

/// A fresh UUIDv7: ordered by time within a process, 74 random bits.
Uuid make_uuid();
std::string to_string(const Uuid& id);                      ///< 32 lower-case hex digits
std::optional<Uuid> parse_uuid(std::string_view text);      ///< 32 hex digits, or the dashed form
std::optional<Uuid> uuid_from_bytes(std::string_view raw);  ///< exactly 16 bytes

template <class Tag>
struct Id {
  Uuid value;

  auto operator<=>(const Id&) const = default;
  static Id make() { return Id{make_uuid()}; }
  [[nodiscard]] std::string text() const { return to_string(value); }
  [[nodiscard]] std::string_view view() const { return value.view(); }
};

using TenantId = Id<struct TenantTag>;
using DomainId = Id<struct DomainTag>;
using AccountId =
    Id<struct AccountTag>;  ///< one person's mailbox account (an address that logs in)
using CredentialId = Id<struct CredentialTag>;  ///< a password or app password
using MailboxId = Id<struct MailboxTag>;        ///< an IMAP folder
using ObjectId = Id<struct ObjectTag>;          ///< a stored body
using MessageId = Id<struct MessageTag>;    ///< a message accepted by this server ("queued as ID")
using DeliveryId = Id<struct DeliveryTag>;  ///< one application of a message to one destination
using PersonId = Id<struct PersonTag>;      ///< who signs in to the console
using RoleId = Id<struct RoleTag>;          ///< a tenant's own role
using SessionId = Id<struct SessionTag>;    ///< one browser's sign-in; not its secret token
using ApiKeyId = Id<struct ApiKeyTag>;      ///< an API key; not its secret
using ConnectionId = Id<struct ConnectionTag>;  ///< leave for an outsider to act in a tenant

}  // namespace postern

template <>
struct std::hash<postern::Uuid> {
  std::size_t operator()(const postern::Uuid& id) const noexcept {
    return std::hash<std::string_view>{}(id.view());
  }
};
template <class Tag>
struct std::hash<postern::Id<Tag>> {
  std::size_t operator()(const postern::Id<Tag>& id) const noexcept {
    return std::hash<postern::Uuid>{}(id.value);
  }
};
