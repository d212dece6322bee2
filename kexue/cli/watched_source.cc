#include "kexue/cli/watched_source.h"

#include <fmt/format.h>

namespace kexue::cli {

WatchedSource::WatchedSource(io::SourcePtr source, TaskBar& bar)
    : TensorSource(source->format(), source->where()),
      source_(std::move(source)),
      bar_(&bar) {
  metadata_ = source_->metadata();
  tensors_ = source_->tensors();
  for (const auto& t : tensors_) total_ += t.bytes;
}

HostArray WatchedSource::read(size_t i) const {
  HostArray out = source_->tensor(i);
  done_ += tensors()[i].bytes;
  bar_->update(static_cast<double>(done_),
               static_cast<double>(total_),
               fmt::format("tensor {} of {}", i + 1, tensors().size()));
  return out;
}

ChosenSource::ChosenSource(io::SourcePtr source, std::vector<size_t> chosen)
    : TensorSource(source->format(), source->where()),
      source_(std::move(source)),
      chosen_(std::move(chosen)) {
  metadata_ = source_->metadata();
  for (const size_t i : chosen_) tensors_.push_back(source_->tensors()[i]);
}

}  // namespace kexue::cli
