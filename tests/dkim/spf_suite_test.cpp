// The RFC 7208 test suite: 203 cases, results and explanations.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "core/ascii.hpp"
#include "dkim/spf/spf.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/suites.hpp"

using namespace postern;

namespace {

// The suite's zone data: TIMEOUT means no answer, SPF entries stand for TXT unless the name has
// TXT.
class SuiteResolver final : public dns::Resolver {
 public:
  enum class Memory : std::uint8_t { none, everything };
  SuiteResolver(const YAML::Node& zone, Memory memory) : memory_(memory) {
    for (const auto& entry : zone) add_name(key(entry.first.as<std::string>()), entry.second);
  }

  Task<std::shared_ptr<const dns::Answer>> query(std::string name, dns::Type type) override {
    co_return std::make_shared<const dns::Answer>(find(key(name), type, 0));
  }
  std::shared_ptr<const dns::Answer> cached(const std::string& name, dns::Type type) override {
    if (memory_ == Memory::none) return nullptr;
    return std::make_shared<const dns::Answer>(find(key(name), type, 0));
  }

 private:
  static std::string key(std::string name) {
    name = ascii::to_lower(name);
    if (name.ends_with('.')) name.pop_back();
    return name;
  }

  static std::string joined(const YAML::Node& value) {
    if (!value.IsSequence()) return value.as<std::string>();
    std::string text;
    for (const auto& part : value) text += part.as<std::string>();
    return text;
  }

  void add_name(const std::string& name, const YAML::Node& records) {
    names_.insert(name);
    bool has_txt = false;
    for (const auto& record : records) has_txt = has_txt || (record.IsMap() && record["TXT"]);
    for (const auto& record : records) {
      if (!record.IsMap()) {
        if (record.as<std::string>() == "TIMEOUT") timeouts_.insert(name);
        continue;
      }
      for (const auto& field : record)
        add(name, field.first.as<std::string>(), field.second, has_txt);
    }
  }

  void add(const std::string& name, const std::string& type, const YAML::Node& value,
           bool has_txt) {
    if (type == "TXT" || (type == "SPF" && !has_txt)) {
      const auto text = joined(value);
      if (text == "TIMEOUT") {
        txt_timeouts_.insert(name);
      } else if (text != "NONE") {
        answer(name, dns::Type::txt).texts.push_back(text);
      }
    } else if (type == "A" || type == "AAAA") {
      answer(name, type == "A" ? dns::Type::a : dns::Type::aaaa)
          .addresses.push_back(asio::ip::make_address(value.as<std::string>()));
    } else if (type == "MX") {
      answer(name, dns::Type::mx)
          .mx.push_back({value[0].as<std::uint16_t>(), key(value[1].as<std::string>())});
    } else if (type == "PTR") {
      answer(name, dns::Type::ptr).names.push_back(key(value.as<std::string>()));
    } else if (type == "CNAME") {
      aliases_[name] = key(value.as<std::string>());
    }
  }

  dns::Answer& answer(const std::string& name, dns::Type type) {
    auto& made = answers_[{name, type}];
    made.status = dns::Status::ok;
    return made;
  }

  dns::Answer find(const std::string& name, dns::Type type, int depth) const {
    dns::Answer none;
    none.status = dns::Status::temporary;
    if (depth > 10) return none;
    if (const auto alias = aliases_.find(name); alias != aliases_.end())
      return find(alias->second, type, depth + 1);
    if (const auto found = answers_.find({name, type}); found != answers_.end())
      return found->second;
    if (timeouts_.contains(name) || (type == dns::Type::txt && txt_timeouts_.contains(name)))
      return none;
    none.status = names_.contains(name) ? dns::Status::nodata : dns::Status::nxdomain;
    return none;
  }

  Memory memory_;
  std::set<std::string> names_;
  std::set<std::string> timeouts_;
  std::set<std::string> txt_timeouts_;
  std::map<std::string, std::string> aliases_;
  std::map<std::pair<std::string, dns::Type>, dns::Answer> answers_;
};

std::vector<std::string> accepted(const YAML::Node& node) {
  if (node.IsSequence()) return node.as<std::vector<std::string>>();
  return {node.as<std::string>()};
}

std::string text_or(const YAML::Node& node, const char* otherwise) {
  return node && !node.IsNull() ? node.as<std::string>() : otherwise;
}

std::size_t run_suite(const std::filesystem::path& suite, SuiteResolver::Memory memory) {
  std::size_t cases = 0;
  for (const auto& scenario : YAML::LoadAllFromFile((suite / "rfc7208-tests.yml").string())) {
    if (!scenario["tests"]) continue;
    SuiteResolver resolver(scenario["zonedata"], memory);
    for (const auto& entry : scenario["tests"]) {
      const auto& test = entry.second;
      spf::Query query;
      query.ip = asio::ip::make_address(test["host"].as<std::string>());
      query.mail_from = text_or(test["mailfrom"], "");
      query.helo = text_or(test["helo"], "");
      query.receiving_domain = "receiver.example";
      const auto outcome = test::run_task(spf::check_mail_from(resolver, query));
      const std::string got(spf::to_string(outcome.result));
      INFO(scenario["description"].as<std::string>()
           << ": " << entry.first.as<std::string>() << " gave " << got << " (" << outcome.reason
           << ")");
      const auto results = accepted(test["result"]);
      CHECK(std::ranges::find(results, got) != results.end());
      if (test["explanation"] && outcome.result == spf::Verdict::fail) {
        const auto wanted = text_or(test["explanation"], "");
        CHECK((outcome.explanation.empty() ? "DEFAULT" : outcome.explanation) == wanted);
      }
      ++cases;
    }
  }
  return cases;
}

}  // namespace

TEST_CASE("spf_suite_every_case_gives_an_accepted_result") {
  const auto suite = test::require_suite("spf");
  if (!suite) return;
  CHECK(run_suite(*suite, SuiteResolver::Memory::none) == 203);
}

TEST_CASE("spf_suite_gives_the_same_from_the_resolvers_cache") {
  const auto suite = test::require_suite("spf");
  if (!suite) return;
  CHECK(run_suite(*suite, SuiteResolver::Memory::everything) == 203);
}
