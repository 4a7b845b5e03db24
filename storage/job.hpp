// A closure on its way through the door, and what comes back. Internal to storage.
#pragma once

#include <functional>

#include "core/result.hpp"
#include "storage/sql/connection.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::storage {

/// `run` does the work and may be called several times; `finish` is called once, on a thread of the
/// database, when the outcome is final (for a write: durable).
struct Job {
  std::function<Result<void>(sql::Transaction&)> run;
  std::move_only_function<void(Result<void>)> finish;
};

/// Runs the closure and turns what it throws into an Error. The caller's transaction stays as it
/// is. A std::logic_error (SQL that breaks the engine's rules) and any other exception is a bug: it
/// is logged with `file`, and the closure fails with Errc::corrupt.
Result<void> run_guarded(const Job& job, sql::Transaction& tx, const std::string& file);

/// How an engine's result code reads to callers.
Errc to_errc(int code);

}  // namespace postern::storage
