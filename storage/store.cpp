#include "storage/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "storage/body/staged_file.hpp"
#include "storage/directory_lock.hpp"
#include "storage/disk_watch.hpp"
#include "storage/schema.hpp"

namespace postern::storage {

namespace {

namespace fs = std::filesystem;
constexpr std::size_t kShardLimit = 100;  // mail-NN.db has two digits
constexpr std::chrono::seconds kDiskInterval{1};

std::string shard_file(std::size_t shard) { return fmt::format("mail-{:02}.db", shard); }

/// Adds storage's own components, unless the caller's list already names them.
std::vector<sql::Schema> with_own(std::vector<sql::Schema> schemas,
                                  std::initializer_list<sql::Schema> own) {
  for (const auto& schema : own) {
    const auto same = [&](const sql::Schema& other) { return other.component == schema.component; };
    if (std::ranges::none_of(schemas, same)) schemas.push_back(schema);
  }
  return schemas;
}

Result<void> make_directory(const std::string& directory) {
  std::error_code error;
  if (fs::create_directories(directory, error)) {
    fs::permissions(directory, fs::perms::owner_all, error);
  }
  if (error) return fail(Errc::io, fmt::format("cannot make {}: {}", directory, error.message()));
  return {};
}

Result<std::size_t> read_shards(sql::Transaction& tx) {
  auto row = tx.prepare("SELECT value FROM store_meta WHERE name = 'mail_shards'");
  if (!row.step()) return std::size_t{0};
  std::size_t count = 0;
  const auto text = row.text(0);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size() || count == 0 ||
      count > kShardLimit) {
    return fail(Errc::corrupt, "the number of mail shards in control.db is damaged");
  }
  return count;
}

/// The number that the directory was made with, fixed now if this makes it.
Result<std::size_t> fix_shards(Database& control, std::size_t wanted) {
  return control.write_blocking<std::size_t>(
      Purpose::outcome, [wanted](sql::Transaction& tx) -> Result<std::size_t> {
        auto stored = read_shards(tx);
        if (!stored || *stored != 0) return stored;
        auto insert =
            tx.prepare("INSERT INTO store_meta (name, value) VALUES ('mail_shards', :count)");
        insert.bind_text(":count", std::to_string(wanted));
        insert.run();
        return wanted;
      });
}

Result<std::size_t> find_shards(Database& control) {
  auto stored =
      control.read_blocking<std::size_t>([](sql::Transaction& tx) { return read_shards(tx); });
  if (stored && *stored == 0)
    return fail(Errc::corrupt, "control.db doesn't say how many mail shards there are");
  return stored;
}

}  // namespace

struct Store::Impl {
  Options options;
  std::unique_ptr<DirectoryLock> lock;  // the last to go
  std::unique_ptr<DiskWatch> watch;
  std::unique_ptr<Database> control;
  std::unique_ptr<Database> queue;
  std::vector<std::unique_ptr<Database>> mail;
  std::unique_ptr<MonthlyFiles> events;

  enum class Mode : std::uint8_t { own, read_only };
  [[nodiscard]] Database::Options file_options(const std::string& path,
                                               std::vector<sql::Schema> schemas) const;
  [[nodiscard]] Result<std::unique_ptr<Database>> open_file(const std::string& name, Mode mode,
                                                            std::vector<sql::Schema> schemas) const;
  void make_events(Mode mode);
  Result<void> open_control(Mode mode);
  Result<void> open_others(Mode mode);
  [[nodiscard]] std::vector<Database*> all() const;
};

Database::Options Store::Impl::file_options(const std::string& path,
                                            std::vector<sql::Schema> schemas) const {
  Database::Options file;
  file.path = path;
  file.schemas = std::move(schemas);
  file.readers = options.readers_per_file;
  file.queue_limit = options.queue_limit;
  file.backup_directory = options.directory + "/backups";
  if (watch) file.intake_closed = watch->below();
  return file;
}

Result<std::unique_ptr<Database>> Store::Impl::open_file(const std::string& name, Mode mode,
                                                         std::vector<sql::Schema> schemas) const {
  auto file = file_options(options.directory + "/" + name, std::move(schemas));
  return mode == Mode::own ? Database::open(std::move(file))
                           : Database::open_read_only(std::move(file));
}

Result<void> Store::Impl::open_control(Mode mode) {
  auto opened =
      open_file("control.db", mode, with_own(options.control, {meta_schema(), outbox_schema()}));
  if (!opened) return std::unexpected(opened.error());
  control = std::move(*opened);
  return {};
}

Result<void> Store::Impl::open_others(Mode mode) {
  auto opened =
      open_file("queue.db", mode, with_own(options.queue, {body_schema(), outbox_schema()}));
  if (!opened) return std::unexpected(opened.error());
  queue = std::move(*opened);
  for (std::size_t shard = 0; shard < options.mail_shards; ++shard) {
    auto file = open_file(shard_file(shard), mode,
                          with_own(options.mail, {body_schema(), outbox_schema()}));
    if (!file) return std::unexpected(file.error());
    mail.push_back(std::move(*file));
  }
  make_events(mode);
  return {};
}

void Store::Impl::make_events(Mode mode) {
  MonthlyFiles::Options monthly;
  monthly.stem = "events";
  monthly.file = file_options(options.directory, options.events);
  monthly.file.readers = 1;
  monthly.mode = mode == Mode::own ? MonthlyFiles::Mode::own : MonthlyFiles::Mode::read_only;
  events = std::make_unique<MonthlyFiles>(std::move(monthly));
}

std::vector<Database*> Store::Impl::all() const {
  std::vector<Database*> databases{control.get(), queue.get()};
  for (const auto& shard : mail) databases.push_back(shard.get());
  return databases;
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(Options options) {
  if (options.mail_shards == 0 || options.mail_shards > kShardLimit) {
    return fail(Errc::invalid, fmt::format("mail shards must be 1 to {}", kShardLimit));
  }
  if (auto made = make_directory(options.directory); !made) return std::unexpected(made.error());
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  auto lock = DirectoryLock::take(impl->options.directory);
  if (!lock) return std::unexpected(lock.error());
  impl->lock = std::move(*lock);
  auto ready = sweep_staging(impl->options.directory + "/staging");
  if (!ready) return std::unexpected(ready.error());
  impl->watch = std::make_unique<DiskWatch>(free_space_of(impl->options.directory),
                                            impl->options.disk_reserve, kDiskInterval);
  if (ready = impl->open_control(Impl::Mode::own); !ready) return std::unexpected(ready.error());
  const auto shards = fix_shards(*impl->control, impl->options.mail_shards);
  if (!shards) return std::unexpected(shards.error());
  if (*shards != impl->options.mail_shards) {
    return fail(
        Errc::invalid,
        fmt::format("{} was made with {} mail shards, the settings say {}; the number can't "
                    "be changed",
                    impl->options.directory, *shards, impl->options.mail_shards));
  }
  if (ready = impl->open_others(Impl::Mode::own); !ready) return std::unexpected(ready.error());
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Result<std::unique_ptr<Store>> Store::open_read_only(Options options) {
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  auto ready = impl->open_control(Impl::Mode::read_only);
  if (!ready) return std::unexpected(ready.error());
  const auto shards = find_shards(*impl->control);
  if (!shards) return std::unexpected(shards.error());
  impl->options.mail_shards = *shards;
  if (ready = impl->open_others(Impl::Mode::read_only); !ready)
    return std::unexpected(ready.error());
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Database& Store::control() { return *impl_->control; }
Database& Store::queue() { return *impl_->queue; }
Database& Store::mail(std::size_t shard) { return *impl_->mail.at(shard); }
std::size_t Store::mail_shards() const { return impl_->mail.size(); }
MonthlyFiles& Store::events() { return *impl_->events; }
bool Store::below_reserve() const {
  return impl_->watch && impl_->watch->below()->load(std::memory_order_relaxed);
}
const std::string& Store::directory() const { return impl_->options.directory; }
std::string Store::staging_directory() const { return impl_->options.directory + "/staging"; }

Result<void> Store::backup_to(const std::string& directory) {
  std::error_code error;
  if (fs::exists(directory, error) && !fs::is_empty(directory, error)) {
    return fail(Errc::exists, directory + " is there and not empty");
  }
  if (auto made = make_directory(directory); !made) return made;
  std::vector<std::string> targets;
  for (const auto* database : impl_->all()) {
    targets.push_back(directory + "/" + fs::path(database->path()).filename().string());
  }
  if (auto copied = Database::backup_together(impl_->all(), targets); !copied) return copied;
  return impl_->events->backup_to(directory);
}

}  // namespace postern::storage
