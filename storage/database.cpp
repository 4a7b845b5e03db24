#include "storage/database.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "storage/backup.hpp"
#include "storage/readers.hpp"
#include "storage/sql/migrate.hpp"
#include "storage/writer.hpp"

namespace postern::storage {

namespace {

using Access = sql::Connection::Access;
namespace fs = std::filesystem;

Result<std::unique_ptr<sql::Connection>> connect(const Database::Options& options, Access access,
                                                 std::shared_ptr<const sql::Catalog> catalog = {}) {
  return sql::Connection::open(
      {.path = options.path, .access = access, .catalog = std::move(catalog), .vfs = options.vfs});
}

Error about(const Database::Options& options, const Error& error) {
  return {error.code, fmt::format("{}: {}", options.path, error.message)};
}

Result<void> copy_before_migration(const Database::Options& options, sql::Connection& connection) {
  auto directory = options.backup_directory;
  if (directory.empty()) directory = fs::path(options.path).parent_path().string();
  if (directory.empty()) directory = ".";
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return fail(Errc::io, fmt::format("cannot make {}: {}", directory, error.message()));
  return copy_database(connection, migration_backup_path(directory, options.path));
}

Result<void> migrate(const Database::Options& options, sql::Connection& connection) {
  auto plan = sql::plan_migrations(connection, options.schemas);
  if (!plan) return std::unexpected(plan.error());
  if (!plan->fresh && !plan->pending.empty()) {
    if (auto copied = copy_before_migration(options, connection); !copied) return copied;
  }
  return sql::run_migrations(connection, *plan);
}

Result<void> require_current(const Database::Options& options, sql::Connection& connection) {
  auto plan = sql::plan_migrations(connection, options.schemas);
  if (!plan) return std::unexpected(plan.error());
  if (plan->pending.empty()) return {};
  return fail(Errc::unsupported,
              "the file is of an older version; start the server once to migrate it");
}

Result<std::unique_ptr<Readers>> start_readers(const Database::Options& options, Access access,
                                               const std::shared_ptr<const sql::Catalog>& catalog) {
  std::vector<std::unique_ptr<sql::Connection>> connections;
  for (std::size_t i = 0; i < std::max<std::size_t>(options.readers, 1); ++i) {
    auto connection = connect(options, access, catalog);
    if (!connection) return std::unexpected(connection.error());
    connections.push_back(std::move(*connection));
  }
  return std::make_unique<Readers>(std::move(connections), options.path, options.queue_limit);
}

}  // namespace

struct Database::Impl {
  Options options;
  // Readers first to go, so that the writer's last checkpoint finds no snapshot in its way.
  std::unique_ptr<Writer> writer;
  std::unique_ptr<Readers> readers;
};

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(Options options) {
  auto connection = connect(options, Access::owner);
  if (!connection) return std::unexpected(connection.error());
  auto catalog = std::make_shared<const sql::Catalog>(options.schemas);
  auto ready = migrate(options, **connection);
  if (ready) ready = sql::check_tables(**connection, *catalog);
  if (!ready) return std::unexpected(about(options, ready.error()));
  (*connection)->guard_with(catalog);
  auto readers = start_readers(options, Access::snapshot, catalog);
  if (!readers) return std::unexpected(readers.error());
  auto impl = std::make_unique<Impl>();
  impl->writer =
      std::make_unique<Writer>(std::move(*connection), options.path, options.queue_limit);
  impl->readers = std::move(*readers);
  impl->options = std::move(options);
  return std::unique_ptr<Database>(new Database(std::move(impl)));
}

Result<std::unique_ptr<Database>> Database::open_read_only(Options options) {
  auto connection = connect(options, Access::tool);
  if (!connection) return std::unexpected(connection.error());
  auto catalog = std::make_shared<const sql::Catalog>(options.schemas);
  auto ready = require_current(options, **connection);
  if (ready) ready = sql::check_tables(**connection, *catalog);
  if (!ready) return std::unexpected(about(options, ready.error()));
  auto readers = start_readers(options, Access::tool, catalog);
  if (!readers) return std::unexpected(readers.error());
  auto impl = std::make_unique<Impl>();
  impl->readers = std::move(*readers);
  impl->options = std::move(options);
  return std::unique_ptr<Database>(new Database(std::move(impl)));
}

const std::string& Database::path() const { return impl_->options.path; }

std::size_t Database::queued_writes() const { return impl_->writer ? impl_->writer->queued() : 0; }

void Database::submit_write(Lane lane, Purpose purpose, Run run, Finish finish) {
  const auto& closed = impl_->options.intake_closed;
  if (!impl_->writer) return finish(fail(Errc::denied, "the database was opened read-only"));
  if (purpose == Purpose::intake && closed && closed->load(std::memory_order_relaxed)) {
    metrics_of(path()).refused.add();
    return finish(fail(Errc::overloaded, "the disk is below its reserve"));
  }
  impl_->writer->submit(lane, Job{std::move(run), std::move(finish)});
}

void Database::submit_read(Run run, Finish finish) {
  impl_->readers->submit(Job{std::move(run), std::move(finish)});
}

Task<Result<void>> Database::write_run(Lane lane, Purpose purpose, Run run) {
  struct Start {
    Database* self;
    Lane lane;
    Purpose purpose;
    Run run;
    void operator()(Finish done) {
      self->submit_write(lane, purpose, std::move(run), std::move(done));
    }
  };
  co_return co_await suspend_for<void>(Start{this, lane, purpose, std::move(run)});
}

Task<Result<void>> Database::read_run(Run run) {
  struct Start {
    Database* self;
    Run run;
    void operator()(Finish done) { self->submit_read(std::move(run), std::move(done)); }
  };
  co_return co_await suspend_for<void>(Start{this, std::move(run)});
}

Result<void> Database::backup_to(const std::string& target) {
  return backup_together({this}, {target});
}

Result<void> Database::backup_together(const std::vector<Database*>& databases,
                                       const std::vector<std::string>& targets) {
  std::vector<std::unique_ptr<sql::Connection>> sources;
  for (const auto* database : databases) {
    const auto access = database->impl_->writer ? Access::snapshot : Access::tool;
    auto source = connect(database->impl_->options, access);
    if (!source) return std::unexpected(source.error());
    sources.push_back(std::move(*source));
  }
  {
    std::vector<std::unique_ptr<Writer::Pause>> pauses;
    for (const auto* database : databases) {
      auto* writer = database->impl_->writer.get();
      if (writer != nullptr) pauses.push_back(std::make_unique<Writer::Pause>(*writer));
    }
    for (auto& source : sources) {
      if (auto pinned = pin_snapshot(*source); !pinned) return pinned;
    }
  }
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (auto copied = copy_database(*sources[i], targets.at(i)); !copied) return copied;
    sources[i].reset();  // gives the snapshot back
  }
  return {};
}

}  // namespace postern::storage
