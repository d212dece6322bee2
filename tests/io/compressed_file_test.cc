#include "kexue/io/compressed_file.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <cstring>

#include "kexue/io/atomic_file.h"
#include "tests/support/error_matchers.h"
#include "tests/support/faulty_fs.h"
#include "tests/support/gzip.h"
#include "tests/support/temp_folder.h"

namespace kexue::io {
namespace {

using testing::FaultyFs;
using testing::gzip;
using testing::TempFolder;

// The libraries' own writers, which we do not use.
std::string zstd(const std::string& text, int window_log = 0) {
  ZSTD_CCtx* c = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
  ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
  if (window_log > 0) {
    ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window_log);
  }
  std::string out(ZSTD_compressBound(text.size()) + 64, '\0');
  // Streamed, so that the window is not cut down to the text's size.
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  EXPECT_EQ(ZSTD_isError(ZSTD_compressStream2(c, &to, &in, ZSTD_e_flush)), 0u);
  EXPECT_EQ(ZSTD_compressStream2(c, &to, &in, ZSTD_e_end), 0u);
  ZSTD_freeCCtx(c);
  out.resize(to.pos);
  return out;
}

std::string sample() {
  std::string text;
  for (uint32_t x = 1; text.size() < 700'000; x = x * 1664525 + 1013904223) {
    text += "line " + std::to_string(x >> 12) + "\n";
  }
  return text;
}

std::string unpack(const std::string& content,
                   FileSystem& fs = real_fs(),
                   uint64_t max_bytes = limits::kUnpackedBytes) {
  const TempFolder dir;
  write_file(dir / "f", content);
  return CompressedFile(dir / "f", fs, max_bytes).read_all();
}

TEST(CompressedFile, PlainGzipAndZstdGiveTheSameText) {
  const std::string text = sample();
  EXPECT_EQ(unpack(text), text);
  EXPECT_EQ(unpack(gzip(text)), text);
  EXPECT_EQ(unpack(zstd(text)), text);
  EXPECT_EQ(unpack(zstd(text, 27)), text);
}

TEST(CompressedFile, MembersAndFramesFollowEachOther) {
  const std::string skipped("\x50\x2a\x4d\x18\x03\0\0\0abc", 11);
  EXPECT_EQ(unpack(gzip("a") + gzip("") + gzip("b")), "ab");
  EXPECT_EQ(unpack(gzip("a") + std::string(700, '\0')), "a");
  EXPECT_EQ(unpack(skipped + zstd("a") + skipped + zstd("b")), "ab");
  EXPECT_EQ(unpack(gzip("")), "");
  EXPECT_EQ(unpack(zstd("")), "");
}

TEST(CompressedFile, ShortPlainTextsAreNoFormat) {
  for (const std::string& text : {std::string(),
                                  std::string("a"),
                                  std::string("\x1f\x8b"),
                                  std::string("PK\x03\x04")}) {
    EXPECT_EQ(unpack(text), text);
  }
}

TEST(CompressedFile, SmallReadsAndCounters) {
  const TempFolder dir;
  const std::string packed = gzip("hello world");
  write_file(dir / "f", packed);
  CompressedFile file(dir / "f");
  EXPECT_EQ(file.compression(), Compression::kGzip);
  char to[4];
  std::string all;
  while (const size_t n = file.read(to)) all.append(to, n);
  EXPECT_EQ(all, "hello world");
  EXPECT_EQ(file.text_bytes(), 11u);
  EXPECT_EQ(file.file_bytes(), packed.size());
  EXPECT_EQ(file.read(to), 0u);
}

TEST(CompressedFile, TextMayWaitAfterTheLastInput) {
  const TempFolder dir;
  const std::string text(5000, 'a');
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  packed.resize(
      ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 1));
  write_file(dir / "f", packed);
  CompressedFile file(dir / "f");
  std::string all;
  char to[7];
  while (const size_t n = file.read(to)) all.append(to, n);
  EXPECT_EQ(all, text);
}

TEST(CompressedFile, EveryCutIsAnErrorWithPlace) {
  for (const std::string& whole :
       {gzip("some words, some"), zstd("some words, some")}) {
    for (size_t n = 4; n < whole.size(); ++n) {
      EXPECT_ERROR(unpack(whole.substr(0, n)),
                   Code::kCorruptData,
                   "/f: the ",
                   " stream is cut short (byte " + std::to_string(n));
    }
  }
}

TEST(CompressedFile, BrokenStreams) {
  std::string bad = gzip("some words");
  bad[bad.size() - 6] ^= 1;  // crc32
  EXPECT_ERROR(unpack(bad), Code::kCorruptData, "incorrect data check");
  bad = zstd("some words");
  bad.back() ^= 1;
  EXPECT_ERROR(unpack(bad), Code::kCorruptData, "broken zstd: ", "checksum");
  EXPECT_ERROR(unpack(gzip("a") + "tail"),
               Code::kCorruptData,
               "broken gzip: incorrect header check");
  EXPECT_ERROR(unpack(zstd("a") + "tail"), Code::kCorruptData, "broken zstd");
}

TEST(CompressedFile, LimitsOfTextAndWindow) {
  const std::string text(100'000, 'a');
  EXPECT_ERROR(unpack(gzip(text), real_fs(), 99'999),
               Code::kUnsupported,
               "unpacks to more than 99999 bytes");
  EXPECT_ERROR(unpack(zstd(text), real_fs(), 99'999),
               Code::kUnsupported,
               "unpacks to more than 99999 bytes");
  EXPECT_EQ(unpack(gzip(text), real_fs(), 100'000), text);
  EXPECT_ERROR(unpack(zstd(text, 28)),
               Code::kUnsupported,
               "a zstd window above 128 MiB");
}

TEST(CompressedFile, MissingFilesAndFoldersAreNamed) {
  const TempFolder dir;
  EXPECT_ERROR(CompressedFile(dir / "no"), Code::kNotFound, "/no: No such");
  EXPECT_ERROR(CompressedFile(dir.path()), Code::kIo, "Is a directory");
}

TEST(CompressedFile, EveryFailingCallIsReportedAndShortReadsAreNot) {
  const std::string text = sample();
  const TempFolder dir;
  write_file(dir / "f", zstd(text));
  for (int k = 1;; ++k) {
    FaultyFs whole(k, {}, FaultyFs::When::kOnce);
    FaultyFs half(k, {.short_transfer = true}, FaultyFs::When::kOnce);
    EXPECT_EQ(CompressedFile(dir / "f", half).read_all(), text);
    std::string got;
    try {
      got = CompressedFile(dir / "f", whole).read_all();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::kIo);
      EXPECT_NE(e.text().find("/f: Input/output error"), std::string::npos);
      continue;
    }
    EXPECT_EQ(got, text);
    if (!whole.fired()) break;
  }
}

}  // namespace
}  // namespace kexue::io
