// A folder of a test's own, removed at its end.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "kexue/base/error.h"
#include "kexue/io/file_system.h"

namespace kexue::testing {

class TempFolder final {
 public:
  TempFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "kexue-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw Error(Code::kIo, "mkdtemp " + pattern);
    }
    path_ = pattern;
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const {
    return path_ + "/" + name;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    io::real_fs().list(path_, &out);
    return out;
  }

 private:
  std::string path_;
};

}  // namespace kexue::testing
