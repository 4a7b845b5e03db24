#include "storage/lane_queue.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace postern::storage::test {

namespace {
void push(LaneQueue<std::string>& queue, Lane lane, int count) {
  for (int i = 0; i < count; ++i) {
    std::string job(1, to_string(lane).front());
    if (lane == Lane::alert) job = "l";
    REQUIRE(queue.push(lane, job));
  }
}
std::string pop_all(LaneQueue<std::string>& queue, std::size_t count) {
  std::string order;
  while (count-- > 0) {
    auto job = queue.pop();
    if (!job) break;
    order += *job;
  }
  return order;
}
}  // namespace

TEST_CASE("urgent_lane_is_served_first") {
  LaneQueue<std::string> queue(100);
  push(queue, Lane::bulk, 3);
  push(queue, Lane::auth, 3);
  push(queue, Lane::alert, 1);
  CHECK(pop_all(queue, 10) == "aaalbbb");
  CHECK_FALSE(queue.pop());
}

TEST_CASE("lower_lanes_keep_their_share") {
  LaneQueue<std::string> queue(1000);
  for (const Lane lane : {Lane::bulk, Lane::transactional, Lane::alert, Lane::auth})
    push(queue, lane, 100);
  CHECK(pop_all(queue, 30) ==
        std::string(16, 'a') + std::string(8, 'l') + std::string(4, 't') + "bb");
  CHECK(pop_all(queue, 30) ==
        std::string(16, 'a') + std::string(8, 'l') + std::string(4, 't') + "bb");
}

TEST_CASE("full_lane_queue_refuses_and_keeps_the_job") {
  LaneQueue<std::string> queue(2);
  push(queue, Lane::bulk, 2);
  std::string job = "mine";
  CHECK_FALSE(queue.push(Lane::auth, job));
  CHECK(job == "mine");
  CHECK(queue.size() == 2);
  REQUIRE(queue.pop());
  CHECK(queue.push(Lane::auth, job));
}

TEST_CASE("lane_keeps_its_order") {
  LaneQueue<int> queue(100);
  for (int i = 0; i < 50; ++i) REQUIRE(queue.push(Lane::bulk, i));
  for (int i = 0; i < 50; ++i) CHECK(*queue.pop() == i);
}

}  // namespace postern::storage::test
