// postern witness [init]
#include <fcntl.h>

#include <boost/json/serialize.hpp>
#include <cstring>
#include <iostream>

#include "accounts/audit/ed25519.hpp"
#include "accounts/audit/file.hpp"
#include "app/cli/context.hpp"
#include "app/witness/witness.hpp"
#include "config/units.hpp"
#include "core/log.hpp"

namespace postern::cli {

namespace json = boost::json;
namespace audit = accounts::audit;

namespace {

constexpr std::chrono::seconds kLeast{1};
constexpr std::chrono::hours kMost{24};

struct Values {
  witness::Options options;
  std::string interval = "60s";
  bool once = false;
};

struct InitValues {
  std::string key;
  std::string public_key;
};

Result<void> write_public(const std::string& path, std::string_view pem) {
  const audit::Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (file.get() < 0 || !audit::write_all(file.get(), pem)) {
    return fail(errno == EEXIST ? Errc::exists : Errc::io, path + ": " + std::strerror(errno));
  }
  return {};
}

void make_key(Context& context, const InitValues& values) {
  const auto key = audit::WitnessKey::generate();
  if (const auto saved = key.save(values.key); !saved) return context.complain(saved.error());
  const auto pem = key.public_key().pem();
  if (context.json) {
    std::cout << json::serialize(json::object{{"key", values.key}, {"public_key", pem}}) << '\n';
  } else {
    std::cout << pem;
  }
  if (values.public_key.empty()) return;
  if (const auto written = write_public(values.public_key, pem); !written)
    context.complain(written.error());
}

void report(Context& context, const witness::Findings& findings) {
  json::array contradictions;
  for (const auto& finding : findings) {
    const auto text = witness::describe(finding);
    std::cerr << "postern: " << text << '\n';
    contradictions.push_back(json::string(text));
  }
  if (context.json) {
    std::cout << json::serialize(json::object{{"contradictions", std::move(contradictions)}})
              << '\n';
  }
  if (!findings.empty()) context.exit_code = 1;
}

void run_witness(Context& context, Values& values) {
  const auto interval = config::parse_duration(values.interval);
  if (values.options.socket.empty() || values.options.key.empty() || values.options.file.empty()) {
    return context.complain({Errc::invalid, "a witness needs --socket, --key and --file"});
  }
  if (!interval || *interval < kLeast || *interval > kMost) {
    return context.complain({Errc::invalid, "--interval takes 1s to 24h"});
  }
  values.options.interval = *interval;
  if (values.once) {
    const auto findings = witness::run_once(values.options);
    if (!findings) return context.complain(findings.error());
    return report(context, *findings);
  }
  if (const auto logs = log::configure(log::Level::info, log::Format::text, {}); !logs)
    return context.complain(logs.error());
  if (const auto ran = witness::run(values.options); !ran) context.complain(ran.error());
}

}  // namespace

void add_witness_verbs(CLI::App& app, Context& context) {
  auto values = std::make_shared<Values>();
  auto* family = app.add_subcommand(
      "witness",
      "Sign and keep what the server says of its audit chains' ends, under another user");
  family->add_option("--socket", values->options.socket, "the server's audit.witness_socket");
  family->add_option("--key", values->options.key, "the witness's private key");
  family->add_option("--file", values->options.file, "statements are appended to it");
  family->add_option("--interval", values->interval, "how often: 1s to 24h");
  family->add_flag("--once", values->once, "one statement; exit code 1 when a chain went back");

  auto init_values = std::make_shared<InitValues>();
  auto* init = family->add_subcommand("init", "Make the witness's key, and print its public half");
  init->add_option("--key", init_values->key, "the private key's file, which isn't there yet")
      ->required();
  init->add_option("--public", init_values->public_key, "a file for the public key, for checks");
  init->callback([&context, init_values] { make_key(context, *init_values); });
  family->callback([&context, values, init] {
    if (!init->parsed()) run_witness(context, *values);
  });
}

}  // namespace postern::cli
