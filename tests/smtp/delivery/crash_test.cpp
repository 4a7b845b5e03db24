// kill -9 in the middle of an attempt: what was accepted is there, and is sent.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>

#include "tests/smtp/delivery/service_fixture.hpp"

using namespace postern;
using namespace postern::test;

TEST_CASE("killed_during_data_sends_the_message_after_restart") {
  auto child = std::make_shared<std::atomic<pid_t>>(0);
  SmtpSink::Script script;
  script.data = [child](const SmtpSink::Mail&) -> std::string {
    const pid_t pid = child->exchange(0);
    if (pid == 0) return "250 ok";
    ::kill(pid, SIGKILL);  // before the server can know what came of the message
    return "";
  };
  SmtpSink sink(script);
  ServiceFixture f(sink.port());
  const auto message = f.queue.message({"a@b.example", "c@b.example"});
  f.queue.db.reset();  // no thread of ours but the sink's at the fork
  // The child waits until the parent has noted its id.
  int gate[2];
  REQUIRE(::pipe(gate) == 0);
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    char go = 0;
    if (::read(gate[0], &go, 1) != 1) ::_exit(2);
    f.queue.reopen();
    f.start();
    f.send(message);
    ::sleep(30);
    ::_exit(3);
  }
  child->store(pid);
  REQUIRE(::write(gate[1], "g", 1) == 1);
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFSIGNALED(status));
  ::close(gate[0]);
  ::close(gate[1]);

  f.queue.reopen();
  CHECK(f.queue.due().size() == 2);
  CHECK(sink.mails().empty());
  f.start();
  REQUIRE(f.finished(message.envelope.id));
  REQUIRE(sink.mails().size() == 1);
  CHECK(sink.mails()[0].recipients.size() == 2);
}
