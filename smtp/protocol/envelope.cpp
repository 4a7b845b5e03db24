#include "smtp/protocol/envelope.hpp"

namespace postern::smtp {

std::string to_string(const Notify& notify) {
  if (notify.never) return "NEVER";
  std::string out;
  const auto add = [&out](bool set, const char* word) {
    if (!set) return;
    if (!out.empty()) out.push_back(',');
    out.append(word);
  };
  add(notify.success, "SUCCESS");
  add(notify.failure, "FAILURE");
  add(notify.delay, "DELAY");
  return out;
}

}  // namespace postern::smtp
