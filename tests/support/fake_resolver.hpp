// A dns::Resolver whose zone data the test writes down. Names are compared without regard to case
// and final dot. Safe from any thread, so that one serves all io threads of a test.
//
// A name that has data of another type answers nodata, as does one with a name below it (RFC 8020);
// anything else is nxdomain. CNAMEs are followed.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/dns/dns.hpp"

namespace postern::test {

class FakeResolver final : public dns::Resolver {
 public:
  void add_a(std::string_view name, std::string_view address);
  void add_aaaa(std::string_view name, std::string_view address);
  void add_mx(std::string_view name, std::uint16_t preference,
              std::string_view host);  ///< "." is null MX
  /// One record of several strings, joined as the resolver joins them.
  void add_txt(std::string_view name, const std::vector<std::string>& strings);
  template <class Text>
    requires std::convertible_to<const Text&, std::string_view>
  void add_txt(std::string_view name, const Text& text) {
    add_txt(name, std::vector<std::string>{std::string(std::string_view(text))});
  }
  /// `address` in text; the record is put at its reverse name.
  void add_ptr(std::string_view address, std::string_view host);
  void add_ns(std::string_view name, std::string_view host);
  void add_cname(std::string_view name, std::string_view target);
  /// Makes one (name, type) answer `status`, or every type of the name when `type` is absent.
  void set_status(std::string_view name, dns::Type type, dns::Status status);
  void set_status(std::string_view name, dns::Status status);
  /// What names without any data answer (nxdomain at first; temporary plays a dead DNS).
  void set_default_status(dns::Status status);
  /// Forgets records and statuses of the name.
  void remove(std::string_view name);
  void clear();

  Task<std::shared_ptr<const dns::Answer>> query(std::string name, dns::Type type) override;

  [[nodiscard]] std::size_t queries() const;
  [[nodiscard]] std::size_t queries(std::string_view name, dns::Type type) const;
  void reset_queries();

 private:
  using Key = std::pair<std::string, dns::Type>;
  dns::Answer& record(std::string_view name, dns::Type type);
  [[nodiscard]] std::shared_ptr<const dns::Answer> look_up(std::string name, dns::Type type) const;
  [[nodiscard]] std::optional<dns::Status> forced(const std::string& name, dns::Type type) const;
  [[nodiscard]] bool exists(const std::string& name) const;

  mutable std::mutex mutex_;
  std::map<Key, dns::Answer> records_;
  std::map<Key, dns::Status> statuses_;
  std::map<std::string, dns::Status> name_statuses_;
  std::map<Key, std::size_t> counts_;
  std::size_t total_ = 0;
  dns::Status default_status_ = dns::Status::nxdomain;
};

}  // namespace postern::test
