// Labelled texts from tab-separated files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kexue/io/file_system.h"

namespace kexue::data {

enum class OnBad { kError, kSkip };

struct TsvOptions {
  int64_t label_column = 0;  // -1: no labels (prediction)
  int64_t text_column = 1;
  int64_t second_text_column = -1;  // -1: single texts
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
  int64_t unknown_label = 0;
  int64_t total() const {
    return missing_column + not_utf8 + empty_text + unknown_label;
  }
};

// Column vectors of equal length; `labels` index `classes`.
struct Dataset {
  std::vector<std::string> classes;
  std::vector<int32_t> labels;  // empty without a label column
  std::vector<std::string> texts;
  std::vector<std::string> second_texts;  // empty for single texts
  std::vector<int64_t> lines;             // of the file, from 1
  SkipCounts skipped;

  size_t size() const { return texts.size(); }
};

// UTF-8, LF or CR LF, no header, no quoting; a UTF-8 mark at the start is
// ignored. A text is empty if it has only spaces.
//
// Errors: kCorruptData with file:line for a missing column, text that is not
//         UTF-8 or empty, a label outside `classes` (these four may be skipped
//         and counted), a NUL byte, and for a file without any row;
//         kUnsupported for lines above 16 MiB, more than 4,096 columns or
//         65,536 classes; kNotFound, kIo.
Dataset read_tsv(const std::string& path,
                 const TsvOptions& options = {},
                 io::FileSystem& fs = io::real_fs());

}  // namespace kexue::data
