#include "imap/wire/command_reader.hpp"

#include <algorithm>

#include "core/crypto.hpp"

namespace postern::imap {

namespace {
constexpr std::size_t kTail = 64;  // bytes: more than an announcement, or a reasonable tag
}

CommandReader::Step CommandReader::consume(std::string_view input) {
  std::size_t total = 0;
  while (true) {
    Step step;
    switch (state_) {
      case State::line: step = line(input); break;
      case State::literal: step = kept_literal(input); break;
      case State::drain_line: step = drain_line(input); break;
      case State::drain_literal: step = drain_literal(input); break;
      case State::deciding:
      case State::done: return {Event::need_input, total};
    }
    total += step.consumed;
    input.remove_prefix(step.consumed);
    if (step.event != Event::need_input) return {step.event, total};
    if (input.empty()) return {Event::need_input, total};
  }
}

CommandReader::Step CommandReader::line(std::string_view input) {
  const auto newline = input.find('\n');
  const std::size_t take = newline == std::string_view::npos ? input.size() : newline + 1;
  if (take > limit_ + 2 - std::min(text_.size(), limit_ + 2)) {
    start_drain(input);
    return {};
  }
  text_.append(input.substr(0, take));
  if (newline == std::string_view::npos) return {Event::need_input, take};
  text_.pop_back();
  if (text_.size() > line_begin_ && text_.back() == '\r') {
    text_.pop_back();
  } else {
    bare_lf_ = true;
  }
  return end_of_line(take);
}

CommandReader::Step CommandReader::end_of_line(std::size_t consumed) {
  const auto spec = find_literal(std::string_view(text_).substr(line_begin_));
  if (bare_lf_) {
    // What follows may still be a literal's bytes, so the drain decides where the command ends.
    drain_reason_ = Event::malformed;
    drained_tail_ = text_.substr(line_begin_);
    return end_of_drained_line(consumed);
  }
  if (spec) {
    literal_ = *spec;
    state_ = State::deciding;
    return {Event::literal, consumed};
  }
  state_ = State::done;
  return {Event::command, consumed};
}

CommandReader::Step CommandReader::kept_literal(std::string_view input) {
  const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size()));
  text_.append(input.substr(0, take));
  remaining_ -= take;
  if (remaining_ == 0) {
    line_begin_ = text_.size();
    state_ = State::line;
  }
  return {Event::need_input, take};
}

CommandReader::Step CommandReader::drain_line(std::string_view input) {
  const auto newline = input.find('\n');
  const std::size_t take = newline == std::string_view::npos ? input.size() : newline + 1;
  drained_ += take;
  auto seen = input.substr(0, newline == std::string_view::npos ? take : newline);
  drained_tail_.append(seen.substr(seen.size() - std::min<std::size_t>(seen.size(), kTail)));
  if (drained_tail_.size() > kTail) drained_tail_.erase(0, drained_tail_.size() - kTail);
  if (newline == std::string_view::npos) {
    if (drained_ > kMaxDrainedLine) return {Event::hopeless, take};
    return {Event::need_input, take};
  }
  if (drained_tail_.ends_with('\r')) drained_tail_.pop_back();
  return end_of_drained_line(take);
}

CommandReader::Step CommandReader::end_of_drained_line(std::size_t consumed) {
  const auto spec = find_literal(drained_tail_);
  drained_tail_.clear();
  if (!spec || spec->mode == LiteralMode::synchronizing) {
    state_ = State::done;
    return {drain_reason_, consumed};
  }
  if (spec->size > drain_budget_) return {Event::hopeless, consumed};
  drain_budget_ -= spec->size;
  remaining_ = spec->size;
  state_ = State::drain_literal;
  return {Event::need_input, consumed};
}

CommandReader::Step CommandReader::drain_literal(std::string_view input) {
  const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size()));
  remaining_ -= take;
  if (remaining_ == 0) {
    drained_ = 0;
    state_ = State::drain_line;
  }
  return {Event::need_input, take};
}

void CommandReader::start_drain(std::string_view input) {
  drain_reason_ = Event::too_long;
  drained_ = 0;
  // The line's beginning may hold the announcement's first bytes.
  const auto begun = std::string_view(text_).substr(std::min(line_begin_, text_.size()));
  drained_tail_ = begun.substr(begun.size() - std::min<std::size_t>(begun.size(), kTail));
  state_ = State::drain_line;
  // Enough of the command for its tag, which the refusal carries.
  if (text_.size() < kTail) text_.append(input.substr(0, kTail - text_.size()));
}

void CommandReader::keep() {
  text_ += "\r\n";
  remaining_ = literal_.size;
  line_begin_ = text_.size();
  state_ = remaining_ == 0 ? State::line : State::literal;
}

void CommandReader::take() {
  text_ += "\r\n";
  line_begin_ = text_.size();
  state_ = State::line;
}

bool CommandReader::refuse() {
  drain_reason_ = Event::refused;
  if (literal_.mode == LiteralMode::synchronizing) {
    state_ = State::done;
    return false;
  }
  remaining_ = literal_.size;
  drain_budget_ -= std::min(drain_budget_, remaining_);
  drained_ = 0;
  drained_tail_.clear();
  state_ = remaining_ == 0 ? State::drain_line : State::drain_literal;
  return true;
}

void CommandReader::reset() {
  crypto::wipe(text_);  // a LOGIN's password may stand in it
  // Assigning an empty string would keep the memory.
  std::string().swap(text_);
  std::string().swap(drained_tail_);
  *this = CommandReader(limit_, drain_limit_);
}

}  // namespace postern::imap
