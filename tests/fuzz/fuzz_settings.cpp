// postern.toml: settings or complaints that name the file, never a crash.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/loader.hpp"

using namespace postern;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto settings = config::load_text(text, "postern.toml");
  if (!settings && settings.error().message.find("postern.toml") == std::string::npos) std::abort();
  return 0;
}
