#include "dkim/domain.hpp"

#include <libpsl.h>
#include <unicode/uidna.h>

#include <algorithm>
#include <array>
#include <memory>

#include "core/ascii.hpp"

namespace postern::dkim {

namespace {

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// UTS 46, non-transitional, as registries and DNS software use it.
const UIDNA* idna() {
  static const std::unique_ptr<UIDNA, decltype(&uidna_close)> instance = [] {
    UErrorCode error = U_ZERO_ERROR;
    UIDNA* opened = uidna_openUTS46(
        UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE | UIDNA_CHECK_BIDI,
        &error);
    return std::unique_ptr<UIDNA, decltype(&uidna_close)>(U_SUCCESS(error) != 0 ? opened : nullptr,
                                                          &uidna_close);
  }();
  return instance.get();
}

std::optional<std::string> to_a_labels(std::string_view name) {
  if (idna() == nullptr || name.size() > 4 * kMaxNameLength) return std::nullopt;
  std::array<char, 512> out{};
  UIDNAInfo info = UIDNA_INFO_INITIALIZER;
  UErrorCode error = U_ZERO_ERROR;
  const auto size =
      uidna_nameToASCII_UTF8(idna(), name.data(), static_cast<std::int32_t>(name.size()),
                             out.data(), static_cast<std::int32_t>(out.size()), &info, &error);
  if (U_FAILURE(error) != 0 || info.errors != 0 || size <= 0) return std::nullopt;
  return std::string(out.data(), static_cast<std::size_t>(size));
}

bool is_label_octet(char c) { return ascii::is_alnum(c) || c == '-' || c == '_'; }

// Calls `check` for each label; false as soon as one fails. An empty name has one empty label.
template <class Check>
bool all_labels(std::string_view name, Check check) {
  std::size_t at = 0;
  while (true) {
    const auto dot = std::min(name.find('.', at), name.size());
    if (!check(name.substr(at, dot - at))) return false;
    if (dot == name.size()) return true;
    at = dot + 1;
  }
}

bool has_label_size(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabelLength;
}

}  // namespace

std::optional<std::string> normalize_domain(std::string_view name) {
  std::string ascii_name(name);
  if (!is_ascii(name)) {
    auto converted = to_a_labels(name);
    if (!converted) return std::nullopt;
    ascii_name = std::move(*converted);
  }
  if (ascii_name.ends_with('.')) ascii_name.pop_back();
  if (ascii_name.empty() || ascii_name.size() > kMaxNameLength) return std::nullopt;
  const bool valid = all_labels(ascii_name, [](std::string_view label) {
    return has_label_size(label) && std::ranges::all_of(label, is_label_octet);
  });
  if (!valid) return std::nullopt;
  return ascii::to_lower(ascii_name);
}

bool is_queryable(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > kMaxNameLength) return false;
  return all_labels(name, [](std::string_view label) {
    return has_label_size(label) &&
           std::ranges::all_of(label, [](char c) { return c >= 0x20 && c <= 0x7e && c != '\\'; });
  });
}

bool is_at_or_below(std::string_view name, std::string_view ancestor) {
  if (ancestor.empty() || name.size() < ancestor.size() || !name.ends_with(ancestor)) return false;
  return name.size() == ancestor.size() || name[name.size() - ancestor.size() - 1] == '.';
}

std::size_t count_labels(std::string_view name) {
  if (name.empty()) return 0;
  return 1 + static_cast<std::size_t>(std::ranges::count(name, '.'));
}

std::string_view parent_of(std::string_view name) {
  const auto dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
}

std::optional<std::string> registrable_domain(std::string_view name) {
  const auto normal = normalize_domain(name);
  const psl_ctx_t* list = psl_builtin();
  if (!normal || list == nullptr) return std::nullopt;
  const char* found = psl_registrable_domain(list, normal->c_str());
  if (found == nullptr) return std::nullopt;
  return std::string(found);
}

}  // namespace postern::dkim
