// postern.toml to Settings. The file is the operator's: trusted to be theirs, not to be right.
//
// Every complaint is one line "FILE:LINE: SETTING: what is wrong"; up to kMaxComplaints of them are
// reported at once, joined by newlines.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "config/settings.hpp"
#include "core/result.hpp"

namespace postern::config {

inline constexpr std::size_t kMaxComplaints = 20;
inline constexpr std::uintmax_t kMaxSettingsFile = 4 << 20;

/// Errc::not_found, Errc::io, Errc::too_large, Errc::invalid.
Result<Settings> load_file(const std::filesystem::path& file);
/// `file` is the name for complaints and the base of relative paths.
Result<Settings> load_text(std::string_view text, const std::filesystem::path& file);

}  // namespace postern::config
