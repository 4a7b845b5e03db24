// A world's data keys for what stores mail and delivers it.
#pragma once

#include "accounts/directory.hpp"
#include "mailbox/mailbox_store.hpp"
#include "smtp/delivery/body_source.hpp"

namespace postern::accounts::test {

class DirectoryKeys final : public mailbox::TenantKeys, public smtp::delivery::KeySource {
 public:
  explicit DirectoryKeys(Directory& directory) : directory_(&directory) {}
  Task<Result<std::shared_ptr<const storage::DataKey>>> data_key(TenantId tenant) override {
    return directory_->data_key(tenant);
  }

 private:
  Directory* directory_;
};

}  // namespace postern::accounts::test
