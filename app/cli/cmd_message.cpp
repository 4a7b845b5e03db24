// postern message trace
#include <iostream>

#include "app/cli/context.hpp"

namespace postern::cli {

namespace json = boost::json;

namespace {

/// What a person wants to know beside who and when.
std::string story(const json::value& event) {
  if (field(event, "event") == "accepted") return "from <" + field(event, "sender") + ">";
  std::string out = field(event, "reply");
  if (const auto host = field(event, "remote_mta"); !host.empty()) out += " (" + host + ")";
  if (const auto next = field(event, "next_attempt_at"); !next.empty())
    out += "; next attempt " + next;
  return out;
}

void print_timeline(const json::value& answer) {
  std::cout << fmt::format("message {} of tenant {}\n", field(answer, "id"),
                           field(answer, "tenant"));
  std::vector<std::vector<std::string>> rows{{"TIME", "EVENT", "RECIPIENT", "WHAT WAS SAID"}};
  for (const auto& event : answer.at("items").as_array()) {
    rows.push_back(
        {field(event, "at"), field(event, "event"), field(event, "address"), story(event)});
  }
  print_table(rows);
  if (const auto cursor = field(answer, "cursor"); !cursor.empty()) {
    std::cout << fmt::format("More: postern message trace {} --cursor {}\n", field(answer, "id"),
                             cursor);
  }
}

}  // namespace

void add_message_verbs(CLI::App& app, Context& context) {
  auto* family = app.add_subcommand("message", "What happened to a message");
  family->require_subcommand(1);
  struct Values {
    std::string id;
    std::string cursor;
  };
  auto values = std::make_shared<Values>();
  auto* trace = family->add_subcommand("trace", "Its timeline: accepted, and every attempt");
  trace->add_option("ID", values->id, "as the client was told: \"queued as ID\"")->required();
  trace->add_option("--cursor", values->cursor, "where the page before ended");
  trace->callback([&context, values] {
    std::string path = "/v1/messages/" + percent_encode(values->id) + "/events";
    if (!values->cursor.empty()) path += "?cursor=" + percent_encode(values->cursor);
    context.request("GET", path, nullptr, print_timeline);
  });
}

}  // namespace postern::cli
