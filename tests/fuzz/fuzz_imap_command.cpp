// Whatever a client sends: cut into commands, looked up, parsed. Literals are kept while they fit.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "imap/commands.hpp"
#include "imap/search/evaluate.hpp"
#include "imap/wire/command_reader.hpp"

namespace {
using namespace postern::imap;

void parse(std::string_view text) {
  Scanner in(text);
  if (!in.tag() || !in.space()) return;
  std::string name(in.word());
  if ((name == "UID" || name == "uid") && in.space()) name += " " + std::string(in.word());
  const auto* spec = find_command(name);
  if (spec == nullptr) return;
  auto parsed = (spec->name == "APPEND" ? parse_append : spec->parse)(in);
  if (!parsed) return;
  if (const auto* search = std::get_if<SearchCommand>(&*parsed)) {
    SearchSubject subject;
    subject.sequence = subject.uid = 1;
    (void)evaluate(prepare(search->key, 10, 20), subject);
    (void)needs_of(search->key);
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using Event = CommandReader::Event;
  if (size == 0) return 0;
  // The first byte says how the rest is sliced.
  const std::size_t step = std::size_t{data[0]} + 1;
  std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  CommandReader reader(8192, 65536);
  std::string pending;
  while (!input.empty()) {
    pending += input.substr(0, step);
    input.remove_prefix(std::min(step, input.size()));
    while (true) {
      const auto [event, consumed] = reader.consume(pending);
      pending.erase(0, consumed);
      if (event == Event::need_input) break;
      if (event == Event::hopeless) return 0;
      if (event == Event::literal) {
        if (reader.literal_fits()) {
          reader.keep();
          continue;
        }
        if (!reader.can_drain()) return 0;
        if (reader.refuse()) continue;
      }
      if (event == Event::command) parse(reader.text());
      reader.reset();
    }
  }
  return 0;
}
