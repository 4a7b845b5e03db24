#include "smtp/reception/trace_field.hpp"

#include <fmt/format.h>

#include <iterator>

#include "core/ascii.hpp"
#include "message/date.hpp"

namespace postern::smtp::reception {

namespace {

// Only what a domain or a literal may hold: the greeting is the peer's and stands in a structured
// field. "unknown" for what isn't.
std::string_view safe_name(std::string_view name) {
  return is_domain(name) || is_address_literal(name) ? name : std::string_view("unknown");
}

std::string address_literal(const asio::ip::address& address) {
  if (address.is_v4()) return fmt::format("[{}]", address.to_string());
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped())
    return fmt::format("[{}]", asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_string());
  asio::ip::address_v6 plain = v6;
  plain.scope_id(0);
  return fmt::format("[IPv6:{}]", plain.to_string());
}

std::string from_clause(const SessionInfo& session, const Trace& trace) {
  const std::string_view hello = safe_name(session.hello.name);
  if (trace.client == ClientAddress::hidden) return "from client";
  return fmt::format("from {} ({})", hello, address_literal(session.remote.address()));
}

// What follows the ID clause.
void append_for_and_date(std::string& out, const Envelope& envelope, const Trace& trace) {
  if (envelope.recipients.size() == 1) {
    const std::string path = to_string(envelope.recipients.front().path);
    // A field line holds 998 octets; a path with a quoted local part is never that long.
    fmt::format_to(std::back_inserter(out), "\r\n\tfor <{}>;\r\n", path);
  } else {
    out += ";\r\n";
  }
  fmt::format_to(std::back_inserter(out), "\t{}\r\n", message::format_date(trace.time));
}

}  // namespace

std::string with_protocol(const SessionInfo& session, const Envelope& envelope) {
  if (session.hello.verb != Hello::Verb::ehlo) return "SMTP";
  std::string protocol = envelope.charset == Charset::utf8 ? "UTF8SMTP" : "ESMTP";
  if (session.tls.active()) protocol.push_back('S');
  if (session.identity) protocol.push_back('A');
  return protocol;
}

std::string make_received(const SessionInfo& session, const Envelope& envelope,
                          const Trace& trace) {
  std::string out = "Received: " + from_clause(session, trace) + "\r\n";
  if (session.tls.active()) {
    fmt::format_to(std::back_inserter(out), "\t(using {} with cipher {} ({} bits))\r\n",
                   session.tls.version, session.tls.cipher, session.tls.bits);
  }
  fmt::format_to(std::back_inserter(out), "\tby {} with {} id {}", trace.hostname,
                 with_protocol(session, envelope), trace.id);
  append_for_and_date(out, envelope, trace);
  return out;
}

std::string make_received(const Envelope& envelope, const Trace& trace) {
  std::string out = fmt::format("Received: by {} id {}", trace.hostname, trace.id);
  append_for_and_date(out, envelope, trace);
  return out;
}

std::size_t count_received(std::string_view header) {
  std::size_t count = 0;
  while (!header.empty() && !header.starts_with("\r\n")) {
    constexpr std::string_view name = "Received";
    if (ascii::istarts_with(header, name)) {
      // "Received :" is an obsolete spelling of the same field (RFC 5322 §4.5.8).
      const auto next = header.find_first_not_of(" \t", name.size());
      if (next != std::string_view::npos && header[next] == ':') ++count;
    }
    const auto end = header.find("\r\n");
    if (end == std::string_view::npos) break;
    header.remove_prefix(end + 2);
  }
  return count;
}

}  // namespace postern::smtp::reception
