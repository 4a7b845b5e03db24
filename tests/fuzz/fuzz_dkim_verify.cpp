// DKIM verification behind its guard. The input: lines of key records up to an empty line, then a
// message (LF becomes CRLF). Keys are found under any name, so that every signature reaches the
// library.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "dkim/dmarc/dmarc.hpp"
#include "dkim/fields.hpp"
#include "dkim/verify/verifier.hpp"

using namespace postern;

namespace {

class OneKey final : public dns::Resolver {
 public:
  explicit OneKey(std::string text) : text_(std::move(text)) {}
  Task<std::shared_ptr<const dns::Answer>> query(std::string name, dns::Type) override {
    auto answer = std::make_shared<dns::Answer>();
    answer->status = dns::Status::ok;
    const bool other = name.starts_with("e") || name.starts_with("brisbane");
    answer->texts.push_back(
        text_.empty()
            ? (other ? "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
                     : "v=DKIM1; k=rsa; "
                       "p="
                       "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6"
                       "wy5bdOKb2jLQiY/J16JYi0Qvx/"
                       "byYzCNb3W91y3FutACDfzwQ/BC/e/"
                       "8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/"
                       "K4w3QIDAQAB")
            : text_);
    co_return answer;
  }

 private:
  std::string text_;
};

Task<> verify(dns::Resolver& resolver, dkim::MessagePtr message) {
  (void)co_await dkim::verify(resolver, message, {Timestamp{std::chrono::seconds{1'700'000'000}}});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string message;
  std::string key;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.starts_with("K ")) {
    const auto end = std::min(text.find('\n'), text.size());
    key = text.substr(2, end - 2);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  for (char c : text) {
    if (c == '\n' && !message.ends_with('\r')) message += '\r';
    message += c;
  }
  OneKey resolver(key);
  asio::io_context context{1};
  asio::co_spawn(context, verify(resolver, dkim::make_message(message)), asio::detached);
  context.run();
  (void)dmarc::author_domains(dkim::split_message(message).header);
  return 0;
}
