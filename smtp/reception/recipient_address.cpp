#include "smtp/reception/recipient_address.hpp"

#include "core/ascii.hpp"

namespace postern::smtp::reception {

namespace {

bool is_ours(const Path& path, const std::string& hostname) {
  if (path.domain.empty()) return true;
  const bool role = ascii::iequals(path.local, "postmaster") || ascii::iequals(path.local, "abuse");
  return role && ascii::iequals(path.domain, hostname);
}

Task<Result<std::string>> address_of(const Environment& environment, Path path) {
  const std::string& hostname = environment.policy.hostname;
  if (!is_ours(path, hostname)) co_return to_string(path);
  for (std::string domain = hostname; domain.find('.') != std::string::npos;
       domain = domain.substr(domain.find('.') + 1)) {
    auto hosted = co_await environment.directory->is_local_domain(domain);
    if (!hosted) co_return std::unexpected(hosted.error());
    if (*hosted) co_return path.local + "@" + domain;
  }
  co_return path.local + "@" + hostname;
}

bool is_malformed(const Error& error) {
  return error.code == Errc::invalid || error.code == Errc::too_large;
}

}  // namespace

Task<Result<Recipiency>> find_recipient(const Environment& environment, Path path) {
  auto address = co_await address_of(environment, path);
  if (!address) co_return std::unexpected(address.error());
  auto resolution = co_await environment.directory->resolve_recipient(*address);
  if (resolution) co_return Recipiency{std::move(*address), std::move(*resolution)};
  if (!is_malformed(resolution.error())) co_return std::unexpected(resolution.error());
  auto local = co_await environment.directory->is_local_domain(path.domain);
  if (!local && !is_malformed(local.error())) co_return std::unexpected(local.error());
  auto judged = std::make_shared<accounts::Resolution>();
  judged->verdict = local && *local ? accounts::Verdict::no_mailbox : accounts::Verdict::not_hosted;
  co_return Recipiency{std::move(*address), std::move(judged)};
}

}  // namespace postern::smtp::reception
