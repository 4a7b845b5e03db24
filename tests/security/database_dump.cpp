#include "tests/security/database_dump.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>

namespace postern::test {

namespace {

class File {
 public:
  explicit File(const std::filesystem::path& path) {
    if (sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK)
      throw std::runtime_error("cannot open " + path.string());
  }
  ~File() { sqlite3_close(db_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  using Row = std::vector<std::string>;
  [[nodiscard]] std::vector<Row> query(const std::string& text) const {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(db_, text.c_str(), -1, &raw, nullptr) != SQLITE_OK)
      throw std::runtime_error(text + ": " + sqlite3_errmsg(db_));
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(raw, sqlite3_finalize);
    std::vector<Row> rows;
    while (sqlite3_step(raw) == SQLITE_ROW) {
      Row row;
      for (int i = 0; i < sqlite3_column_count(raw); ++i) row.push_back(value(raw, i));
      rows.push_back(std::move(row));
    }
    return rows;
  }

  [[nodiscard]] std::vector<std::string> tables() const {
    std::vector<std::string> names;
    for (auto& row : query("SELECT name FROM sqlite_master WHERE type = 'table'"))
      names.push_back(std::move(row[0]));
    return names;
  }
  [[nodiscard]] bool has(const std::string& table, const std::string& column) const {
    const auto columns = query(fmt::format("SELECT name FROM pragma_table_info('{}')", table));
    return std::ranges::any_of(columns, [&](const Row& row) { return row[0] == column; });
  }

 private:
  static std::string value(sqlite3_stmt* statement, int column) {
    if (sqlite3_column_type(statement, column) == SQLITE_BLOB) {
      const auto* data = static_cast<const unsigned char*>(sqlite3_column_blob(statement, column));
      std::string hex;
      for (int i = 0; i < sqlite3_column_bytes(statement, column); ++i)
        hex += fmt::format("{:02x}", data[i]);
      return hex;
    }
    const auto* text = sqlite3_column_text(statement, column);
    if (text == nullptr) return "NULL";
    return {reinterpret_cast<const char*>(text),
            static_cast<std::size_t>(sqlite3_column_bytes(statement, column))};
  }

  sqlite3* db_ = nullptr;
};

void each_file(const std::filesystem::path& data,
               const std::function<void(const std::string&, const File&)>& look) {
  for (const auto& entry : std::filesystem::directory_iterator(data)) {
    if (entry.path().extension() == ".db")
      look(entry.path().filename().string(), File(entry.path()));
  }
}

// "x'0102', x'0304'"
std::string blobs(const std::vector<std::string>& ids) {
  std::string out;
  for (const auto& id : ids) out += fmt::format("{}x'{}'", out.empty() ? "" : ", ", id);
  return out;
}

std::string condition_of(const File& file, const std::string& table, const std::string& tenant,
                         const std::vector<std::string>& people) {
  std::string condition;
  const auto either = [&](const std::string& what) {
    condition += (condition.empty() ? "" : " OR ") + what;
  };
  if (file.has(table, "tenant_id")) either(fmt::format("tenant_id = x'{}'", tenant));
  if (file.has(table, "person_id")) either(fmt::format("person_id IN ({})", blobs(people)));
  if (table == "people") either(fmt::format("id IN ({})", blobs(people)));
  if (table == "tenants") either(fmt::format("id = x'{}'", tenant));
  return condition;
}

}  // namespace

Dump dump_of(const std::filesystem::path& data, const std::string& tenant,
             const std::vector<std::string>& people, const std::set<std::string>& but) {
  Dump dump;
  each_file(data, [&](const std::string& name, const File& file) {
    for (const auto& table : file.tables()) {
      const auto condition = condition_of(file, table, tenant, people);
      if (condition.empty() || but.contains(table)) continue;
      auto& rows = dump[name + "/" + table];
      for (const auto& row : file.query(fmt::format("SELECT * FROM {} WHERE {}", table, condition)))
        rows.push_back(fmt::format("{}", fmt::join(row, "|")));
      std::ranges::sort(rows);
    }
  });
  return dump;
}

std::size_t records_of(const std::filesystem::path& data, std::string_view action,
                       accounts::audit::Outcome outcome) {
  const File file(data / "control.db");
  return file
      .query(fmt::format("SELECT number FROM audit_records WHERE action = '{}' AND outcome = {}",
                         action, static_cast<int>(outcome)))
      .size();
}

}  // namespace postern::test
