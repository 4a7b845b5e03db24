#include "smtp/server/server_metrics.hpp"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "core/metrics.hpp"
#include "smtp/server/dispatch.hpp"

namespace postern::smtp::server_metrics {

namespace {

using metrics::Counter;
using metrics::Gauge;

constexpr std::array kKinds = {Kind::mx, Kind::submission, Kind::submissions};

template <class Metric>
std::vector<std::unique_ptr<Metric>> by_kind(const std::string& name, const std::string& help) {
  std::vector<std::unique_ptr<Metric>> all;
  for (const Kind kind : kKinds) {
    all.push_back(
        std::make_unique<Metric>(name, help, fmt::format("kind=\"{}\"", to_string(kind))));
  }
  return all;
}

struct Two {
  Two(const std::string& name, const std::string& help)
      : accepted(name, help, "outcome=\"accepted\""), refused(name, help, "outcome=\"refused\"") {}
  void add(Outcome outcome) { (outcome == Outcome::accepted ? accepted : refused).add(); }
  Counter accepted;
  Counter refused;
};

struct All {
  std::vector<std::unique_ptr<Counter>> connections =
      by_kind<Counter>("postern_smtp_server_connections_total", "Connections accepted.");
  std::vector<std::unique_ptr<Gauge>> sessions =
      by_kind<Gauge>("postern_smtp_server_sessions", "Connections open now.");
  std::vector<std::unique_ptr<Counter>> commands;
  Counter other_commands{"postern_smtp_server_commands_total", "Commands by verb.",
                         "verb=\"other\""};
  std::vector<std::unique_ptr<Counter>> replies;
  Two messages{"postern_smtp_server_messages_total", "Messages received to their end."};
  Counter octets{"postern_smtp_server_message_bytes_total", "Octets of accepted messages."};
  Two logins{"postern_smtp_server_logins_total", "AUTH exchanges that were decided."};
  Two handshakes{"postern_smtp_server_tls_handshakes_total", "TLS handshakes."};

  All() {
    for (const VerbEntry& verb : verbs()) {
      commands.push_back(std::make_unique<Counter>("postern_smtp_server_commands_total",
                                                   "Commands by verb.",
                                                   fmt::format("verb=\"{}\"", verb.name)));
    }
    for (const int klass : {2, 3, 4, 5}) {
      replies.push_back(std::make_unique<Counter>("postern_smtp_server_replies_total",
                                                  "Replies by class.",
                                                  fmt::format("class=\"{}\"", klass)));
    }
  }
};

All& all() {
  static All instance;
  return instance;
}

std::size_t index(Kind kind) { return static_cast<std::size_t>(kind); }

}  // namespace

void connection_opened(Kind kind) {
  all().connections[index(kind)]->add();
  all().sessions[index(kind)]->add(1);
}

void connection_closed(Kind kind) { all().sessions[index(kind)]->add(-1); }

void command(std::string_view verb) {
  const auto table = verbs();
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table[i].name == verb) return all().commands[i]->add();
  }
  all().other_commands.add();
}

void reply(int code) {
  const int klass = code / 100;
  if (klass >= 2 && klass <= 5) all().replies[static_cast<std::size_t>(klass - 2)]->add();
}

void message(Outcome outcome, std::uint64_t octets) {
  all().messages.add(outcome);
  if (outcome == Outcome::accepted) all().octets.add(octets);
}

void login(Outcome outcome) { all().logins.add(outcome); }
void tls_handshake(Outcome outcome) { all().handshakes.add(outcome); }

}  // namespace postern::smtp::server_metrics
