#include <fmt/format.h>

#include <cerrno>
#include <limits>
#include <protozero/pbf_reader.hpp>

#include "kexue/base/error.h"
#include "kexue/io/byte_reader.h"
#include "kexue/io/crc32c.h"
#include "kexue/io/event_file.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"

namespace kexue::io {
namespace {

constexpr uint64_t kHead = sizeof(uint64_t) + sizeof(uint32_t);
constexpr uint64_t kTail = sizeof(uint32_t);
constexpr std::string_view kVersion = "brain.Event:2";

[[noreturn]] void corrupt(const std::string& path,
                          uint64_t at,
                          const std::string& text) {
  throw Error(Code::kCorruptData,
              fmt::format("{}: {} at offset {}", path, text, at));
}

void check_crc(const std::string& path,
               uint64_t at,
               const char* what,
               std::span<const std::byte> bytes,
               uint32_t stored) {
  const uint32_t got = crc32c(bytes);
  if (mask_crc(got) == stored) return;
  corrupt(path,
          at,
          fmt::format("crc32c of the {} is {:08x}, {:08x} is stored",
                      what,
                      got,
                      unmask_crc(stored)));
}

Event::Value value_of(protozero::pbf_reader message) {
  Event::Value out{.tag = {},
                   .number = std::numeric_limits<double>::quiet_NaN()};
  while (message.next()) {
    using protozero::pbf_wire_type;
    if (message.tag_and_type() ==
        protozero::tag_and_type(1, pbf_wire_type::length_delimited)) {
      out.tag = message.get_string();
    } else if (message.tag_and_type() ==
               protozero::tag_and_type(2, pbf_wire_type::fixed32)) {
      out.number = message.get_float();
    } else {
      message.skip();
    }
  }
  return out;
}

// A field of an unexpected wire type is skipped, as protobuf does.
Event parse(std::string_view bytes) {
  using protozero::pbf_wire_type;
  using protozero::tag_and_type;
  Event out;
  protozero::pbf_reader message(bytes.data(), bytes.size());
  while (message.next()) {
    switch (message.tag_and_type()) {
      case tag_and_type(1, pbf_wire_type::fixed64):
        out.wall_time = message.get_double();
        break;
      case tag_and_type(2, pbf_wire_type::varint):
        out.step = message.get_int64();
        break;
      case tag_and_type(3, pbf_wire_type::length_delimited):
        out.file_version = message.get_string();
        break;
      case tag_and_type(5, pbf_wire_type::length_delimited): {
        protozero::pbf_reader summary = message.get_message();
        while (summary.next(1, pbf_wire_type::length_delimited)) {
          out.values.push_back(value_of(summary.get_message()));
        }
        break;
      }
      default:
        message.skip();
    }
  }
  return out;
}

// The file by pieces: it may be larger than memory.
class Source final {
 public:
  Source(const std::string& path, FileSystem& fs)
      : path_(path), fs_(fs), file_(open_for_reading(path, fs)) {
    FileInfo info;
    const int rc = fs.info(file_.get(), &info);
    if (rc < 0) throw os_error("stat", path, rc);
    bytes_ = info.bytes;
  }

  uint64_t left() const { return bytes_ - at_; }
  uint64_t offset() const { return at_; }

  // The next bytes, which must be there.
  std::span<const std::byte> read(uint64_t count) {
    buffer_.resize(count);
    uint64_t done = 0;
    while (done < count) {
      const int64_t n = fs_.read_at(
          file_.get(), buffer_.data() + done, count - done, at_ + done);
      if (n == -EINTR) continue;
      if (n < 0) throw os_error("read", path_, n);
      if (n == 0) corrupt(path_, at_ + done, "the file became shorter");
      done += static_cast<uint64_t>(n);
    }
    at_ += count;
    return buffer_;
  }

 private:
  const std::string& path_;
  FileSystem& fs_;
  Descriptor file_;
  std::vector<std::byte> buffer_;
  uint64_t bytes_ = 0;
  uint64_t at_ = 0;
};

// The next record's event; false at a record without its end.
bool next(const std::string& path, Source& source, Event* event) {
  const uint64_t begin = source.offset();
  if (source.left() < kHead) return false;
  ByteReader head(source.read(kHead), path, begin);
  const auto length_bytes = head.bytes(sizeof(uint64_t), "a record's length");
  const auto length = ByteReader(length_bytes, path).read<uint64_t>("length");
  check_crc(path,
            begin,
            "length",
            length_bytes,
            head.read<uint32_t>("a record's checksum"));
  if (length > limits::kEventBytes) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: a record of {} bytes at offset {}, at most "
                            "{} are read",
                            path,
                            length,
                            begin,
                            limits::kEventBytes));
  }
  if (source.left() < length + kTail) return false;
  ByteReader body(source.read(length + kTail), path, begin + kHead);
  const auto data = body.bytes(length, "a record");
  check_crc(
      path, begin, "record", data, body.read<uint32_t>("a record's checksum"));
  try {
    *event = parse({reinterpret_cast<const char*>(data.data()), data.size()});
  } catch (const protozero::exception& e) {
    corrupt(path, begin, fmt::format("no event: {}", e.what()));
  }
  event->end = source.offset();
  return true;
}

void check_version(const std::string& path, const Event& first) {
  if (first.file_version.empty()) {
    corrupt(path, 0, "no version, this is no event file");
  }
  if (first.file_version != kVersion) {
    throw Error(Code::kUnsupported,
                fmt::format("{}: events of version \"{}\", \"{}\" is read",
                            path,
                            printable(first.file_version),
                            kVersion));
  }
}

}  // namespace

EventLog read_events(const std::string& path, FileSystem& fs) {
  Source source(path, fs);
  EventLog out;
  while (source.left() > 0) {
    const uint64_t begin = source.offset();
    const uint64_t left = source.left();
    Event event;
    if (!next(path, source, &event)) {
      out.torn_bytes = left;
      break;
    }
    if (begin == 0) check_version(path, event);
    out.events.push_back(std::move(event));
  }
  return out;
}

}  // namespace kexue::io
