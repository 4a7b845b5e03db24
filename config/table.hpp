// The one table of settings. Each entry binds a name to a member of Settings (or of an array's
// element), its bounds, whether a reload takes it up, and a line of documentation; the default is
// the member's initial value. Loader, validation, docs/settings.md, the reload check and the writer
// all run over it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/settings.hpp"
#include "core/result.hpp"

namespace postern::config {

enum class Reload : std::uint8_t { yes, restart };
enum class Presence : std::uint8_t { optional, required };

/// Reaches one member of an owner. Called with a const owner's copy or a mutable one.
template <class Owner, class T>
using Access = T& (*)(Owner&);

struct Bounds {
  std::int64_t low = 0;
  std::int64_t high = 0;
};

/// A check of a text value beyond its type.
using TextCheck = bool (*)(std::string_view text);

template <class Owner>
struct BoolKind {
  Access<Owner, bool> at;
};
template <class Owner>
struct IntegerKind {
  Access<Owner, std::int64_t> at;
  Bounds bounds;
};
template <class Owner>
struct DurationKind {
  Access<Owner, Duration> at;
  Bounds bounds;  ///< milliseconds
};
template <class Owner>
struct SizeKind {
  Access<Owner, ByteSize> at;
  Bounds bounds;  ///< bytes
};
template <class Owner>
struct TextKind {
  Access<Owner, std::string> at;
  TextCheck check;
  std::string_view expected;  ///< "a host name": what an error says
};
template <class Owner>
struct PathKind {
  Access<Owner, std::filesystem::path> at;
  std::string_view fallback;  ///< where it is when unset, relative to `data`; empty: nowhere
};
/// An enum by its words, in the order of its values.
template <class Owner>
struct ChoiceKind {
  std::span<const std::string_view> words;
  int (*get)(const Owner&);
  void (*set)(Owner&, int);
};
template <class Owner>
struct TextsKind {
  Access<Owner, std::vector<std::string>> at;
  TextCheck check;
  std::string_view expected;
  std::size_t most;
};
template <class Owner>
struct DurationsKind {
  Access<Owner, std::vector<Duration>> at;
  Bounds bounds;
  std::size_t most;
};

template <class Owner>
using Kind = std::variant<BoolKind<Owner>, IntegerKind<Owner>, DurationKind<Owner>, SizeKind<Owner>,
                          TextKind<Owner>, PathKind<Owner>, ChoiceKind<Owner>, TextsKind<Owner>,
                          DurationsKind<Owner>>;

template <class Owner>
struct Field {
  std::string_view name;  ///< "delivery.port"; for an array's element the last part only
  Kind<Owner> kind;
  Reload reload;
  std::string_view doc;  ///< one line, Markdown
  Presence presence = Presence::optional;
};

std::span<const Field<Settings>> settings_table();
std::span<const Field<Listen>> listen_table();  ///< of each [[listen]]
std::span<const Field<Route>> route_table();    ///< of each [[delivery.route]]

inline constexpr std::size_t kMaxListeners = 64;
inline constexpr std::size_t kMaxRoutes = 10'000;

/// A heading of the reference: "delivery" and what it is about.
struct Section {
  std::string_view name;
  std::string_view doc;
};
std::span<const Section> sections();

/// The value as the settings file writes it: `25`, `"5m"`, `["a", "b"]`.
template <class Owner>
std::string render_value(const Field<Owner>& field, const Owner& owner);
/// "duration, 1s to 1h": type and bounds.
template <class Owner>
std::string render_type(const Field<Owner>& field);

/// Every name that a file may hold: "hostname", "delivery.port", "listen.kind",
/// "delivery.route.host".
std::vector<std::string> all_names();

}  // namespace postern::config
