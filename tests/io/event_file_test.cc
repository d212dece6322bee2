#include "kexue/io/event_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <numeric>

#include "kexue/io/atomic_file.h"
#include "kexue/io/crc32c.h"
#include "tests/support/error_matchers.h"
#include "tests/support/faulty_fs.h"
#include "tests/support/temp_folder.h"

namespace kexue::io {
namespace {

using testing::FaultyFs;
using testing::TempFolder;

EventSummary loss_of(double value) {
  EventSummary out;
  out.scalar("train/loss", value);
  return out;
}

// Steps 1 to n with losses 1/step; the file's path.
std::string write_steps(const std::string& folder, int64_t n) {
  EventFile file(folder, 1000, real_fs());
  for (int64_t s = 1; s <= n; ++s) {
    file.write(1000.5, s, loss_of(1.0 / static_cast<double>(s)));
  }
  return file.path();
}

std::string content(const std::string& path) {
  return read_file(path, 1 << 20);
}

void put(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;  // no fsync: there are many
}

// A record around any bytes, with checksums that are right.
std::string record(const std::string& data) {
  const auto crc = [](const std::string& text) {
    const uint32_t masked =
        mask_crc(crc32c(std::as_bytes(std::span(text.data(), text.size()))));
    return std::string(reinterpret_cast<const char*>(&masked), 4);
  };
  const uint64_t n = data.size();
  const std::string length(reinterpret_cast<const char*>(&n), 8);
  return length + crc(length) + data + crc(data);
}

TEST(EventFile, ReadsBackWhatWasWritten) {
  const TempFolder dir;
  const std::string path = write_steps(dir.path(), 3);
  EXPECT_EQ(path, dir / "events.out.tfevents.0000001000.kexue");
  const EventLog log = read_events(path);
  EXPECT_EQ(log.torn_bytes, 0u);
  ASSERT_EQ(log.events.size(), 4u);
  EXPECT_EQ(log.events[0].file_version, "brain.Event:2");
  EXPECT_EQ(log.events[0].wall_time, 1000);
  EXPECT_EQ(log.events[2].step, 2);
  EXPECT_EQ(log.events[2].wall_time, 1000.5);
  ASSERT_EQ(log.events[2].values.size(), 1u);
  EXPECT_EQ(log.events[2].values[0].tag, "train/loss");
  EXPECT_EQ(log.events[2].values[0].number, 0.5);
  EXPECT_EQ(log.events[3].end, content(path).size());
}

TEST(EventFile, WhereverTheLastRecordIsTornTheOthersStay) {
  const TempFolder dir;
  const std::string path = write_steps(dir.path(), 3);
  const std::string whole = content(path);
  const uint64_t last = read_events(path).events[2].end;
  for (uint64_t cut = last + 1; cut < whole.size(); ++cut) {
    put(path, whole.substr(0, cut));
    const EventLog log = read_events(path);
    EXPECT_EQ(log.events.size(), 3u);
    EXPECT_EQ(log.torn_bytes, cut - last);
  }
  put(path, "");
  EXPECT_TRUE(read_events(path).events.empty());
}

TEST(EventFile, EveryChangedByteIsNoticed) {
  const TempFolder dir;
  const std::string path = write_steps(dir.path(), 2);
  const std::string whole = content(path);
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    put(path, bad);
    EXPECT_ERROR(read_events(path), Code::kCorruptData, path, "crc32c");
  }
}

TEST(EventFile, BadRecordsWithGoodChecksumsAreRefused) {
  const TempFolder dir;
  const std::string path = dir / "events";
  const std::string version =
      "\x1a\x0d"
      "brain.Event:2";
  const auto refuse =
      [&](const std::string& bytes, Code code, const std::string& text) {
        put(path, bytes);
        EXPECT_ERROR(read_events(path), code, path, text);
      };
  refuse(record("\x10\x01"), Code::kCorruptData, "no version");
  refuse(record("\x1a\x01z"), Code::kUnsupported, "version \"z\"");
  const std::string good = record(version);
  // A field that is longer than its message; a varint without an end; field
  // number 0; a group, which proto3 does not have.
  for (const std::string& body : {std::string("\x2a\x7fx"),
                                  std::string("\x10\xff\xff"),
                                  std::string("\x02\x00", 2),
                                  std::string("\x0b\x0c")}) {
    refuse(good + record(body), Code::kCorruptData, "no event");
  }
  // 2^40 bytes declared, the checksum of the length is right.
  std::string huge(8, '\0');
  huge[5] = 1;
  const uint32_t crc =
      mask_crc(crc32c(std::as_bytes(std::span(huge.data(), huge.size()))));
  huge.append(reinterpret_cast<const char*>(&crc), 4);
  refuse(good + huge, Code::kUnsupported, "1099511627776 bytes at offset 31");
  EXPECT_ERROR(read_events(dir / "none"), Code::kNotFound, "none");
}

TEST(EventFile, ResumingKeepsRecordsUpToTheStep) {
  const TempFolder dir;
  const std::string path = write_steps(dir.path(), 5);
  const auto steps = [&] {
    std::vector<int64_t> out;
    for (const Event& e : read_events(path).events) out.push_back(e.step);
    return out;
  };
  EventFile::resume(dir.path(), 2000, 3).write(2000, 4, loss_of(7));
  EXPECT_EQ(steps(), (std::vector<int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(read_events(path).events.back().values[0].number, 7);
  // A torn record, and nothing beyond the step: only the half goes.
  put(path, content(path) + std::string(5, 'x'));
  EventFile::resume(dir.path(), 2000, 9).write(2000, 10, loss_of(1));
  EXPECT_EQ(steps(), (std::vector<int64_t>{0, 1, 2, 3, 4, 10}));
  EXPECT_EQ(dir.names().size(), 1u);
}

TEST(EventFile, ResumingWithoutAFileBeginsOne) {
  const TempFolder dir;
  const auto fresh = EventFile::resume(dir.path(), 2000, 3).path();
  EXPECT_EQ(fresh, dir / "events.out.tfevents.0000002000.kexue");
  put(fresh, content(fresh).substr(0, 7));  // killed while writing the version
  EXPECT_EQ(EventFile::resume(dir.path(), 2000, 3).path(), fresh);
  EXPECT_EQ(read_events(fresh).events.size(), 1u);
}

TEST(EventFile, ADamagedFileIsNotGoneOnWith) {
  const TempFolder dir;
  const std::string path = write_steps(dir.path(), 2);
  std::string bad = content(path);
  bad[40] = static_cast<char>(bad[40] ^ 1);
  put(path, bad);
  EXPECT_ERROR(EventFile::resume(dir.path(), 2000, 2),
               Code::kCorruptData,
               "at offset 40");
  EXPECT_EQ(content(path), bad);
}

TEST(EventFile, AFailedWriteLeavesHalfARecordAtMost) {
  for (const int error : {ENOSPC, EIO}) {
    const TempFolder dir;
    // Call 1 opens, 2 writes the version; half of call 3 happens, and the next
    // fails.
    FaultyFs fs(
        3, {.error = error, .short_transfer = true}, FaultyFs::When::kOnce);
    EventFile file(dir.path(), 1000, fs);
    file.write(1000, 1, loss_of(1));  // the rest is written after half of it
    EXPECT_TRUE(fs.fired());
    EXPECT_EQ(read_events(file.path()).events.size(), 2u);
  }
  const TempFolder dir;
  FaultyFs fs(3, {.error = ENOSPC}, FaultyFs::When::kOnce);
  EventFile file(dir.path(), 1000, fs);
  EXPECT_ERROR(file.write(1000, 1, loss_of(1)), Code::kIo, "No space left");
  EXPECT_ERROR(file.write(1000, 2, loss_of(1)), Code::kIo, file.path());
  EXPECT_EQ(read_events(file.path()).events.size(), 1u);
}

TEST(EventFile, NothingIsWrittenForAnEmptySummary) {
  const TempFolder dir;
  EventFile file(dir.path(), 1000);
  file.write(1000, 1, {});
  EXPECT_EQ(read_events(file.path()).events.size(), 1u);
  EXPECT_ERROR(EventFile(dir.path(), 1000), Code::kIo, "File exists");
}

TEST(Histogram, CountsLieInTheirBuckets) {
  const std::vector<float> values = {
      -2, 0, 0, 1e-20f, 0.5f, 3, 3, INFINITY, NAN, 1e30f};
  const Histogram h = histogram_of(values);
  EXPECT_EQ(h.min, -2);
  EXPECT_EQ(h.max, 1e30f);
  EXPECT_EQ(h.count, 8);
  EXPECT_DOUBLE_EQ(h.sum, 4.5 + 1e-20f + double{1e30f});
  EXPECT_EQ(std::accumulate(h.counts.begin(), h.counts.end(), 0.0), 8);
  ASSERT_EQ(h.limits.size(), h.counts.size());
  EXPECT_TRUE(std::is_sorted(h.limits.begin(), h.limits.end()));
  for (size_t i = 0; i < h.limits.size(); ++i) {
    const double low = i == 0 ? -HUGE_VAL : h.limits[i - 1];
    double inside = 0;
    for (const float v : values) {
      if (v > low && v <= h.limits[i]) ++inside;
    }
    EXPECT_EQ(h.counts[i], inside) << "up to " << h.limits[i];
  }
}

TEST(Histogram, OfNothingIsEmpty) {
  const Histogram h = histogram_of({});
  EXPECT_EQ(h.count, 0);
  EXPECT_EQ(h.counts, std::vector<double>{0});
}

TEST(Png, ShapeMustFitThePixels) {
  if (!has_png()) GTEST_SKIP() << "built without libpng";
  EXPECT_EQ(
      encode_png({.width = 1, .height = 1, .pixels = {1, 2, 3}}).substr(0, 8),
      "\x89PNG\r\n\x1a\n");
  for (const Image& bad :
       {Image{.width = 2, .height = 1, .pixels = {1, 2, 3}},
        Image{.width = 0, .height = 1},
        Image{.width = 1, .height = 1, .channels = 2, .pixels = {1, 2}},
        Image{.width = 1, .height = 20'000, .channels = 1}}) {
    EXPECT_ERROR(encode_png(bad), Code::kInvalidArgument, "bytes of pixels");
  }
}

}  // namespace
}  // namespace kexue::io
