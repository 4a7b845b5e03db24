#include "dkim/lookups.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "tests/support/fake_resolver.hpp"
#include "tests/support/run_task.hpp"

using namespace postern;

namespace {

// Against its contract.
class BrokenResolver final : public dns::Resolver {
 public:
  Task<std::shared_ptr<const dns::Answer>> query(std::string name, dns::Type type) override {
    if (name == "broken.example") throw std::runtime_error("a bug");
    co_return co_await zone.query(std::move(name), type);
  }
  test::FakeResolver zone;
};

void resolve(BrokenResolver& resolver, std::vector<dkim::Question> questions,
             const std::shared_ptr<dkim::Lookups>& table) {
  test::run_task(dkim::resolve_all(resolver, std::move(questions), table));
}

}  // namespace

TEST_CASE("query_that_throws_does_not_leave_its_waiter_waiting") {
  BrokenResolver resolver;
  resolver.zone.add_txt("good.example", "x");
  const auto table = std::make_shared<dkim::Lookups>();
  const dkim::Question good{"good.example", dns::Type::txt};
  const dkim::Question bad{"broken.example", dns::Type::txt};
  for (const auto& questions : {std::vector{bad, good}, std::vector{good, bad}, std::vector{bad}})
    CHECK_THROWS_WITH(resolve(resolver, questions, table), "a bug");
  const auto answer = table->find(good.first, good.second);
  REQUIRE(answer);
  CHECK(answer->status == dns::Status::ok);
  CHECK_FALSE(table->find(bad.first, bad.second));
}
