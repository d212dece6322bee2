// The folder that a training run leaves.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kexue/base/host_array.h"
#include "kexue/io/file_system.h"
#include "kexue/models/bert.h"

namespace kexue::train {

// Made for one run and locked by it (flock on run.lock) until the object is
// gone. Everything but metrics.jsonl is written whole or not at all.
class RunFolder final {
 public:
  // Creates the folder, parents included.
  // Errors: kInvalidArgument if it holds files already or another process
  //         trains into it; kIo.
  explicit RunFolder(std::string path);
  // The folder of a run that goes on. Errors: kInvalidArgument if another
  // process trains into it; kIo.
  static RunFolder reopened(std::string path);
  // kInvalidArgument if there is a model already.
  void refuse_finished() const;
  // Whether a run has begun in this folder.
  static bool is_run(const std::string& path);

  // The first of the errors above, without making anything.
  static void refuse_used(const std::string& path);

  const std::string& path() const { return path_; }
  std::string model_path() const { return path_ + "/model"; }

  // A file, atomically.
  void write(const std::string& name, std::string_view text) const;
  // One line of metrics.jsonl. A full disk leaves half a line at most.
  void append_metrics(std::string line);
  // How much was appended, in the file's bytes.
  uint64_t metrics_bytes() const;
  // What was appended is on disk. Another thread may append meanwhile.
  void sync_metrics() const;
  // Drops what was appended later. False if there is less than `bytes`.
  bool cut_metrics(uint64_t bytes);

  // model/: config.json, model.safetensors and the tokenizer files of
  // `tokenizer_folder`. Written beside it and swapped in by one rename, so
  // model/ is always complete; the previous one goes only then.
  // Errors: kIo (a full disk included) with the previous model untouched.
  void save_model(const models::BertConfig& config,
                  const std::vector<HostArray>& values,
                  const std::string& tokenizer_folder) const;

 private:
  RunFolder(std::string path, int lock, int metrics);

  std::string path_;
  io::Descriptor lock_;
  io::Descriptor metrics_;
};

}  // namespace kexue::train
