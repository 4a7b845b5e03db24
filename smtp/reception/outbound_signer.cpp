#include "smtp/reception/outbound_signer.hpp"

#include "dkim/fields.hpp"

namespace postern::smtp::reception {

namespace {
constexpr std::size_t kMaxParsedKeys = 10'000;
}

Result<dkim::SigningKey> OutboundSigner::parsed(const accounts::PreparedKey& key) {
  {
    std::scoped_lock lock(mutex_);
    if (const auto found = keys_.find(key.id); found != keys_.end()) return found->second;
  }
  auto made = dkim::SigningKey::from_pem(key.private_key_pem);
  if (!made) return made;
  std::scoped_lock lock(mutex_);
  if (keys_.size() >= kMaxParsedKeys) keys_.clear();
  keys_.emplace(key.id, *made);
  return made;
}

Task<Result<std::string>> OutboundSigner::sign(TenantId tenant, std::string domain,
                                               std::string header, std::string body_hash) {
  auto prepared = co_await directory_->signing_keys(tenant, std::move(domain));
  if (!prepared) co_return std::unexpected(prepared.error());
  std::string fields;
  std::string signing_domain;
  std::vector<dkim::Selector> selectors;
  for (const auto& key : **prepared) {
    auto usable = parsed(key);
    if (!usable) co_return std::unexpected(usable.error());
    selectors.push_back({key.selector, std::move(*usable)});
    signing_domain = key.domain;
  }
  if (selectors.empty()) co_return fields;
  co_return dkim::sign(dkim::split_message(header).header, body_hash, signing_domain, selectors,
                       clock_->now());
}

Task<Result<std::string>> OutboundSigner::sign_for_server(std::string domain, std::string header,
                                                          std::string body_hash) {
  for (std::string name = std::move(domain); name.find('.') != std::string::npos;
       name = name.substr(name.find('.') + 1)) {
    auto hosted = co_await directory_->domain(name);
    if (!hosted) co_return std::unexpected(hosted.error());
    if (*hosted)
      co_return co_await sign((*hosted)->tenant, name, std::move(header), std::move(body_hash));
  }
  co_return std::string();
}

}  // namespace postern::smtp::reception
