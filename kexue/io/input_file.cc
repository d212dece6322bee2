#include "kexue/io/input_file.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include "kexue/io/mapped_files.h"
#include "kexue/io/printable.h"

namespace kexue::io {
namespace {

constexpr size_t kAlignment = 64;  // as HostArray

// Reads exactly `bytes`; a file that got shorter is kCorruptData.
void read_exactly(FileSystem& fs,
                  int fd,
                  std::byte* to,
                  uint64_t bytes,
                  uint64_t at,
                  const std::string& path) {
  while (bytes > 0) {
    const int64_t n = fs.read_at(fd, to, bytes, at);
    if (n == -EINTR) continue;
    if (n < 0) throw os_error("read", path, n);
    if (n == 0) {
      throw Error(
          Code::kCorruptData,
          fmt::format("{}: ends at byte {}, {} more wanted", path, at, bytes));
    }
    to += n;
    at += static_cast<uint64_t>(n);
    bytes -= static_cast<uint64_t>(n);
  }
}

std::shared_ptr<const void> map_file(int fd,
                                     uint64_t bytes,
                                     const std::string& path) {
  void* p = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
  if (p == MAP_FAILED) throw os_error("mmap", path, -errno);
  const int slot = detail::note_mapping(p, bytes, path);
  return {p, [bytes, slot](const void* q) {
            detail::forget_mapping(slot);
            ::munmap(const_cast<void*>(q), bytes);
          }};
}

// Not zero-filled, unlike HostArray's own: every byte is read into at once.
std::shared_ptr<std::byte> allocate(uint64_t bytes, const std::string& path) {
  const size_t padded = (bytes / kAlignment + 1) * kAlignment;
  void* p = std::aligned_alloc(kAlignment, padded);
  if (p == nullptr) {
    throw Error(Code::kIo,
                fmt::format("{}: out of memory: {} bytes", path, bytes));
  }
  return {static_cast<std::byte*>(p), [](std::byte* q) { std::free(q); }};
}

}  // namespace

struct InputFile::State {
  std::string where;
  uint64_t bytes = 0;
  // Either memory, or a descriptor to read from.
  const std::byte* memory = nullptr;
  std::shared_ptr<const void> owner;
  FileSystem* fs = nullptr;
  std::optional<Descriptor> descriptor;
};

InputFile::InputFile(std::shared_ptr<const State> state)
    : state_(std::move(state)) {}

InputFile InputFile::open(const std::string& path,
                          Access access,
                          FileSystem& fs) {
  auto state = std::make_shared<State>();
  state->where = path;
  state->fs = &fs;
  state->descriptor.emplace(open_for_reading(path, fs));
  const int fd = state->descriptor->get();
  FileInfo info;
  if (const int rc = fs.info(fd, &info); rc < 0) {
    throw os_error("stat", path, rc);
  }
  if (!info.is_regular) {
    throw Error(Code::kUnsupported, path + ": not a regular file");
  }
  state->bytes = info.bytes;
  if (access == Access::kMap && info.bytes > 0) {
    state->owner = map_file(fd, info.bytes, path);
    state->memory = static_cast<const std::byte*>(state->owner.get());
    state->descriptor.reset();
  }
  return InputFile(std::move(state));
}

InputFile InputFile::from_bytes(std::span<const std::byte> bytes,
                                std::shared_ptr<const void> owner,
                                const std::string& where) {
  auto state = std::make_shared<State>();
  state->where = where;
  state->bytes = bytes.size();
  state->memory = bytes.data();
  state->owner = std::move(owner);
  return InputFile(std::move(state));
}

uint64_t InputFile::bytes() const {
  return state_->bytes;
}

const std::string& InputFile::where() const {
  return state_->where;
}

FileBytes InputFile::read(uint64_t at, uint64_t count) const {
  const State& s = *state_;
  if (at > s.bytes || count > s.bytes - at) {
    throw Error(Code::kCorruptData,
                fmt::format("{}: {} bytes wanted at offset {}, the file has {}",
                            s.where,
                            count,
                            at,
                            s.bytes));
  }
  if (s.memory != nullptr || count == 0) {
    const std::byte* begin = s.memory == nullptr ? nullptr : s.memory + at;
    return {{begin, static_cast<size_t>(count)}, s.owner};
  }
  auto memory = allocate(count, s.where);
  read_exactly(*s.fs, s.descriptor->get(), memory.get(), count, at, s.where);
  const std::span<const std::byte> bytes(memory.get(), count);
  return {bytes, std::move(memory)};
}

HostArray array_of_bytes(const TensorType& type,
                         const FileBytes& data,
                         const std::string& where,
                         std::string_view name) {
  if (data.bytes.empty()) return HostArray(type);
  HostArray a(type, data.bytes.data(), data.owner);
  // Nothing in the formats aligns tensors; typed access needs it.
  const auto address = reinterpret_cast<uintptr_t>(data.bytes.data());
  if (address % size_bytes(type.dtype) != 0) a = a.clone();
  if (type.dtype != DType::kBool) return a;
  const auto* end = a.data() + a.bytes();
  const auto* bad =
      std::find_if(a.data(), end, [](std::byte b) { return b > std::byte{1}; });
  if (bad == end) return a;
  throw Error(Code::kCorruptData,
              fmt::format("{}: tensor {}: BOOL byte {} at element {}",
                          where,
                          printable(name),
                          static_cast<int>(*bad),
                          bad - a.data()));
}

}  // namespace kexue::io
