// What a borrowed Statement holds. Internal to storage/sql.
#pragma once

#include <cstdint>
#include <memory>

#include "storage/sql/connection.hpp"

namespace postern::sql {

struct Statement::Impl {
  Connection* connection = nullptr;
  CachedStatement* entry = nullptr;
  std::unique_ptr<CachedStatement> own;  ///< when the cached one was already borrowed
  std::uint64_t bound = 0;               ///< parameters bound so far, bit n-1 for number n
  bool started = false;
  bool finished = false;

  ~Impl();
  void reset();
  void mark_bound(int index);
  /// Every parameter has a value: a forgotten one would quietly be NULL.
  void check_bound() const;
  int find(std::string_view name);
};

}  // namespace postern::sql
