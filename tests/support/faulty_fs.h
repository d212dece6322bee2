// A file system that fails its k-th call: loop k = 1, 2, ... until a run is
// not touched any more.
#pragma once

#include <string>
#include <vector>

#include "kexue/io/file_system.h"

namespace kexue::testing {

class FaultyFs final : public io::FileSystem {
 public:
  enum class When { kOnce, kForever };
  struct Fault {
    int error = 5;                // errno to return; EIO
    bool short_transfer = false;  // instead: half of a read or write happens
  };

  // k counts from 1; 0 never fails.
  FaultyFs(int k, Fault fault, When when, io::FileSystem& fs = io::real_fs())
      : fs_(fs), k_(k), fault_(fault), when_(when) {}

  int calls() const { return calls_; }
  bool fired() const { return fired_; }

  int open(const std::string& path, int flags, unsigned mode) override {
    return fails() ? -fault_.error : fs_.open(path, flags, mode);
  }
  int close(int fd) override {
    const bool failed = fails();
    const int rc = fs_.close(fd);  // as in Linux: closed even on an error
    return failed ? -fault_.error : rc;
  }
  int64_t read(int fd, void* to, size_t bytes) override {
    if (!is_now()) return fs_.read(fd, to, bytes);
    return fault_.short_transfer ? fs_.read(fd, to, (bytes + 1) / 2)
                                 : -fault_.error;
  }
  int64_t read_at(int fd, void* to, size_t bytes, uint64_t at) override {
    if (!is_now()) return fs_.read_at(fd, to, bytes, at);
    return fault_.short_transfer ? fs_.read_at(fd, to, (bytes + 1) / 2, at)
                                 : -fault_.error;
  }
  int64_t write(int fd, const void* from, size_t bytes) override {
    if (!is_now()) return fs_.write(fd, from, bytes);
    return fault_.short_transfer ? fs_.write(fd, from, (bytes + 1) / 2)
                                 : -fault_.error;
  }
  int fsync(int fd) override { return fails() ? -fault_.error : fs_.fsync(fd); }
  int info(int fd, io::FileInfo* out) override {
    return fails() ? -fault_.error : fs_.info(fd, out);
  }
  int rename(const std::string& from, const std::string& to) override {
    return fails() ? -fault_.error : fs_.rename(from, to);
  }
  int unlink(const std::string& path) override {
    return fails() ? -fault_.error : fs_.unlink(path);
  }
  int mkdir(const std::string& path, unsigned mode) override {
    return fails() ? -fault_.error : fs_.mkdir(path, mode);
  }
  int rmdir(const std::string& path) override {
    return fails() ? -fault_.error : fs_.rmdir(path);
  }
  int list(const std::string& path, std::vector<std::string>* out) override {
    return fails() ? -fault_.error : fs_.list(path, out);
  }
  int free_bytes(const std::string& path, uint64_t* out) override {
    return fails() ? -fault_.error : fs_.free_bytes(path, out);
  }

 private:
  bool is_now() {
    ++calls_;
    const bool now =
        k_ > 0 && (calls_ == k_ || (when_ == When::kForever && calls_ > k_));
    if (now) fired_ = true;
    return now;
  }
  // A short transfer leaves calls that transfer nothing alone.
  bool fails() { return is_now() && !fault_.short_transfer; }

  io::FileSystem& fs_;
  int k_;
  Fault fault_;
  When when_;
  int calls_ = 0;
  bool fired_ = false;
};

}  // namespace kexue::testing
