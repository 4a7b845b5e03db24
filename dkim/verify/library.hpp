// libopendkim for one message: headers, body, then a verdict per signature. Never touches the
// network.
//
// Owner: one verification; not shared between threads. The library handle behind it is process-wide
// and read-only after its making.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dkim/fields.hpp"
#include "dkim/verify/signature.hpp"

namespace postern::dkim {

/// A signature that earned the library's time.
struct Candidate {
  Signature signature;
  std::string key;         ///< the TXT record
  std::string_view field;  ///< the DKIM-Signature field as it stands in the message
};

enum class Checked : std::uint8_t {
  passed,
  bad_signature,
  bad_body,
  cut_body,
  not_processed,
  unreadable
};

struct LibraryState;

class LibraryRun {
 public:
  explicit LibraryRun(std::vector<Candidate> candidates);
  ~LibraryRun();
  LibraryRun(const LibraryRun&) = delete;
  LibraryRun& operator=(const LibraryRun&) = delete;

  /// All fields but DKIM-Signature ones that are no candidates. False when the library gave up.
  bool feed_header(const std::vector<Field>& fields);
  bool feed_body(std::string_view slice);
  /// One entry per candidate.
  std::vector<Checked> finish();

 private:
  std::unique_ptr<LibraryState> state_;
};

}  // namespace postern::dkim
