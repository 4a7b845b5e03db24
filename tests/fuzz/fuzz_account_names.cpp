// Names and secrets that arrive from peers: addresses, domains, labels, app passwords. What is
// accepted must be in one canonical form: parsing it again changes nothing.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "accounts/credentials.hpp"
#include "accounts/names.hpp"

using namespace postern;

namespace {
void check(bool holds) {
  if (!holds) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto address = accounts::parse_address(text)) {
    check(address->text().size() <=
          accounts::kMaxAddress + 2 + address->local.size());  // quotes and backslashes
    const auto again = accounts::parse_address(address->text());
    check(again && *again == *address);
    const auto sub = accounts::split_detail(address->local);
    check(sub.base.size() + sub.detail.size() <= address->local.size());
  }
  if (const auto domain = accounts::parse_domain(text)) {
    check(domain->size() <= accounts::kMaxDomain);
    check(accounts::parse_domain(*domain) == *domain);
    check(accounts::reversed_name(*domain).size() == domain->size() + 1);
  }
  if (const auto label = accounts::parse_label(text))
    check(accounts::parse_label(*label) == *label);
  if (const auto selector = accounts::app_password_selector(text)) {
    check(accounts::app_password_selector(accounts::canonical_secret(text)) == *selector);
  }
  static_cast<void>(accounts::check_password(text));
  return 0;
}
