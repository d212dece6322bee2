#include "kexue/io/event_file.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <protozero/pbf_writer.hpp>

#include "kexue/base/error.h"
#include "kexue/io/atomic_file.h"
#include "kexue/io/crc32c.h"
#include "kexue/io/write_all.h"

namespace kexue::io {
namespace {

constexpr std::string_view kPrefix = "events.out.tfevents.";
constexpr std::string_view kVersion = "brain.Event:2";

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

std::string framed(std::string_view data) {
  std::string out;
  out.reserve(data.size() + 16);
  put(out, static_cast<uint64_t>(data.size()));
  put(out, mask_crc(crc32c(bytes_of(out))));
  out += data;
  put(out, mask_crc(crc32c(bytes_of(data))));
  return out;
}

Descriptor create(const std::string& path, FileSystem& fs) {
  const int fd =
      fs.open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW, 0666);
  if (fd < 0) throw os_error("create", path, fd);
  return {fs, fd};
}

// Readers take the files of a folder in the order of their names.
std::string path_in(const std::string& folder, double wall_time) {
  const double seconds = std::clamp(wall_time, 0.0, 1e10 - 1);
  return fmt::format(
      "{}/{}{:010}.kexue", folder, kPrefix, static_cast<int64_t>(seconds));
}

std::string newest_in(const std::string& folder, FileSystem& fs) {
  std::vector<std::string> names;  // sorted
  const int rc = fs.list(folder, &names);
  if (rc < 0) throw os_error("list", folder, rc);
  std::erase_if(names, [](const std::string& name) {
    return !name.starts_with(kPrefix) || !name.ends_with(".kexue");
  });
  return names.empty() ? "" : folder + "/" + names.back();
}

std::string first_bytes(const std::string& path,
                        uint64_t bytes,
                        FileSystem& fs) {
  std::string out(bytes, '\0');
  const Descriptor file = open_for_reading(path, fs);
  for (uint64_t at = 0; at < bytes;) {
    const int64_t n = fs.read_at(file.get(), out.data() + at, bytes - at, at);
    if (n == -EINTR) continue;
    if (n <= 0) throw os_error("read", path, n == 0 ? -EIO : n);
    at += static_cast<uint64_t>(n);
  }
  return out;
}

}  // namespace

EventFile::EventFile(std::string path, Descriptor file, FileSystem& fs)
    : fs_(&fs), path_(std::move(path)), file_(std::move(file)) {}

EventFile::EventFile(const std::string& folder,
                     double wall_time,
                     FileSystem& fs)
    : fs_(&fs), path_(path_in(folder, wall_time)), file_(create(path_, fs)) {
  std::string event;
  protozero::pbf_writer writer(event);
  writer.add_double(1, wall_time);
  writer.add_string(3, kVersion.data(), kVersion.size());
  append(event);
}

EventFile EventFile::resume(const std::string& folder,
                            double wall_time,
                            int64_t step,
                            FileSystem& fs) {
  const std::string path = newest_in(folder, fs);
  if (path.empty()) return {folder, wall_time, fs};
  const EventLog log = read_events(path, fs);
  uint64_t kept = 0;
  for (const Event& event : log.events) {
    if (event.step > step) break;
    kept = event.end;
  }
  if (kept == 0) {  // not even the version was complete
    const int rc = fs.unlink(path);
    if (rc < 0) throw os_error("unlink", path, rc);
    return {folder, wall_time, fs};
  }
  const bool is_whole = !log.events.empty() && kept == log.events.back().end &&
                        log.torn_bytes == 0;
  if (!is_whole) {
    write_file(path, std::string_view(first_bytes(path, kept, fs)), fs);
  }
  const int fd = fs.open(path, O_WRONLY | O_APPEND | O_NOFOLLOW, 0);
  if (fd < 0) throw os_error("open", path, fd);
  return {path, Descriptor(fs, fd), fs};
}

void EventFile::write(double wall_time,
                      int64_t step,
                      const EventSummary& summary) {
  if (summary.empty()) return;
  std::string event;
  protozero::pbf_writer writer(event);
  writer.add_double(1, wall_time);
  writer.add_int64(2, step);
  writer.add_message(5, summary.bytes());
  append(event);
}

void EventFile::append(std::string_view event) {
  if (failed_) throw os_error("write", path_, -EIO);
  if (const int64_t rc = write_all(*fs_, file_.get(), framed(event)); rc < 0) {
    failed_ = true;  // what follows half a record would be lost
    throw os_error("write", path_, rc);
  }
}

void EventFile::sync() {
  const int rc = fs_->fsync(file_.get());
  if (rc < 0) throw os_error("fsync", path_, rc);
}

}  // namespace kexue::io
