// Writes one message's FETCH response; section bodies are streamed, a chunk at a time, as fast as
// the client takes them.
//
// Owner: the FETCH handler, for one command. A response that can't be completed is taken back if
// none of it has left yet; else the connection must end, since its literal's size has been
// promised.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "imap/parse/command.hpp"
#include "imap/session.hpp"

namespace postern::imap {

/// What the items of a FETCH need from the backend.
struct FetchNeeds {
  bool dates = false;  ///< internal date or size
  bool index = false;  ///< structure or sections
  bool seen = false;   ///< sets \Seen
};
FetchNeeds needs_of(const std::vector<FetchItem>& items);

class FetchResponder {
 public:
  FetchResponder(Session& session, const FetchCommand& command)
      : session_(session), command_(command) {}

  /// `data` may be null when nothing is needed of it. False: the body couldn't be read and the
  /// response has been taken back. An error ends the connection.
  Task<Result<bool>> respond(std::uint32_t sequence, const MessageData* data);

 private:
  enum class Written : std::uint8_t { yes, unreadable };

  void write_plain(const FetchItem& item, std::uint32_t sequence, const MessageData* data);
  Task<Result<Written>> write_section(const FetchItem& item, const MessageData& data);
  Task<Result<Written>> write_fields(const FetchItem& item, const MessageData& data,
                                     message::Range header);
  Task<Result<Written>> stream(std::uint32_t uid, message::Range range);
  void separate();

  Session& session_;
  const FetchCommand& command_;
  bool first_ = true;
};

}  // namespace postern::imap
