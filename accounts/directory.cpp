#include "accounts/directory.hpp"

#include "accounts/account.hpp"
#include "accounts/generation_cache.hpp"
#include "accounts/sender_grants.hpp"

namespace postern::accounts {

struct Directory::Impl {
  Impl(Registry& r, storage::Keystore& k, DirectoryOptions options)
      : registry(&r),
        keystore(&k),
        resolutions(options.cache_entries),
        domains(options.cache_entries),
        senders(options.cache_entries),
        tenants(options.cache_entries),
        keys(options.cache_entries) {}

  Registry* registry;
  storage::Keystore* keystore;
  GenerationCache<const Resolution> resolutions;
  GenerationCache<const std::optional<Domain>> domains;
  GenerationCache<const bool> senders;
  GenerationCache<const Tenant> tenants;
  GenerationCache<const std::vector<PreparedKey>> keys;
};

namespace {

Result<std::optional<Domain>> read_domain(sql::Transaction& tx, const std::string& name) {
  auto domain = find_proved_domain(tx, name);
  if (domain) return std::optional(std::move(*domain));
  if (domain.error().code == Errc::not_found) return std::nullopt;
  return std::unexpected(std::move(domain.error()));
}

Result<bool> read_may_send(sql::Transaction& tx, Identity who, const Address& from) {
  const auto domain = find_proved_domain(tx, from.domain);
  if (!domain || domain->tenant != who.tenant || domain->status != Status::active) return false;
  const auto tenant = find_tenant(tx, who.tenant);
  if (!tenant || tenant->status != Status::active) return false;
  sql::TenantScope scope(tx, who.tenant);
  const auto account = find_account(scope, who.account);
  if (!account || account->status != Status::active) return false;
  const auto resolution = resolve(tx, from, Breadth::named_only);
  for (const auto& route : resolution.routes) {
    if (route.account == who.account) return true;
  }
  return has_domain_grant(scope, who.account, from.domain);
}

/// The wrapped keys of the domain, or of its nearest parent with active ones.
Result<std::vector<SigningKey>> read_keys(sql::Transaction& tx, TenantId tenant,
                                          std::string domain) {
  sql::TenantScope scope(tx, tenant);
  while (domain.find('.') != std::string::npos) {
    auto keys = list_signing_keys(scope, domain);
    std::erase_if(keys, [](const auto& key) { return key.status != Status::active; });
    if (!keys.empty()) return keys;
    domain.erase(0, domain.find('.') + 1);
  }
  return std::vector<SigningKey>{};
}

Result<std::vector<PreparedKey>> unwrap_keys(storage::MasterKey& master, TenantId tenant,
                                             const std::vector<SigningKey>& keys) {
  std::vector<PreparedKey> prepared;
  for (const auto& key : keys) {
    auto pem = unwrap_private_key(master, tenant, key);
    if (!pem) return std::unexpected(std::move(pem.error()));
    prepared.push_back({key.id, key.domain, key.selector, key.algorithm, std::move(*pem)});
  }
  return prepared;
}

}  // namespace

Directory::Directory(Registry& registry, storage::Keystore& keystore, DirectoryOptions options)
    : impl_(std::make_unique<Impl>(registry, keystore, options)) {}
Directory::~Directory() = default;

Task<Result<std::shared_ptr<const Resolution>>> Directory::resolve_recipient(std::string address) {
  const auto parsed = parse_address(address);
  if (!parsed) co_return std::unexpected(parsed.error());
  const auto key = parsed->text();
  const auto generation = impl_->registry->generation();
  if (auto known = impl_->resolutions.find(generation, key)) co_return known;
  storage::Database::Closure<Resolution> closure =
      [name = *parsed](sql::Transaction& tx) -> Result<Resolution> {
    return resolve(tx, name, Breadth::with_catch_all);
  };
  auto answer = co_await impl_->registry->read<Resolution>(std::move(closure));
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  auto shared = std::make_shared<const Resolution>(std::move(*answer));
  impl_->resolutions.store(generation, key, shared);
  co_return shared;
}

Task<Result<std::shared_ptr<const Domain>>> Directory::domain(std::string name) {
  using Answer = std::optional<Domain>;
  const auto parsed = parse_domain(name);
  if (!parsed) co_return nullptr;
  const auto generation = impl_->registry->generation();
  auto known = impl_->domains.find(generation, *parsed);
  if (!known) {
    storage::Database::Closure<Answer> closure = [domain = *parsed](sql::Transaction& tx) {
      return read_domain(tx, domain);
    };
    auto answer = co_await impl_->registry->read<Answer>(std::move(closure));
    if (!answer) co_return std::unexpected(std::move(answer.error()));
    known = std::make_shared<const Answer>(std::move(*answer));
    impl_->domains.store(generation, *parsed, known);
  }
  if (!known->has_value()) co_return nullptr;
  co_return std::shared_ptr<const Domain>(known, &**known);
}

Task<Result<bool>> Directory::is_local_domain(std::string name) {
  auto found = co_await domain(std::move(name));
  if (!found) co_return std::unexpected(std::move(found.error()));
  co_return *found != nullptr;
}

Task<Result<bool>> Directory::may_send_as(Identity who, std::string from_address) {
  const auto parsed = parse_address(from_address);
  if (!parsed) co_return false;
  const auto key = who.tenant.text() + who.account.text() + parsed->text();
  const auto generation = impl_->registry->generation();
  if (const auto known = impl_->senders.find(generation, key)) co_return *known;
  storage::Database::Closure<bool> closure = [who, from = *parsed](sql::Transaction& tx) {
    return read_may_send(tx, who, from);
  };
  auto answer = co_await impl_->registry->read<bool>(std::move(closure));
  if (answer) impl_->senders.store(generation, key, std::make_shared<const bool>(*answer));
  co_return answer;
}

Task<Result<std::shared_ptr<const Tenant>>> Directory::tenant(TenantId id) {
  const auto key = id.text();
  const auto generation = impl_->registry->generation();
  if (auto known = impl_->tenants.find(generation, key)) co_return known;
  storage::Database::Closure<Tenant> closure = [id](sql::Transaction& tx) {
    return find_tenant(tx, id);
  };
  auto answer = co_await impl_->registry->read<Tenant>(std::move(closure));
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  auto shared = std::make_shared<const Tenant>(std::move(*answer));
  impl_->tenants.store(generation, key, shared);
  co_return shared;
}

Task<Result<std::shared_ptr<const storage::DataKey>>> Directory::data_key(TenantId id) {
  auto found = co_await tenant(id);
  if (!found) co_return std::unexpected(std::move(found.error()));
  co_return impl_->keystore->data_key(id, (*found)->wrapped_data_key);
}

Task<Result<std::shared_ptr<const std::vector<PreparedKey>>>> Directory::signing_keys(
    TenantId tenant, std::string domain) {
  using Keys = std::vector<SigningKey>;
  const auto name = parse_domain(domain);
  if (!name) co_return std::unexpected(name.error());
  const auto key = tenant.text() + *name;
  const auto generation = impl_->registry->generation();
  if (auto known = impl_->keys.find(generation, key)) co_return known;
  storage::Database::Closure<Keys> closure = [tenant, text = *name](sql::Transaction& tx) {
    return read_keys(tx, tenant, text);
  };
  auto wrapped = co_await impl_->registry->read<Keys>(std::move(closure));
  if (!wrapped) co_return std::unexpected(std::move(wrapped.error()));
  auto prepared = unwrap_keys(impl_->keystore->master(), tenant, *wrapped);
  if (!prepared) co_return std::unexpected(std::move(prepared.error()));
  auto shared = std::make_shared<const std::vector<PreparedKey>>(std::move(*prepared));
  impl_->keys.store(generation, key, shared);
  co_return shared;
}

std::size_t Directory::cached() const {
  return impl_->resolutions.size() + impl_->domains.size() + impl_->senders.size() +
         impl_->tenants.size() + impl_->keys.size();
}

}  // namespace postern::accounts
