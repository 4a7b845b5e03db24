// Settings against one another, and paths made absolute: what follows once each setting is right by
// itself.
#pragma once

#include <filesystem>

#include "config/complaints.hpp"
#include "config/settings.hpp"

namespace postern::config {

void check_consistency(const Settings& settings, Complaints& complaints);

/// Relative paths are taken from `base`; unset ones get their place in the data directory.
void resolve_paths(Settings& settings, const std::filesystem::path& base);

}  // namespace postern::config
