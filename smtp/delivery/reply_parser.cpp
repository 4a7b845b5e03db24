#include "smtp/delivery/reply_parser.hpp"

#include "core/ascii.hpp"

namespace postern::smtp::delivery {

namespace {
std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '\t') {
      c = ' ';
    } else if (byte < 0x20 || byte == 0x7f) {
      c = '?';
    }
  }
  return out;
}

// "5.1.1 text" loses its code when the class agrees with the reply's first digit (RFC 2034 §4).
queue::EnhancedCode take_enhanced(std::string& text, int code) {
  const auto end = text.find(' ');
  const auto parsed = queue::parse_enhanced_code(std::string_view(text).substr(0, end));
  if (!parsed || parsed->status_class != code / 100) return {};
  text.erase(0, end == std::string::npos ? end : end + 1);
  return *parsed;
}
}  // namespace

void ReplyParser::reset() { *this = {}; }

Result<std::optional<queue::Reply>> ReplyParser::feed(std::string_view& input) {
  if (done_) reset();
  while (!input.empty()) {
    const auto end = input.find('\n');
    const auto used = end == std::string_view::npos ? input.size() : end + 1;
    if (line_.size() + used > kMaxReplyLine) return fail(Errc::invalid, "a reply line is too long");
    line_.append(input.substr(0, used));
    input.remove_prefix(used);
    if (end == std::string_view::npos) break;
    const auto last = take_line();
    if (!last) return std::unexpected(last.error());
    if (*last) {
      done_ = true;
      return assemble();
    }
  }
  return std::nullopt;
}

// True when it was the reply's last line.
Result<bool> ReplyParser::take_line() {
  std::string_view line = line_;
  line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  const bool digits = line.size() >= 3 && line[0] >= '2' && line[0] <= '5' &&
                      ascii::is_digit(line[1]) && ascii::is_digit(line[2]);
  if (!digits) return fail(Errc::invalid, "a reply line without a code");
  const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  if (code_ != 0 && code != code_)
    return fail(Errc::invalid, "the codes of a reply's lines differ");
  if (line.size() > 3 && line[3] != ' ' && line[3] != '-')
    return fail(Errc::invalid, "a reply code without a space");
  if (lines_.size() == kMaxReplyLines) return fail(Errc::invalid, "a reply with too many lines");
  const bool last = line.size() == 3 || line[3] == ' ';
  code_ = code;
  lines_.push_back(printable(line.size() > 4 ? line.substr(4) : std::string_view{}));
  line_.clear();
  return last;
}

queue::Reply ReplyParser::assemble() {
  queue::Reply reply;
  reply.code = code_;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    std::string text = lines_[i];
    const auto enhanced = take_enhanced(text, code_);
    if (i == 0) reply.enhanced = enhanced;
    if (reply.text.size() + text.size() + 1 > queue::kMaxReplyText) {
      if (i == 0) reply.text = text.substr(0, queue::kMaxReplyText);
      break;
    }
    if (i > 0) reply.text += '\n';
    reply.text += text;
  }
  return reply;
}

}  // namespace postern::smtp::delivery
