// The parsed index of a message at rest: it holds subjects and addresses, so it is sealed like the
// body.
//
// AES-256-GCM, key by HKDF from the tenant's data key (info "postern index"), a random nonce in
// front, associated data binds tenant and object.
#pragma once

#include <string>
#include <string_view>

#include "core/id.hpp"
#include "core/result.hpp"
#include "message/index.hpp"
#include "storage/body/body_store.hpp"

namespace postern::mailbox {

std::string seal_index(const storage::DataKey& key, ObjectId object, const message::Index& index);
/// Errc::corrupt when it doesn't authenticate or decode.
Result<message::Index> open_index(const storage::DataKey& key, ObjectId object,
                                  std::string_view sealed);

}  // namespace postern::mailbox
