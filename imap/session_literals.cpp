// Literals as they are announced: kept for the command, taken over for APPEND's message, or
// refused.
#include "imap/commands.hpp"
#include "imap/session.hpp"

namespace postern::imap {

namespace {
constexpr std::uint64_t kSmallLiteral = 4096;  // RFC 7888 §5
}  // namespace

Task<Result<void>> Session::decide_literal() {
  Scanner in(reader_.text());
  const Head head = read_head(in);
  tag_ = head.tag;
  const auto& literal = reader_.literal();
  const bool waits = literal.mode == LiteralMode::synchronizing;
  if (!waits && literal.size > kSmallLiteral && options_->literal_plus == LiteralPlus::small_only) {
    co_return co_await refuse_literal(bad_reply("This literal must synchronize", "TOOBIG"));
  }
  const bool append = head.spec != nullptr && head.spec->name == "APPEND";
  if (append && head.spec->allowed_in(state_)) {
    // While the mailbox name itself is the literal, this doesn't parse.
    auto parsed = parse_append(in);
    if (parsed) co_return co_await receive_message(std::get<AppendCommand>(std::move(*parsed)));
  }
  if (tag_.empty()) co_return co_await refuse_literal(bad_reply("Expected a tag"));
  if (!reader_.literal_fits()) {
    co_return co_await refuse_literal(no("Literal too large", "LIMIT"));
  }
  reader_.keep();
  co_return co_await invite_literal();
}

Task<Result<void>> Session::invite_literal() {
  if (reader_.literal().mode != LiteralMode::synchronizing) co_return Result<void>{};
  out() += "+ Ready for literal data\r\n";
  co_return co_await connection_->flush();
}

Task<Result<void>> Session::refuse_literal(Reply reply) {
  if (!reader_.can_drain()) co_return co_await bye("[TOOBIG] Literal too large");
  if (!reader_.refuse()) co_return co_await finish(nullptr, std::move(reply));
  refusal_ = std::move(reply);  // said when the literal has been thrown away
  co_return Result<void>{};
}

}  // namespace postern::imap
