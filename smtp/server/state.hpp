// A session's state, split by when it resets: a reset is `= {}`, so that nothing survives by
// accident.
//
//   ConnectionState   the connection
//   SessionInfo       its hello and identity: STARTTLS (backend.hpp)
//   SaslState         one AUTH exchange
//   Transaction       RSET, EHLO, HELO, STARTTLS, the end of a message
//   ChunkState        one BDAT command
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "smtp/backend.hpp"
#include "smtp/protocol/command.hpp"
#include "smtp/server/byte_budget.hpp"
#include "smtp/server/line_decoder.hpp"
#include "smtp/server/text_decoder.hpp"

namespace postern::smtp {

struct ConnectionState {
  std::size_t errors = 0;         ///< since the last accepted message
  std::size_t idle_commands = 0;  ///< likewise
  std::size_t mails = 0;          ///< MAIL commands, as RFC 9422 §4.1 counts MAILMAX
  std::size_t auth_failures = 0;
  std::size_t accepted = 0;  ///< messages
  bool draining = false;     ///< the server is stopping
};

struct SaslState {
  enum class Step : std::uint8_t { none, plain, login_name, login_password };
  Step step = Step::none;
  Credentials credentials{};
};

struct Transaction {
  enum class Transfer : std::uint8_t { none, data, chunks };

  bool open = false;         ///< MAIL was accepted
  std::size_t attempts = 0;  ///< RCPT commands
  Transfer transfer = Transfer::none;
  bool ended = false;  ///< DATA: the final dot was read
  Envelope envelope{};
  Recipient candidate{};  ///< under check_recipient
  std::unique_ptr<MessageSink> sink{};
  TextDecoder text{};
  ByteBudget::Reservation memory{};
  std::optional<Reply> failure{};  ///< the message is lost; its rest is read and dropped
};

struct ChunkState {
  std::uint64_t size = 0;
  std::uint64_t left = 0;
  Chunk chunk = Chunk::more;
  std::optional<Reply> refusal{};  ///< the chunk belongs to nothing: dropped, then this is said
};

}  // namespace postern::smtp
