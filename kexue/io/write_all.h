// What writers of files share: the loop around write(2), and its errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "kexue/io/file_system.h"

namespace kexue::io {

// Goes on after short writes and EINTR. Returns 0, or a negative errno (-EIO
// for a write of nothing); then `*rest` is what was not written.
int64_t write_all(FileSystem& fs, int fd, std::span<const std::byte>* rest);
int64_t write_all(FileSystem& fs, int fd, std::string_view text);

// kIo, also where a folder is missing: while writing that is no missing input.
// A full disk (ENOSPC, EDQUOT, EFBIG) gets the hint.
[[nodiscard]] Error write_error(std::string_view call,
                                const std::string& path,
                                int64_t negative_errno,
                                const char* hint_if_full);

}  // namespace kexue::io
