// What is made from the table: the reference, a settings file, and what changed between two loads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"

namespace postern::config {

/// docs/settings.md, whole.
std::string render_reference();

/// A postern.toml that loads to the same settings: required ones, and those that aren't the
/// default.
std::string render_settings(const Settings& settings);

/// Names of settings that differ, by whether a reload takes them up.
struct ReloadDiff {
  std::vector<std::string> reloadable;
  std::vector<std::string> restart;
};
ReloadDiff compare_settings(const Settings& before, const Settings& after);

/// Whether a section is an array: [[listen]], [[delivery.route]].
bool array_element(std::string_view section);

}  // namespace postern::config
