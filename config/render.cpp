#include "config/render.hpp"

#include <fmt/format.h>

#include "config/table.hpp"
#include "config/units.hpp"
#include "core/ascii.hpp"

namespace postern::config {

namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

template <class Range, class Render>
std::string list(const Range& values, Render render) {
  std::string out = "[";
  for (const auto& value : values) {
    if (out.size() > 1) out += ", ";
    out += render(value);
  }
  return out + "]";
}

std::string words_of(std::span<const std::string_view> words) {
  std::string out;
  for (const auto word : words) {
    if (!out.empty()) out += ", ";
    out += fmt::format("`\"{}\"`", word);
  }
  return out;
}

std::string quoted_duration(Duration value) { return toml_string(format_duration(value)); }
std::string duration_range(Bounds bounds) {
  return fmt::format("`\"{}\"` to `\"{}\"`", format_duration(Duration{bounds.low}),
                     format_duration(Duration{bounds.high}));
}
std::string size_range(Bounds bounds) {
  return fmt::format("`\"{}\"` to `\"{}\"`", format_size({static_cast<std::uint64_t>(bounds.low)}),
                     format_size({static_cast<std::uint64_t>(bounds.high)}));
}

/// What the reference says of a default that has no value of its own.
template <class Owner>
std::string default_text(const Field<Owner>& field) {
  if (field.presence == Presence::required) return "required";
  if (const auto* path = std::get_if<PathKind<Owner>>(&field.kind)) {
    return path->fallback.empty() ? "unset" : fmt::format("`{}` in `data`", path->fallback);
  }
  return '`' + render_value(field, Owner{}) + '`';
}

template <class Owner>
void render_rows(std::string& out, std::span<const Field<Owner>> fields, std::string_view section) {
  out += "| setting | value | default | reload | |\n| --- | --- | --- | --- | --- |\n";
  for (const auto& field : fields) {
    const auto name = array_element(section) ? fmt::format("{}.{}", section, field.name)
                                             : std::string(field.name);
    out +=
        fmt::format("| `{}` | {} | {} | {} | {} |\n", name, render_type(field), default_text(field),
                    field.reload == Reload::yes ? "yes" : "restart", field.doc);
  }
}

std::vector<Field<Settings>> fields_of(std::string_view section) {
  std::vector<Field<Settings>> out;
  for (const auto& field : settings_table()) {
    const auto dot = field.name.rfind('.');
    const auto head =
        dot == std::string_view::npos ? std::string_view{} : field.name.substr(0, dot);
    if (head == section) out.push_back(field);
  }
  return out;
}

bool is_default(const Field<Settings>& field, const Settings& settings) {
  if (const auto* path = std::get_if<PathKind<Settings>>(&field.kind)) {
    const auto value = render_value(field, settings);
    return value == "\"\"" || (!path->fallback.empty() &&
                               value == toml_string((settings.data / path->fallback).string()));
  }
  return render_value(field, settings) == render_value(field, Settings{});
}

template <class Owner>
void write_elements(std::string& out, std::string_view name, std::span<const Field<Owner>> fields,
                    const std::vector<Owner>& elements) {
  for (const auto& element : elements) {
    out += fmt::format("\n[[{}]]\n", name);
    for (const auto& field : fields) {
      out += fmt::format("{} = {}\n", field.name, render_value(field, element));
    }
  }
}

}  // namespace

bool array_element(std::string_view section) {
  return section == "listen" || section == "delivery.route";
}

template <class Owner>
std::string render_value(const Field<Owner>& field, const Owner& constant) {
  // Accessors only reach a member; they serve reading and writing alike.
  auto& owner = const_cast<Owner&>(constant);
  return std::visit(
      Overloaded{
          [&](const BoolKind<Owner>& k) { return std::string(k.at(owner) ? "true" : "false"); },
          [&](const IntegerKind<Owner>& k) { return fmt::format("{}", k.at(owner)); },
          [&](const DurationKind<Owner>& k) { return quoted_duration(k.at(owner)); },
          [&](const SizeKind<Owner>& k) { return toml_string(format_size(k.at(owner))); },
          [&](const TextKind<Owner>& k) { return toml_string(k.at(owner)); },
          [&](const PathKind<Owner>& k) { return toml_string(k.at(owner).string()); },
          [&](const ChoiceKind<Owner>& k) {
            return toml_string(k.words[static_cast<std::size_t>(k.get(owner))]);
          },
          [&](const TextsKind<Owner>& k) { return list(k.at(owner), toml_string); },
          [&](const DurationsKind<Owner>& k) { return list(k.at(owner), quoted_duration); },
      },
      field.kind);
}

template <class Owner>
std::string render_type(const Field<Owner>& field) {
  return std::visit(
      Overloaded{
          [](const BoolKind<Owner>&) { return std::string("`true` or `false`"); },
          [](const IntegerKind<Owner>& k) {
            return fmt::format("integer, {} to {}", k.bounds.low, k.bounds.high);
          },
          [](const DurationKind<Owner>& k) { return "duration, " + duration_range(k.bounds); },
          [](const SizeKind<Owner>& k) { return "size, " + size_range(k.bounds); },
          [](const TextKind<Owner>& k) { return std::string(k.expected); },
          [](const PathKind<Owner>&) { return std::string("path"); },
          [](const ChoiceKind<Owner>& k) { return "one of " + words_of(k.words); },
          [](const TextsKind<Owner>& k) {
            return fmt::format("list of at most {}, each {}", k.most, k.expected);
          },
          [](const DurationsKind<Owner>& k) {
            return fmt::format("list of 1 to {} durations, {}", k.most, duration_range(k.bounds));
          },
      },
      field.kind);
}

template std::string render_value(const Field<Settings>&, const Settings&);
template std::string render_value(const Field<Listen>&, const Listen&);
template std::string render_value(const Field<Route>&, const Route&);
template std::string render_type(const Field<Settings>&);
template std::string render_type(const Field<Listen>&);
template std::string render_type(const Field<Route>&);

std::string render_reference() {
  std::string out =
      "# Settings\n\n"
      "<!-- Generated from config/table.cpp; the test `config` checks that this file is what it "
      "says. -->\n\n"
      "`postern.toml` is TOML. An unknown or ill-typed setting is an error that names file, line "
      "and\n"
      "setting. Durations are like `\"90s\"`, `\"5m\"`, `\"1h30m\"` (units `d`, `h`, `m`, `s`, "
      "`ms`); sizes are\n"
      "like `\"25MiB\"` (units `B`, `KiB`, `MiB`, `GiB`, `TiB`). A relative path is taken from the "
      "file's own\n"
      "directory. SIGHUP reloads the settings marked *yes*; a change to one marked *restart* is "
      "reported\n"
      "and waits for a restart.\n";
  for (const auto& section : sections()) {
    if (section.name.empty()) {
      out += fmt::format("\n## Top level\n\n{}\n\n", section.doc);
    } else {
      const bool array = array_element(section.name);
      out += fmt::format("\n## {}{}{}\n\n{}\n\n", array ? "`[[" : "`[", section.name,
                         array ? "]]`" : "]`", section.doc);
    }
    if (section.name == "listen") {
      render_rows(out, listen_table(), section.name);
    } else if (section.name == "delivery.route") {
      render_rows(out, route_table(), section.name);
    } else {
      const auto fields = fields_of(section.name);
      render_rows(out, std::span<const Field<Settings>>(fields), section.name);
    }
  }
  return out;
}

std::string render_settings(const Settings& settings) {
  std::string out;
  for (const auto& section : sections()) {
    if (array_element(section.name)) continue;
    bool headed = section.name.empty();
    for (const auto& field : fields_of(section.name)) {
      if (field.presence == Presence::optional && is_default(field, settings)) continue;
      if (!headed) out += fmt::format("\n[{}]\n", section.name);
      headed = true;
      const auto dot = field.name.rfind('.');
      out +=
          fmt::format("{} = {}\n", field.name.substr(dot == std::string_view::npos ? 0 : dot + 1),
                      render_value(field, settings));
    }
  }
  write_elements(out, "listen", listen_table(), settings.listen);
  write_elements(out, "delivery.route", route_table(), settings.delivery.route);
  return out;
}

ReloadDiff compare_settings(const Settings& before, const Settings& after) {
  ReloadDiff diff;
  const auto sort_in = [&diff](std::string_view name, Reload reload) {
    (reload == Reload::yes ? diff.reloadable : diff.restart).emplace_back(name);
  };
  for (const auto& field : settings_table()) {
    if (render_value(field, before) != render_value(field, after))
      sort_in(field.name, field.reload);
  }
  if (before.listen != after.listen) sort_in("listen", Reload::restart);
  if (before.delivery.route != after.delivery.route) sort_in("delivery.route", Reload::restart);
  return diff;
}

}  // namespace postern::config
