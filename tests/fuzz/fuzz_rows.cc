// First byte: format, header, pairs, scores, what becomes of bad rows. The
// rest: a TSV, CSV or JSONL file.
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "kexue/base/error.h"
#include "kexue/data/dataset.h"
#include "kexue/io/file_system.h"
#include "kexue/text/unicode.h"
#include "tests/fuzz/fuzz_target.h"

namespace kexue::fuzz {
namespace {

using data::Dataset;
using data::Format;
using data::Labels;
using data::ReadOptions;

const std::string& path() {
  static const std::string p =
      (std::filesystem::temp_directory_path() /
       ("kexue-fuzz-rows-" + std::to_string(::getpid())))
          .string();
  return p;
}

// io::write_file syncs, which is too slow here.
void write(std::string_view text) {
  std::ofstream(path(), std::ios::binary) << text;
}

ReadOptions options_of(uint8_t byte) {
  ReadOptions o;
  const Format formats[] = {Format::kTsv, Format::kCsv, Format::kJsonl};
  o.format = formats[byte % 3];
  o.columns.header = (byte & 4) != 0;
  if ((byte & 8) != 0) {
    o.columns.second_text = 2;
    o.columns.second_text_field = "second";
  }
  if ((byte & 16) != 0) o.labels = Labels::kScores;
  if ((byte & 32) != 0) o.on_bad = data::OnBad::kSkip;
  return o;
}

void check_text(const std::string& text) {
  check(text::is_valid_utf8(text), "texts are UTF-8");
  check(text.find('\0') == std::string::npos, "texts have no NUL");
  check(!text.empty(), "texts are not empty");
}

void check_rows(const Dataset& d, const ReadOptions& o) {
  const size_t rows = d.size();
  const bool scores = o.labels == Labels::kScores;
  check(rows > 0, "a dataset has rows");
  check(d.lines.size() == rows, "each row has a line");
  check(d.labels.size() == (scores ? 0 : rows), "each row has a label");
  check(d.scores.size() == (scores ? rows : 0), "each row has a score");
  check(d.second_texts.empty() || d.second_texts.size() == rows, "pairs");
  for (const auto& t : d.texts) check_text(t);
  for (const auto& t : d.second_texts) check_text(t);
  for (const int32_t label : d.labels) {
    check(label >= 0 && static_cast<size_t>(label) < d.classes.size(),
          "labels are classes");
  }
  for (const float s : d.scores) check(std::isfinite(s), "scores are finite");
  for (size_t i = 1; i < rows; ++i) {
    check(d.lines[i] > d.lines[i - 1], "lines ascend");
  }
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    out += c;
    if (c == '"') out += c;
  }
  return out + "\"";
}

// Written as the other format that holds any text, rows are the same.
void check_round_trip(const Dataset& d, const ReadOptions& from) {
  const bool csv = from.format != Format::kCsv;
  std::string file;
  for (size_t i = 0; i < d.size(); ++i) {
    const std::string& label = d.classes[static_cast<size_t>(d.labels[i])];
    if (csv) {
      file += quoted(label) + "," + quoted(d.texts[i]) + "\r\n";
    } else {
      const nlohmann::json row = {{"label", label}, {"text", d.texts[i]}};
      file += row.dump() + "\n";
    }
  }
  write(file);
  const Dataset again = data::read_dataset(
      path(), {.format = csv ? Format::kCsv : Format::kJsonl});
  check(again.texts == d.texts, "texts survive a round trip");
  for (size_t i = 0; i < d.size(); ++i) {
    check(again.classes[static_cast<size_t>(again.labels[i])] ==
              d.classes[static_cast<size_t>(d.labels[i])],
          "labels survive a round trip");
  }
}

}  // namespace

std::vector<std::string> seeds() {
  return {
      std::string(1, '\0') + "1\tgood\n0\tbad\r\n",
      "\1\"a\",\"b \r\nb\"\r\nz,\"b\"\"b\"\n",
      "\2{\"text\": \"a\", \"label\": 1}\n\n{\"label\":\"x\",\"text\":\"b\"}",
      "\7label,text\n1,a\n",
      "\x0B{\"text\": \"a\", \"label\": 1, \"second\": \"b\"}\n",
      "\x39-1.5,a,b\n2e3,\"c\",d\n",
      "\x30-1.5\ta\nnan\tb\n"};
}

std::vector<std::string> dictionary() {
  return {"\"",     "\"\"",         ",",       "\t",       "\n",
          "\r\n",   "\xEF\xBB\xBF", "\\u0000", "\\ud800",  "\xff",
          "\u3000", "label",        "text",    "second",   "1e999",
          "null",   "[[",           "{}",      "\x1f\x8b", "\x28\xb5\x2f\xfd"};
}

}  // namespace kexue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kexue::fuzz;
  using kexue::Code;
  if (size == 0) return 0;
  const auto options = options_of(data[0]);
  write({reinterpret_cast<const char*>(data) + 1, size - 1});
  try {
    const auto rows = kexue::data::read_dataset(path(), options);
    check_rows(rows, options);
    if (!rows.labels.empty()) check_round_trip(rows, options);
  } catch (const kexue::Error& e) {
    check_code(e);
  }
  kexue::io::real_fs().unlink(path());
  return 0;
}
