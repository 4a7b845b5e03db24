// postern audit list|verify|resume; stream is in cmd_audit_stream.cpp
#include <iostream>

#include "app/cli/context.hpp"
#include "app/cli/offline_audit.hpp"

namespace postern::cli {

namespace json = boost::json;

namespace {

void print_verification(const json::value& found) {
  const bool sound = field(found, "sound") == "true";
  std::cout << field(found, "records") << " records in " << field(found, "chains")
            << " chains: " << (sound ? "sound" : field(found, "problems") + " problems") << '\n';
  std::vector<std::vector<std::string>> rows{{"CHAIN", "RECORD", "LAST", "PROBLEM"}};
  for (const auto& finding : found.at("findings").as_array()) {
    rows.push_back({field(finding, "chain"), field(finding, "number"), field(finding, "last"),
                    field(finding, "problem")});
  }
  if (rows.size() > 1) print_table(rows);
}

void print_witness(const json::value& witness) {
  const auto& contradictions = witness.at("contradictions").as_array();
  std::cout << field(witness, "statements") << " statements of the witness: "
            << (contradictions.empty() ? "none contradicts the chains"
                                       : std::to_string(contradictions.size()) + " contradictions")
            << '\n';
  if (field(witness, "closed_unsigned") != "0") {
    std::cout << "Some are of tenants that were deleted since: compare audit.chain_closed in the "
                 "platform's trail with what you deleted.\n";
  }
  std::vector<std::vector<std::string>> rows{{"CHAIN", "RECORD", "STATED AT", "LINE", "PROBLEM"}};
  for (const auto& finding : contradictions) {
    rows.push_back({field(finding, "chain"), field(finding, "number"), field(finding, "stated_at"),
                    field(finding, "line"), field(finding, "problem")});
  }
  if (rows.size() > 1) print_table(rows);
}

void print_offline(const json::value& found) {
  print_verification(found);
  if (const auto* witness = found.as_object().if_contains("witness")) print_witness(*witness);
}

struct Filter {
  std::string tenant;
  std::string action;
  std::string actor;
  std::string target;
  std::int64_t limit = 100;

  [[nodiscard]] std::string query() const {
    std::string text = "?limit=" + std::to_string(limit);
    const auto add = [&](const char* name, const std::string& value) {
      if (!value.empty()) text += std::string("&") + name + "=" + percent_encode(value);
    };
    add("tenant", tenant);
    add("action", action);
    add("actor", actor);
    add("target", target);
    return text;
  }
};

void add_list(CLI::App& family, Context& context) {
  auto filter = std::make_shared<Filter>();
  auto* list = family.add_subcommand("list", "The newest records: a tenant's, or the platform's");
  list->add_option("--tenant", filter->tenant, "whose trail; without it the platform's");
  list->add_option("--action", filter->action, "what the action begins with: domain. for instance");
  list->add_option("--actor", filter->actor, "who did it");
  list->add_option("--target", filter->target, "on what: domain:example.org for instance");
  list->add_option("--limit", filter->limit, "how many")->check(CLI::Range(1, 1000));
  list->callback([&context, filter] {
    const std::string path = filter->tenant.empty() ? "/v1/platform/audit" : "/v1/audit";
    context.request("GET", path + filter->query(), nullptr, [](const json::value& answer) {
      print_items(answer, {"number", "at", "outcome", "action", "actor", "target", "address"});
    });
  });
}

void verify(Context& context, const OfflineAudit& what) {
  if (what.statements.empty() != what.public_key.empty()) {
    return context.complain({Errc::invalid, "--witness and --witness-key go together"});
  }
  if (!what.data.empty()) return verify_audit_offline(context, what, print_offline);
  if (!what.statements.empty()) {
    return context.complain({Errc::invalid,
                             "a witness's statements are held against the files: name the server's "
                             "data directory with --data DIR"});
  }
  // For cron and monitoring.
  const auto found =
      context.request("POST", "/v1/platform/audit/verify", nullptr, print_verification);
  if (found && field(*found, "sound") != "true") context.exit_code = 1;
}

}  // namespace

void add_audit_verbs(CLI::App& app, Context& context) {
  auto* family = app.add_subcommand("audit", "Who did what: records that can't be changed unseen");
  family->require_subcommand(1);
  add_list(*family, context);

  auto what = std::make_shared<OfflineAudit>();
  auto* check =
      family->add_subcommand("verify", "Check every chain (exit code 1 when anything was changed)");
  check->add_option("--data", what->data, "read this data directory, with or without a server");
  check->add_option("--witness", what->statements, "a witness's statements, to check against too");
  check->add_option("--witness-key", what->public_key, "the witness's public key (PEM)");
  check->callback([&context, what] { verify(context, *what); });

  add_audit_stream_verbs(*family, context);

  auto tenant = std::make_shared<std::string>();
  auto* resume = family->add_subcommand(
      "resume", "Go on with a chain that was found changed; that stays on record");
  resume->add_option("--tenant", *tenant, "whose chain; without it the platform's");
  resume->callback([&context, tenant] {
    context.request("POST", "/v1/platform/audit/resume", json::object{{"tenant", *tenant}},
                    [](const json::value&) { std::cout << "the chain goes on\n"; });
  });
}

}  // namespace postern::cli
