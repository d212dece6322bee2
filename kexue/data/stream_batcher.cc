#include "kexue/data/stream_batcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <unordered_map>

#include "kexue/base/error.h"
#include "kexue/data/collate.h"

namespace kexue::data {
namespace {

// Rows that become tokens together: enough for every thread.
constexpr size_t kChunk = 4096;

// Appends to `set`, whose classes are known.
void append(LabelledText row, const ReadOptions& options, Dataset& set) {
  if (options.labels == Labels::kClasses) set.labels.push_back(row.label);
  if (options.labels == Labels::kScores) set.scores.push_back(row.score);
  if (!row.second_text.empty()) {
    set.second_texts.push_back(std::move(row.second_text));
  }
  set.texts.push_back(std::move(row.text));
}

void count(const Examples& rows, DatasetScan& out) {
  out.rows += static_cast<int64_t>(rows.rows.size());
  out.truncated += rows.truncated;
  for (const auto& row : rows.rows) {
    ++out.lengths[static_cast<int64_t>(row.ids.size())];
    for (const int32_t id : row.ids) ++out.tokens[static_cast<size_t>(id)];
    const auto label = static_cast<size_t>(row.label);
    if (out.class_rows.size() <= label) out.class_rows.resize(label + 1);
    ++out.class_rows[label];
  }
}

[[noreturn]] void wrong_position(const std::string& text) {
  throw Error(Code::kCorruptData,
              "data position: " + text,
              "the dataset or the settings differ from the saved run");
}

// Reads numbers that were saved one after the other.
class Cursor final {
 public:
  explicit Cursor(std::span<const int64_t> words) : words_(words) {}
  int64_t next() {
    if (words_.empty()) wrong_position("too few numbers");
    const int64_t word = words_.front();
    words_ = words_.subspan(1);
    if (word < 0) wrong_position("a negative number");
    return word;
  }
  std::span<const int64_t> list() {
    const auto n = static_cast<uint64_t>(next());
    if (n > words_.size()) wrong_position("too few numbers");
    const auto out = words_.first(n);
    words_ = words_.subspan(n);
    return out;
  }
  bool done() const { return words_.empty(); }

 private:
  std::span<const int64_t> words_;
};

}  // namespace

DatasetScan scan_of(const Examples& examples, int64_t vocabulary) {
  DatasetScan out;
  out.tokens.resize(static_cast<size_t>(vocabulary));
  count(examples, out);
  return out;
}

DatasetScan scan_dataset(const std::string& path,
                         const ReadOptions& options,
                         const text::WordPiece& tokenizer,
                         int64_t max_len,
                         int threads) {
  DatasetReader reader(path, options);
  DatasetScan out;
  out.tokens.resize(static_cast<size_t>(tokenizer.vocabulary().size()));
  LabelledText row;
  for (bool more = true; more;) {
    Dataset chunk;
    while (chunk.size() < kChunk && (more = reader.next(&row))) {
      append(std::move(row), options, chunk);
    }
    count(encode(chunk, tokenizer, max_len, threads), out);
  }
  out.skipped = reader.skipped();
  if (out.rows == 0) {
    throw Error(
        Code::kCorruptData,
        fmt::format("{}: no rows, {} skipped", path, out.skipped.total()));
  }
  out.classes = reader.classes();
  out.class_rows.resize(out.classes.size());
  if (options.classes.empty()) {
    const auto place = sort_classes(out.classes);
    auto sorted = out.class_rows;
    for (size_t i = 0; i < place.size(); ++i) {
      sorted[static_cast<size_t>(place[i])] = out.class_rows[i];
    }
    out.class_rows = std::move(sorted);
  }
  return out;
}

StreamBatcher::StreamBatcher(std::string path,
                             ReadOptions read,
                             text::WordPiece tokenizer,
                             const DatasetScan& scan,
                             LengthBuckets buckets,
                             const Options& options)
    : path_(std::move(path)),
      read_options_(std::move(read)),
      tokenizer_(std::move(tokenizer)),
      buckets_(std::move(buckets)),
      options_(options),
      rows_(scan.rows) {
  if (options.batch_size < 1 || options.buffer < 1) {
    throw Error(Code::kInvalidArgument,
                fmt::format("batches of {} from a buffer of {} rows",
                            options.batch_size,
                            options.buffer));
  }
  std::vector<int64_t> rows(buckets_.size(), 0);
  int64_t real = 0;
  for (const auto& [length, n] : scan.lengths) {
    rows[buckets_.index(length)] += n;
    real += length * n;
  }
  int64_t padded = 0;
  for (size_t b = 0; b < rows.size(); ++b) {
    const int64_t batches =
        (rows[b] + options.batch_size - 1) / options.batch_size;
    batches_per_epoch_ += batches;
    padded += batches * options.batch_size * buckets_.lengths()[b];
  }
  padding_share_ =
      static_cast<double>(padded - real) / static_cast<double>(padded);
  open(0);
}

void StreamBatcher::open(int64_t epoch) {
  epoch_ = epoch;
  batch_ = 0;
  reader_ = std::make_unique<DatasetReader>(path_, read_options_);
  read_ = 0;
  random_ = Random(options_.key.fold_in(static_cast<uint64_t>(epoch)));
  buffer_.clear();
  waiting_.assign(buckets_.size(), {});
  ready_.clear();
  before_.clear();
  taken_ = 0;
}

bool StreamBatcher::read(LabelledText* out) {
  if (!reader_->next(out)) return false;
  ++read_;
  return true;
}

void StreamBatcher::fill_buffer() {
  LabelledText text;
  while (static_cast<int64_t>(buffer_.size()) < options_.buffer &&
         read(&text)) {
    buffer_.push_back({read_ - 1, std::move(text)});
  }
}

StreamBatcher::Row StreamBatcher::draw() {
  const size_t at = random_.below(buffer_.size());
  Row out = std::move(buffer_[at]);
  LabelledText text;
  if (read(&text)) {
    buffer_[at] = {read_ - 1, std::move(text)};
  } else {
    if (at + 1 < buffer_.size()) buffer_[at] = std::move(buffer_.back());
    buffer_.pop_back();
  }
  return out;
}

std::vector<Example> StreamBatcher::encoded(
    const std::vector<Row>& rows) const {
  Dataset chunk;
  for (const Row& row : rows) append(row.text, read_options_, chunk);
  return encode(chunk, tokenizer_, options_.max_len, options_.threads).rows;
}

// Draws rows until at least one batch is there, or the epoch ends.
void StreamBatcher::make_groups() {
  before_ = words();
  taken_ = 0;
  fill_buffer();
  std::vector<Row> rows;
  while (rows.size() < kChunk && !buffer_.empty()) rows.push_back(draw());
  auto examples = encoded(rows);
  const auto full = static_cast<size_t>(options_.batch_size);
  for (size_t i = 0; i < rows.size(); ++i) {
    const size_t b =
        buckets_.index(static_cast<int64_t>(examples[i].ids.size()));
    waiting_[b].push_back({rows[i].number, std::move(examples[i])});
    if (waiting_[b].size() == full) {
      ready_.push_back({b, std::exchange(waiting_[b], {})});
    }
  }
  if (!buffer_.empty()) return;
  for (size_t b = 0; b < waiting_.size(); ++b) {
    if (!waiting_[b].empty()) {
      ready_.push_back({b, std::exchange(waiting_[b], {})});
    }
  }
}

void StreamBatcher::refuse_change() const {
  throw Error(
      Code::kCorruptData,
      fmt::format(
          "{}: {} rows, {} when it was first read", path_, read_, rows_),
      "files must not change while they are read");
}

Minibatch StreamBatcher::next() {
  if (batch_ == batches_per_epoch_) {
    if (read_ != rows_) refuse_change();
    open(epoch_ + 1);
  }
  while (ready_.empty()) {
    if (read_ > 0 && buffer_.empty()) refuse_change();
    make_groups();
  }
  const Group group = std::move(ready_.front());
  ready_.pop_front();
  ++taken_;
  ++batch_;
  std::vector<const Example*> rows;
  std::vector<int64_t> numbers;
  for (const Waiting& w : group.rows) {
    rows.push_back(&w.example);
    numbers.push_back(w.number);
  }
  Minibatch out = collate(rows,
                          numbers,
                          {.rows = options_.batch_size,
                           .length = buckets_.lengths()[group.bucket],
                           .pad_id = tokenizer_.pad_id(),
                           .scores = read_options_.labels == Labels::kScores});
  out.epoch = epoch_;
  out.next = position();
  return out;
}

// Rows read, the random numbers drawn, what waits in the buffer and by bucket.
StreamBatcher::Words StreamBatcher::words() const {
  Words out = {read_, static_cast<int64_t>(random_.position())};
  out.push_back(static_cast<int64_t>(buffer_.size()));
  for (const Row& row : buffer_) out.push_back(row.number);
  for (const auto& bucket : waiting_) {
    out.push_back(static_cast<int64_t>(bucket.size()));
    for (const Waiting& w : bucket) out.push_back(w.number);
  }
  return out;
}

Position StreamBatcher::position() const {
  if (batch_ == batches_per_epoch_) return {epoch_ + 1, 0, {}};
  if (batch_ == 0) return {epoch_, 0, {}};
  Position out{epoch_, batch_, {taken_}};
  out.stream.insert(out.stream.end(), before_.begin(), before_.end());
  return out;
}

void StreamBatcher::seek(const Position& p) {
  if (p.epoch < 0 || p.batch < 0 || p.batch >= batches_per_epoch_ ||
      (p.batch > 0) != !p.stream.empty()) {
    wrong_position(fmt::format("epoch {}, batch {} of {}, {} numbers",
                               p.epoch,
                               p.batch,
                               batches_per_epoch_,
                               p.stream.size()));
  }
  open(p.epoch);
  if (p.batch == 0) return;
  const int64_t taken = p.stream.front();
  restore({p.stream.begin() + 1, p.stream.end()});
  make_groups();
  if (taken < 0 || taken > static_cast<int64_t>(ready_.size())) {
    wrong_position(fmt::format("batch {} of {}", taken, ready_.size()));
  }
  ready_.erase(ready_.begin(), ready_.begin() + taken);
  taken_ = taken;
  batch_ = p.batch;
}

void StreamBatcher::restore(const Words& words) {
  Cursor cursor(words);
  const int64_t read_before = cursor.next();
  const int64_t drawn = cursor.next();
  const auto buffered = cursor.list();
  std::vector<std::span<const int64_t>> waiting;
  for (size_t b = 0; b < buckets_.size(); ++b) waiting.push_back(cursor.list());
  if (!cursor.done() || read_before > rows_) {
    wrong_position(fmt::format("{} rows of {}", read_before, rows_));
  }
  std::unordered_map<int64_t, LabelledText> wanted;
  for (const int64_t number : buffered) wanted[number];
  for (const auto& list : waiting) {
    for (const int64_t number : list) wanted[number];
  }
  LabelledText text;
  size_t found = 0;
  while (read_ < read_before && read(&text)) {
    const auto it = wanted.find(read_ - 1);
    if (it == wanted.end()) continue;
    it->second = std::move(text);
    ++found;
  }
  if (read_ != read_before || found != wanted.size()) {
    wrong_position(fmt::format("{} of {} rows found", found, wanted.size()));
  }
  random_ = Random(options_.key.fold_in(static_cast<uint64_t>(epoch_)),
                   static_cast<uint64_t>(drawn));
  for (const int64_t number : buffered) {
    buffer_.push_back({number, std::move(wanted[number])});
  }
  for (size_t b = 0; b < waiting.size(); ++b) {
    std::vector<Row> rows;
    for (const int64_t number : waiting[b]) {
      rows.push_back({number, std::move(wanted[number])});
    }
    auto examples = encoded(rows);
    for (size_t i = 0; i < rows.size(); ++i) {
      waiting_[b].push_back({rows[i].number, std::move(examples[i])});
    }
  }
}

}  // namespace kexue::data
