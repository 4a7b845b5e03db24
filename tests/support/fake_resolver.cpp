#include "tests/support/fake_resolver.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/ascii.hpp"

namespace postern::test {

namespace {
constexpr int kMaxCnames = 8;
constexpr std::uint32_t kTtl = 300;

std::string canonical(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return ascii::to_lower(name);
}
}  // namespace

dns::Answer& FakeResolver::record(std::string_view name, dns::Type type) {
  auto& answer = records_[{canonical(name), type}];
  answer.status = dns::Status::ok;
  answer.ttl = kTtl;
  return answer;
}

void FakeResolver::add_a(std::string_view name, std::string_view address) {
  std::scoped_lock lock(mutex_);
  record(name, dns::Type::a).addresses.push_back(asio::ip::make_address_v4(address));
}

void FakeResolver::add_aaaa(std::string_view name, std::string_view address) {
  std::scoped_lock lock(mutex_);
  record(name, dns::Type::aaaa).addresses.push_back(asio::ip::make_address_v6(address));
}

void FakeResolver::add_mx(std::string_view name, std::uint16_t preference, std::string_view host) {
  std::scoped_lock lock(mutex_);
  record(name, dns::Type::mx).mx.push_back({preference, canonical(host)});
}

void FakeResolver::add_txt(std::string_view name, const std::vector<std::string>& strings) {
  std::string joined;
  for (const auto& part : strings) joined += part;
  std::scoped_lock lock(mutex_);
  record(name, dns::Type::txt).texts.push_back(std::move(joined));
}

void FakeResolver::add_ptr(std::string_view address, std::string_view host) {
  const auto name = dns::reverse_name(asio::ip::make_address(address));
  std::scoped_lock lock(mutex_);
  record(name, dns::Type::ptr).names.push_back(canonical(host));
}

void FakeResolver::add_ns(std::string_view name, std::string_view host) {
  std::scoped_lock lock(mutex_);
  record(name, dns::Type::ns).names.push_back(canonical(host));
}

void FakeResolver::add_cname(std::string_view name, std::string_view target) {
  std::scoped_lock lock(mutex_);
  record(name, dns::Type::cname).names = {canonical(target)};
}

void FakeResolver::set_status(std::string_view name, dns::Type type, dns::Status status) {
  std::scoped_lock lock(mutex_);
  statuses_[{canonical(name), type}] = status;
}

void FakeResolver::set_status(std::string_view name, dns::Status status) {
  std::scoped_lock lock(mutex_);
  name_statuses_[canonical(name)] = status;
}

void FakeResolver::set_default_status(dns::Status status) {
  std::scoped_lock lock(mutex_);
  default_status_ = status;
}

void FakeResolver::remove(std::string_view name) {
  const auto wanted = canonical(name);
  std::scoped_lock lock(mutex_);
  std::erase_if(records_, [&](const auto& entry) { return entry.first.first == wanted; });
  std::erase_if(statuses_, [&](const auto& entry) { return entry.first.first == wanted; });
  name_statuses_.erase(wanted);
}

void FakeResolver::clear() {
  std::scoped_lock lock(mutex_);
  records_.clear();
  statuses_.clear();
  name_statuses_.clear();
  default_status_ = dns::Status::nxdomain;
}

Task<std::shared_ptr<const dns::Answer>> FakeResolver::query(std::string name, dns::Type type) {
  // A real resolver never answers within the call: code that relies on that is found here.
  co_await asio::post(asio::use_awaitable);
  std::scoped_lock lock(mutex_);
  name = canonical(name);
  ++total_;
  ++counts_[{name, type}];
  co_return look_up(name, type);
}

std::shared_ptr<const dns::Answer> FakeResolver::look_up(std::string name, dns::Type type) const {
  auto answer = std::make_shared<dns::Answer>();
  for (int hop = 0; hop < kMaxCnames; ++hop) {
    if (const auto status = forced(name, type)) {
      answer->status = *status;
      return answer;
    }
    if (const auto found = records_.find({name, type}); found != records_.end()) {
      return std::make_shared<dns::Answer>(found->second);
    }
    const auto alias = records_.find({name, dns::Type::cname});
    if (alias == records_.end()) {
      answer->status = exists(name) ? dns::Status::nodata : default_status_;
      return answer;
    }
    name = alias->second.names.front();
  }
  return answer;  // a CNAME loop: temporary
}

std::optional<dns::Status> FakeResolver::forced(const std::string& name, dns::Type type) const {
  if (const auto one = statuses_.find({name, type}); one != statuses_.end()) return one->second;
  if (const auto all = name_statuses_.find(name); all != name_statuses_.end()) return all->second;
  return std::nullopt;
}

bool FakeResolver::exists(const std::string& name) const {
  for (const auto& [key, answer] : records_) {
    if (key.first == name || key.first.ends_with("." + name)) return true;
  }
  return false;
}

std::size_t FakeResolver::queries() const {
  std::scoped_lock lock(mutex_);
  return total_;
}

std::size_t FakeResolver::queries(std::string_view name, dns::Type type) const {
  std::scoped_lock lock(mutex_);
  const auto found = counts_.find({canonical(name), type});
  return found == counts_.end() ? 0 : found->second;
}

void FakeResolver::reset_queries() {
  std::scoped_lock lock(mutex_);
  counts_.clear();
  total_ = 0;
}

}  // namespace postern::test
