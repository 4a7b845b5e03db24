// parse_response: what a name server says, believed only as far as it is well formed.
#include <algorithm>
#include <vector>

#include "core/dns/message.hpp"
#include "core/dns/wire.hpp"

namespace postern::dns {

namespace {
constexpr std::uint16_t kClassIn = 1;
// Header flags: RFC 1035 §4.1.1, RFC 4035 §3.1.6.
constexpr std::uint16_t kResponse = 0x8000;
constexpr std::uint16_t kOpcode = 0x7800;
constexpr std::uint16_t kTruncated = 0x0200;
constexpr std::uint16_t kAuthenticData = 0x0020;
constexpr std::uint16_t kRcode = 0x000f;
enum Rcode : std::uint16_t { kNoError = 0, kFormErr = 1, kNxDomain = 3 };

struct Record {
  std::string owner;
  std::uint16_t type = 0;
  std::uint16_t klass = 0;
  std::uint32_t ttl = 0;
  std::size_t data = 0;  // offset of RDATA in the message
  std::size_t size = 0;
};

std::optional<Record> read_record(WireReader& in) {
  Record record;
  auto owner = in.name();
  const auto type = in.u16();
  const auto klass = in.u16();
  const auto ttl = in.u32();
  const auto size = in.u16();
  if (!owner || !type || !klass || !ttl || !size) return std::nullopt;
  record.owner = std::move(*owner);
  record.type = *type;
  record.klass = *klass;
  record.ttl = *ttl > 0x7fffffff ? 0 : *ttl;  // RFC 2181 §8
  record.data = in.position();
  record.size = *size;
  if (!in.skip(*size)) return std::nullopt;
  return record;
}

bool read_section(WireReader& in, std::uint16_t count, std::vector<Record>& out) {
  for (std::uint16_t i = 0; i < count; ++i) {
    auto record = read_record(in);
    if (!record) return false;
    if (record->klass == kClassIn) out.push_back(std::move(*record));
  }
  return true;
}

std::optional<std::string> read_only_name(WireReader in, const Record& record) {
  auto name = in.name();
  if (!name || in.position() != record.data + record.size) return std::nullopt;
  return name;
}

bool add_address(WireReader in, const Record& record, Type type, Answer& answer) {
  const auto raw = in.bytes(record.size);
  if (!raw) return false;
  if (type == Type::a) {
    asio::ip::address_v4::bytes_type bytes{};
    if (raw->size() != bytes.size()) return false;
    std::copy(raw->begin(), raw->end(), reinterpret_cast<char*>(bytes.data()));
    answer.addresses.emplace_back(asio::ip::address_v4(bytes));
    return true;
  }
  asio::ip::address_v6::bytes_type bytes{};
  if (raw->size() != bytes.size()) return false;
  std::copy(raw->begin(), raw->end(), reinterpret_cast<char*>(bytes.data()));
  answer.addresses.emplace_back(asio::ip::address_v6(bytes));
  return true;
}

bool add_text(WireReader in, const Record& record, Answer& answer) {
  std::string joined;
  const std::size_t end = record.data + record.size;
  if (record.size == 0) return false;
  while (in.position() < end) {
    const auto size = in.u8();
    if (!size || in.position() + *size > end) return false;
    const auto piece = in.bytes(*size);
    if (!piece) return false;
    joined.append(*piece);
  }
  answer.texts.push_back(std::move(joined));
  return true;
}

bool add_mx(WireReader in, const Record& record, Answer& answer) {
  const auto preference = in.u16();
  if (!preference) return false;
  auto host = read_only_name(in, record);
  if (!host) return false;
  answer.mx.push_back({*preference, std::move(*host)});
  return true;
}

// False when the record is malformed.
bool add_record(const WireReader& message, const Record& record, Type type, Answer& answer) {
  const WireReader in = message.at(record.data);
  switch (type) {
    case Type::a:
    case Type::aaaa: return add_address(in, record, type, answer);
    case Type::txt: return add_text(in, record, answer);
    case Type::mx: return add_mx(in, record, answer);
    case Type::ns:
    case Type::cname:
    case Type::ptr: {
      auto name = read_only_name(in, record);
      if (name) answer.names.push_back(std::move(*name));
      return name.has_value();
    }
    case Type::soa:
    case Type::tlsa: return true;  // nothing to fill: there is one, that's all
  }
  return true;
}

// How long a negative answer may be kept: RFC 2308 §5.
std::optional<std::uint32_t> negative_ttl(const WireReader& message,
                                          const std::vector<Record>& authority) {
  for (const Record& record : authority) {
    if (record.type != static_cast<std::uint16_t>(Type::soa)) continue;
    WireReader in = message.at(record.data);
    if (!in.name() || !in.name() || !in.skip(4 * sizeof(std::uint32_t))) return std::nullopt;
    const auto minimum = in.u32();
    if (!minimum || in.position() != record.data + record.size) return std::nullopt;
    return std::min(record.ttl, *minimum);
  }
  return std::nullopt;
}

bool has_type(const std::vector<Record>& records, Type type) {
  return std::any_of(records.begin(), records.end(), [type](const Record& record) {
    return record.type == static_cast<std::uint16_t>(type);
  });
}

struct Chain {
  std::string end;                 // the name that the CNAMEs lead to
  std::uint32_t ttl = 0x7fffffff;  // the smallest of what was used
  std::size_t links = 0;
  bool sound = true;
};

Chain follow_aliases(const WireReader& message, const std::vector<Record>& answers,
                     std::string_view name, Type type) {
  Chain chain;
  chain.end = name;
  if (type == Type::cname) return chain;
  for (; chain.links < kMaxAliasesInMessage; ++chain.links) {
    const auto alias = std::find_if(answers.begin(), answers.end(), [&](const Record& record) {
      return record.type == static_cast<std::uint16_t>(Type::cname) && record.owner == chain.end;
    });
    if (alias == answers.end()) return chain;
    auto target = read_only_name(message.at(alias->data), *alias);
    if (!target) break;
    chain.ttl = std::min(chain.ttl, alias->ttl);
    chain.end = std::move(*target);
  }
  chain.sound = false;  // malformed, too long, or a loop
  return chain;
}

struct Sections {
  std::uint16_t flags = 0;
  std::vector<Record> answers;
  std::vector<Record> authority;
};

std::optional<Sections> read_sections(WireReader& in, std::string_view name, Type type) {
  Sections sections;
  const auto id = in.u16();
  const auto flags = in.u16();
  const auto questions = in.u16();
  const auto answers = in.u16();
  const auto authority = in.u16();
  if (!id || !flags || !questions || !answers || !authority || !in.u16()) return std::nullopt;
  if ((*flags & kResponse) == 0 || (*flags & (kOpcode | kTruncated)) != 0) return std::nullopt;
  sections.flags = *flags;
  if ((*flags & kRcode) == kFormErr)
    return sections;  // such a server may not even repeat the question
  if (*questions != 1 || in.name() != name || in.u16() != static_cast<std::uint16_t>(type) ||
      in.u16() != kClassIn) {
    return std::nullopt;
  }
  if (!read_section(in, *answers, sections.answers)) return std::nullopt;
  if (!read_section(in, *authority, sections.authority)) return std::nullopt;
  return sections;
}

Response negative(const WireReader& message, const Sections& sections, const Chain& chain) {
  Response response;
  const bool exists = (sections.flags & kRcode) == kNoError;
  const auto ttl = negative_ttl(message, sections.authority);
  if (exists && !ttl && chain.links > 0) {
    response.alias = chain.end;
    response.answer.ttl = chain.ttl;
    return response;
  }
  // NS without SOA is a referral: the server didn't look the name up (RFC 2308 §2.2).
  if (exists && !ttl && has_type(sections.authority, Type::ns)) return response;
  response.answer.status = exists ? Status::nodata : Status::nxdomain;
  response.answer.ttl = ttl ? std::min(*ttl, chain.ttl) : 0;
  return response;
}
}  // namespace

Response parse_response(std::string_view wire, std::string_view name, Type type) {
  Response response;
  const WireReader message(wire);
  WireReader in = message;
  const auto sections = read_sections(in, name, type);
  if (!sections) return response;
  const auto rcode = sections->flags & kRcode;
  response.format_error = rcode == kFormErr;
  if (rcode != kNoError && rcode != kNxDomain) return response;
  const Chain chain = follow_aliases(message, sections->answers, name, type);
  if (!chain.sound) return response;
  Answer answer;
  answer.ttl = chain.ttl;
  bool found = false;
  for (const Record& record : sections->answers) {
    if (record.type != static_cast<std::uint16_t>(type) || record.owner != chain.end) continue;
    if (!add_record(message, record, type, answer)) return response;
    answer.ttl = std::min(answer.ttl, record.ttl);
    found = true;
  }
  if (found && rcode == kNoError) {
    answer.status = Status::ok;
    response.answer = std::move(answer);
  } else {
    response = negative(message, *sections, chain);
  }
  response.answer.authenticated = (sections->flags & kAuthenticData) != 0;
  return response;
}

}  // namespace postern::dns
