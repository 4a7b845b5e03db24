#include "app/cli/context.hpp"

#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "core/ascii.hpp"

namespace postern::cli {

namespace json = boost::json;

std::string Context::config_file() const {
  if (!config_path.empty()) return config_path;
  if (const char* from_environment = std::getenv("POSTERN_CONFIG")) return from_environment;
  return "/etc/postern/postern.toml";
}

Result<config::Settings> Context::settings() const { return config::load_file(config_file()); }

void Context::complain(const Error& error) {
  if (json) {
    const json::object document{{"error", error.message}, {"code", to_string(error.code)}};
    fmt::print(stderr, "{}\n", json::serialize(document));
  } else {
    fmt::print(stderr, "postern: {}\n", error.message);
  }
  exit_code = error.code == Errc::invalid ? 2 : 1;
}

std::optional<Client> Context::connect() {
  const auto loaded = settings();
  if (loaded) return Client(loaded->admin.socket.string());
  complain({loaded.error().code,
            loaded.error().message +
                "\nName the server's settings with --config FILE or POSTERN_CONFIG."});
  return std::nullopt;
}

void Context::print(const json::value& answer,
                    const std::function<void(const json::value&)>& human) const {
  if (json) {
    std::cout << json::serialize(answer) << '\n';
  } else {
    human(answer);
  }
}

std::optional<json::value> Context::request(std::string_view method, const std::string& path,
                                            const json::value& body,
                                            const std::function<void(const json::value&)>& human) {
  auto client = connect();
  if (!client) return std::nullopt;
  auto answer = client->call(method, path, body);
  if (!answer) {
    complain(answer.error());
    return std::nullopt;
  }
  print(*answer, human);
  return std::move(*answer);
}

void Context::list(const std::string& path, const std::vector<std::string>& members) {
  auto client = connect();
  if (!client) return;
  json::array items;
  for (std::string page = path;;) {
    auto answer = client->call("GET", page, nullptr);
    if (!answer) return complain(answer.error());
    for (auto& item : answer->at("items").as_array()) items.push_back(std::move(item));
    const auto cursor = field(*answer, "cursor");
    if (cursor.empty()) break;
    page = path + (path.find('?') == std::string::npos ? "?" : "&") +
           "cursor=" + percent_encode(cursor);
  }
  print(json::object{{"items", std::move(items)}},
        [&](const json::value& all) { print_items(all, members); });
}

std::string field(const json::value& object, std::string_view name) {
  if (!object.is_object()) return {};
  const auto* value = object.as_object().if_contains({name.data(), name.size()});
  if (value == nullptr || value->is_null()) return {};
  if (value->is_string()) return {value->as_string().data(), value->as_string().size()};
  return json::serialize(*value);
}

void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - row[i].size() + 2, ' ');
    }
    std::cout << line << '\n';
  }
}

void print_items(const json::value& answer, const std::vector<std::string>& members) {
  std::vector<std::vector<std::string>> rows{{}};
  for (const auto& member : members) rows[0].push_back(ascii::to_upper(member));
  for (const auto& item : answer.at("items").as_array()) {
    auto& row = rows.emplace_back();
    for (const auto& member : members) row.push_back(field(item, member));
  }
  print_table(rows);
}

std::string read_password_from_stdin() {
  if (isatty(STDIN_FILENO) != 0) return {};
  std::string line;
  std::getline(std::cin, line);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace postern::cli
