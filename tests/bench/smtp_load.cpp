// Sends many messages over many SMTP connections from one thread, and prints as JSON how long they
// took. It does what Postfix's smtp-source can't: log in, pipeline (RFC 2920), and send text that
// doesn't compress to nothing.
//
//   smtp_load --port P [--mode each|reused|pipelined] [--connections 40] [--messages 10000] [--size
//   10240]
//             [--from A] [--to A] [--mailboxes N] [--login USER:PASSWORD]
//
// A `%d` in --to becomes a number below N. Any reply but the expected one ends the run with
// status 1.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::uint16_t port = 25;
  std::string mode = "reused", from = "load@sender.example", to = "user%d@bench.example", login;
  std::size_t connections = 40, messages = 10000, size = 10240, mailboxes = 1;
};

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "smtp_load: %s\n", why.c_str());
  std::exit(1);
}

Options parse(int argc, char** argv) {
  std::map<std::string, std::string> given;
  for (int i = 1; i + 1 < argc; i += 2) given[argv[i]] = argv[i + 1];
  Options o;
  const auto text = [&](const char* name, std::string& value) {
    if (const auto it = given.find(name); it != given.end()) value = it->second;
  };
  const auto number = [&](const char* name, auto& value) {
    if (const auto it = given.find(name); it != given.end())
      value = static_cast<std::remove_reference_t<decltype(value)>>(std::stoull(it->second));
  };
  text("--mode", o.mode);
  text("--from", o.from);
  text("--to", o.to);
  text("--login", o.login);
  number("--port", o.port);
  number("--connections", o.connections);
  number("--messages", o.messages);
  number("--size", o.size);
  number("--mailboxes", o.mailboxes);
  if (o.mode != "each" && o.mode != "reused" && o.mode != "pipelined")
    fail("--mode is each, reused or pipelined");
  return o;
}

std::string base64(const std::string& in) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0, count = 0;
  for (const char c : in) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) out += kAlphabet[bits >> (count - 6) & 63];
  }
  if (count != 0) out += kAlphabet[bits << (6 - count) & 63];
  while (out.size() % 4 != 0) out += '=';
  return out;
}

// Texts of made-up words, as unevenly used as those of a language (Zipf's law), so that a server
// which compresses does the work that prose costs.
std::vector<std::string> make_texts(std::size_t size) {
  std::mt19937 random(1);  // NOLINT: the same texts in each run
  std::vector<std::string> words(2000);
  for (auto& word : words)
    for (auto letters = 2 + random() % 8; letters > 0; --letters)
      word += static_cast<char>('a' + random() % 26);
  std::vector<double> weights;
  for (std::size_t rank = 1; rank <= words.size(); ++rank)
    weights.push_back(1.0 / static_cast<double>(rank));
  std::discrete_distribution<std::size_t> any(weights.begin(), weights.end());
  std::vector<std::string> texts(64);
  for (auto& text : texts) {
    std::size_t column = 0;
    while (text.size() + 2 < size) {
      const auto& word = words[any(random)];
      text += word;
      column += word.size() + 1;
      text += column > 68 ? "\r\n" : " ";
      if (column > 68) column = 0;
    }
    text += "\r\n";
  }
  return texts;
}

// Commands that are sent at once, and the codes of their replies; `message`: which of them answers
// a message.
struct Group {
  std::string bytes;
  std::vector<int> codes;
  int message = -1;
};

class Load {
 public:
  explicit Load(Options options)
      : options_(std::move(options)), texts_(make_texts(options_.size)), epoll_(epoll_create1(0)) {}

  int run() {
    started_ = Clock::now();
    connections_.resize(std::min(options_.connections, options_.messages));
    for (auto& connection : connections_) open(connection);
    std::vector<epoll_event> events(256);
    while (open_ > 0) {
      const int ready = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 60000);
      if (ready <= 0) fail("nothing arrived for a minute");
      for (std::size_t i = 0; i < static_cast<std::size_t>(ready); ++i)
        handle(*static_cast<Connection*>(events[i].data.ptr), events[i].events);
    }
    report();
    return 0;
  }

 private:
  struct Connection {
    int fd = -1;
    std::string in, out;
    std::size_t written = 0;  // of `out`
    bool wants_room = false;  // EPOLLOUT is asked for
    std::deque<Group> next;
    Group current;
    std::size_t answered = 0;
    Clock::time_point sent;
  };

  void open(Connection& c) {
    c = {};
    c.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(c.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 &&
        errno != EINPROGRESS)
      fail("connect failed");
    c.current = {"", {220}};
    c.next.push_back({"EHLO load.example\r\n", {250}});
    if (!options_.login.empty()) {
      const auto colon = options_.login.find(':');
      const auto plain = std::string(1, '\0') + options_.login.substr(0, colon) +
                         std::string(1, '\0') + options_.login.substr(colon + 1);
      c.next.push_back({"AUTH PLAIN " + base64(plain) + "\r\n", {235}});
    }
    ++open_;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &c;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &event);
  }

  std::string recipient() {
    auto to = options_.to;
    if (const auto at = to.find("%d"); at != std::string::npos)
      to.replace(at, 2, std::to_string(begun_ % options_.mailboxes));
    return to;
  }
  std::string mail() { return "MAIL FROM:<" + options_.from + ">\r\n"; }
  std::string rcpt() { return "RCPT TO:<" + recipient() + ">\r\n"; }

  std::string body() {
    const auto id = std::to_string(begun_);
    const auto& text = texts_[begun_ % texts_.size()];
    std::string out;
    out.reserve(text.size() + 512);
    out += "From: <" + options_.from + ">\r\nTo: <" + recipient() + ">\r\nSubject: Message " + id +
           "\r\nDate: Sun, 1 Nov 2026 10:00:00 +0000\r\nMessage-ID: <" + id + "." +
           std::to_string(started_.time_since_epoch().count()) + "@" + "sender.example>\r\n\r\n";
    out += text;
    out += ".\r\n";
    return out;
  }

  // What comes when nothing is left to send on this connection: a transaction, or QUIT.
  void plan(Connection& c) {
    const bool sent_one = c.current.message >= 0;
    if (begun_ == options_.messages || (options_.mode == "each" && sent_one)) {
      c.next.push_back({"QUIT\r\n", {221}});
      return;
    }
    if (options_.mode == "pipelined") {
      c.next.push_back({mail() + rcpt() + "DATA\r\n", {250, 250, 354}});
    } else {
      c.next.push_back({mail(), {250}});
      c.next.push_back({rcpt(), {250}});
      c.next.push_back({"DATA\r\n", {354}});
    }
    auto text = body();
    ++begun_;
    c.next.push_back({std::move(text), {250}, 0});
  }

  // The next group. A pipelined message takes the next transaction's commands along behind its end.
  void advance(Connection& c) {
    if (c.next.empty()) plan(c);
    c.current = std::move(c.next.front());
    c.next.pop_front();
    if (options_.mode == "pipelined" && c.current.message == 0 && begun_ < options_.messages) {
      plan(c);
      auto& commands = c.next.front();
      c.current.bytes += commands.bytes;
      c.current.codes.insert(c.current.codes.end(), commands.codes.begin(), commands.codes.end());
      c.next.pop_front();
    }
    c.answered = 0;
    c.out = std::move(c.current.bytes);  // what came before has been answered, so it is written
    c.written = 0;
    if (c.current.message >= 0) c.sent = Clock::now();
    write(c);
  }

  void write(Connection& c) {
    while (c.written < c.out.size()) {
      const auto n = ::send(c.fd, c.out.data() + c.written, c.out.size() - c.written, MSG_NOSIGNAL);
      if (n < 0 && errno != EAGAIN) fail("the server closed a connection");
      if (n < 0) break;
      c.written += static_cast<std::size_t>(n);
    }
    const bool wants_room = c.written < c.out.size();
    if (std::exchange(c.wants_room, wants_room) == wants_room) return;
    epoll_event event{};
    event.events = wants_room ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.ptr = &c;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, c.fd, &event);
  }

  void handle(Connection& c, unsigned events) {
    if ((events & EPOLLOUT) != 0) write(c);
    if ((events & ~static_cast<unsigned>(EPOLLOUT)) == 0) return;
    char buffer[4096];
    const auto n = ::read(c.fd, buffer, sizeof buffer);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) fail("the server closed a connection");
    c.in.append(buffer, static_cast<std::size_t>(n));
    for (auto end = c.in.find("\r\n"); end != std::string::npos; end = c.in.find("\r\n")) {
      const auto line = c.in.substr(0, end);
      c.in.erase(0, end + 2);
      if (line.size() > 3 && line[3] == '-') continue;
      if (!reply(c, line)) return;
    }
  }

  // Whether the connection is still open.
  bool reply(Connection& c, const std::string& line) {
    if (std::atoi(line.c_str()) != c.current.codes[c.answered]) fail("not expected: " + line);
    if (static_cast<int>(c.answered) == c.current.message) {
      latencies_.push_back(std::chrono::duration<double>(Clock::now() - c.sent).count());
      last_ = Clock::now();
    }
    if (++c.answered < c.current.codes.size()) return true;
    if (c.current.codes[0] != 221) {
      advance(c);
      return true;
    }
    ::close(c.fd);
    --open_;
    if (options_.mode == "each" && begun_ < options_.messages) open(c);
    return false;
  }

  void report() {
    if (latencies_.size() != options_.messages) fail("not every message was accepted");
    std::sort(latencies_.begin(), latencies_.end());
    const double seconds = std::chrono::duration<double>(last_ - started_).count();
    const auto at = [&](double share) {
      return latencies_[static_cast<std::size_t>(share *
                                                 static_cast<double>(latencies_.size() - 1))] *
             1000;
    };
    std::printf(
        R"({"messages": %zu, "seconds": %.4f, "per_second": %.1f, "p50_ms": %.2f, "p99_ms": %.2f})"
        "\n",
        latencies_.size(), seconds, static_cast<double>(latencies_.size()) / seconds, at(0.5),
        at(0.99));
  }

  Options options_;
  std::vector<std::string> texts_;
  int epoll_;
  std::vector<Connection> connections_;
  std::vector<double> latencies_;
  std::size_t begun_ = 0, open_ = 0;
  Clock::time_point started_, last_;
};

}  // namespace

int main(int argc, char** argv) { return Load(parse(argc, argv)).run(); }
