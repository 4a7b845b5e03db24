#include "tests/storage/fault_vfs.hpp"

#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <mutex>

namespace postern::storage::test {

namespace {

std::atomic<int> g_countdown{0};  // 0: off
std::atomic<int> g_code{0};
std::atomic<bool> g_lasting{false};
std::atomic<bool> g_hit{false};
std::atomic<bool> g_stopped{false};

/// The code to fail this step with, or SQLITE_OK.
int next_step() {
  if (g_hit && g_lasting) return g_code;
  if (g_countdown == 0 || --g_countdown != 0) return SQLITE_OK;
  g_hit = true;
  return g_code;
}

struct FaultFile {
  sqlite3_file base;
  sqlite3_file* real;
};

sqlite3_file* real_of(sqlite3_file* file) { return reinterpret_cast<FaultFile*>(file)->real; }

int do_close(sqlite3_file* f) { return real_of(f)->pMethods->xClose(real_of(f)); }
int do_read(sqlite3_file* f, void* out, int n, sqlite3_int64 at) {
  return real_of(f)->pMethods->xRead(real_of(f), out, n, at);
}
int do_write(sqlite3_file* f, const void* in, int n, sqlite3_int64 at) {
  if (g_stopped) return SQLITE_OK;
  if (const int code = next_step(); code != SQLITE_OK) {
    // Half of the bytes reached the disk, as they do.
    real_of(f)->pMethods->xWrite(real_of(f), in, n / 2, at);
    return code == SQLITE_IOERR ? SQLITE_IOERR_WRITE : code;
  }
  return real_of(f)->pMethods->xWrite(real_of(f), in, n, at);
}
int do_truncate(sqlite3_file* f, sqlite3_int64 size) {
  if (g_stopped) return SQLITE_OK;
  if (const int code = next_step(); code != SQLITE_OK)
    return code == SQLITE_IOERR ? SQLITE_IOERR_TRUNCATE : code;
  return real_of(f)->pMethods->xTruncate(real_of(f), size);
}
int do_sync(sqlite3_file* f, int flags) {
  if (g_stopped) return SQLITE_OK;
  if (const int code = next_step(); code != SQLITE_OK)
    return code == SQLITE_IOERR ? SQLITE_IOERR_FSYNC : code;
  return real_of(f)->pMethods->xSync(real_of(f), flags);
}
int do_size(sqlite3_file* f, sqlite3_int64* size) {
  return real_of(f)->pMethods->xFileSize(real_of(f), size);
}
int do_lock(sqlite3_file* f, int kind) { return real_of(f)->pMethods->xLock(real_of(f), kind); }
int do_unlock(sqlite3_file* f, int kind) { return real_of(f)->pMethods->xUnlock(real_of(f), kind); }
int do_reserved(sqlite3_file* f, int* out) {
  return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}
int do_control(sqlite3_file* f, int op, void* arg) {
  return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}
int do_sector(sqlite3_file* f) { return real_of(f)->pMethods->xSectorSize(real_of(f)); }
int do_character(sqlite3_file* f) {
  return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}
int do_map(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
  return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}
int do_shm_lock(sqlite3_file* f, int at, int n, int flags) {
  return real_of(f)->pMethods->xShmLock(real_of(f), at, n, flags);
}
void do_barrier(sqlite3_file* f) { real_of(f)->pMethods->xShmBarrier(real_of(f)); }
int do_unmap(sqlite3_file* f, int remove) {
  return real_of(f)->pMethods->xShmUnmap(real_of(f), remove);
}

const sqlite3_io_methods kMethods = {2,          do_close,  do_read,      do_write,  do_truncate,
                                     do_sync,    do_size,   do_lock,      do_unlock, do_reserved,
                                     do_control, do_sector, do_character, do_map,    do_shm_lock,
                                     do_barrier, do_unmap,  nullptr,      nullptr};

sqlite3_vfs* real_vfs(sqlite3_vfs* vfs) { return static_cast<sqlite3_vfs*>(vfs->pAppData); }

int do_open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
  auto* mine = reinterpret_cast<FaultFile*>(file);
  mine->real = reinterpret_cast<sqlite3_file*>(mine + 1);
  const int code = real_vfs(vfs)->xOpen(real_vfs(vfs), name, mine->real, flags, out);
  mine->base.pMethods = mine->real->pMethods != nullptr ? &kMethods : nullptr;
  return code;
}

int do_delete(sqlite3_vfs* vfs, const char* name, int sync) {
  if (g_stopped) return SQLITE_OK;
  return real_vfs(vfs)->xDelete(real_vfs(vfs), name, sync);
}

}  // namespace

void register_fault_vfs() {
  static std::once_flag once;
  std::call_once(once, [] {
    static sqlite3_vfs vfs;
    auto* real = sqlite3_vfs_find(nullptr);
    vfs = *real;
    vfs.zName = kFaultVfs;
    vfs.pAppData = real;
    vfs.szOsFile = static_cast<int>(sizeof(FaultFile)) + real->szOsFile;
    vfs.xOpen = do_open;
    vfs.xDelete = do_delete;
    sqlite3_vfs_register(&vfs, 0);
  });
}

void inject_fault(int step, Fault fault, Duration duration) {
  g_hit = false;
  g_lasting = duration == Duration::lasting;
  g_code = fault == Fault::full        ? SQLITE_FULL
           : fault == Fault::no_memory ? SQLITE_NOMEM
                                       : SQLITE_IOERR;
  g_countdown = step;
}

bool clear_fault() {
  g_countdown = 0;
  g_stopped = false;
  g_lasting = false;
  return g_hit.exchange(false);
}

void stop_the_disk() { g_stopped = true; }

}  // namespace postern::storage::test
