// Files in memory that remember what was synced: a power failure after any call
// leaves what a disk may hold then.
#pragma once

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kexue/io/file_system.h"

namespace kexue::testing {

// Folders are "/a/b". No links, no permissions; space is endless. Writes
// append, and those of O_DIRECT must be whole aligned sectors.
class MemFs final : public io::FileSystem {
 public:
  // What becomes of writes without fsync.
  enum class Data { kDropped, kTorn, kZeroed, kKept };
  // What becomes of names (created, renamed, removed) without fsync of their
  // folder.
  enum class Names { kDropped, kKept };

  // The power fails after call k (from 1; 0: never): that call still happens,
  // later ones do nothing and return -EIO.
  void fail_after(int k) {
    k_ = k;
    calls_ = 0;
  }
  bool failed() const { return k_ > 0 && calls_ >= k_; }

  // Power is back: descriptors are gone, and the disk holds what it may.
  void restart(Data data, Names names) {
    open_.clear();
    settle(root_, data, names);
    fail_after(0);
  }

  int open(const std::string& path, int flags, unsigned /*mode*/) override {
    if (dead()) return -EIO;
    const auto at = find(path);
    if (at && (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) return -EEXIST;
    if (at) return descriptor(at, (flags & O_DIRECT) != 0);
    if ((flags & O_CREAT) == 0) return -ENOENT;
    const auto folder = find(parent(path));
    if (!folder) return -ENOENT;
    const auto file = std::make_shared<Node>();
    folder->names[leaf(path)] = file;
    return descriptor(file);
  }
  int close(int fd) override {
    if (dead()) return -EIO;
    return open_.erase(fd) == 1 ? 0 : -EBADF;
  }
  int64_t read(int fd, void* to, size_t bytes) override {
    if (dead()) return -EIO;
    Open& file = open_.at(fd);
    const int64_t n = copy_out(*file.node, to, bytes, file.at);
    file.at += static_cast<size_t>(n);
    return n;
  }
  int64_t read_at(int fd, void* to, size_t bytes, uint64_t at) override {
    if (dead()) return -EIO;
    return copy_out(*open_.at(fd).node, to, bytes, at);
  }
  int64_t write(int fd, const void* from, size_t bytes) override {
    if (dead()) return -EIO;
    const Open& file = open_.at(fd);
    const auto at = reinterpret_cast<uintptr_t>(from);
    if (file.direct && ((bytes | at) % kSector != 0)) return -EINVAL;
    // Short writes, so that the power also fails in the middle of a file.
    const size_t n = std::min<size_t>(bytes, file.direct ? kDirect : kWrite);
    file.node->data.append(static_cast<const char*>(from), n);
    return static_cast<int64_t>(n);
  }
  int fsync(int fd) override {
    if (dead()) return -EIO;
    Node& node = *open_.at(fd).node;
    node.synced_data = node.data;
    node.synced_names = node.names;
    return 0;
  }
  int info(int fd, io::FileInfo* out) override {
    if (dead()) return -EIO;
    const Node& node = *open_.at(fd).node;
    *out = {.bytes = node.data.size(),
            .is_regular = !node.is_folder,
            .is_directory = node.is_folder};
    return 0;
  }
  int rename(const std::string& from, const std::string& to) override {
    if (dead()) return -EIO;
    const auto node = find(from);
    if (!node) return -ENOENT;
    const auto there = find(to);
    if (there && !there->names.empty()) return -ENOTEMPTY;
    find(parent(to))->names[leaf(to)] = node;
    find(parent(from))->names.erase(leaf(from));
    return 0;
  }
  int unlink(const std::string& path) override {
    if (dead()) return -EIO;
    const auto node = find(path);
    if (!node) return -ENOENT;
    if (node->is_folder) return -EISDIR;
    find(parent(path))->names.erase(leaf(path));
    return 0;
  }
  int mkdir(const std::string& path, unsigned /*mode*/) override {
    if (dead()) return -EIO;
    if (find(path)) return -EEXIST;
    const auto folder = find(parent(path));
    if (!folder) return -ENOENT;
    const auto made = std::make_shared<Node>();
    made->is_folder = true;
    folder->names[leaf(path)] = made;
    return 0;
  }
  int rmdir(const std::string& path) override {
    if (dead()) return -EIO;
    const auto node = find(path);
    if (!node) return -ENOENT;
    if (!node->names.empty()) return -ENOTEMPTY;
    find(parent(path))->names.erase(leaf(path));
    return 0;
  }
  int list(const std::string& path, std::vector<std::string>* out) override {
    if (dead()) return -EIO;
    const auto node = find(path);
    if (!node) return -ENOENT;
    if (!node->is_folder) return -ENOTDIR;
    out->clear();
    for (const auto& [name, unused] : node->names) out->push_back(name);
    return 0;
  }
  int free_bytes(const std::string& /*path*/, uint64_t* out) override {
    if (dead()) return -EIO;
    *out = uint64_t{1} << 40;
    return 0;
  }

 private:
  static constexpr size_t kWrite = 700;
  static constexpr size_t kDirect = size_t{1} << 18;
  static constexpr size_t kSector = 512;

  struct Node {
    bool is_folder = false;
    std::string data, synced_data;
    std::map<std::string, std::shared_ptr<Node>> names, synced_names;
  };
  using NodePtr = std::shared_ptr<Node>;
  struct Open {
    NodePtr node;
    size_t at = 0;
    bool direct = false;
  };

  static std::string parent(const std::string& path) {
    return path.substr(0, path.rfind('/'));
  }
  static std::string leaf(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
  }
  static int64_t copy_out(const Node& node,
                          void* to,
                          size_t bytes,
                          uint64_t at) {
    if (at >= node.data.size()) return 0;
    const size_t n = std::min<size_t>(bytes, node.data.size() - at);
    std::memcpy(to, node.data.data() + at, n);
    return static_cast<int64_t>(n);
  }

  // Counts the call; true if the power was gone before it.
  bool dead() {
    if (failed()) return true;
    ++calls_;
    return false;
  }
  int descriptor(const NodePtr& node, bool direct = false) {
    open_[++last_] = {node, 0, direct};
    return last_;
  }
  NodePtr find(const std::string& path) const {
    NodePtr node = root_;
    for (size_t at = 0; at < path.size();) {
      const size_t end = std::min(path.find('/', at + 1), path.size());
      if (end == at + 1) return node;  // "/"
      const auto next = node->names.find(path.substr(at + 1, end - at - 1));
      if (next == node->names.end()) return nullptr;
      node = next->second;
      at = end;
    }
    return node;
  }
  static void settle(const NodePtr& node, Data data, Names names) {
    if (names == Names::kDropped) node->names = node->synced_names;
    node->synced_names = node->names;
    if (node->data != node->synced_data) lose(node.get(), data);
    node->synced_data = node->data;
    for (const auto& [name, inner] : node->names) settle(inner, data, names);
  }
  static void lose(Node* node, Data data) {
    const size_t last = node->data.size() / kSector * kSector;
    if (data == Data::kDropped) node->data = node->synced_data;
    if (data == Data::kTorn) node->data.resize(last + 1);
    if (data == Data::kZeroed) {
      std::fill(
          node->data.begin() + static_cast<long>(last), node->data.end(), '\0');
    }
  }

  NodePtr root_ = [] {
    auto node = std::make_shared<Node>();
    node->is_folder = true;
    return node;
  }();
  std::map<int, Open> open_;
  int last_ = 2;
  int k_ = 0;
  int calls_ = 0;
};

}  // namespace kexue::testing
