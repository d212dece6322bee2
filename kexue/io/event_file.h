// TensorBoard's event files: what happened at which step, for its dashboards.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/io/file_system.h"
#include "kexue/io/png.h"

namespace kexue::io {

// How many values lie in (limits[i-1], limits[i]].
struct Histogram {
  double min = 0;
  double max = 0;
  double count = 0;
  double sum = 0;
  double sum_squares = 0;
  std::vector<double> limits = {};
  std::vector<double> counts = {};
};

// In TensorFlow's buckets: 0 and +-1e-12 x 1.1^k; runs of empty ones are one.
// Values that are not finite are left out.
Histogram histogram_of(std::span<const float> values);

// The values of one step, as the bytes of a tensorflow.Summary. A tag is a
// path ("dev/loss"): TensorBoard groups by its first part.
// Source: tensorflow/core/framework/summary.proto.
class EventSummary final {
 public:
  void scalar(std::string_view tag, double value);  // kept as f32
  void histogram(std::string_view tag, const Histogram& histogram);
  void text(std::string_view tag, std::string_view markdown);
  // Errors: as encode_png.
  void image(std::string_view tag, const Image& image);

  bool empty() const { return bytes_.empty(); }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// A file "events.out.tfevents.SECONDS.kexue" that grows record by record.
//
// Format: TFRecord: length u64, masked crc32c of its bytes u32, that many
//         bytes of a tensorflow.Event, masked crc32c of those u32.
// A process that dies leaves half a record at most, at the end; so does a full
// disk, after which every write fails.
class EventFile final {
 public:
  // A new file in `folder`. `wall_time`: seconds since 1970.
  // Errors: kIo, if the name is taken, too.
  EventFile(const std::string& folder,
            double wall_time,
            FileSystem& fs = real_fs());
  // Goes on with the newest event file of `folder`, of which only records of
  // steps up to `step` are kept; a new file if there is none.
  // Errors: as read_events; kIo with the old file untouched.
  static EventFile resume(const std::string& folder,
                          double wall_time,
                          int64_t step,
                          FileSystem& fs = real_fs());

  // Nothing for an empty summary.
  void write(double wall_time, int64_t step, const EventSummary& summary);
  void sync();
  const std::string& path() const { return path_; }

 private:
  EventFile(std::string path, Descriptor file, FileSystem& fs);
  void append(std::string_view event);

  FileSystem* fs_;
  std::string path_;
  Descriptor file_;
  bool failed_ = false;
};

struct Event {
  struct Value {
    std::string tag;
    double number = 0;  // NaN for what is no scalar
  };
  double wall_time = 0;
  int64_t step = 0;
  std::string file_version = {};  // of the first record alone
  std::vector<Value> values = {};
  uint64_t end = 0;  // offset of the next record
};

struct EventLog {
  std::vector<Event> events = {};
  uint64_t torn_bytes = 0;  // of a last record without its end
};

// Reads a whole event file, checking every checksum.
// Errors: kCorruptData with the offset: a checksum, a message, a first record
//         that names no version; kUnsupported: another version, a record of
//         more than 64 MiB; kNotFound, kIo.
EventLog read_events(const std::string& path, FileSystem& fs = real_fs());

}  // namespace kexue::io
