#include "mailbox/index_seal.hpp"

#include "core/crypto.hpp"
#include "core/random.hpp"

namespace postern::mailbox {

namespace {

std::string index_key(const storage::DataKey& key) { return key.derive("postern index"); }

std::string associated_data(const storage::DataKey& key, ObjectId object) {
  return std::string(key.tenant.view()) + std::string(object.view());
}

}  // namespace

std::string seal_index(const storage::DataKey& key, ObjectId object, const message::Index& index) {
  const std::string nonce = random_bytes(crypto::kNonceSize);
  return nonce + crypto::seal(index_key(key), nonce, associated_data(key, object),
                              message::encode_index(index));
}

Result<message::Index> open_index(const storage::DataKey& key, ObjectId object,
                                  std::string_view sealed) {
  if (sealed.size() < crypto::kNonceSize)
    return fail(Errc::corrupt, "the stored index is too short");
  const auto plain = crypto::open(index_key(key), sealed.substr(0, crypto::kNonceSize),
                                  associated_data(key, object), sealed.substr(crypto::kNonceSize));
  if (!plain) return fail(Errc::corrupt, "the stored index doesn't authenticate");
  return message::decode_index(*plain);
}

}  // namespace postern::mailbox
