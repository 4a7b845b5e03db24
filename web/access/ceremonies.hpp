// Passkey ceremonies that have begun: each challenge is good for one answer, for some minutes.
//
// In memory: a restart ends them, and people begin again. Bounded: beyond it the oldest goes.
// Owner: app; thread-safe.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/id.hpp"
#include "core/time.hpp"

namespace postern::web {

class Ceremonies {
 public:
  enum class Purpose : std::uint8_t { registration, sign_in };
  struct Begun {
    Purpose purpose = Purpose::sign_in;
    PersonId person;        ///< who registers; nil at a sign-in
    std::string challenge;  ///< raw octets
  };

  /// The flow's name, for the answer to come back with.
  std::string begin(Begun begun, Timestamp now);
  /// Takes it away. nullopt: unknown, answered already, too late, or of another purpose.
  std::optional<Begun> finish(const std::string& flow, Purpose purpose, Timestamp now);

 private:
  struct Entry {
    std::string flow;
    Begun begun;
    Timestamp ends;
  };
  std::mutex mutex_;
  std::list<Entry> entries_;  ///< oldest first
  std::unordered_map<std::string, std::list<Entry>::iterator> index_;
};

}  // namespace postern::web
