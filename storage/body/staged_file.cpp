#include "storage/body/staged_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/id.hpp"

namespace postern::storage {

namespace {

constexpr std::string_view kSuffix = ".stage";

std::unexpected<Error> file_error(std::string_view what, int why) {
  const bool full = why == ENOSPC || why == EDQUOT;
  const auto code = full ? Errc::overloaded : why == EMFILE ? Errc::temporary : Errc::io;
  return fail(code, fmt::format("{}: {}", what, std::strerror(why)));
}

}  // namespace

Result<std::unique_ptr<StagedFile>> StagedFile::make(const std::string& directory) {
  const auto path = fmt::format("{}/{}{}", directory, to_string(make_uuid()), kSuffix);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return file_error("cannot stage a body in " + directory, errno);
  ::unlink(path.c_str());
  return std::unique_ptr<StagedFile>(new StagedFile(fd));
}

StagedFile::~StagedFile() { ::close(fd_); }

Result<void> StagedFile::append(std::string_view piece) {
  std::size_t written = 0;
  while (written < piece.size()) {
    const auto n = ::pwrite(fd_, piece.data() + written, piece.size() - written,
                            static_cast<off_t>(end_ + written));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error("cannot write a staged body", errno);
    written += static_cast<std::size_t>(n);
  }
  extents_.push_back({end_, static_cast<std::uint32_t>(piece.size())});
  end_ += piece.size();
  return {};
}

Result<std::string> StagedFile::read(std::size_t index) const {
  const auto extent = extents_.at(index);
  std::string piece(extent.size, '\0');
  std::size_t got = 0;
  while (got < piece.size()) {
    const auto n = ::pread(fd_, piece.data() + got, piece.size() - got,
                           static_cast<off_t>(extent.offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error("cannot read a staged body", errno);
    if (n == 0) return fail(Errc::io, "a staged body is shorter than what was written");
    got += static_cast<std::size_t>(n);
  }
  return piece;
}

Result<void> sweep_staging(const std::string& directory) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::create_directories(directory, error);
  if (!error) fs::permissions(directory, fs::perms::owner_all, error);
  if (error) return fail(Errc::io, fmt::format("cannot make {}: {}", directory, error.message()));
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == kSuffix) fs::remove(entry->path(), error);
  }
  if (error) return fail(Errc::io, fmt::format("cannot sweep {}: {}", directory, error.message()));
  return {};
}

}  // namespace postern::storage
