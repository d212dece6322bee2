#include "kexue/data/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>
#include <string_view>

#include "kexue/base/error.h"
#include "kexue/data/row_reader.h"
#include "kexue/io/limits.h"
#include "kexue/io/printable.h"

namespace kexue::data {
namespace {

using io::printable;
using Result = detail::RowReader::Result;

template <class T>
std::optional<T> as_number(std::string_view text) {
  T value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || at != end) return std::nullopt;
  return value;
}

}  // namespace

struct DatasetReader::State {
  std::unique_ptr<detail::RowReader> rows;  // of the file being read
};

DatasetReader::DatasetReader(const std::string& path,
                             ReadOptions options,
                             io::FileSystem& fs)
    : options_(std::move(options)),
      fs_(fs),
      files_(data_files(path, fs)),
      classes_(options_.classes),
      discover_(classes_.empty()),
      state_(std::make_unique<State>()) {
  if (options_.columns.label < 0) options_.labels = Labels::kNone;
  for (const auto& c : classes_) {
    if (!ids_.emplace(c, static_cast<int32_t>(ids_.size())).second) {
      throw Error(Code::kInvalidArgument,
                  fmt::format("dataset: class \"{}\" twice", printable(c)));
    }
  }
}

DatasetReader::~DatasetReader() = default;

bool DatasetReader::next(LabelledText* out) {
  for (;;) {
    auto& rows = state_->rows;
    if (!rows) {
      if (file_ == files_.size()) return false;
      rows = detail::open_rows(files_[file_++], options_, fs_);
    }
    detail::Row row;
    const Result result = rows->next(&row);
    if (result == Result::kEnd) {
      rows.reset();
    } else if (result == Result::kBad) {
      bad(skipped_.*(rows->skipped), rows->why);
    } else if (label(row.label, out)) {
      out->text.assign(row.text);
      out->second_text.assign(row.second_text);
      out->line = rows->line();
      return true;
    }
  }
}

void DatasetReader::bad(int64_t& counter, const std::string& text) {
  if (options_.on_bad == OnBad::kError) {
    throw Error(Code::kCorruptData, state_->rows->where() + ": " + text);
  }
  ++counter;
}

bool DatasetReader::label(std::string_view text, LabelledText* out) {
  if (options_.labels == Labels::kNone) return true;
  if (options_.labels == Labels::kScores) {
    const auto score = as_number<double>(text);
    out->score = score ? static_cast<float>(*score) : 0;
    if (score && std::isfinite(out->score)) return true;
    bad(skipped_.unknown_label,
        fmt::format("label \"{}\" is not a finite number", printable(text)));
    return false;
  }
  const std::string name(text);
  auto it = ids_.find(name);
  if (it == ids_.end()) {
    if (!discover_) {
      bad(skipped_.unknown_label,
          fmt::format("label \"{}\" is not one of {}",
                      printable(name),
                      printable(fmt::format("{}", fmt::join(classes_, ", ")))));
      return false;
    }
    if (ids_.size() == io::limits::kClasses) {
      throw Error(Code::kUnsupported,
                  fmt::format("{}: more than {} classes",
                              state_->rows->where(),
                              io::limits::kClasses));
    }
    it = ids_.emplace(name, static_cast<int32_t>(ids_.size())).first;
    classes_.push_back(name);
  }
  out->label = it->second;
  return true;
}

std::vector<int32_t> sort_classes(std::vector<std::string>& names) {
  const bool integers =
      std::all_of(names.begin(), names.end(), [](const std::string& s) {
        return as_number<int64_t>(s).has_value();
      });
  std::vector<size_t> order(names.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t i, size_t j) {
    const std::string& a = names[i];
    const std::string& b = names[j];
    if (!integers) return a < b;
    // "01" and "1" are different labels of equal value.
    return std::pair(*as_number<int64_t>(a), a) <
           std::pair(*as_number<int64_t>(b), b);
  });
  std::vector<std::string> sorted;
  std::vector<int32_t> place(names.size());
  for (const size_t old : order) {
    place[old] = static_cast<int32_t>(sorted.size());
    sorted.push_back(names[old]);
  }
  names = std::move(sorted);
  return place;
}

std::vector<std::string> data_files(const std::string& path,
                                    io::FileSystem& fs) {
  std::vector<std::string> names;
  int rc = 0;
  do {
    rc = fs.list(path, &names);
  } while (rc == -EINTR);
  if (rc == -ENOTDIR) return {path};
  if (rc < 0) throw io::os_error("open", path, rc);
  std::vector<std::string> out;
  for (const auto& name : names) {
    if (!name.starts_with('.')) out.push_back(path + "/" + name);
  }
  if (out.empty()) {
    throw Error(Code::kNotFound, path + ": the folder has no files");
  }
  return out;
}

Dataset read_dataset(const std::string& path,
                     const ReadOptions& options,
                     io::FileSystem& fs) {
  DatasetReader reader(path, options, fs);
  const bool labelled = options.columns.label >= 0;
  const bool classes = labelled && options.labels == Labels::kClasses;
  const bool scores = labelled && options.labels == Labels::kScores;
  Dataset out;
  LabelledText row;
  while (reader.next(&row)) {
    if (classes) out.labels.push_back(row.label);
    if (scores) out.scores.push_back(row.score);
    if (!row.second_text.empty()) {
      out.second_texts.push_back(std::move(row.second_text));
    }
    out.texts.push_back(std::move(row.text));
    out.lines.push_back(row.line);
  }
  out.skipped = reader.skipped();
  if (out.texts.empty()) {
    throw Error(
        Code::kCorruptData,
        fmt::format("{}: no rows, {} skipped", path, out.skipped.total()));
  }
  out.classes = reader.classes();
  if (options.classes.empty()) {
    const auto place = sort_classes(out.classes);
    for (auto& label : out.labels) label = place[static_cast<size_t>(label)];
  }
  return out;
}

}  // namespace kexue::data
