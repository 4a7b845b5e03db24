// A mail database in a temporary directory, and shorthands.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "mailbox/account_rows.hpp"
#include "mailbox/delivery.hpp"
#include "mailbox/index_seal.hpp"
#include "mailbox/mailbox_rows.hpp"
#include "mailbox/mailbox_tree.hpp"
#include "mailbox/messages.hpp"
#include "mailbox/objects.hpp"
#include "mailbox/schema.hpp"
#include "storage/database.hpp"
#include "storage/schema.hpp"
#include "tests/support/temp_directory.hpp"

namespace postern::test {

template <class T>
T must(Result<T> result) {
  if (!result) FAIL(to_string(result.error().code) << ": " << result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <class T>
Errc code_of(const Result<T>& result) {
  REQUIRE_FALSE(result);
  return result.error().code;
}

class MailDatabase {
 public:
  /// Runs `fn(scope)` in one write transaction of a tenant and gives what it returns.
  template <class Fn>
  auto in_tenant(TenantId id, Fn fn) {
    using T = decltype(fn(std::declval<sql::TenantScope&>()));
    if constexpr (std::is_void_v<T>) {
      must(database->write_blocking<int>(storage::Purpose::outcome, [&](sql::Transaction& tx) {
        sql::TenantScope scope(tx, id);
        fn(scope);
        return Result<int>(0);
      }));
    } else {
      // The inner result is a value here: an error of fn must not roll back what a test looks at.
      auto out = std::make_shared<std::optional<T>>();
      must(database->write_blocking<int>(storage::Purpose::outcome, [&, out](sql::Transaction& tx) {
        sql::TenantScope scope(tx, id);
        out->emplace(fn(scope));
        return Result<int>(0);
      }));
      return std::move(**out);
    }
  }
  template <class Fn>
  auto in(Fn fn) {
    return in_tenant(tenant, std::move(fn));
  }

  MailDatabase() {
    storage::Database::Options options;
    options.path = directory.file("mail.db");
    options.schemas = {storage::body_schema(), mailbox::mail_schema()};
    options.backup_directory = directory.file("backup");
    database = must(storage::Database::open(std::move(options)));
    in([this](sql::TenantScope& scope) { mailbox::create_account_mailboxes(scope, account, now); });
  }

  mailbox::MailboxInfo find(std::string_view name) {
    return must(
        in([&](sql::TenantScope& scope) { return mailbox::find_mailbox(scope, account, name); }));
  }

  mailbox::NewMessage message(std::string_view text, mailbox::Flags flags = {}) {
    mailbox::NewMessage out;
    out.body = storage::seal_body(key, ObjectId::make(), text);
    out.index = mailbox::seal_index(key, out.body.object, message::make_index(text));
    out.flags = std::move(flags);
    out.internal_date = now;
    return out;
  }

  mailbox::Placed append(std::string_view name, std::string_view text, mailbox::Flags flags = {}) {
    const auto made = message(text, std::move(flags));
    const auto target = find(name).id;
    return must(in([&](sql::TenantScope& scope) {
      return mailbox::append_message(scope, target, made, std::nullopt, now);
    }));
  }

  mailbox::OpenedMailbox open(std::string_view name) {
    const auto id = find(name).id;
    return must(in([&](sql::TenantScope& scope) { return mailbox::open_mailbox(scope, id); }));
  }

  mailbox::Usage usage() {
    return must(in([&](sql::TenantScope& scope) { return mailbox::usage(scope, account); }));
  }

  TempDirectory directory;
  std::unique_ptr<storage::Database> database;
  TenantId tenant = TenantId::make();
  AccountId account = AccountId::make();
  storage::DataKey key{tenant, std::string(32, 'k')};
  Timestamp now = from_micros(1'700'000'000'000'000);
};

}  // namespace postern::test
