// Tensors on their way through a command: with progress, or only some of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kexue/cli/task_bar.h"
#include "kexue/io/tensor_source.h"

namespace kexue::cli {

// Shows on the bar how much has been read. Not thread-safe.
class WatchedSource final : public io::TensorSource {
 public:
  WatchedSource(io::SourcePtr source, TaskBar& bar);

 protected:
  HostArray read(size_t i) const override;

 private:
  io::SourcePtr source_;
  TaskBar* bar_;
  uint64_t total_ = 0;
  mutable uint64_t done_ = 0;
};

// The tensors of these numbers, in this order.
class ChosenSource final : public io::TensorSource {
 public:
  ChosenSource(io::SourcePtr source, std::vector<size_t> chosen);

 protected:
  HostArray read(size_t i) const override {
    return source_->tensor(chosen_[i]);
  }

 private:
  io::SourcePtr source_;
  std::vector<size_t> chosen_;
};

}  // namespace kexue::cli
