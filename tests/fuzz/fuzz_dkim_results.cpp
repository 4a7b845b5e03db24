// Authentication-Results: the stripper keeps every other byte, and what we render is one field that
// the stripper recognises as ours, whatever the values.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "dkim/fields.hpp"
#include "dkim/results/authentication_results.hpp"

using namespace postern;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string id = "mx.example.org";
  const auto kept = dkim::without_forged_results(text, id);
  if (kept.size() > text.size()) std::abort();
  if (dkim::without_forged_results(kept, id) != kept) std::abort();

  dkim::ResultsInput input;
  input.authserv_id = id;
  spf::Outcome spf;
  spf.reason = text;
  input.helo = input.mail_from = spf;
  input.mail_from_address = input.helo_name = input.disposition = text;
  input.signatures.push_back({.domain = std::string(text), .selector = std::string(text)});
  dmarc::Outcome dmarc;
  dmarc.author_domain = text;
  dmarc.record = dmarc::Record{};
  input.dmarc = dmarc;
  const auto field = dkim::render_authentication_results(input);
  if (dkim::split_fields(field).size() != 1 || !dkim::without_forged_results(field, id).empty())
    std::abort();
  return 0;
}
