// A message as it arrives: in memory up to storage::kStageThreshold, which it reserves of the byte
// budget beside what the session set aside; beyond that its header stays here and its body is
// parsed, hashed, sealed and staged chunk by chunk, under the key of the tenant that will most
// likely store it.
//
// Owner: the session's message sink. Untrusted: every octet; the decoder has checked line ends and
// sizes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "dkim/canonical.hpp"
#include "message/mime.hpp"
#include "smtp/backend.hpp"
#include "smtp/reception/content.hpp"

namespace postern::smtp::reception {

/// All of a message, as it came.
struct ReceivedMessage {
  std::string header;  ///< with the blank line
  Content content;
  std::string body_hash;  ///< for signatures (dkim::BodyHash); only of submitted messages
};

class MessageSpool {
 public:
  /// All of them outlive the spool.
  MessageSpool(const Environment& environment, const SessionInfo& session,
               const Envelope& envelope);

  /// Errc::overloaded when the memory for messages is in use, else BodySpool's errors.
  Task<Result<void>> append(std::string_view bytes);
  Task<Result<ReceivedMessage>> finish();

 private:
  Result<void> keep(std::string_view bytes);
  Task<Result<TenantId>> find_owner();
  Task<Result<void>> begin_staging();
  Task<Result<void>> stage(std::string_view bytes);
  Result<ReceivedMessage> finish_small();

  const Environment& environment_;
  const SessionInfo& session_;
  const Envelope& envelope_;
  ByteBudget::Reservation reserved_;
  std::string bytes_;            ///< all of it, then the header alone
  std::size_t header_size_ = 0;  ///< 0: its end has not come
  std::size_t searched_ = 0;     ///< of bytes_, for that end

  // Since staging began:
  std::shared_ptr<const storage::DataKey> key_;
  std::shared_ptr<storage::BodySpool> spool_;
  message::MimeParser parser_;
  dkim::BodyHash hash_;
  bool ascii_ = true;
};

}  // namespace postern::smtp::reception
