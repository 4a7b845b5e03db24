// A SQLite VFS that passes everything through to the default one, but for the Nth step that changes
// a file (write, sync, truncate), which fails. Registered once under the name kFaultVfs.
#pragma once

#include <string>

namespace postern::storage::test {

inline constexpr const char* kFaultVfs = "postern-fault";

enum class Fault { full, io_error, no_memory };
enum class Duration { once, lasting };

void register_fault_vfs();
/// The `step`th change from now on fails (1 is the next), or all from there on.
void inject_fault(int step, Fault fault, Duration duration);
/// Heals; returns whether a fault was ever hit.
bool clear_fault();
/// From here on nothing reaches the files, as if the machine had stopped: writes and syncs say they
/// succeed and are dropped. clear_fault() ends it.
void stop_the_disk();

}  // namespace postern::storage::test
