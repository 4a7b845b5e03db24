#include "mailbox/change_feed.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <optional>
#include <thread>
#include <vector>

using namespace postern;
using namespace postern::mailbox;

TEST_CASE("changes_reach_subscribers_of_mailbox_and_account") {
  asio::io_context context{1};
  ChangeFeed feed;
  const auto account = AccountId::make();
  const auto inbox = MailboxId::make();
  std::vector<std::uint64_t> by_mailbox, by_account;
  auto one = feed.subscribe(context.get_executor(), inbox,
                            [&](const Change& c) { by_mailbox.push_back(c.modseq); });
  auto two = feed.subscribe_account(context.get_executor(), account,
                                    [&](const Change& c) { by_account.push_back(c.modseq); });
  feed.publish({account, inbox, 5});
  feed.publish({account, MailboxId::make(), 6});
  feed.publish({AccountId::make(), MailboxId::make(), 7});
  CHECK(by_mailbox.empty());  // never on the publisher's stack
  context.run();
  CHECK(by_mailbox == std::vector<std::uint64_t>{5});
  CHECK(by_account == std::vector<std::uint64_t>{5, 6});
}

TEST_CASE("changes_that_wait_become_one_notice") {
  asio::io_context context{1};
  ChangeFeed feed;
  const Change change{AccountId::make(), MailboxId::make(), 1};
  std::vector<std::uint64_t> seen;
  auto subscription = feed.subscribe(context.get_executor(), change.mailbox,
                                     [&](const Change& c) { seen.push_back(c.modseq); });
  for (const std::uint64_t modseq : {3U, 9U, 4U})
    feed.publish({change.account, change.mailbox, modseq});
  CHECK(context.run() == 1);
  CHECK(seen == std::vector<std::uint64_t>{9});
  context.restart();
  feed.publish({change.account, change.mailbox, 10});
  context.run();
  CHECK(seen == std::vector<std::uint64_t>{9, 10});
}

TEST_CASE("ended_subscription_is_not_called_even_for_waiting_notices") {
  asio::io_context context{1};
  std::optional<ChangeFeed> feed(std::in_place);
  const Change change{AccountId::make(), MailboxId::make(), 1};
  int calls = 0;
  auto subscription =
      feed->subscribe(context.get_executor(), change.mailbox, [&](const Change&) { ++calls; });
  feed->publish(change);
  subscription.reset();
  feed->publish(change);
  context.run();
  CHECK(calls == 0);
  auto moved =
      feed->subscribe(context.get_executor(), change.mailbox, [&](const Change&) { ++calls; });
  subscription = std::move(moved);
  context.restart();
  feed->publish(change);
  context.run();
  CHECK(calls == 1);
  feed.reset();  // a subscription may outlive the feed
}

TEST_CASE("changes_from_many_threads_all_arrive") {
  asio::io_context context{1};
  ChangeFeed feed;
  const auto account = AccountId::make();
  const auto inbox = MailboxId::make();
  std::uint64_t newest = 0;
  auto subscription = feed.subscribe(context.get_executor(), inbox,
                                     [&](const Change& c) { newest = std::max(newest, c.modseq); });
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&feed, account, inbox, t] {
      for (std::uint64_t i = 1; i <= 1'000; ++i) feed.publish({account, inbox, i * 4 + t});
    });
  }
  for (int i = 0; i < 100; ++i) {
    context.restart();
    context.poll();
  }
  for (auto& thread : threads) thread.join();
  context.restart();
  context.run();
  CHECK(newest == 4'003);
}
