#include "dkim/verify/library.hpp"

#include <cstring>

// The header is C of before C23: without <stdbool.h> it says _Bool, which C++ doesn't have.
#define _Bool bool
#include <opendkim/dkim.h>
#undef _Bool

#include <algorithm>
#include <cstdint>
#include <map>

#include "core/ascii.hpp"
#include "dkim/tags.hpp"

namespace postern::dkim {

struct LibraryState {
  std::vector<Candidate> candidates;
  std::vector<Checked> results;
  std::map<const DKIM_SIGINFO*, std::size_t>
      index;  ///< the library's signatures that are candidates
  DKIM* handle = nullptr;
};

namespace {

constexpr std::uint64_t kAnyDrift = 1'000'000'000;  // seconds: 31 years; much more overflows inside

LibraryState& state_of(DKIM* handle) {
  return *static_cast<LibraryState*>(dkim_get_user_context(handle));
}

std::string tag_of(DKIM_SIGINFO* signature, const char* name) {
  std::string key(name);
  const auto* value =
      dkim_sig_gettagvalue(signature, false, reinterpret_cast<unsigned char*>(key.data()));
  return value == nullptr ? std::string() : without_space(reinterpret_cast<const char*>(value));
}

bool is_same(DKIM_SIGINFO* signature, const Candidate& candidate) {
  const auto same_name = [&](const char* tag, const std::string& name) {
    std::string value = ascii::to_lower(tag_of(signature, tag));
    if (value.ends_with('.')) value.pop_back();
    return value == name;
  };
  return tag_of(signature, "b") == candidate.signature.b &&
         same_name("s", candidate.signature.selector) && same_name("d", candidate.signature.domain);
}

// Pairs the library's signatures with ours, in order; what has no partner is ignored.
DKIM_CBSTAT pair_up(DKIM* handle, DKIM_SIGINFO** signatures, int count) {
  auto& state = state_of(handle);
  std::size_t next = 0;
  for (int i = 0; i < count; ++i) {
    std::size_t at = next;
    while (at < state.candidates.size() && !is_same(signatures[i], state.candidates[at])) ++at;
    if (at == state.candidates.size()) {
      dkim_sig_ignore(signatures[i]);
      continue;
    }
    state.index.emplace(signatures[i], at);
    next = at + 1;
  }
  return DKIM_CBSTAT_CONTINUE;
}

DKIM_CBSTAT find_key(DKIM* handle, DKIM_SIGINFO* signature, unsigned char* buffer,
                     std::size_t size) {
  const auto& state = state_of(handle);
  const auto found = state.index.find(signature);
  if (found == state.index.end()) return DKIM_CBSTAT_NOTFOUND;
  const std::string& key = state.candidates[found->second].key;
  if (key.size() >= size) return DKIM_CBSTAT_ERROR;
  std::memcpy(buffer, key.c_str(), key.size() + 1);
  return DKIM_CBSTAT_CONTINUE;
}

Checked check(DKIM* handle, DKIM_SIGINFO* signature, const Candidate& candidate) {
  if (dkim_sig_process(handle, signature) != DKIM_STAT_OK) {
    return dkim_sig_geterror(signature) == DKIM_SIGERROR_BADSIG ? Checked::bad_signature
                                                                : Checked::not_processed;
  }
  if ((dkim_sig_getflags(signature) & DKIM_SIGFLAG_PASSED) == 0) return Checked::bad_signature;
  if (dkim_sig_getbh(signature) != DKIM_SIGBH_MATCH) return Checked::bad_body;
  if (candidate.signature.body_length) {
    ssize_t all = 0;
    ssize_t hashed = 0;
    if (dkim_sig_getcanonlen(handle, signature, &all, &hashed, nullptr) != DKIM_STAT_OK ||
        hashed < all) {
      return Checked::cut_body;
    }
  }
  return Checked::passed;
}

DKIM_CBSTAT check_all(DKIM* handle, DKIM_SIGINFO** signatures, int count) {
  auto& state = state_of(handle);
  for (int i = 0; i < count; ++i) {
    const auto found = state.index.find(signatures[i]);
    if (found == state.index.end()) continue;
    state.results[found->second] = check(handle, signatures[i], state.candidates[found->second]);
  }
  return DKIM_CBSTAT_CONTINUE;
}

// Made once; the options don't change afterwards, so that all threads may use it.
DKIM_LIB* library() {
  static DKIM_LIB* const made = [] {
    DKIM_LIB* lib = dkim_init(nullptr, nullptr);
    if (lib == nullptr) return lib;
    // Signatures are processed in the final callback, after the body, each of them.
    unsigned flags = DKIM_LIBFLAGS_DELAYSIGPROC;
    unsigned bits = kMinRsaBits;
    // t= and x= were judged before, by the caller's clock; the library's own must not matter.
    std::uint64_t drift = kAnyDrift;
    dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof flags);
    dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_MINKEYBITS, &bits, sizeof bits);
    dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_CLOCKDRIFT, &drift, sizeof drift);
    dkim_set_prescreen(lib, &pair_up);
    dkim_set_key_lookup(lib, &find_key);
    dkim_set_final(lib, &check_all);
    return lib;
  }();
  return made;
}

// libopendkim copies a name into a buffer of this size when it compares it.
constexpr std::size_t kMaxFieldName = DKIM_MAXHEADER / 2;

bool is_fed(const Field& field, const std::vector<Candidate>& candidates) {
  if (field.name.empty() || field.name.size() > kMaxFieldName) return false;
  if (!ascii::iequals(field.name, DKIM_SIGNHEADER)) return true;
  return std::ranges::any_of(candidates, [&field](const Candidate& candidate) {
    return candidate.field.data() == field.raw.data();
  });
}

// The library takes mutable pointers and doesn't write through them.
unsigned char* bytes_of(std::string_view text) {
  return const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(text.data()));
}

}  // namespace

LibraryRun::LibraryRun(std::vector<Candidate> candidates)
    : state_(std::make_unique<LibraryState>()) {
  state_->results.resize(candidates.size(), Checked::not_processed);
  state_->candidates = std::move(candidates);
  if (library() == nullptr) return;
  DKIM_STAT status = DKIM_STAT_OK;
  const std::string id = "postern";
  state_->handle = dkim_verify(library(), bytes_of(id), nullptr, &status);
  if (state_->handle != nullptr) dkim_set_user_context(state_->handle, state_.get());
}

LibraryRun::~LibraryRun() {
  if (state_->handle != nullptr) dkim_free(state_->handle);
}

bool LibraryRun::feed_header(const std::vector<Field>& fields) {
  if (state_->handle == nullptr) return false;
  for (const auto& field : fields) {
    if (!is_fed(field, state_->candidates)) continue;
    std::string_view raw = field.raw;
    if (raw.ends_with("\r\n")) raw.remove_suffix(2);
    if (dkim_header(state_->handle, bytes_of(raw), raw.size()) != DKIM_STAT_OK) return false;
  }
  return dkim_eoh(state_->handle) == DKIM_STAT_OK;
}

bool LibraryRun::feed_body(std::string_view slice) {
  return slice.empty() || dkim_body(state_->handle, bytes_of(slice), slice.size()) == DKIM_STAT_OK;
}

std::vector<Checked> LibraryRun::finish() {
  bool test_key = false;
  dkim_eom(state_->handle, &test_key);
  return state_->results;
}

}  // namespace postern::dkim
