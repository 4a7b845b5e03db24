// What is wrong with a settings file, collected; and the line on which each setting stands.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace postern::config {

using Line = std::uint32_t;

class Complaints {
 public:
  explicit Complaints(std::string file) : file_(std::move(file)) {}

  void add(Line line, std::string_view setting, std::string_view what);
  [[nodiscard]] bool none() const { return texts_.empty(); }
  /// In order of line, at most kMaxComplaints, a line each.
  [[nodiscard]] std::string text() const;

  /// `listen` and `delivery.route` are remembered as "listen[2].address".
  void remember(std::string setting, Line line) { lines_[std::move(setting)] = line; }
  [[nodiscard]] Line line_of(const std::string& setting) const;
  /// Complains at the place where the setting stands (line 1 if it doesn't).
  void add_at(const std::string& setting, std::string_view what) {
    add(line_of(setting), setting, what);
  }

 private:
  std::string file_;
  std::multimap<Line, std::string> texts_;
  std::map<std::string, Line> lines_;
};

/// The name nearest to `wrong`, or empty when none is near.
std::string nearest_name(std::string_view wrong, const std::vector<std::string>& names);

}  // namespace postern::config
