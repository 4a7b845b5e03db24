#include "config/loader.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <fstream>
#include <iterator>

#include "config/complaints.hpp"
#include "config/consistency.hpp"
#include "config/table.hpp"
#include "config/units.hpp"

namespace postern::config {

namespace {

Line line_of(const toml::node& node) { return node.source().begin.line; }

/// Gives one member its value; an empty answer is success, anything else is what was expected.
template <class Owner>
struct Assign {
  const toml::node& node;
  Owner& owner;

  std::string operator()(const BoolKind<Owner>& k) const {
    const auto value = node.value_exact<bool>();
    if (!value) return "true or false";
    k.at(owner) = *value;
    return {};
  }
  std::string operator()(const IntegerKind<Owner>& k) const {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < k.bounds.low || *value > k.bounds.high) {
      return fmt::format("an integer between {} and {}", k.bounds.low, k.bounds.high);
    }
    k.at(owner) = *value;
    return {};
  }
  std::string operator()(const DurationKind<Owner>& k) const {
    const auto value = duration(node, k.bounds);
    if (!value) return expected_duration(k.bounds);
    k.at(owner) = *value;
    return {};
  }
  std::string operator()(const SizeKind<Owner>& k) const {
    const auto text = node.value_exact<std::string_view>();
    const auto value = text ? parse_size(*text) : std::nullopt;
    const auto low = static_cast<std::uint64_t>(k.bounds.low);
    const auto high = static_cast<std::uint64_t>(k.bounds.high);
    if (!value || value->bytes < low || value->bytes > high) {
      return fmt::format("a size like \"25MiB\", from \"{}\" to \"{}\"", format_size({low}),
                         format_size({high}));
    }
    k.at(owner) = *value;
    return {};
  }
  std::string operator()(const TextKind<Owner>& k) const {
    const auto value = node.value_exact<std::string>();
    if (!value || !k.check(*value)) return std::string(k.expected);
    k.at(owner) = *value;
    return {};
  }
  std::string operator()(const PathKind<Owner>& k) const {
    const auto value = node.value_exact<std::string>();
    if (!value || value->empty() || value->find('\0') != std::string::npos) return "a path";
    k.at(owner) = *value;
    return {};
  }
  std::string operator()(const ChoiceKind<Owner>& k) const {
    const auto value = node.value_exact<std::string_view>();
    std::string expected = "one of";
    for (std::size_t i = 0; i < k.words.size(); ++i) {
      if (value && *value == k.words[i]) {
        k.set(owner, static_cast<int>(i));
        return {};
      }
      expected += fmt::format("{} \"{}\"", i == 0 ? "" : ",", k.words[i]);
    }
    return expected;
  }
  std::string operator()(const TextsKind<Owner>& k) const {
    const auto* array = node.as_array();
    const auto expected = fmt::format("a list of at most {}, each {}", k.most, k.expected);
    if (array == nullptr || array->size() > k.most) return expected;
    std::vector<std::string> values;
    for (const auto& element : *array) {
      const auto value = element.value_exact<std::string>();
      if (!value || !k.check(*value)) return expected;
      values.push_back(*value);
    }
    k.at(owner) = std::move(values);
    return {};
  }
  std::string operator()(const DurationsKind<Owner>& k) const {
    const auto* array = node.as_array();
    const auto expected =
        fmt::format("a list of 1 to {}, each {}", k.most, expected_duration(k.bounds));
    if (array == nullptr || array->empty() || array->size() > k.most) return expected;
    std::vector<Duration> values;
    for (const auto& element : *array) {
      const auto value = duration(element, k.bounds);
      if (!value) return expected;
      values.push_back(*value);
    }
    k.at(owner) = std::move(values);
    return {};
  }

  static std::optional<Duration> duration(const toml::node& node, Bounds bounds) {
    const auto text = node.value_exact<std::string_view>();
    const auto value = text ? parse_duration(*text) : std::nullopt;
    if (!value || value->count() < bounds.low || value->count() > bounds.high) return std::nullopt;
    return value;
  }
  static std::string expected_duration(Bounds bounds) {
    return fmt::format("a duration like \"5m\", from \"{}\" to \"{}\"",
                       format_duration(Duration{bounds.low}),
                       format_duration(Duration{bounds.high}));
  }
};

template <class Owner>
void assign(const Field<Owner>& field, Owner& owner, const toml::node& node,
            const std::string& name, Complaints& complaints) {
  complaints.remember(name, line_of(node));
  const auto expected = std::visit(Assign<Owner>{node, owner}, field.kind);
  if (!expected.empty()) complaints.add(line_of(node), name, "expected " + expected);
}

void complain_unknown(const std::string& name, Line line, Complaints& complaints) {
  const auto near = nearest_name(name, all_names());
  complaints.add(
      line, name,
      near.empty() ? "no such setting" : fmt::format("no such setting; did you mean {}?", near));
}

template <class Owner>
const Field<Owner>* find_field(std::span<const Field<Owner>> fields, std::string_view name) {
  for (const auto& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

/// One [[listen]] or [[delivery.route]].
template <class Owner>
Owner load_element(const toml::table& table, std::span<const Field<Owner>> fields,
                   const std::string& name, const std::string& place, Complaints& complaints) {
  Owner element;
  for (const auto& [key, node] : table) {
    const auto* field = find_field(fields, key.str());
    if (field == nullptr) {
      complain_unknown(fmt::format("{}.{}", name, key.str()), key.source().begin.line, complaints);
      continue;
    }
    complaints.remember(fmt::format("{}.{}", place, key.str()), line_of(node));
    const auto expected = std::visit(Assign<Owner>{node, element}, field->kind);
    if (!expected.empty()) {
      complaints.add(line_of(node), fmt::format("{}.{}", name, key.str()), "expected " + expected);
    }
  }
  for (const auto& field : fields) {
    if (field.presence == Presence::required && !table.contains(field.name)) {
      complaints.add(line_of(table), fmt::format("{}.{}", name, field.name),
                     "this setting is required");
    }
  }
  return element;
}

template <class Owner>
void load_array(const toml::node& node, std::span<const Field<Owner>> fields,
                const std::string& name, std::size_t most, std::vector<Owner>& out,
                Complaints& complaints) {
  const auto* array = node.as_array();
  if (array == nullptr || (!array->empty() && !array->is_homogeneous<toml::table>())) {
    complaints.add(line_of(node), name, fmt::format("expected [[{}]] sections", name));
    return;
  }
  if (array->size() > most) {
    complaints.add(line_of(node), name, fmt::format("at most {} of these", most));
    return;
  }
  for (const auto& element : *array) {
    const auto place = fmt::format("{}[{}]", name, out.size());
    out.push_back(load_element(*element.as_table(), fields, name, place, complaints));
  }
}

bool is_section(std::string_view name) {
  for (const auto& section : sections()) {
    if (!name.empty() && section.name == name) return true;
  }
  return false;
}

void load_table(const toml::table& table, const std::string& prefix, Settings& settings,
                Complaints& complaints) {
  for (const auto& [key, node] : table) {
    const auto name = prefix + std::string(key.str());
    if (name == "listen") {
      load_array(node, listen_table(), name, kMaxListeners, settings.listen, complaints);
    } else if (name == "delivery.route") {
      load_array(node, route_table(), name, kMaxRoutes, settings.delivery.route, complaints);
    } else if (is_section(name)) {
      if (const auto* inner = node.as_table()) {
        load_table(*inner, name + ".", settings, complaints);
      } else {
        complaints.add(line_of(node), name, fmt::format("expected a section [{}]", name));
      }
    } else if (const auto* field = find_field(settings_table(), name)) {
      assign(*field, settings, node, name, complaints);
    } else {
      complain_unknown(name, key.source().begin.line, complaints);
    }
  }
}

void demand_required(const toml::table& table, Complaints& complaints) {
  for (const auto& field : settings_table()) {
    if (field.presence == Presence::required && !table.at_path(field.name)) {
      complaints.add(1, field.name, "this setting is required");
    }
  }
}

}  // namespace

Result<Settings> load_text(std::string_view text, const std::filesystem::path& file) {
  Complaints complaints(file.filename().string());
  Settings settings;
  try {
    const toml::table table = toml::parse(text);
    load_table(table, "", settings, complaints);
    demand_required(table, complaints);
  } catch (const toml::parse_error& error) {
    complaints.add(error.source().begin.line, "", error.description());
    return fail(Errc::invalid, complaints.text());
  }
  if (complaints.none()) check_consistency(settings, complaints);
  if (!complaints.none()) return fail(Errc::invalid, complaints.text());
  resolve_paths(settings, std::filesystem::absolute(file).parent_path());
  return settings;
}

Result<Settings> load_file(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error) {
    const auto code = error == std::errc::no_such_file_or_directory ? Errc::not_found : Errc::io;
    return fail(code, fmt::format("{}: {}", file.string(), error.message()));
  }
  if (size > kMaxSettingsFile) {
    return fail(Errc::too_large,
                fmt::format("{}: larger than {} bytes", file.string(), kMaxSettingsFile));
  }
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in) return fail(Errc::io, fmt::format("{}: can't be read", file.string()));
  return load_text(text, file);
}

}  // namespace postern::config
