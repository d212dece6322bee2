// Labelled texts from files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "kexue/io/file_system.h"

namespace kexue::data {

// kAuto: by the name, less .gz and .zst: .csv, .jsonl or .ndjson, else TSV.
//
// kTsv:   columns between tabs, no quoting.
// kCsv:   RFC 4180: commas, fields with commas, quotes or line ends in double
//         quotes, a quote inside doubled.
// kJsonl: one object a line; blank lines are passed over.
enum class Format { kAuto, kTsv, kCsv, kJsonl };

enum class Labels { kNone, kClasses, kScores };
enum class OnBad { kError, kSkip };

// Where the label and the texts of a row are.
struct Columns {
  // TSV and CSV: columns from 0; -1: no labels, no second text.
  int64_t label = 0;
  int64_t text = 1;
  int64_t second_text = -1;
  // JSONL: keys; TSV and CSV with a header: names of columns, which count in
  // place of the numbers. An empty name of the second text: single texts.
  bool header = false;
  std::string label_field = "label";
  std::string text_field = "text";
  std::string second_text_field = "";

  bool has_pairs() const {
    return second_text >= 0 || !second_text_field.empty();
  }
  bool operator==(const Columns&) const = default;
};

struct ReadOptions {
  Format format = Format::kAuto;
  Columns columns = {};
  Labels labels = Labels::kClasses;
  // Empty: discovered from this file, sorted (by value if all are integers,
  // else by bytes). Give the training split's classes to the other splits.
  std::vector<std::string> classes = {};
  OnBad on_bad = OnBad::kError;
};

// Rows left out by OnBad::kSkip, by the first rule that failed.
struct SkipCounts {
  int64_t missing_column = 0;
  int64_t not_utf8 = 0;
  int64_t empty_text = 0;
  int64_t unknown_label = 0;  // or one that is no number
  int64_t malformed = 0;      // a line of JSONL that is no object
  int64_t total() const {
    return missing_column + not_utf8 + empty_text + unknown_label + malformed;
  }
};

// Column vectors of equal length; `labels` index `classes`.
struct Dataset {
  std::vector<std::string> classes;
  std::vector<int32_t> labels;  // empty without classes
  std::vector<float> scores;    // empty without scores
  std::vector<std::string> texts;
  std::vector<std::string> second_texts;  // empty for single texts
  std::vector<int64_t> lines;             // of their file, from 1
  SkipCounts skipped;

  size_t size() const { return texts.size(); }
};

// One row of a dataset.
struct LabelledText {
  std::string text;
  std::string second_text;
  int32_t label = 0;
  float score = 0;
  int64_t line = 0;
};

// One pass over a file, or over the files of a folder one after the other.
class DatasetReader final {
 public:
  DatasetReader(const std::string& path,
                ReadOptions options,
                io::FileSystem& fs = io::real_fs());
  ~DatasetReader();

  // False at the end.
  bool next(LabelledText* out);

  // Those given, else those seen so far, in the order of their appearance.
  const std::vector<std::string>& classes() const { return classes_; }
  const SkipCounts& skipped() const { return skipped_; }

 private:
  struct State;
  bool label(std::string_view text, LabelledText* out);
  void bad(int64_t& counter, const std::string& text);

  ReadOptions options_;
  io::FileSystem& fs_;
  std::vector<std::string> files_;
  std::vector<std::string> classes_;
  std::unordered_map<std::string, int32_t> ids_;
  bool discover_;
  SkipCounts skipped_;
  size_t file_ = 0;  // the next to open
  std::unique_ptr<State> state_;
};

// A file, or a folder: its files sorted by name, less those that start with a
// dot. gzip and zstd are unpacked.
//
// UTF-8, LF or CR LF; a UTF-8 mark at the start is ignored. A text is empty if
// it has only spaces. A label of JSONL may be text, a number or a boolean.
//
// Errors: kCorruptData with file:line for a missing column or key, text that
//         is not UTF-8 or empty, a label outside `classes` or not a finite
//         number, a line that is not JSON (these may be skipped and counted),
//         wrong quotes, a NUL byte, and for a dataset without any row;
//         kUnsupported for lines (CSV: rows) above 16 MiB, more than 4,096
//         columns or 65,536 classes; kNotFound, kIo; those of
//         io::CompressedFile.
Dataset read_dataset(const std::string& path,
                     const ReadOptions& options = {},
                     io::FileSystem& fs = io::real_fs());

// The files that `path` stands for. kNotFound for a folder without any.
std::vector<std::string> data_files(const std::string& path,
                                    io::FileSystem& fs = io::real_fs());

// Sorts names of classes: by value if all are integers, else by bytes. Returns
// the new place of each old index.
std::vector<int32_t> sort_classes(std::vector<std::string>& names);

}  // namespace kexue::data
