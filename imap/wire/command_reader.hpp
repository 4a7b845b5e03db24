// Bytes from a client, cut into whole commands. No I/O: the session feeds bytes and acts on events.
//
// A command is a line, or lines joined by literals (RFC 3501 §4.3). text() holds it without the
// final CRLF; literals stay inside as `{n}` CRLF and their n bytes, so that a parser reads one
// string.
//
// Each announced literal stops the reader until the session decides: keep it (inside text()), take
// it over (APPEND streams its message elsewhere), or refuse the command. A refused command is
// drained to its end, non-synchronising literals included: its bytes never run as commands. A
// synchronising one ends it at once, since the client waits for an answer instead of sending.
//
// A bare LF ends a line too, but condemns the command (Event::malformed at its end). Memory: at
// most the limit given, and nothing while idle (reset() gives the buffer back).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "imap/wire/literal.hpp"

namespace postern::imap {

inline constexpr std::uint64_t kMaxDrainedLine =
    1024ULL * 1024;  ///< bytes of a line that is too long

class CommandReader {
 public:
  enum class Event : std::uint8_t {
    need_input,  ///< everything consumed, nothing complete
    literal,     ///< literal() was announced: keep(), take() or refuse()
    command,     ///< text() is a whole command
    refused,     ///< the refused command has been drained; or the client waits for its answer
    too_long,    ///< a command above the limit has been drained
    malformed,   ///< a line ended in a bare LF; the command has been drained
    hopeless,    ///< more to drain than is worth it: end the connection
  };
  struct Step {
    Event event = Event::need_input;
    std::size_t consumed = 0;
  };

  /// `limit`: bytes of a command, kept literals included. `drain_limit`: the largest literal that
  /// is read only to be thrown away.
  CommandReader(std::size_t limit, std::uint64_t drain_limit)
      : limit_(limit), drain_limit_(drain_limit), drain_budget_(drain_limit) {}

  /// Consumes from the front of `input` up to the next event. Not called again with unconsumed
  /// input before a literal is decided.
  Step consume(std::string_view input);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const LiteralSpec& literal() const { return literal_; }
  /// Whether the announced literal still fits the limit.
  [[nodiscard]] bool literal_fits() const {
    return text_.size() + 2 <= limit_ && literal_.size <= limit_ - text_.size() - 2;
  }
  /// Whether refuse() can bring the stream back to the next command.
  [[nodiscard]] bool can_drain() const {
    return literal_.mode == LiteralMode::synchronizing || literal_.size <= drain_budget_;
  }
  /// The text after the last literal that was taken over.
  [[nodiscard]] std::string_view tail() const {
    return std::string_view(text_).substr(line_begin_);
  }

  void keep();  ///< the literal's bytes become part of text()
  void take();  ///< the session reads the literal's bytes itself, then goes on
  /// Drops the rest; false: the command is over already, since the client waits for its answer.
  bool refuse();

  /// Ready for the next command.
  void reset();
  void set_limit(std::size_t limit) { limit_ = limit; }
  /// Nothing of a command has been read yet.
  [[nodiscard]] bool at_start() const { return state_ == State::line && text_.empty(); }

 private:
  enum class State : std::uint8_t { line, deciding, literal, drain_line, drain_literal, done };

  Step line(std::string_view input);
  Step kept_literal(std::string_view input);
  Step drain_line(std::string_view input);
  Step drain_literal(std::string_view input);
  Step end_of_line(std::size_t consumed);
  Step end_of_drained_line(std::size_t consumed);
  void start_drain(std::string_view input);

  std::size_t limit_;
  std::uint64_t drain_limit_;
  std::uint64_t drain_budget_;  ///< of the drain limit, what this command has left
  State state_ = State::line;
  Event drain_reason_ = Event::refused;
  std::string text_;
  std::size_t line_begin_ = 0;  ///< in text_: after the last literal
  LiteralSpec literal_;
  std::uint64_t remaining_ = 0;  ///< bytes of the literal still to come
  std::uint64_t drained_ = 0;    ///< bytes of the drained line so far
  std::string drained_tail_;     ///< its last bytes, to see a literal announced
  bool bare_lf_ = false;
};

}  // namespace postern::imap
