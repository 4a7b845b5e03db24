// A name server of a few lines on a loopback port, UDP and TCP, for the resolver's tests: it hands
// each query to the test and sends what comes back. And the bytes of messages, written field by
// field.
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/dns/dns.hpp"

namespace postern::test {

inline void put16(std::string& out, unsigned value) {
  out.push_back(static_cast<char>(value >> 8 & 0xff));
  out.push_back(static_cast<char>(value & 0xff));
}
inline void put32(std::string& out, unsigned long value) {
  put16(out, static_cast<unsigned>(value >> 16 & 0xffff));
  put16(out, static_cast<unsigned>(value & 0xffff));
}
inline std::string u16(unsigned value) {
  std::string out;
  put16(out, value);
  return out;
}

/// An uncompressed name on the wire.
inline std::string wire_name(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const auto label = name.substr(0, name.find('.'));
    out.push_back(static_cast<char>(label.size()));
    out.append(label);
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  return out + '\0';
}

struct Rr {
  std::string owner;
  dns::Type type;
  std::uint32_t ttl;
  std::string data;
};

inline std::string soa_data(std::uint32_t minimum) {
  std::string out = wire_name("ns.test") + wire_name("root.test");
  for (const unsigned long value :
       {1UL, 7200UL, 900UL, 86'400UL, static_cast<unsigned long>(minimum)})
    put32(out, value);
  return out;
}

/// The response to (id, name, type). Flags: 0x8180 is a response with recursion; the last digit is
/// rcode.
inline std::string response(unsigned id, unsigned flags, std::string_view name, dns::Type type,
                            const std::vector<Rr>& answers = {},
                            const std::vector<Rr>& authority = {}) {
  std::string out;
  put16(out, id);
  put16(out, flags);
  put16(out, 1);
  put16(out, static_cast<unsigned>(answers.size()));
  put16(out, static_cast<unsigned>(authority.size()));
  put16(out, 0);
  out += wire_name(name);
  put16(out, static_cast<unsigned>(type));
  put16(out, 1);
  for (const auto* section : {&answers, &authority}) {
    for (const Rr& rr : *section) {
      out += wire_name(rr.owner);
      put16(out, static_cast<unsigned>(rr.type));
      put16(out, 1);
      put32(out, rr.ttl);
      put16(out, static_cast<unsigned>(rr.data.size()));
      out += rr.data;
    }
  }
  return out;
}

struct Question {
  unsigned id = 0;
  std::string name;
  dns::Type type = dns::Type::a;
  bool edns = false;
  bool tcp = false;

  /// The response that belongs to this question.
  [[nodiscard]] std::string answer(const std::vector<Rr>& answers, unsigned flags = 0x8180,
                                   const std::vector<Rr>& authority = {}) const {
    return response(id, flags, name, type, answers, authority);
  }
};

class DnsServer {
 public:
  /// Gives the datagrams (or TCP messages) to send back: none, one or more.
  using Handler = std::function<std::vector<std::string>(const Question&)>;

  DnsServer(asio::io_context& context, Handler handler)
      : handler_(std::move(handler)),
        udp_(context, asio::ip::udp::endpoint(asio::ip::address_v4::loopback(), 0)),
        tcp_(context, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(),
                                              udp_.local_endpoint().port())) {
    receive();
    accept();
  }

  [[nodiscard]] std::string address() const {
    return "127.0.0.1:" + std::to_string(udp_.local_endpoint().port());
  }
  std::vector<Question> seen;

 private:
  struct Connection {
    explicit Connection(asio::ip::tcp::socket s) : socket(std::move(s)) {}
    asio::ip::tcp::socket socket;
    std::array<char, 2> size{};
    std::string message;
  };

  std::vector<std::string> handle(std::string_view query, bool tcp) {
    Question question;
    question.tcp = tcp;
    const auto byte = [&](std::size_t i) {
      return static_cast<unsigned>(static_cast<unsigned char>(query.at(i)));
    };
    question.id = byte(0) << 8 | byte(1);
    question.edns = byte(11) == 1;
    std::size_t at = 12;
    while (byte(at) != 0) {
      if (!question.name.empty()) question.name += '.';
      question.name += query.substr(at + 1, byte(at));
      at += byte(at) + 1;
    }
    question.type = static_cast<dns::Type>(byte(at + 1) << 8 | byte(at + 2));
    seen.push_back(question);
    return handler_(question);
  }

  void receive() {
    udp_.async_receive_from(asio::buffer(buffer_), peer_,
                            [this](boost::system::error_code ec, std::size_t size) {
                              if (ec == asio::error::operation_aborted) return;
                              if (!ec) {
                                for (const auto& reply : handle({buffer_.data(), size}, false))
                                  udp_.send_to(asio::buffer(reply), peer_, 0, ec);
                              }
                              receive();
                            });
  }

  void accept() {
    tcp_.async_accept([this](boost::system::error_code ec, asio::ip::tcp::socket socket) {
      if (ec) return;
      read(std::make_shared<Connection>(std::move(socket)));
      accept();
    });
  }

  void read(const std::shared_ptr<Connection>& c) {
    asio::async_read(
        c->socket, asio::buffer(c->size), [this, c](boost::system::error_code ec, std::size_t) {
          if (ec) return;
          c->message.resize(static_cast<std::size_t>(static_cast<unsigned char>(c->size[0])) << 8 |
                            static_cast<unsigned char>(c->size[1]));
          asio::async_read(c->socket, asio::buffer(c->message),
                           [this, c](boost::system::error_code failed, std::size_t) {
                             if (failed) return;
                             for (const auto& reply : handle(c->message, true)) {
                               asio::write(
                                   c->socket,
                                   asio::buffer(u16(static_cast<unsigned>(reply.size())) + reply),
                                   failed);
                             }
                             read(c);
                           });
        });
  }

  Handler handler_;
  asio::ip::udp::socket udp_;
  asio::ip::tcp::acceptor tcp_;
  asio::ip::udp::endpoint peer_;
  std::array<char, 4096> buffer_{};
};

}  // namespace postern::test
