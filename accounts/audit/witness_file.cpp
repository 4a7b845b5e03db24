// The file of statements (witness.hpp).
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <optional>

#include "accounts/audit/file.hpp"
#include "accounts/audit/witness.hpp"
#include "core/crypto.hpp"

namespace postern::accounts::audit {

namespace {

constexpr std::size_t kChunk = 64 * 1024;
constexpr int kMaxTorn = 100;  // lines cut short, one after the other: a disk that was full

std::unexpected<Error> io_error(const std::string& path) {
  return fail(Errc::io, fmt::format("{}: {}", path, std::strerror(errno)));
}

/// The end of the file.
struct Tail {
  bool empty = true;
  bool torn = false;  ///< no line feed at the end
  std::string line;   ///< without its line feed
};

Result<off_t> size_of(int fd, const std::string& path) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return io_error(path);
  return info.st_size;
}

/// Reads backwards from `end` until the last line is whole.
Result<Tail> read_tail(int fd, const std::string& path, off_t end) {
  Tail tail;
  tail.empty = end == 0;
  auto from = end;
  auto& text = tail.line;
  while (from > 0 && text.size() <= kMaxStatement) {
    const auto take = std::min<off_t>(from, kChunk);
    std::string chunk(static_cast<std::size_t>(take), '\0');
    if (::pread(fd, chunk.data(), chunk.size(), from - take) != take) return io_error(path);
    from -= take;
    text.insert(0, chunk);
    const auto body = std::string_view(text).substr(0, text.size() - 1);
    const auto feed = body.rfind('\n');
    if (feed == std::string_view::npos) continue;
    text.erase(0, feed + 1);
    break;
  }
  if (text.size() > kMaxStatement + 1) return fail(Errc::corrupt, path + " isn't of statements");
  tail.torn = !text.empty() && !text.ends_with('\n');
  if (!tail.torn && !text.empty()) text.pop_back();
  return tail;
}

Result<void> sync_parent(const std::string& path) {
  const auto slash = path.rfind('/');
  const auto parent = slash == std::string::npos ? std::string(".") : path.substr(0, slash + 1);
  const Descriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) return io_error(parent);
  return {};
}

enum class Line : std::uint8_t { whole, torn, none };

/// One line without its line feed, of at most `bytes`, which it counts down.
Result<Line> next_line(std::istream& in, std::string& line, std::uint64_t& bytes) {
  line.clear();
  auto* from = in.rdbuf();
  for (; bytes > 0; --bytes) {
    const auto c = from->sbumpc();
    if (c == std::char_traits<char>::eof()) break;
    if (c == '\n') {
      --bytes;
      return Line::whole;
    }
    if (line.size() >= kMaxStatement) return fail(Errc::too_large, "a statement is too long");
    line += static_cast<char>(c);
  }
  return line.empty() ? Line::none : Line::torn;
}

class Reader {
 public:
  Reader(const PublicKey& key, const std::function<void(const Statement&)>& sink)
      : key_(&key), sink_(&sink) {}

  void take(const std::string& line, Line kind) {
    ++number_;
    const auto statement = kind == Line::whole ? parse_statement(line) : fail(Errc::corrupt, "");
    if (statement) {
      take_statement(*statement);
    } else {
      settle(StatementProblem::malformed);
      doubtful_ = number_;
    }
    previous_ = crypto::sha256(line);
  }

  StatementsReport finish(Line last) {
    // Cut short and followed by nothing yet: a crash just now.
    if (last == Line::torn && doubtful_) {
      ++report_.torn;
      doubtful_.reset();
    }
    settle(StatementProblem::malformed);
    return std::move(report_);
  }

 private:
  void take_statement(const Statement& statement) {
    const bool linked = statement.previous == previous_;
    const bool genuine =
        key_->verifies(encode_heads(statement.heads, statement.previous), statement.signature);
    if (genuine && linked && doubtful_) {
      ++report_.torn;
      doubtful_.reset();
    }
    settle(StatementProblem::malformed);
    if (!genuine) {
      add(number_, StatementProblem::bad_signature);
      return;
    }
    if (!linked) add(number_, StatementProblem::broken_link);
    ++report_.statements;
    (*sink_)(statement);
  }

  /// Nothing can vouch any more for the doubtful line before.
  void settle(StatementProblem problem) {
    if (doubtful_) add(*doubtful_, problem);
    doubtful_.reset();
  }

  void add(std::uint64_t line, StatementProblem problem) {
    if (report_.findings.size() < kMaxFindings) report_.findings.push_back({line, problem});
  }

  const PublicKey* key_;
  const std::function<void(const Statement&)>* sink_;
  StatementsReport report_;
  std::uint64_t number_ = 0;
  std::optional<std::uint64_t> doubtful_;  ///< a line that isn't a statement
  std::string previous_ = no_mac();
};

}  // namespace

Result<void> append_statement(const std::string& path, const Heads& heads, const WitnessKey& key) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (file.get() < 0 || ::flock(file.get(), LOCK_EX) != 0) return io_error(path);
  const auto end = size_of(file.get(), path);
  if (!end) return std::unexpected(end.error());
  const auto tail = read_tail(file.get(), path, *end);
  if (!tail) return std::unexpected(tail.error());
  Statement statement{heads, tail->empty ? no_mac() : crypto::sha256(tail->line), {}};
  statement.signature = key.sign(encode_heads(heads, statement.previous));
  auto line = statement_line(statement) + "\n";
  if (line.size() > kMaxStatement) return fail(Errc::too_large, "too many chains for a statement");
  if (tail->torn) line.insert(0, "\n");
  if (!write_all(file.get(), line) || ::fsync(file.get()) != 0) return io_error(path);
  return tail->empty ? sync_parent(path) : Result<void>{};
}

Result<std::optional<Statement>> last_statement(const std::string& path, const PublicKey& key) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 && errno == ENOENT) return std::nullopt;
  if (file.get() < 0) return io_error(path);
  auto end = size_of(file.get(), path);
  if (!end) return std::unexpected(end.error());
  for (int line = 0; line < kMaxTorn && *end > 0; ++line) {
    const auto tail = read_tail(file.get(), path, *end);
    if (!tail) return std::unexpected(tail.error());
    const auto statement = tail->torn ? fail(Errc::corrupt, "") : parse_statement(tail->line);
    if (statement) {
      if (key.verifies(encode_heads(statement->heads, statement->previous), statement->signature))
        return *statement;
      return fail(Errc::corrupt, path + ": the last statement isn't signed with this key");
    }
    *end -= static_cast<off_t>(tail->line.size() + (tail->torn ? 0 : 1));
  }
  if (*end == 0) return std::nullopt;
  return fail(Errc::corrupt, path + " isn't of statements");
}

Result<StatementsReport> verify_statements(const std::string& path, const PublicKey& key,
                                           const std::function<void(const Statement&)>& sink,
                                           std::uint64_t bytes) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Errc::not_found, path + " can't be read");
  Reader reader(key, sink);
  std::string line;
  for (;;) {
    const auto kind = next_line(in, line, bytes);
    if (!kind) return std::unexpected(kind.error());
    if (*kind != Line::none) reader.take(line, *kind);
    if (*kind != Line::whole) return reader.finish(*kind);
  }
}

}  // namespace postern::accounts::audit
