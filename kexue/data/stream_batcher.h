// Batches from files that are larger than memory.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kexue/base/random.h"
#include "kexue/data/batch_source.h"
#include "kexue/data/dataset.h"
#include "kexue/data/examples.h"
#include "kexue/data/length_buckets.h"

namespace kexue::data {

// What one pass over a dataset finds out: enough to choose length buckets and
// to know how many batches an epoch will have.
struct DatasetScan {
  int64_t rows = 0;
  int64_t truncated = 0;
  std::vector<std::string> classes;    // sorted
  std::vector<int64_t> class_rows;     // by class
  std::map<int64_t, int64_t> lengths;  // tokens -> rows
  std::vector<int64_t> tokens;         // how often, by id
  SkipCounts skipped;
};
// The same of rows that were read; without classes and what was skipped.
DatasetScan scan_of(const Examples& examples, int64_t vocabulary);
// Errors: as read_dataset.
DatasetScan scan_dataset(const std::string& path,
                         const ReadOptions& options,
                         const text::WordPiece& tokenizer,
                         int64_t max_len,
                         int threads = 0);

// Rows are read in the order of their files, drawn at random from a buffer,
// turned into tokens (in several threads) and collected by length; a bucket
// that has B rows is a batch, what is left at the end of an epoch is filled up.
// The order depends on the key, the epoch and the size of the buffer only.
//
// The position holds the numbers of the rows that wait in the buffer and in
// the buckets. seek() reads the files of the epoch up to there again, without
// turning them into tokens.
class StreamBatcher final : public BatchSource {
 public:
  struct Options {
    int64_t batch_size = 32;  // B
    int64_t buffer = 16384;   // rows that are shuffled at a time
    int64_t max_len = 128;
    Key key = {};
    int threads = 0;
  };

  // `read` has the classes of the scan. kInvalidArgument for B < 1 or a buffer
  // below 1 row.
  StreamBatcher(std::string path,
                ReadOptions read,
                text::WordPiece tokenizer,
                const DatasetScan& scan,
                LengthBuckets buckets,
                const Options& options);

  int64_t batches_per_epoch() const override { return batches_per_epoch_; }
  double padding_share() const override { return padding_share_; }
  // kCorruptData if the files have changed since the scan.
  Minibatch next() override;
  Position position() const override;
  // kCorruptData for a position that cannot be one of these files.
  void seek(const Position& position) override;

 private:
  struct Row {
    int64_t number;  // in the dataset
    LabelledText text;
  };
  struct Waiting {
    int64_t number;
    Example example;
  };
  struct Group {
    size_t bucket;
    std::vector<Waiting> rows;
  };
  using Words = std::vector<int64_t>;

  void open(int64_t epoch);
  bool read(LabelledText* out);
  void fill_buffer();
  Row draw();
  std::vector<Example> encoded(const std::vector<Row>& rows) const;
  void make_groups();
  [[noreturn]] void refuse_change() const;
  Words words() const;
  void restore(const Words& words);

  std::string path_;
  ReadOptions read_options_;
  text::WordPiece tokenizer_;
  LengthBuckets buckets_;
  Options options_;
  int64_t rows_ = 0;  // of an epoch
  int64_t batches_per_epoch_ = 0;
  double padding_share_ = 0;

  int64_t epoch_ = 0;
  int64_t batch_ = 0;  // of the epoch
  std::unique_ptr<DatasetReader> reader_;
  int64_t read_ = 0;  // rows of this epoch
  std::vector<Row> buffer_;
  Random random_{Key{}};
  std::vector<std::vector<Waiting>> waiting_;  // by bucket
  std::deque<Group> ready_;
  // The state before ready_ was made, and how many of it are gone.
  Words before_;
  int64_t taken_ = 0;
};

}  // namespace kexue::data
