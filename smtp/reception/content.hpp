// A message on its way to its place: the header is text that acceptance may still change, the body
// is what came, in memory while it is small, else sealed and staged already.
//
// Owner: the coroutine that accepts or delivers the message.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/task.hpp"
#include "message/index.hpp"
#include "smtp/reception/environment.hpp"
#include "storage/body/body_source.hpp"
#include "storage/body/body_spool.hpp"

namespace postern::smtp::reception {

struct Content {
  storage::BodySourcePtr body;  ///< what follows the header's blank line
  bool ascii = true;            ///< the body holds no octet above 127
  /// Of a body that was staged as it arrived, for one tenant: where its header goes, once...
  std::shared_ptr<storage::BodySpool> spool{};
  /// ...and its parts, behind the header that it came with.
  std::optional<message::PartTree> tree{};
};

/// Header and body sealed under the tenant's key. What was staged for that tenant is taken as it
/// is, the first time; otherwise the body is read and sealed again.
Task<Result<storage::SealedBody>> seal_message(const Environment& environment, TenantId tenant,
                                               std::string header, Content& content);

struct IndexedMessage {
  storage::SealedBody body;
  message::Index index;
};
/// The same, parsed for a mailbox.
Task<Result<IndexedMessage>> seal_indexed(const Environment& environment, TenantId tenant,
                                          std::string header, Content& content);

struct HeaderAndContent {
  std::string header;  ///< with the blank line
  Content content;
};
/// Of a whole message that lies elsewhere.
Task<Result<HeaderAndContent>> open_message(storage::BodySourcePtr whole);

}  // namespace postern::smtp::reception
