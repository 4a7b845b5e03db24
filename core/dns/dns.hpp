// What the program asks of DNS, as an interface: the asynchronous resolver (c-ares, with a bounded
// cache) implements it; tests implement it with zone data.
//
// Owner: one Resolver per io thread. Answers are immutable and shared with the cache. Everything
// in an answer is untrusted: names may hold any byte, texts any length up to 64 KiB.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/task.hpp"

namespace postern::dns {

/// RFC 1035 §3.2.2 numbers.
enum class Type : std::uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  soa = 6,
  ptr = 12,
  mx = 15,
  txt = 16,
  aaaa = 28,
  tlsa = 52
};

enum class Status : std::uint8_t {
  ok,         ///< at least one record of the type
  nodata,     ///< the name exists, without that type
  nxdomain,   ///< the name doesn't exist (RFC 8020: nor does anything below it)
  temporary,  ///< SERVFAIL, REFUSED, no answer in time, garbage: nothing is known
};

struct Mx {
  std::uint16_t preference = 0;
  std::string host;  ///< lower case, no final dot; empty means "." (null MX, RFC 7505)
};

/// The records of one (name, type). Only the member that belongs to the type is filled.
struct Answer {
  Status status = Status::temporary;
  bool authenticated = false;                ///< a validator on loopback said AD
  std::uint32_t ttl = 0;                     ///< seconds, the smallest of the set
  std::vector<asio::ip::address> addresses;  ///< A, AAAA
  std::vector<Mx> mx;                        ///< as served; not sorted
  std::vector<std::string> texts;            ///< TXT: each record's strings joined (RFC 7208 §3.3)
  std::vector<std::string> names;            ///< PTR, NS, CNAME: lower case, no final dot
};

class Resolver {
 public:
  virtual ~Resolver() = default;
  /// Never throws and never fails: trouble is Status::temporary. CNAMEs are followed.
  /// `name`: lower case or not, with or without final dot.
  virtual Task<std::shared_ptr<const Answer>> query(std::string name, Type type) = 0;
  /// The answer if it is known already, else null: what query() would give without a wait.
  virtual std::shared_ptr<const Answer> cached(const std::string& /*name*/, Type /*type*/) {
    return nullptr;
  }
};

/// "1.2.0.192.in-addr.arpa" or the ip6.arpa form.
std::string reverse_name(const asio::ip::address& address);

}  // namespace postern::dns
