// postern queue list|show|retry|hold|release|drop
#include <iostream>

#include "app/cli/context.hpp"
#include "app/cli/offline_queue.hpp"

namespace postern::cli {

namespace json = boost::json;

namespace {

struct ListOptions {
  std::string data;
  std::string tenant;
  std::string destination;
  std::string state;
  std::string cursor;
  int limit = 100;

  [[nodiscard]] std::string query() const {
    std::string out = "?limit=" + std::to_string(limit);
    const auto add = [&](std::string_view name, const std::string& value) {
      if (!value.empty()) out += fmt::format("&{}={}", name, percent_encode(value));
    };
    add("tenant", tenant);
    add("destination", destination);
    add("state", state);
    add("cursor", cursor);
    return out;
  }
};

void print_rows(const json::value& answer) {
  print_items(answer, {"id", "recipient", "state", "attempts", "sender", "address",
                       "next_attempt_at", "last_reply"});
  if (const auto cursor = field(answer, "cursor"); !cursor.empty()) {
    std::cout << "More: postern queue list --cursor " << cursor << '\n';
  }
}

void print_message(const json::value& message) {
  for (const auto& name : {"id", "tenant", "sender", "size", "lane", "submitter", "origin",
                           "created_at", "expires_at"}) {
    std::cout << fmt::format("{:<12}{}\n", name, field(message, name));
  }
  for (const auto& recipient : message.at("recipients").as_array()) {
    std::cout << fmt::format("recipient {}: <{}> {}, {} attempts\n", field(recipient, "recipient"),
                             field(recipient, "address"), field(recipient, "state"),
                             field(recipient, "attempts"));
    if (const auto reply = field(recipient, "last_reply"); !reply.empty()) {
      std::cout << "  " << field(recipient, "remote_mta") << " said: " << reply << '\n';
    }
    if (const auto next = field(recipient, "next_attempt_at"); !next.empty())
      std::cout << "  next attempt " << next << '\n';
  }
}

void add_list(CLI::App& family, Context& context) {
  auto options = std::make_shared<ListOptions>();
  auto* list = family.add_subcommand("list", "What waits, oldest first");
  auto* tenant = list->add_option("--tenant", options->tenant, "only this tenant's");
  auto* destination =
      list->add_option("--destination", options->destination, "only for this domain");
  auto* state = list->add_option("--state", options->state, "queued or held");
  list->add_option("--limit", options->limit, "rows at once")->check(CLI::Range(1, 500));
  auto* cursor = list->add_option("--cursor", options->cursor, "where the page before ended");
  list->add_option("--data", options->data, "read this data directory, with no server running")
      ->excludes(tenant)
      ->excludes(destination)
      ->excludes(state)
      ->excludes(cursor);
  list->callback([&context, options] {
    if (!options->data.empty()) {
      list_queue_offline(context, options->data, static_cast<std::size_t>(options->limit),
                         print_rows);
      return;
    }
    context.request("GET", "/v1/queue" + options->query(), nullptr, print_rows);
  });
}

void add_verb(CLI::App& family, Context& context, const std::string& verb, const std::string& help,
              std::string_view method, const std::string& suffix, const std::string& done) {
  struct Values {
    std::string id;
    int recipient = -1;
  };
  auto values = std::make_shared<Values>();
  auto* command = family.add_subcommand(verb, help);
  command->add_option("ID", values->id, "from `queue list`")->required();
  command->add_option("--recipient", values->recipient,
                      "only this one of its recipients, by number");
  command->callback([&context, values, method, suffix, done] {
    std::string path = "/v1/queue/" + percent_encode(values->id) + suffix;
    if (values->recipient >= 0) path += "?recipient=" + std::to_string(values->recipient);
    context.request(method, path, nullptr, [&](const json::value& answer) {
      std::cout << field(answer, "recipients") << " recipients " << done << '\n';
    });
  });
}

}  // namespace

void add_queue_verbs(CLI::App& app, Context& context) {
  auto* family = app.add_subcommand("queue", "Mail on its way out");
  family->require_subcommand(1);
  add_list(*family, context);

  auto shown = std::make_shared<std::string>();
  auto* show =
      family->add_subcommand("show", "One message with its recipients and what their servers said");
  show->add_option("ID", *shown, "from `queue list`")->required();
  show->callback([&context, shown] {
    context.request("GET", "/v1/queue/" + percent_encode(*shown), nullptr, print_message);
  });

  add_verb(*family, context, "retry", "Attempt it now", "POST", "/retry", "due now");
  add_verb(*family, context, "hold", "Keep it without further attempts", "POST", "/hold", "held");
  add_verb(*family, context, "release", "End a hold", "POST", "/release", "released");
  add_verb(*family, context, "drop", "Remove it; the sender is not told", "DELETE", "", "dropped");
}

}  // namespace postern::cli
